//! Stands in for `keyring.rs` in a build without `encrypted-logins`: there is no keyring.

use secrecy::SecretString;

use crate::auth::error::AuthError;

/// Fails with [`AuthError::NoEncryption`].
pub fn check_available() -> Result<(), AuthError> {
    Err(AuthError::NoEncryption)
}

/// Fails with [`AuthError::NoEncryption`].
pub(crate) fn set_secret(_name: &str, _secret: &SecretString) -> Result<(), AuthError> {
    Err(AuthError::NoEncryption)
}

/// Fails with [`AuthError::NoEncryption`].
pub(crate) fn get_secret(_name: &str) -> Result<Option<SecretString>, AuthError> {
    Err(AuthError::NoEncryption)
}

/// Fails with [`AuthError::NoEncryption`].
pub(crate) fn delete_secret(_name: &str) -> Result<(), AuthError> {
    Err(AuthError::NoEncryption)
}
