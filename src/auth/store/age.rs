//! Records encrypted with age: encryption and decryption.
//!
//! The output is always ASCII-armored text. Every record is encrypted for X25519 recipients, so it
//! can be rewritten without asking the user. A passphrase or the keyring protects only the identity
//! that decrypts it.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::str::FromStr as _;

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::x25519::{Identity, Recipient};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use crate::auth::error::AuthError;

/// Checks that this build can encrypt and decrypt, before the user is asked for anything.
#[expect(clippy::unnecessary_wraps, reason = "a build without age cannot")]
pub(crate) fn check_available() -> Result<(), AuthError> {
    Ok(())
}

/// A new identity and its recipient, as text.
#[expect(clippy::unnecessary_wraps, reason = "a build without age cannot do it")]
pub(crate) fn generate_key_pair() -> Result<(SecretString, String), AuthError> {
    let identity = Identity::generate();
    Ok((identity.to_string(), identity.to_public().to_string()))
}

/// Validates recipients.
pub(crate) fn validate_recipients(recipients: &[String]) -> Result<(), AuthError> {
    recipients.iter().try_for_each(|name| parse_recipient(name).map(drop))
}

fn parse_recipient(name: &str) -> Result<Recipient, AuthError> {
    let wrong =
        |why| AuthError::Sealed(format!("`{name}` is not an age recipient such as `age1…`: {why}"));
    Recipient::from_str(name).map_err(wrong)
}

/// Encrypts bytes for recipients, any of whom can decrypt them.
pub(crate) fn encrypt_for_recipients(
    recipients: &[String],
    plain: &SecretSlice<u8>,
) -> Result<String, AuthError> {
    let recipients: Vec<_> =
        recipients.iter().map(|name| parse_recipient(name)).collect::<Result<_, _>>()?;
    encrypt_armored(recipients.iter().map(|it| it as &dyn age::Recipient), plain.expose_secret())
}

fn encrypt_armored<'a>(
    recipients: impl Iterator<Item = &'a dyn age::Recipient>,
    plain: &[u8],
) -> Result<String, AuthError> {
    let encryptor = age::Encryptor::with_recipients(recipients).map_err(encryption_error)?;
    let mut sealed = Vec::new();
    let written = ArmoredWriter::wrap_output(&mut sealed, Format::AsciiArmor).and_then(|armour| {
        let mut to = encryptor.wrap_output(armour)?;
        to.write_all(plain)?;
        to.finish()?.finish().map(drop)
    });
    written.map_err(encryption_error)?;
    Ok(String::from_utf8(sealed).expect("armour is ASCII"))
}

fn encryption_error(why: impl std::fmt::Display) -> AuthError {
    AuthError::Sealed(format!("the login cannot be encrypted: {why}"))
}

/// Decrypts with any of these identities, one per line as `age-keygen` writes them.
pub(crate) fn decrypt_with_identities(
    identities: &SecretString,
    sealed: &str,
    path: &Path,
) -> Result<SecretSlice<u8>, AuthError> {
    let lines = identities.expose_secret().lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let all: Vec<Identity> = lines.filter_map(|line| Identity::from_str(line).ok()).collect();
    if all.is_empty() {
        let message = "the identity file contains no X25519 identity (`AGE-SECRET-KEY-1…`)";
        return Err(AuthError::Sealed(message.to_owned()));
    }
    decrypt_armored(sealed, all.iter().map(|identity| identity as &dyn age::Identity), path)
}

/// Encrypts a text with a passphrase.
pub(crate) fn encrypt_with_passphrase(
    passphrase: &SecretString,
    plain: &SecretString,
) -> Result<String, AuthError> {
    let recipient = age::scrypt::Recipient::new(passphrase.clone());
    let all = std::iter::once(&recipient as &dyn age::Recipient);
    encrypt_armored(all, plain.expose_secret().as_bytes())
}

/// Decrypts a text that was encrypted with a passphrase.
pub(crate) fn decrypt_with_passphrase(
    passphrase: &SecretString,
    sealed: &str,
    path: &Path,
) -> Result<SecretString, AuthError> {
    let identity = age::scrypt::Identity::new(passphrase.clone());
    let plain = decrypt_armored(sealed, std::iter::once(&identity as &dyn age::Identity), path)?;
    let text = std::str::from_utf8(plain.expose_secret()).map(str::to_owned);
    text.map(SecretString::from)
        .map_err(|_| AuthError::damaged_file(path, "it does not contain text"))
}

fn decrypt_armored<'a>(
    sealed: &str,
    identities: impl Iterator<Item = &'a dyn age::Identity>,
    path: &Path,
) -> Result<SecretSlice<u8>, AuthError> {
    use age::DecryptError::{DecryptionFailed, KeyDecryptionFailed, NoMatchingKeys};
    let shown = path.display();
    let refused = |error: age::DecryptError| match error {
        DecryptionFailed | KeyDecryptionFailed | NoMatchingKeys => AuthError::Sealed(format!(
            "`{shown}` cannot be decrypted with this passphrase or identity"
        )),
        _ => AuthError::damaged_file(path, "it is not an age file, or it is truncated"),
    };
    let decryptor =
        age::Decryptor::new_buffered(ArmoredReader::new(sealed.as_bytes())).map_err(refused)?;
    let mut reader = decryptor.decrypt(identities).map_err(refused)?;
    let mut plain = Vec::new();
    let read = reader.read_to_end(&mut plain);
    read.map_err(|_| AuthError::damaged_file(path, "it is truncated or was modified"))?;
    Ok(plain.into())
}
