//! A command in progress, and what a test does to it: read its output, signal, kill.
//!
//! It never outlives its test. Nothing here waits for time to pass: a test waits for a line that the
//! command writes, or for a request that the sandbox holds.

use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStderr, ChildStdout, Command};

use crate::world::{CommandOutput, World};

/// A command in progress.
pub(crate) struct RunningCommand {
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
    said: String,
    told: String,
}

impl RunningCommand {
    /// Starts a command.
    pub(crate) fn start(world: &World, line: &str) -> Self {
        Self::from_child(world.start_command(line))
    }

    /// Takes over a child whose outputs are piped.
    pub(crate) fn from_child(mut child: Child) -> Self {
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stdout, stderr, said: String::new(), told: String::new() }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until it writes a line with this part to stderr.
    #[track_caller]
    pub(crate) fn wait_for_stderr(&mut self, part: &str) {
        until(&mut self.stderr, &mut self.said, part);
    }

    /// Waits until it writes a line with this part to stderr; gives the line.
    #[track_caller]
    pub(crate) fn wait_for_stderr_line(&mut self, part: &str) -> String {
        until(&mut self.stderr, &mut self.said, part);
        self.said.lines().next_back().unwrap().trim().to_owned()
    }

    /// Waits until it writes a line with this part to stdout.
    #[track_caller]
    pub(crate) fn wait_for_stdout(&mut self, part: &str) {
        until(&mut self.stdout, &mut self.told, part);
    }

    /// Sends it a signal, such as `INT`.
    pub(crate) fn send_signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.id());
        assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success());
    }

    /// Kills it as a power cut would, and waits until the system has forgotten it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "it had ended before: {status}; {}", self.said);
    }

    /// Waits for its end.
    pub(crate) fn wait_for_exit(mut self) -> CommandOutput {
        self.stderr.read_to_string(&mut self.said).unwrap();
        self.stdout.read_to_string(&mut self.told).unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        CommandOutput {
            code,
            stdout: std::mem::take(&mut self.told),
            stderr: std::mem::take(&mut self.said),
        }
    }
}

impl Drop for RunningCommand {
    fn drop(&mut self) {
        // Both fail when it has ended, which is as it should be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn until(stream: &mut BufReader<impl Read>, so_far: &mut String, part: &str) {
    loop {
        let begin = so_far.len();
        let read = stream.read_line(so_far).unwrap();
        assert!(read > 0, "it ended without `{part}`: {so_far}");
        if so_far[begin..].contains(part) {
            return;
        }
    }
}
