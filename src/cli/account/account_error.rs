//! Failures of kept logins as people read them.

use crate::api::{Denied, Kind};
use crate::auth::Error;
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let said = error.to_string();
        match error {
            Error::Name(_) | Error::Transport(_) => Self::usage(said),
            Error::NoKeyring(_) => Self::new(Code::Access, said).hint(
                "unlock or start the keyring, or keep the token in a file: `ghl-bulk login --store file` \
                 or `--store age`",
            ),
            Error::Open { .. } | Error::Command(_) => Self::new(Code::Access, said),
            Error::Missing(_) => Self::new(Code::Access, said).hint("`ghl-bulk login` makes one"),
            Error::Sealed(_) => Self::new(Code::Access, said)
                .hint("`GHL_BULK_PASSPHRASE` gives the passphrase, `GHL_BULK_AGE_IDENTITY` a file of keys"),
            Error::Damaged { .. } | Error::Newer { .. } => Self::new(Code::Damaged, said)
                .hint("`ghl-bulk login` replaces it, `ghl-bulk logout` removes it"),
            Error::File { .. } => Self::usage(said).hint("check the rights and the free space there"),
        }
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        let said = denied.said;
        match denied.kind {
            Kind::Unreachable | Kind::Exhausted => {
                Self::usage(format!("the API cannot be reached: {said}"))
                    .hint("check the network and `--api-url`")
            }
            Kind::Scope => Self::new(Code::Access, said).hint(
                "an agency's login needs the scopes `oauth.readonly` and `oauth.write`: log in again with \
                 `ghl-bulk login --oauth --agency`",
            ),
            _ => Self::new(Code::Access, said).hint("`ghl-bulk login` makes a new login"),
        }
    }
}
