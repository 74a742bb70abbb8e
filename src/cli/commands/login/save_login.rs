//! Where a login is stored: the keyring, or a file where there is no keyring.

use std::sync::Arc;

use super::args::LoginArgs;
use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use crate::api::BearerToken;
use crate::auth::{AuthError, CredentialStore, CredentialStoreKind, StoredCredentials};
use crate::cli::account::passphrase::CliUnlocker;
use crate::cli::account::token_source;
use crate::cli::output::error::CliError;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;

/// The place for a profile's login, before there is one, so that a store that cannot be opened is reported before a
/// code is spent.
pub(super) fn create_store(
    args: &LoginArgs,
    settings: &Settings,
    profile: &str,
    screen: &CliReporter,
) -> Result<CredentialStore, CliError> {
    let asked = requested_store_kind(args, settings);
    if !args.recipient.is_empty() && asked != Some(CredentialStoreKind::Age) {
        return Err(CliError::usage("`--recipient` is for `--store age`"));
    }
    let credential_dir = token_source::credential_store_dir().ok_or_else(|| {
        CliError::usage("there is no directory to store a token in")
            .with_hint("set `GHL_BULK_CONFIG` to a directory")
    })?;
    let create = |kind| {
        let people = Arc::new(CliUnlocker { recipients: args.recipient.clone() });
        CredentialStore::create(&credential_dir, profile, kind, people)
    };
    match create(asked.unwrap_or(CredentialStoreKind::Keyring)) {
        Err(why @ AuthError::NoEncryption) if asked.is_none() => {
            screen.print_note(&format!(
                "{why}; the token is stored in a file that only you can read instead"
            ));
            Ok(create(CredentialStoreKind::File)?)
        }
        Err(AuthError::NoKeyring(why)) if asked.is_none() => {
            screen.print_note(&format!(
                "{why}; the token is stored in a file that only you can read instead (`--store age` \
                 encrypts it)"
            ));
            Ok(create(CredentialStoreKind::File)?)
        }
        created => Ok(created?),
    }
}

/// The store of the flag, or of the profile.
fn requested_store_kind(args: &LoginArgs, settings: &Settings) -> Option<CredentialStoreKind> {
    let of_profile = || Some(settings.profile()?.store.as_ref()?.value);
    args.store.or_else(of_profile)
}

/// When this token was first stored in this place: now, unless the same one is there already. A store that asks for a
/// passphrase is not read.
pub(super) fn first_stored(store: &CredentialStore, token: &BearerToken) -> Timestamp {
    let before = match store.kind() {
        CredentialStoreKind::Age => None,
        _ => store.load().ok(),
    };
    match before {
        Some(StoredCredentials::Private(private))
            if private.token.secret().expose_secret() == token.secret().expose_secret() =>
        {
            private.stored.unwrap_or_else(Timestamp::now)
        }
        _ => Timestamp::now(),
    }
}
