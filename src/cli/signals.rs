//! Ctrl-C, SIGTERM, SIGHUP and the deadline: the first stops the work in order, a second signal leaves at once.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::output::error::CliError;
use super::output::exit_code::CliExitCode;
use super::output::progress::CliReporter;
use crate::concurrency;
use crate::event::{CancelCause, CancelSignal};

/// The threads that one location takes at most.
const THREADS: usize = 6;
/// How often it is checked whether something moves.
const STALL_CHECK: Duration = Duration::from_secs(5);

/// Runs work until it ends, with a tap that signals and the deadline close.
pub(super) fn block_on<T, F: Future<Output = Result<T, CliError>>>(
    deadline: Option<jiff::Timestamp>,
    screen: &CliReporter,
    work: impl FnOnce(CancelSignal) -> F,
) -> Result<T, CliError> {
    // One thread for all requests: measured faster than several, and the heavy work is on others.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        CliError::usage(format!("the system cannot create an event queue: {error}"))
    })?;
    let no_threads = |error| {
        CliError::usage(format!("the system gives the program too few threads: {error}")).with_hint(
            format!(
                "allow at least {THREADS} more (`ulimit -u`, or the container's limit of processes)"
            ),
        )
    };
    concurrency::ensure_threads(THREADS).map_err(no_threads)?;
    exit_on_second_signal().map_err(no_threads)?;
    runtime.block_on(async {
        let stop = CancelSignal::new();
        // A timer takes its time; a deadline that has passed lets no request through.
        if deadline.is_some_and(|deadline| deadline <= jiff::Timestamp::now()) {
            stop.cancel_with(CancelCause::Deadline);
        }
        let work = work(stop.clone());
        tokio::select! {
            // The handlers are installed before the work begins, so that no signal is lost.
            biased;
            never = watch_for_stop(&stop, deadline, screen) => match never {},
            never = watch_for_stall(screen) => match never {},
            ended = work => ended,
        }
    })
}

async fn watch_for_stop(
    stop: &CancelSignal,
    deadline: Option<jiff::Timestamp>,
    screen: &CliReporter,
) -> std::convert::Infallible {
    let first = tokio::select! {
        cause = next_signal() => cause,
        () = wait_until(deadline) => CancelCause::Deadline,
    };
    stop.cancel_with(first);
    if first == CancelCause::Deadline {
        screen.print_note("the deadline is reached; storing what is in flight");
        exit_now(exit_code(next_signal().await));
    }
    screen
        .print_note("stopping: finishing the requests in flight (press Ctrl-C again to quit now)");
    std::future::pending().await
}

/// Says what the command waits for when nothing moves.
async fn watch_for_stall(screen: &CliReporter) -> std::convert::Infallible {
    let mut ticks = tokio::time::interval(STALL_CHECK);
    loop {
        ticks.tick().await;
        screen.report_stall();
    }
}

/// Starts a thread that ends the process at the second signal, whatever the other threads do. Once in a process.
fn exit_on_second_signal() -> std::io::Result<()> {
    static STARTED: AtomicBool = AtomicBool::new(false);
    if STARTED.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    let (ready, is_ready) = std::sync::mpsc::channel();
    let watch = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            let mut signals = StopSignals::install();
            let _ = ready.send(());
            signals.next().await;
            exit_now(exit_code(signals.next().await));
        });
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(watch)?;
    // Without a handler the system's own remains.
    let _ = is_ready.recv();
    Ok(())
}

fn exit_code(cause: CancelCause) -> CliExitCode {
    match cause {
        CancelCause::Terminate => CliExitCode::Terminated,
        CancelCause::Hangup => CliExitCode::HungUp,
        _ => CliExitCode::Interrupted,
    }
}

#[expect(clippy::exit, reason = "the user asked twice; every run survives it")]
fn exit_now(code: CliExitCode) -> ! {
    std::process::exit(i32::from(u8::from(code)))
}

async fn wait_until(deadline: Option<jiff::Timestamp>) {
    let Some(deadline) = deadline else { return std::future::pending().await };
    let left = deadline.duration_since(jiff::Timestamp::now());
    tokio::time::sleep(left.try_into().unwrap_or_default()).await;
}

/// Waits for Ctrl-C or SIGTERM.
pub(super) async fn wait_for_signal() {
    next_signal().await;
}

async fn next_signal() -> CancelCause {
    StopSignals::install().next().await
}

/// Ctrl-C, SIGTERM and SIGHUP. Without a handler the system's own remains: the process ends, and the run resumes.
#[cfg(unix)]
struct StopSignals {
    interrupt: Option<tokio::signal::unix::Signal>,
    terminate: Option<tokio::signal::unix::Signal>,
    hangup: Option<tokio::signal::unix::Signal>,
}

/// Whether SIGHUP must have no effect: a command after `nohup` goes on without its terminal. Where the system does not
/// say, it keeps the effect that it has.
#[cfg(unix)]
fn ignores_hangup() -> bool {
    const HANGUP: u64 = 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_none_or(|mask| mask & HANGUP != 0)
}

#[cfg(unix)]
impl StopSignals {
    fn install() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let installed = |kind| signal(kind).ok();
        Self {
            interrupt: installed(SignalKind::interrupt()),
            terminate: installed(SignalKind::terminate()),
            hangup: (!ignores_hangup()).then(|| installed(SignalKind::hangup())).flatten(),
        }
    }

    async fn next(&mut self) -> CancelCause {
        async fn receive(signal: &mut Option<tokio::signal::unix::Signal>) {
            match signal {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            () = receive(&mut self.interrupt) => CancelCause::Interrupt,
            () = receive(&mut self.terminate) => CancelCause::Terminate,
            () = receive(&mut self.hangup) => CancelCause::Hangup,
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
struct StopSignals;

#[cfg(not(unix))]
impl StopSignals {
    fn install() -> Self {
        Self
    }

    async fn next(&mut self) -> CancelCause {
        match tokio::signal::ctrl_c().await {
            Ok(()) => CancelCause::Interrupt,
            Err(_) => std::future::pending().await,
        }
    }
}
