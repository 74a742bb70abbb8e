//! Stands in for `encryption.rs` in a build without `encrypted-logins`: nothing is encrypted or decrypted.

use std::io::{Read, Write};

use secrecy::SecretString;

use super::error::RepositoryError;

/// What decrypts a repository's files: nothing, in this build.
#[derive(Debug, Clone)]
pub struct Identities;

impl Identities {
    /// Fails with [`RepositoryError::NoEncryption`].
    ///
    /// # Errors
    /// Always.
    pub fn parse(_text: &SecretString) -> Result<Self, RepositoryError> {
        Err(RepositoryError::NoEncryption)
    }
}

/// Fails with [`RepositoryError::NoEncryption`].
///
/// # Errors
/// Always.
pub fn ensure_encryption() -> Result<(), RepositoryError> {
    Err(RepositoryError::NoEncryption)
}

/// Fails with [`RepositoryError::NoEncryption`].
///
/// # Errors
/// Always.
pub fn generate_identity() -> Result<(SecretString, String), RepositoryError> {
    Err(RepositoryError::NoEncryption)
}

/// Refuses all recipients.
///
/// # Errors
/// When there are any.
pub fn check_recipients(recipients: &[String]) -> Result<(), RepositoryError> {
    if recipients.is_empty() { Ok(()) } else { Err(RepositoryError::NoEncryption) }
}

/// Fails with [`RepositoryError::NoEncryption`].
pub(super) fn encrypt_into<T>(
    _recipients: &[String],
    _to: &mut dyn Write,
    _object: &str,
    _write: impl FnOnce(&mut dyn Write) -> Result<T, RepositoryError>,
) -> Result<T, RepositoryError> {
    Err(RepositoryError::NoEncryption)
}

/// Fails with [`RepositoryError::NoEncryption`].
pub(super) fn decrypt_from(
    _from: Box<dyn Read + Send>,
    _identities: &Identities,
    _object: &str,
) -> Result<Box<dyn Read + Send>, RepositoryError> {
    Err(RepositoryError::NoEncryption)
}
