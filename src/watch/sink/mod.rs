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

    /// Sends an event. `Ok` means that the sink has it.
    pub(super) async fn send_event(&mut self, event: &NewEvent) -> Result<(), SinkError> {
        match self {
            Self::JsonLines(sink) => sink.write_line(event),
            Self::Exec(sink) => sink.run_command(event).await,
            Self::Post(sink) => sink.post_event(event).await,
        }
    }
}

/// A short digest of what may hold secrets.
fn short_digest(text: &str) -> String {
    encode_hex(&Sha256::digest(text.as_bytes())[..8])
}
