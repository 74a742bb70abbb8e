//! The platform's keyring: Keychain, Credential Manager, or a desktop's Secret Service.
//!
//! It stores only the identity that decrypts a record, some 80 bytes: a login with the tokens of
//! many locations is larger than some keyrings accept, and none reports when its data is on disk.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use keyring_core::{CredentialStore, Entry, Error as Cause};
use secrecy::{ExposeSecret, SecretString};

use crate::auth::error::AuthError;
use crate::concurrency;

/// The service name of the entries.
const SERVICE: &str = "ghl-bulk";
/// How long a user may take to unlock the keyring.
const PATIENCE: Duration = Duration::from_mins(1);

/// The platform's keyring, connected to once.
static STORE: LazyLock<Result<Arc<CredentialStore>, Cause>> = LazyLock::new(connect);

/// Checks that the platform's keyring can be reached. It may still be locked. Fails with
/// [`AuthError::NoKeyring`] and the reason.
pub fn check_available() -> Result<(), AuthError> {
    with_time_limit(|| STORE.as_ref().map(drop).map_err(keyring_error))
}

/// Stores a secret.
pub(crate) fn set_secret(name: &str, secret: &SecretString) -> Result<(), AuthError> {
    let (name, secret) = (name.to_owned(), secret.clone());
    with_time_limit(move || {
        let entry = open_entry(&name)?;
        entry.set_password(secret.expose_secret()).map_err(|cause| keyring_error(&cause))
    })
}

/// A stored secret; None if there is none.
pub(crate) fn get_secret(name: &str) -> Result<Option<SecretString>, AuthError> {
    let name = name.to_owned();
    with_time_limit(move || match open_entry(&name)?.get_password() {
        Ok(secret) => Ok(Some(SecretString::from(secret))),
        Err(Cause::NoEntry) => Ok(None),
        Err(cause) => Err(keyring_error(&cause)),
    })
}

/// Deletes a secret if it exists.
pub(crate) fn delete_secret(name: &str) -> Result<(), AuthError> {
    let name = name.to_owned();
    with_time_limit(move || match open_entry(&name)?.delete_credential() {
        Ok(()) | Err(Cause::NoEntry) => Ok(()),
        Err(cause) => Err(keyring_error(&cause)),
    })
}

fn open_entry(name: &str) -> Result<Entry, AuthError> {
    let store = STORE.as_ref().map_err(keyring_error)?;
    store.build(SERVICE, name, None).map_err(|cause| keyring_error(&cause))
}

#[cfg(target_os = "macos")]
fn connect() -> Result<Arc<CredentialStore>, Cause> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn connect() -> Result<Arc<CredentialStore>, Cause> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(all(unix, not(target_os = "macos")))]
fn connect() -> Result<Arc<CredentialStore>, Cause> {
    // Without a bus, libdbus would explain how it was compiled.
    if !has_session_bus() {
        return Err(Cause::NoDefaultStore);
    }
    Ok(dbus_secret_service_keyring_store::Store::new()?)
}

/// Whether there is a session bus where libdbus looks for one.
#[cfg(all(unix, not(target_os = "macos")))]
fn has_session_bus() -> bool {
    let var = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let socket = || Some(std::path::Path::new(&var("XDG_RUNTIME_DIR")?).join("bus"));
    var("DBUS_SESSION_BUS_ADDRESS").is_some() || socket().is_some_and(|socket| socket.exists())
}

/// Runs a keyring call, which may wait for a user or for a service that does not answer.
fn with_time_limit<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, AuthError> + Send + 'static,
) -> Result<T, AuthError> {
    concurrency::run_with_timeout(PATIENCE, work).unwrap_or_else(|| {
        let limit = PATIENCE.as_secs();
        Err(AuthError::NoKeyring(format!("the keyring did not answer within {limit} s")))
    })
}

/// Never uses the text of an error that may contain a secret.
fn keyring_error(cause: &Cause) -> AuthError {
    AuthError::NoKeyring(match cause {
        Cause::NoStorageAccess(why) => {
            format!("the keyring is absent or locked ({})", root_cause_line(&**why))
        }
        Cause::PlatformFailure(why) => {
            format!("there is no keyring here ({})", root_cause_line(&**why))
        }
        Cause::NoDefaultStore => "there is no keyring here".to_owned(),
        Cause::Ambiguous(_) => "the keyring has the entry more than once".to_owned(),
        Cause::TooLong(..) => "the entry is too long for the keyring".to_owned(),
        _ => "the keyring refused access".to_owned(),
    })
}

/// The innermost cause on one line.
fn root_cause_line(mut cause: &(dyn std::error::Error + 'static)) -> String {
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_or_locked_keyring_is_reported_in_a_plain_sentence() {
        let why = |text: &str| Box::<dyn std::error::Error + Send + Sync>::from(text.to_owned());
        for (cause, sentence) in [
            (
                Cause::NoStorageAccess(why("Is\nLocked")),
                "the keyring is absent or locked (Is Locked)",
            ),
            (Cause::PlatformFailure(why("no bus")), "there is no keyring here (no bus)"),
            (Cause::NoDefaultStore, "there is no keyring here"),
            (Cause::BadEncoding(b"pit-secret".to_vec()), "the keyring refused access"),
        ] {
            assert!(
                matches!(keyring_error(&cause), AuthError::NoKeyring(message) if message == sentence),
                "{cause:?}"
            );
        }
    }
}
