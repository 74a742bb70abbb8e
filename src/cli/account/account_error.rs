//! Error messages of stored logins.

use crate::api::{ApiErrorKind, TokenUnavailable};
use crate::auth::AuthError;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;

impl From<AuthError> for CliError {
    fn from(error: AuthError) -> Self {
        let said = error.to_string();
        match error {
            AuthError::Name(_) | AuthError::Transport(_) => Self::usage(said),
            AuthError::NoKeyring(_) => Self::new(CliExitCode::Access, said).with_hint(
                "unlock or start the keyring, or keep the token in a file: `ghl-bulk login --store file` \
                 or `--store age`",
            ),
            AuthError::Open { .. } | AuthError::Command(_) => Self::new(CliExitCode::Access, said),
            AuthError::Missing(_) => Self::new(CliExitCode::Access, said).with_hint("`ghl-bulk login` makes one"),
            AuthError::Sealed(_) => Self::new(CliExitCode::Access, said)
                .with_hint("`GHL_BULK_PASSPHRASE` gives the passphrase, `GHL_BULK_AGE_IDENTITY` a file of keys"),
            AuthError::NoEncryption => Self::new(CliExitCode::Access, said).with_hint(
                "build it with its default features, or keep the token in a file that only you can read: \
                 `ghl-bulk login --store file`",
            ),
            AuthError::Damaged { .. } | AuthError::Newer { .. } => Self::new(CliExitCode::Damaged, said)
                .with_hint("`ghl-bulk login` replaces it, `ghl-bulk logout` removes it"),
            AuthError::File { .. } => Self::usage(said).with_hint("check permissions, free space and the limit of open files"),
        }
    }
}

impl From<TokenUnavailable> for CliError {
    fn from(denied: TokenUnavailable) -> Self {
        let message = denied.message;
        match denied.kind {
            ApiErrorKind::Unreachable | ApiErrorKind::Exhausted => {
                Self::usage(format!("the API cannot be reached: {message}"))
                    .with_hint("check the network and `--api-url`")
            }
            ApiErrorKind::Scope => Self::new(CliExitCode::Access, message).with_hint(
                "an agency's login needs the scopes `oauth.readonly` and `oauth.write`: log in again with \
                 `ghl-bulk login --oauth --agency`",
            ),
            _ => Self::new(CliExitCode::Access, message).with_hint("`ghl-bulk login` makes a new login"),
        }
    }
}
