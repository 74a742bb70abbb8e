//! Who opens a sealed record: the environment, or the person at the terminal.

use std::env;
use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};

use super::{prompt, secret_source};
use crate::auth::{AgeKeySource, AuthError};
use crate::cli::output::error::CliError;
use crate::cli::output::question::can_ask;

/// Reads the passphrase from the user or from the environment.
#[derive(Debug, Default)]
pub(in crate::cli) struct CliUnlocker {
    /// The recipients that a new record is encrypted for; empty means with a passphrase.
    pub(in crate::cli) recipients: Vec<String>,
}

impl AgeKeySource for CliUnlocker {
    fn ask_passphrase(&self, new: bool) -> Result<SecretString, AuthError> {
        let given = secret_source::from_env("GHL_BULK_PASSPHRASE").map_err(unlock_error)?;
        if let Some(text) = given {
            // A file's last line break is no part of it.
            return Ok(text.expose_secret().trim_end_matches(['\n', '\r']).into());
        }
        if !can_ask() {
            return Err(AuthError::Sealed(
                "the login is sealed by a passphrase, and there is no terminal to ask on: set \
                 `GHL_BULK_PASSPHRASE` or `GHL_BULK_PASSPHRASE_FILE`"
                    .to_owned(),
            ));
        }
        let typed = if new {
            prompt::prompt_secret_twice("New passphrase for the login (not shown): ")
        } else {
            prompt::prompt_secret("Passphrase of the login (not shown): ")
        };
        typed.map_err(unlock_error)
    }

    fn identity_file(&self) -> Option<PathBuf> {
        env::var_os("GHL_BULK_AGE_IDENTITY").filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    fn recipients(&self) -> Vec<String> {
        self.recipients.clone()
    }
}

fn unlock_error(failure: CliError) -> AuthError {
    let hint = failure.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    AuthError::Sealed(failure.message + &hint)
}
