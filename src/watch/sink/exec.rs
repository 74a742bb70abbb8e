//! A command that is started for each event, with the event on its standard input.

use std::time::Duration;

use tokio::process::Command;

use super::{SinkError, short_digest};
use crate::auth;
use crate::child_process::run_with_input;
use crate::mirror::NewEvent;

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
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]);
        auth::remove_own_secrets(&mut command);
        command.env("GHL_BULK_EVENT_ID", &event.id);
        run_with_input(&mut command, &event.body, self.limit)
            .await
            .map_err(|error| SinkError::failed(error.to_string()))
    }
}
