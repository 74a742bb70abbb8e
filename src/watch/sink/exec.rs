//! A command that is started for each event, with the event on its standard input.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, Command};

use super::{SinkError, short_digest};
use crate::auth;
use crate::mirror::NewEvent;
use crate::text::truncate_text;

/// How much of a command's complaint is shown, in bytes.
const MOST_COMPLAINT: usize = 300;
/// How long a command's complaint is waited for once it has ended: something it started may hold the pipe open.
const AFTER_END: Duration = Duration::from_millis(200);

/// A command with its arguments.
#[derive(Debug)]
pub struct ExecSink {
    pub(super) name: String,
    pub(super) label: String,
    command: Vec<String>,
    limit: Duration,
}

impl ExecSink {
    /// A command that may run for `limit` with each event. It is run without a shell.
    ///
    /// # Panics
    /// If the command is empty.
    #[must_use]
    pub fn new(command: Vec<String>, limit: Duration) -> Self {
        let program = command.first().expect("a command has a program");
        // Arguments may hold secrets.
        let name = format!("exec:{program}:{}", short_digest(&command.join("\0")));
        Self { name, label: format!("`{program}`"), command, limit }
    }

    pub(super) async fn run_command(&self, event: &NewEvent) -> Result<(), SinkError> {
        let mut child = self
            .build_command(event)
            .spawn()
            .map_err(|error| SinkError::failed(format!("it cannot be started: {error}")))?;
        let mut complaint = Vec::new();
        let ended =
            tokio::time::timeout(self.limit, wait_for_end(&mut child, event, &mut complaint));
        let Ok(ended) = ended.await else {
            kill_with_children(&mut child).await;
            let limit = self.limit.as_secs_f64();
            return Err(SinkError::failed(format!("it took longer than {limit} s and was killed")));
        };
        let status = ended.map_err(|error| SinkError::failed(error.to_string()))?;
        if status.success() {
            return Ok(());
        }
        let how =
            status.code().map_or("by a signal".to_owned(), |code| format!("with code {code}"));
        let complaint = String::from_utf8_lossy(&complaint);
        let last = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let said =
            if last.is_empty() { String::new() } else { format!(": {}", truncate_text(last, 200)) };
        Err(SinkError::failed(format!("it ended {how}{said}")))
    }

    fn build_command(&self, event: &NewEvent) -> Command {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).kill_on_drop(true);
        auth::remove_own_secrets(&mut command);
        command.env("GHL_BULK_EVENT_ID", &event.id);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        // A group of its own: Ctrl-C does not interrupt a delivery, and what the command starts can be killed with it.
        #[cfg(unix)]
        command.process_group(0);
        command
    }
}

/// Sends the event to the command and waits until it ends. Whatever it prints is read, so that it never waits for us; the
/// beginning of its standard error is kept.
async fn wait_for_end(
    child: &mut Child,
    event: &NewEvent,
    complaint: &mut Vec<u8>,
) -> std::io::Result<ExitStatus> {
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let write = async {
        if let Some(mut stdin) = stdin {
            // A command need not read its input.
            let _ = stdin.write_all(format!("{}\n", event.body).as_bytes()).await;
        }
    };
    let read = async {
        if let Some(stderr) = stderr {
            keep_beginning(stderr, complaint).await;
        }
    };
    let mut talk = std::pin::pin!(async { tokio::join!(write, read) });
    let status = tokio::select! {
        status = child.wait() => status,
        _ = &mut talk => return child.wait().await,
    };
    let _ = tokio::time::timeout(AFTER_END, talk).await;
    status
}

/// Reads all of a stream and keeps its beginning.
async fn keep_beginning(mut stream: ChildStderr, kept: &mut Vec<u8>) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        let room = MOST_COMPLAINT.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..read.min(room)]);
    }
}

async fn kill_with_children(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()))
    {
        // Fails if the command has just ended.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    // The same, and where there are no groups the command alone.
    let _ = child.kill().await;
}
