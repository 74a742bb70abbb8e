//! Programs of the user's: they get a text or print one, and may run for a limited time.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, Command};

use crate::text::truncate_text;

/// How much of a program's complaint is kept, in bytes.
const MOST_COMPLAINT: usize = 300;
/// How long a program's complaint is waited for once it has ended: something it started may hold the pipe open.
const AFTER_END: Duration = Duration::from_millis(200);

/// Why a program did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It could not be started.
    #[error("it cannot be started: {0}")]
    NotStarted(io::Error),
    /// It ran for longer than it may.
    #[error("it took longer than {} s and was killed", .0.as_secs_f64())]
    TimedOut(Duration),
    /// It ended with a code other than 0, or by a signal.
    #[error("it ended {}{complaint}", exit_phrase(*code))]
    Ended {
        /// Its exit code; `None` if a signal ended it.
        code: Option<i32>,
        /// The last line of its standard error with a colon before it, or nothing.
        complaint: String,
    },
    /// Its end could not be observed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

fn exit_phrase(code: Option<i32>) -> String {
    code.map_or("by a signal".to_owned(), |code| format!("with code {code}"))
}

/// Runs a program with a text and a line break on its standard input. After `limit` it is killed, with what it has
/// started. Its standard output is discarded.
///
/// # Errors
/// Unless it ends with 0.
pub async fn run_with_input(
    command: &mut Command,
    input: &str,
    limit: Duration,
) -> Result<(), ProgramError> {
    command.kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    // A group of its own: Ctrl-C does not interrupt it, and what it starts can be killed with it.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().map_err(ProgramError::NotStarted)?;
    let mut complaint = Vec::new();
    let ended = tokio::time::timeout(limit, wait_for_end(&mut child, input, &mut complaint));
    let Ok(ended) = ended.await else {
        kill_with_children(&mut child).await;
        return Err(ProgramError::TimedOut(limit));
    };
    let status = ended?;
    if status.success() {
        return Ok(());
    }
    let complaint = String::from_utf8_lossy(&complaint);
    let last = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let complaint =
        if last.is_empty() { String::new() } else { format!(": {}", truncate_text(last, 200)) };
    Err(ProgramError::Ended { code: status.code(), complaint })
}

/// Sends the text and waits until the program ends. Whatever it prints is read, so that it never waits for us; the
/// beginning of its standard error is kept.
async fn wait_for_end(
    child: &mut Child,
    input: &str,
    complaint: &mut Vec<u8>,
) -> io::Result<ExitStatus> {
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let write = async {
        if let Some(mut stdin) = stdin {
            // A program need not read its input.
            let _ = stdin.write_all(format!("{input}\n").as_bytes()).await;
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

/// Kills a program that is the first of its process group, with what it has started.
pub async fn kill_with_children(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed()))
    {
        // Fails if the program has just ended.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    // The same, and where there are no groups the program alone.
    let _ = child.kill().await;
}

/// What a program printed.
#[derive(Debug)]
pub struct CapturedOutput {
    /// How it ended.
    pub status: ExitStatus,
    /// The beginning of its standard output, which may be a secret.
    pub output: SecretString,
    /// The beginning of its standard error.
    pub complaint: String,
}

/// Runs a program without input and reads what it prints, of each stream at most `most` bytes.
///
/// # Errors
/// When it cannot be started or read, or runs for longer than `limit`; then it is killed.
pub async fn capture_output(
    command: &mut Command,
    limit: Duration,
    most: u64,
) -> Result<CapturedOutput, ProgramError> {
    command.kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let capture = async {
        let mut child = command.spawn().map_err(ProgramError::NotStarted)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let (mut output, mut complaint) = (Vec::new(), Vec::new());
        let (Some(out), Some(err)) = (out, err) else {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe).into());
        };
        let (mut out, mut err) = (out.take(most), err.take(most));
        tokio::try_join!(out.read_to_end(&mut output), err.read_to_end(&mut complaint))?;
        let status = child.wait().await?;
        Ok(CapturedOutput {
            status,
            output: String::from_utf8_lossy(&output).into_owned().into(),
            complaint: String::from_utf8_lossy(&complaint).into_owned(),
        })
    };
    tokio::time::timeout(limit, capture).await.unwrap_or(Err(ProgramError::TimedOut(limit)))
}
