//! Encryption of files with age, for X25519 recipients: one of their identities reads them, and the
//! machine that writes them needs none.

use std::io::{BufReader, Read, Write};
use std::str::FromStr as _;

use age::x25519::{Identity, Recipient};
use secrecy::{ExposeSecret as _, SecretString};

use super::error::RepositoryError;

/// What decrypts a repository's files.
#[derive(Clone)]
pub struct Identities(Vec<Identity>);

/// Says how many there are and nothing of them.
impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identities({})", self.0.len())
    }
}

impl Identities {
    /// Reads identities, one a line, as `age-keygen` and `backup init --new-key` write them.
    ///
    /// # Errors
    /// When the text has no identity.
    pub fn parse(text: &SecretString) -> Result<Self, RepositoryError> {
        let lines = text.expose_secret().lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let all: Vec<Identity> = lines.filter_map(|line| Identity::from_str(line).ok()).collect();
        if all.is_empty() {
            let message = "there is no X25519 identity (`AGE-SECRET-KEY-1…`) in what was given";
            return Err(RepositoryError::InvalidKey(message.to_owned()));
        }
        Ok(Self(all))
    }
}

/// Checks that this build can encrypt.
///
/// # Errors
/// When it cannot.
pub fn ensure_encryption() -> Result<(), RepositoryError> {
    Ok(())
}

/// A new identity and its recipient.
///
/// # Errors
/// When this build cannot encrypt.
pub fn generate_identity() -> Result<(SecretString, String), RepositoryError> {
    let identity = Identity::generate();
    Ok((identity.to_string(), identity.to_public().to_string()))
}

/// Checks recipients such as `age1…`.
///
/// # Errors
/// With the first that is not valid.
pub fn check_recipients(recipients: &[String]) -> Result<(), RepositoryError> {
    recipients.iter().try_for_each(|name| parse_recipient(name).map(drop))
}

fn parse_recipient(name: &str) -> Result<Recipient, RepositoryError> {
    Recipient::from_str(name).map_err(|why| {
        let shown = crate::text::truncate_text(name, 80);
        // A secret key that was given by mistake must not be in a message.
        let shown =
            if shown.to_ascii_uppercase().contains("SECRET") { "a secret key" } else { &shown };
        RepositoryError::InvalidKey(format!(
            "`{shown}` is not an age recipient such as `age1…`: {why}"
        ))
    })
}

/// Runs `write` with a writer whose output is encrypted into `to`.
pub(super) fn encrypt_into<T>(
    recipients: &[String],
    to: &mut dyn Write,
    object: &str,
    write: impl FnOnce(&mut dyn Write) -> Result<T, RepositoryError>,
) -> Result<T, RepositoryError> {
    let fail = |source| RepositoryError::from_io(object, source);
    let recipients: Vec<_> =
        recipients.iter().map(|name| parse_recipient(name)).collect::<Result<_, _>>()?;
    let all = recipients.iter().map(|it| it as &dyn age::Recipient);
    let encryptor = age::Encryptor::with_recipients(all)
        .map_err(|error| RepositoryError::InvalidKey(format!("cannot encrypt: {error}")))?;
    let mut sealed = encryptor.wrap_output(to).map_err(fail)?;
    let written = write(&mut sealed)?;
    sealed.finish().map_err(fail)?;
    Ok(written)
}

/// A reader of the content of an encrypted file.
pub(super) fn decrypt_from(
    from: Box<dyn Read + Send>,
    identities: &Identities,
    object: &str,
) -> Result<Box<dyn Read + Send>, RepositoryError> {
    use age::DecryptError::{DecryptionFailed, KeyDecryptionFailed, NoMatchingKeys};
    let refused = |error: age::DecryptError| match error {
        DecryptionFailed | KeyDecryptionFailed | NoMatchingKeys => {
            RepositoryError::WrongIdentity { object: object.to_owned() }
        }
        age::DecryptError::Io(source) => RepositoryError::from_read(object, source),
        _ => RepositoryError::damaged(object, "it is not an age file"),
    };
    let decryptor = age::Decryptor::new_buffered(BufReader::new(from)).map_err(refused)?;
    let all = identities.0.iter().map(|identity| identity as &dyn age::Identity);
    Ok(Box::new(decryptor.decrypt(all).map_err(refused)?))
}
