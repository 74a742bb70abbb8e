//! What could not be written to stdout, remembered until the end of the command by what goes on without stdout.

use std::io::{self, Write as _};
use std::sync::OnceLock;

/// The first failure that was remembered.
static FAILURE: OnceLock<String> = OnceLock::new();

/// Remembers that a write to stdout failed, unless the pipe is closed.
pub(crate) fn remember_failure(written: io::Result<()>) {
    if let Some(sentence) = failure_sentence(written) {
        let _ = FAILURE.set(sentence);
    }
}

/// What was remembered, or fails when the rest is written.
pub(crate) fn take_failure() -> Option<String> {
    remember_failure(io::stdout().lock().flush());
    FAILURE.get().cloned()
}

/// The failure of a write to stdout as a sentence; none for a closed pipe.
pub(crate) fn failure_sentence(written: io::Result<()>) -> Option<String> {
    let error = written.err().filter(|error| error.kind() != io::ErrorKind::BrokenPipe)?;
    Some(format!("stdout cannot be written: {error}"))
}
