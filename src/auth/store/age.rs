//! Records sealed by age: for whom they are sealed, and who opens them.
//!
//! Sealed is always text, in age's armour. Every sealed record is for X25519 recipients, so that it can be written again without asking anybody. A
//! passphrase or the keyring keeps only the identity that opens it.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::str::FromStr as _;

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::x25519::{Identity, Recipient};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use crate::auth::error::Error;

/// A new identity, as text.
pub(crate) fn identity() -> SecretString {
    Identity::generate().to_string()
}

/// The recipient that an identity opens for.
pub(crate) fn recipient(identity: &SecretString) -> Result<String, Error> {
    parse(identity).map(|identity| identity.to_public().to_string())
}

fn parse(identity: &SecretString) -> Result<Identity, Error> {
    Identity::from_str(identity.expose_secret().trim())
        .map_err(|why| Error::Sealed(format!("the stored identity is none: {why}")))
}

/// Checks the names of recipients.
pub(crate) fn check(recipients: &[String]) -> Result<(), Error> {
    recipients.iter().try_for_each(|name| named(name).map(drop))
}

fn named(name: &str) -> Result<Recipient, Error> {
    let wrong = |why| Error::Sealed(format!("`{name}` is no age recipient such as `age1…`: {why}"));
    Recipient::from_str(name).map_err(wrong)
}

/// Seals bytes for recipients, any of whom opens them.
pub(crate) fn seal(recipients: &[String], plain: &SecretSlice<u8>) -> Result<String, Error> {
    let recipients: Vec<_> = recipients.iter().map(|name| named(name)).collect::<Result<_, _>>()?;
    encrypt(recipients.iter().map(|it| it as &dyn age::Recipient), plain.expose_secret())
}

fn encrypt<'a>(
    recipients: impl Iterator<Item = &'a dyn age::Recipient>,
    plain: &[u8],
) -> Result<String, Error> {
    let encryptor = age::Encryptor::with_recipients(recipients).map_err(unsealed)?;
    let mut sealed = Vec::new();
    let written = ArmoredWriter::wrap_output(&mut sealed, Format::AsciiArmor).and_then(|armour| {
        let mut to = encryptor.wrap_output(armour)?;
        to.write_all(plain)?;
        to.finish()?.finish().map(drop)
    });
    written.map_err(unsealed)?;
    Ok(String::from_utf8(sealed).expect("armour is ASCII"))
}

fn unsealed(why: impl std::fmt::Display) -> Error {
    Error::Sealed(format!("the login cannot be sealed: {why}"))
}

/// Opens what was sealed, by any of these identities, one a line as `age-keygen` writes them.
pub(crate) fn open(
    identities: &SecretString,
    sealed: &str,
    path: &Path,
) -> Result<SecretSlice<u8>, Error> {
    let lines = identities.expose_secret().lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let all: Vec<Identity> = lines.filter_map(|line| Identity::from_str(line).ok()).collect();
    if all.is_empty() {
        let said = "the identity file holds no X25519 identity (`AGE-SECRET-KEY-1…`)";
        return Err(Error::Sealed(said.to_owned()));
    }
    decrypt(sealed, all.iter().map(|identity| identity as &dyn age::Identity), path)
}

/// Seals a text by a passphrase.
pub(crate) fn lock(passphrase: &SecretString, plain: &SecretString) -> Result<String, Error> {
    let recipient = age::scrypt::Recipient::new(passphrase.clone());
    let all = std::iter::once(&recipient as &dyn age::Recipient);
    encrypt(all, plain.expose_secret().as_bytes())
}

/// Opens a text that was sealed by a passphrase.
pub(crate) fn unlock(
    passphrase: &SecretString,
    sealed: &str,
    path: &Path,
) -> Result<SecretString, Error> {
    let identity = age::scrypt::Identity::new(passphrase.clone());
    let plain = decrypt(sealed, std::iter::once(&identity as &dyn age::Identity), path)?;
    let text = std::str::from_utf8(plain.expose_secret()).map(str::to_owned);
    text.map(SecretString::from).map_err(|_| Error::damaged(path, "it holds no text"))
}

fn decrypt<'a>(
    sealed: &str,
    identities: impl Iterator<Item = &'a dyn age::Identity>,
    path: &Path,
) -> Result<SecretSlice<u8>, Error> {
    use age::DecryptError::{DecryptionFailed, KeyDecryptionFailed, NoMatchingKeys};
    let shown = path.display();
    let refused = |error: age::DecryptError| match error {
        DecryptionFailed | KeyDecryptionFailed | NoMatchingKeys => {
            Error::Sealed(format!("`{shown}` does not open by this passphrase or identity"))
        }
        _ => Error::damaged(path, "it is no age file, or it was cut"),
    };
    let decryptor =
        age::Decryptor::new_buffered(ArmoredReader::new(sealed.as_bytes())).map_err(refused)?;
    let mut reader = decryptor.decrypt(identities).map_err(refused)?;
    let mut plain = Vec::new();
    let read = reader.read_to_end(&mut plain);
    read.map_err(|_| Error::damaged(path, "it was cut or altered"))?;
    Ok(plain.into())
}
