//! Where a login is kept: the keyring, or a file where there is none.

use std::sync::Arc;

use super::args::{LoginArgs, StoreArg};
use crate::auth::{AuthError, CredentialStore, CredentialStoreKind};
use crate::cli::account::passphrase::CliUnlocker;
use crate::cli::account::token_source;
use crate::cli::output::error::CliError;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;

/// The place for a profile's login, before there is one: whoever cannot open it learns so before a code
/// is spent.
pub(super) fn create_store(
    args: &LoginArgs,
    settings: &Settings,
    profile: &str,
    screen: &CliReporter,
) -> Result<CredentialStore, CliError> {
    let asked = requested_store_kind(args, settings)?;
    if !args.recipient.is_empty() && asked != Some(CredentialStoreKind::Age) {
        return Err(CliError::usage("`--recipient` is for `--store age`"));
    }
    let places = token_source::credential_store_dir().ok_or_else(|| {
        CliError::usage("there is no place to keep a token in")
            .with_hint("set `GHL_BULK_CONFIG` to a directory")
    })?;
    let create = |kind| {
        let people = Arc::new(CliUnlocker { recipients: args.recipient.clone() });
        CredentialStore::create(&places, profile, kind, people)
    };
    match create(asked.unwrap_or(CredentialStoreKind::Keyring)) {
        Err(AuthError::NoKeyring(why)) if asked.is_none() => {
            screen.print_note(&format!(
                "{why}; the token is kept in a file that only you can read instead (`--store age` \
                 encrypts it)"
            ));
            Ok(create(CredentialStoreKind::File)?)
        }
        created => Ok(created?),
    }
}

/// The store of the flag, or of the profile.
fn requested_store_kind(
    args: &LoginArgs,
    settings: &Settings,
) -> Result<Option<CredentialStoreKind>, CliError> {
    let of_flag = |store| match store {
        StoreArg::Keyring => CredentialStoreKind::Keyring,
        StoreArg::File => CredentialStoreKind::File,
        StoreArg::Age => CredentialStoreKind::Age,
    };
    let profile = || settings.profile()?.store.as_ref();
    match (args.store, profile()) {
        (Some(store), _) => Ok(Some(of_flag(store))),
        (None, None) => Ok(None),
        (None, Some(said)) => match said.value.as_str() {
            "keyring" => Ok(Some(CredentialStoreKind::Keyring)),
            "file" => Ok(Some(CredentialStoreKind::File)),
            "age" => Ok(Some(CredentialStoreKind::Age)),
            other => Err(CliError::usage(format!("{}: there is no store `{other}`", said.place))),
        },
    }
}
