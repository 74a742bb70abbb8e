//! Data on stdout. A closed pipe is a reader that has seen enough; any other failure, such as a full disk, is the failure
//! of the command.

use std::io::{self, Write as _};

use super::error::CliError;
use super::stdout_failure::failure_sentence;

/// Prints data on stdout, to the last byte.
pub(crate) fn print_stdout(data: impl AsRef<[u8]>) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    check_stdout(out.write_all(data.as_ref()).and_then(|()| out.flush()))
}

/// The error of a write to stdout; none for a closed pipe.
pub(crate) fn check_stdout(written: io::Result<()>) -> Result<(), CliError> {
    failure_sentence(written).map_or(Ok(()), |sentence| Err(CliError::usage(sentence)))
}
