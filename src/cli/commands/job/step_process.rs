//! A step's command as a process: its events, and how it ends.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::child_process::kill_with_children;
use crate::event::CancelSignal;

/// How long a command may take to end once it was asked to, before it is killed.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long after the deadline a command is asked to end that has not done so by itself.
const AFTER_DEADLINE: Duration = Duration::from_mins(1);

/// How a command ended.
#[derive(Debug, Default)]
pub(super) struct CommandEnd {
    /// Its exit code; 128 and the signal's number if a signal ended it.
    pub(super) code: u8,
    /// The fields of its last event, if it came to it.
    pub(super) summary: Map<String, Value>,
    /// The list that it printed instead of events.
    pub(super) list: Vec<Value>,
}

/// Runs `program`, which is this one, with a command line that makes it print events, and passes on each event. When `stop` is cancelled,
/// or a while after `deadline`, the command is asked to end in order.
pub(super) async fn run_own_command(
    program: &Path,
    words: &[OsString],
    stop: &CancelSignal,
    deadline: Option<jiff::Timestamp>,
    mut on_event: impl FnMut(&Map<String, Value>),
) -> io::Result<CommandEnd> {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    // A group of its own: Ctrl-C reaches the job alone, which asks the command to end once.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn()?;
    let output = child.stdout.take().expect("it is piped");
    let mut end = CommandEnd::default();
    let read = async {
        let mut lines = BufReader::new(output).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let event = match serde_json::from_str(&line) {
                Ok(Value::Object(event)) => event,
                Ok(Value::Array(list)) => {
                    end.list = list;
                    continue;
                }
                _ => continue,
            };
            if event.get("event").and_then(Value::as_str) == Some("summary") {
                end.summary = event;
            } else {
                on_event(&event);
            }
        }
    };
    let (status, ()) = tokio::join!(wait_or_stop(&mut child, stop, deadline), read);
    end.code = exit_code(status?);
    Ok(end)
}

async fn wait_or_stop(
    child: &mut Child,
    stop: &CancelSignal,
    deadline: Option<jiff::Timestamp>,
) -> io::Result<ExitStatus> {
    tokio::select! {
        status = child.wait() => return status,
        () = stop.wait_for_cancel() => {}
        () = wait_beyond(deadline) => {}
    }
    ask_to_end(child);
    if let Ok(status) = tokio::time::timeout(PATIENCE, child.wait()).await {
        return status;
    }
    kill_with_children(child).await;
    child.wait().await
}

async fn wait_beyond(deadline: Option<jiff::Timestamp>) {
    let Some(deadline) = deadline else { return std::future::pending().await };
    let left = deadline.duration_since(jiff::Timestamp::now());
    let left: Duration = left.try_into().unwrap_or_default();
    tokio::time::sleep(left + AFTER_DEADLINE).await;
}

#[cfg(unix)]
fn ask_to_end(child: &Child) {
    if let Some(process) =
        child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()))
    {
        // Fails if it has just ended.
        let _ = rustix::process::kill_process(process, rustix::process::Signal::TERM);
    }
}

/// Other systems have no such request; the command is killed after a while.
#[cfg(not(unix))]
fn ask_to_end(_: &Child) {}

#[cfg(unix)]
fn exit_code(status: ExitStatus) -> u8 {
    use std::os::unix::process::ExitStatusExt as _;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| code.try_into().ok()).unwrap_or(u8::MAX)
}

#[cfg(not(unix))]
fn exit_code(status: ExitStatus) -> u8 {
    status.code().and_then(|code| code.try_into().ok()).unwrap_or(u8::MAX)
}
