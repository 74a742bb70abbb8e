//! Ctrl-C, SIGTERM and the deadline: the first closes the tap, a second signal leaves at once.

use std::future::Future;

use super::output::error::CliError;
use super::output::exit_code::CliExitCode;
use super::output::progress::CliReporter;
use crate::event::{CancelCause, CancelSignal};

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
    } else {
        screen.print_note(
            "stopping: finishing the requests in flight (press Ctrl-C again to quit now)",
        );
    }
    let code = match next_signal().await {
        CancelCause::Terminate => CliExitCode::Terminated,
        _ => CliExitCode::Interrupted,
    };
    exit_now(code)
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

#[cfg(unix)]
async fn next_signal() -> CancelCause {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return wait_for_ctrl_c().await;
    };
    tokio::select! {
        cause = wait_for_ctrl_c() => cause,
        _ = terminate.recv() => CancelCause::Terminate,
    }
}

#[cfg(not(unix))]
async fn next_signal() -> CancelCause {
    wait_for_ctrl_c().await
}

async fn wait_for_ctrl_c() -> CancelCause {
    match tokio::signal::ctrl_c().await {
        Ok(()) => CancelCause::Interrupt,
        // Without a handler the system's own remains: the process ends, and the run resumes.
        Err(_) => std::future::pending().await,
    }
}
