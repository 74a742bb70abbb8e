//! The form of a sealed record: in the open stand only the way to open it and for whom it is sealed.

use std::path::Path;

use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};

use super::{Known, Unlock};
use crate::auth::credentials::VERSION;
use crate::auth::error::Error;
use crate::auth::store::{age, keyring, record_file};

/// A profile's file, as far as it is not the record itself.
#[derive(Deserialize)]
pub(super) struct Outer {
    pub(super) sealed: Option<Sealed>,
}

/// A sealed record.
#[derive(Deserialize)]
pub(super) struct Sealed {
    pub(super) header: Header,
    pub(super) record: String,
}

/// What opens a sealed record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum By {
    /// The identity in the platform's keyring.
    Keyring,
    /// A passphrase, which opens the identity beside the record.
    Passphrase,
    /// An identity of the user's.
    Recipients,
}

/// How a record is sealed. Holds nothing in the open that opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) by: By,
    pub(super) recipients: Vec<String>,
    /// The identity, sealed by the passphrase.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
    /// The name of the keyring's entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
}

/// A new identity in the keyring.
pub(super) fn for_keyring(profile: &str) -> Result<Known, Error> {
    let identity = age::identity();
    let recipient = age::recipient(&identity)?;
    // Profiles of one name in several directories must not share an entry.
    let entry = format!("{profile} {recipient}");
    keyring::set(&entry, &identity)?;
    let (by, recipients) = (By::Keyring, vec![recipient]);
    let header = Header { by, recipients, identity: None, entry: Some(entry) };
    Ok(Known { header: Some(header), identities: Some(identity) })
}

/// For the user's recipients, or a new identity behind a passphrase.
pub(super) fn for_people(unlock: &dyn Unlock) -> Result<Known, Error> {
    let recipients = unlock.recipients();
    if !recipients.is_empty() {
        age::check(&recipients)?;
        let header = Header { by: By::Recipients, recipients, identity: None, entry: None };
        return Ok(Known { header: Some(header), identities: None });
    }
    let identity = age::identity();
    let recipients = vec![age::recipient(&identity)?];
    let locked = age::lock(&unlock.passphrase(true)?, &identity)?;
    let header = Header { by: By::Passphrase, recipients, identity: Some(locked), entry: None };
    Ok(Known { header: Some(header), identities: Some(identity) })
}

impl Header {
    /// The identities that open the record, asked for where they are.
    pub(super) fn identities(
        &self,
        unlock: &dyn Unlock,
        path: &Path,
    ) -> Result<SecretString, Error> {
        match self.by {
            By::Keyring => {
                let entry = self.entry.as_deref().unwrap_or_default();
                keyring::get(entry)?.ok_or_else(|| {
                    let shown = path.display();
                    Error::Sealed(format!("the keyring holds nothing that opens `{shown}`"))
                })
            }
            By::Passphrase => {
                let locked = self.identity.as_deref();
                let locked = locked.ok_or_else(|| Error::damaged(path, "it holds no identity"))?;
                age::unlock(&unlock.passphrase(false)?, locked, path)
            }
            By::Recipients => {
                let file = unlock.identity_file().ok_or_else(|| {
                    let shown = path.display();
                    Error::Sealed(format!(
                        "`{shown}` is sealed for age recipients; no identity is given"
                    ))
                })?;
                let missing = || Error::file(&file, std::io::ErrorKind::NotFound.into());
                let text = record_file::read(&file)?.ok_or_else(missing)?;
                let text = String::from_utf8(text.expose_secret().to_vec());
                text.map(SecretString::from).map_err(|_| Error::damaged(&file, "it is no text"))
            }
        }
    }

    /// The file's text with a record sealed in it.
    pub(super) fn sealed(&self, plain: &SecretSlice<u8>) -> Result<String, Error> {
        let record = age::seal(&self.recipients, plain)?;
        let sealed = serde_json::json!({ "header": self, "record": record });
        Ok(serde_json::json!({ "version": VERSION, "sealed": sealed }).to_string())
    }

    /// Forgets what was kept elsewhere to open the record.
    pub(super) fn forget(&self) -> Result<(), Error> {
        self.entry.as_deref().map_or(Ok(()), keyring::forget)
    }
}
