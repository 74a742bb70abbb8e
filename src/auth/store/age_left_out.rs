//! Stands in for `age.rs` in a build without `encrypted-logins`: nothing is encrypted or decrypted.

use std::path::Path;

use secrecy::{SecretSlice, SecretString};

use crate::auth::error::AuthError;

/// Fails with [`AuthError::NoEncryption`].
pub(crate) fn check_available() -> Result<(), AuthError> {
    Err(AuthError::NoEncryption)
}

/// Fails with [`AuthError::NoEncryption`].
pub(crate) fn generate_key_pair() -> Result<(SecretString, String), AuthError> {
    Err(AuthError::NoEncryption)
}

/// Fails with [`AuthError::NoEncryption`].
pub(crate) fn validate_recipients(_recipients: &[String]) -> Result<(), AuthError> {
    Err(AuthError::NoEncryption)
}

/// Fails with [`AuthError::NoEncryption`].
pub(crate) fn encrypt_for_recipients(
    _recipients: &[String],
    _plain: &SecretSlice<u8>,
) -> Result<String, AuthError> {
    Err(AuthError::NoEncryption)
}

/// Fails with [`AuthError::NoEncryption`].
pub(crate) fn decrypt_with_identities(
    _identities: &SecretString,
    _sealed: &str,
    _path: &Path,
) -> Result<SecretSlice<u8>, AuthError> {
    Err(AuthError::NoEncryption)
}

/// Fails with [`AuthError::NoEncryption`].
pub(crate) fn encrypt_with_passphrase(
    _passphrase: &SecretString,
    _plain: &SecretString,
) -> Result<String, AuthError> {
    Err(AuthError::NoEncryption)
}

/// Fails with [`AuthError::NoEncryption`].
pub(crate) fn decrypt_with_passphrase(
    _passphrase: &SecretString,
    _sealed: &str,
    _path: &Path,
) -> Result<SecretString, AuthError> {
    Err(AuthError::NoEncryption)
}
