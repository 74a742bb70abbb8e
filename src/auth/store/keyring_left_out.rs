//! Stands in for `keyring.rs` in a build without `encrypted-logins`: there is no keyring, which every command
//! already knows how to say.

use secrecy::SecretString;

use crate::auth::error::AuthError;

/// Fails with [`AuthError::NoKeyring`].
pub fn check_available() -> Result<(), AuthError> {
    Err(left_out_error())
}

/// Fails with [`AuthError::NoKeyring`].
pub(crate) fn set_secret(_name: &str, _secret: &SecretString) -> Result<(), AuthError> {
    Err(left_out_error())
}

/// Fails with [`AuthError::NoKeyring`].
pub(crate) fn get_secret(_name: &str) -> Result<Option<SecretString>, AuthError> {
    Err(left_out_error())
}

/// Fails with [`AuthError::NoKeyring`].
pub(crate) fn delete_secret(_name: &str) -> Result<(), AuthError> {
    Err(left_out_error())
}

fn left_out_error() -> AuthError {
    AuthError::NoKeyring(
        "this build of ghl-bulk has no keyring, because it was built without `encrypted-logins`"
            .to_owned(),
    )
}
