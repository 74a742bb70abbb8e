//! Ctrl-C, SIGTERM and the deadline: the first closes the tap, a second signal leaves at once.

use std::future::Future;

use super::output::error::Failure;
use super::output::exit_code::Code;
use super::output::progress::Screen;
use crate::event::{Cause, Stop};

/// Runs work until it ends, with a tap that signals and the deadline close.
pub(super) fn block_on<T, F: Future<Output = Result<T, Failure>>>(
    deadline: Option<jiff::Timestamp>,
    screen: &Screen,
    work: impl FnOnce(Stop) -> F,
) -> Result<T, Failure> {
    // One thread for all requests: measured faster than several, and the heavy work is on others.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime
        .map_err(|error| Failure::usage(format!("the system gives no event queue: {error}")))?;
    runtime.block_on(async {
        let stop = Stop::new();
        // A timer takes its time; a deadline that has passed lets no request through.
        if deadline.is_some_and(|deadline| deadline <= jiff::Timestamp::now()) {
            stop.close(Cause::Deadline);
        }
        let work = work(stop.clone());
        tokio::select! {
            ended = work => ended,
            never = watch(&stop, deadline, screen) => match never {},
        }
    })
}

async fn watch(
    stop: &Stop,
    deadline: Option<jiff::Timestamp>,
    screen: &Screen,
) -> std::convert::Infallible {
    let first = tokio::select! {
        cause = signal() => cause,
        () = until(deadline) => Cause::Deadline,
    };
    stop.close(first);
    if first == Cause::Deadline {
        screen.line("the deadline is reached; storing what is in flight");
    } else {
        screen.line("stopping: storing what is in flight (once more to leave at once)");
    }
    let code = match signal().await {
        Cause::Terminate => Code::Terminated,
        _ => Code::Interrupted,
    };
    leave(code)
}

#[expect(clippy::exit, reason = "the user asked twice; every run survives it")]
fn leave(code: Code) -> ! {
    std::process::exit(i32::from(u8::from(code)))
}

async fn until(deadline: Option<jiff::Timestamp>) {
    let Some(deadline) = deadline else { return std::future::pending().await };
    let left = deadline.duration_since(jiff::Timestamp::now());
    tokio::time::sleep(left.try_into().unwrap_or_default()).await;
}

/// Waits for Ctrl-C or SIGTERM.
pub(super) async fn any() {
    signal().await;
}

#[cfg(unix)]
async fn signal() -> Cause {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return interrupt().await;
    };
    tokio::select! {
        cause = interrupt() => cause,
        _ = terminate.recv() => Cause::Terminate,
    }
}

#[cfg(not(unix))]
async fn signal() -> Cause {
    interrupt().await
}

async fn interrupt() -> Cause {
    match tokio::signal::ctrl_c().await {
        Ok(()) => Cause::Interrupt,
        // Without a handler the system's own remains: the process ends, and the run resumes.
        Err(_) => std::future::pending().await,
    }
}
