//! The format of an encrypted record: only the unlock method and the recipients are in plain text.

use std::path::Path;

use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};

use super::{AgeKeySource, UnlockCache};
use crate::auth::credentials::VERSION;
use crate::auth::error::AuthError;
use crate::auth::store::{age, keyring, record_file};

/// A profile's file, except for the record itself.
#[derive(Deserialize)]
pub(super) struct CredentialFile {
    pub(super) sealed: Option<EncryptedRecord>,
}

/// An encrypted record.
#[derive(Deserialize)]
pub(super) struct EncryptedRecord {
    pub(super) header: EncryptionHeader,
    pub(super) record: String,
}

/// What decrypts a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum UnlockMethod {
    /// The identity in the platform's keyring.
    Keyring,
    /// A passphrase, which decrypts the identity stored with the record.
    Passphrase,
    /// An identity of the user.
    Recipients,
}

/// How a record is encrypted. Contains nothing in plain text that decrypts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EncryptionHeader {
    pub(super) by: UnlockMethod,
    pub(super) recipients: Vec<String>,
    /// The identity, encrypted with the passphrase.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
    /// The name of the keyring entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
}

/// Creates a new identity in the keyring.
pub(super) fn set_up_keyring(profile: &str) -> Result<UnlockCache, AuthError> {
    keyring::check_available()?;
    let (identity, recipient) = age::generate_key_pair()?;
    // Profiles with the same name in several directories must not share an entry.
    let entry = format!("{profile} {recipient}");
    keyring::set_secret(&entry, &identity)?;
    let (by, recipients) = (UnlockMethod::Keyring, vec![recipient]);
    let header = EncryptionHeader { by, recipients, identity: None, entry: Some(entry) };
    Ok(UnlockCache { header: Some(header), identities: Some(identity) })
}

/// Encrypts for the user's recipients, or for a new identity protected by a passphrase.
pub(super) fn set_up_age(unlock: &dyn AgeKeySource) -> Result<UnlockCache, AuthError> {
    let recipients = unlock.recipients();
    if !recipients.is_empty() {
        age::validate_recipients(&recipients)?;
        let header = EncryptionHeader {
            by: UnlockMethod::Recipients,
            recipients,
            identity: None,
            entry: None,
        };
        return Ok(UnlockCache { header: Some(header), identities: None });
    }
    let (identity, recipient) = age::generate_key_pair()?;
    let recipients = vec![recipient];
    let locked = age::encrypt_with_passphrase(&unlock.ask_passphrase(true)?, &identity)?;
    let header = EncryptionHeader {
        by: UnlockMethod::Passphrase,
        recipients,
        identity: Some(locked),
        entry: None,
    };
    Ok(UnlockCache { header: Some(header), identities: Some(identity) })
}

impl EncryptionHeader {
    /// The identities that decrypt the record, from the keyring, the passphrase prompt or the
    /// identity file.
    pub(super) fn load_identities(
        &self,
        unlock: &dyn AgeKeySource,
        path: &Path,
    ) -> Result<SecretString, AuthError> {
        age::check_available()?;
        match self.by {
            UnlockMethod::Keyring => {
                let entry = self.entry.as_deref().unwrap_or_default();
                keyring::get_secret(entry)?.ok_or_else(|| {
                    let shown = path.display();
                    AuthError::Sealed(format!("the keyring has no entry that decrypts `{shown}`"))
                })
            }
            UnlockMethod::Passphrase => {
                let locked = self.identity.as_deref();
                let locked = locked
                    .ok_or_else(|| AuthError::damaged_file(path, "it contains no identity"))?;
                age::decrypt_with_passphrase(&unlock.ask_passphrase(false)?, locked, path)
            }
            UnlockMethod::Recipients => {
                let file = unlock.identity_file().ok_or_else(|| {
                    let shown = path.display();
                    AuthError::Sealed(format!(
                        "`{shown}` is encrypted for age recipients, but no identity is given"
                    ))
                })?;
                let missing = || AuthError::from_io(&file, std::io::ErrorKind::NotFound.into());
                let text = record_file::read_private_file(&file)?.ok_or_else(missing)?;
                let text = String::from_utf8(text.expose_secret().to_vec());
                text.map(SecretString::from)
                    .map_err(|_| AuthError::damaged_file(&file, "it is not text"))
            }
        }
    }

    /// The file's text, with the record encrypted.
    pub(super) fn encrypt_record(&self, plain: &SecretSlice<u8>) -> Result<String, AuthError> {
        let record = age::encrypt_for_recipients(&self.recipients, plain)?;
        let sealed = serde_json::json!({ "header": self, "record": record });
        Ok(serde_json::json!({ "version": VERSION, "sealed": sealed }).to_string())
    }

    /// Deletes the keyring entry that decrypts the record.
    pub(super) fn delete_keyring_entry(&self) -> Result<(), AuthError> {
        self.entry.as_deref().map_or(Ok(()), keyring::delete_secret)
    }
}
