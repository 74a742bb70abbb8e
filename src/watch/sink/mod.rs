//! Sinks: what events are sent to.

mod exec;
mod json_lines;
mod post;
mod signature;

use std::time::Duration;

use sha2::{Digest as _, Sha256};

pub use exec::ExecSink;
pub use json_lines::JsonLinesSink;
pub use post::{PostSink, PostUrlError};
pub use signature::WebhookSecret;

use crate::mirror::NewEvent;
use crate::text::encode_hex;

/// The most lines that are written to a file, and synced to the disk, at once.
const LINES_AT_ONCE: usize = 200;

/// Why a sink did not take an event.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// It may take the event later.
    #[error("{message}")]
    Failed {
        /// What happened. May contain untrusted text.
        message: String,
        /// When the sink wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// It takes no more events.
    #[error("{0}")]
    Gone(String),
}

impl SinkError {
    fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), retry_after: None }
    }

    /// When the sink wants to be asked again, if it has said so.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Failed { retry_after, .. } => *retry_after,
            Self::Gone(_) => None,
        }
    }
}

/// What events are sent to.
#[derive(Debug)]
pub enum Sink {
    /// Lines of a file or of standard output.
    JsonLines(JsonLinesSink),
    /// A command, started for each event.
    Exec(ExecSink),
    /// A URL.
    Post(Box<PostSink>),
}

impl Sink {
    /// The name under which the outbox knows it. It has no secrets.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::JsonLines(sink) => &sink.name,
            Self::Exec(sink) => &sink.name,
            Self::Post(sink) => &sink.name,
        }
    }

    /// What people know it by: `--post https://example.com`.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::JsonLines(sink) => &sink.label,
            Self::Exec(sink) => &sink.label,
            Self::Post(sink) => &sink.label,
        }
    }

    /// The most events that it is sent at once.
    pub(super) fn batch_size(&self) -> usize {
        match self {
            Self::JsonLines(_) => LINES_AT_ONCE,
            Self::Exec(_) | Self::Post(_) => 1,
        }
    }

    /// Sends events, as many as a batch at most. `Ok` means that the sink has all of them; after an error it may have some.
    pub(super) async fn send_events(&mut self, events: &[&NewEvent]) -> Result<(), SinkError> {
        if let Self::JsonLines(sink) = self {
            return sink.write_lines(events);
        }
        for event in events {
            match self {
                Self::JsonLines(_) => {}
                Self::Exec(sink) => sink.run_command(event).await?,
                Self::Post(sink) => sink.post_event(event).await?,
            }
        }
        Ok(())
    }
}

/// A short digest of what may hold secrets.
fn short_digest(text: &str) -> String {
    encode_hex(&Sha256::digest(text.as_bytes())[..8])
}
