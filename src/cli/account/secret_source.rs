//! Secrets from outside: from a variable, or from a file that only the user can read.
//!
//! No message repeats the secret. Its purpose is up to the caller.

use std::env;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use secrecy::SecretString;

use crate::auth::is_open_to_others;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::text::quote_path_for_shell;

/// The most that is read of a secret, in bytes: no token is as long.
const LONGEST: u64 = 64 << 10;

/// The secret of a variable, or of the file that the variable with `_FILE` names.
pub(in crate::cli) fn from_env(name: &str) -> Result<Option<SecretString>, CliError> {
    if let Some(text) = env::var_os(name).filter(|text| !text.is_empty()) {
        let text = text.into_string().map_err(|_| {
            CliError::new(CliExitCode::Access, format!("`{name}` holds bytes that are not text"))
        })?;
        return Ok(Some(text.into()));
    }
    let path = env::var_os(format!("{name}_FILE")).filter(|path| !path.is_empty());
    path.map(|path| from_file(Path::new(&path))).transpose()
}

/// The token in a file, unchanged.
pub(in crate::cli) fn from_file(path: &Path) -> Result<SecretString, CliError> {
    from_secret_file(path, "token")
}

/// The secret in a file, unchanged. `what` is what it is, for messages.
pub(in crate::cli) fn from_secret_file(path: &Path, what: &str) -> Result<SecretString, CliError> {
    let shown = path.display();
    let fail = |error: io::Error| {
        CliError::new(CliExitCode::Access, format!("the {what} file `{shown}`: {error}"))
    };
    let file = File::open(path).map_err(fail)?;
    // Checks the open file, because the file behind the name may change in between.
    ensure_private_file(path, &file.metadata().map_err(fail)?, what)?;
    from_reader(file).map_err(fail)
}

/// The secret that something gives until its end.
pub(in crate::cli) fn from_reader(from: impl io::Read) -> io::Result<SecretString> {
    let mut text = String::new();
    from.take(LONGEST).read_to_string(&mut text)?;
    Ok(text.into())
}

/// Refuses a file that others can read. A pipe has no such permissions, and the file behind `/dev/stdin`
/// was opened by the calling process.
fn ensure_private_file(path: &Path, meta: &std::fs::Metadata, what: &str) -> Result<(), CliError> {
    let has_permissions =
        meta.is_file() && !path.starts_with("/dev") && !path.starts_with("/proc/self/fd");
    if !has_permissions || !is_open_to_others(meta) {
        return Ok(());
    }
    let shown = path.display();
    Err(CliError::new(
        CliExitCode::Access,
        format!("others on this machine can read the {what} file `{shown}`"),
    )
    .with_hint(format!("run `chmod 600 {}`", quote_path_for_shell(&shown.to_string()))))
}
