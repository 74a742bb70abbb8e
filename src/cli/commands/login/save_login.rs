//! Where a login is kept: the keyring, or a file where there is none.

use std::sync::Arc;

use super::args::{Args, StoreArg};
use crate::auth::{Error, Safe, StoreKind};
use crate::cli::account::passphrase::People;
use crate::cli::account::token_source;
use crate::cli::args::global::Global;
use crate::cli::output::error::Failure;
use crate::cli::output::progress::Screen;

/// The place for a profile's login, before there is one: whoever cannot open it learns so before a code
/// is spent.
pub(super) fn place(
    args: &Args,
    global: &Global,
    profile: &str,
    screen: &Screen,
) -> Result<Safe, Failure> {
    let asked = asked(args, global)?;
    if !args.recipient.is_empty() && asked != Some(StoreKind::Age) {
        return Err(Failure::usage("`--recipient` is for `--store age`"));
    }
    let places = token_source::places().ok_or_else(|| {
        Failure::usage("there is no place to keep a token in")
            .hint("set `GHL_BULK_CONFIG` to a directory")
    })?;
    let create = |kind| {
        let people = Arc::new(People { recipients: args.recipient.clone() });
        Safe::create(&places, profile, kind, people)
    };
    match create(asked.unwrap_or(StoreKind::Keyring)) {
        Err(Error::NoKeyring(why)) if asked.is_none() => {
            screen.line(&format!(
                "{why}; the token is kept in a file that only you can read instead (`--store age` \
                 encrypts it)"
            ));
            Ok(create(StoreKind::File)?)
        }
        created => Ok(created?),
    }
}

/// The store of the flag, or of the profile.
fn asked(args: &Args, global: &Global) -> Result<Option<StoreKind>, Failure> {
    let of_flag = |store| match store {
        StoreArg::Keyring => StoreKind::Keyring,
        StoreArg::File => StoreKind::File,
        StoreArg::Age => StoreKind::Age,
    };
    let profile = || global.profile.as_ref()?.store.as_ref();
    match (args.store, profile()) {
        (Some(store), _) => Ok(Some(of_flag(store))),
        (None, None) => Ok(None),
        (None, Some(said)) => match said.value.as_str() {
            "keyring" => Ok(Some(StoreKind::Keyring)),
            "file" => Ok(Some(StoreKind::File)),
            "age" => Ok(Some(StoreKind::Age)),
            other => Err(Failure::usage(format!("{}: there is no store `{other}`", said.place))),
        },
    }
}
