//! The credential store: where a profile's record is stored, and how it is encrypted.
//!
//! A profile has one file, whatever the kind of its store: in plain text for its owner only, or
//! encrypted with age for an identity from the keyring, a passphrase or an identity file. A record
//! is therefore replaced in one step, even by one of another kind. All calls here block on files,
//! locks or the user.

#[cfg(feature = "encrypted-logins")]
pub(super) mod age;
#[cfg(not(feature = "encrypted-logins"))]
#[path = "age_left_out.rs"]
pub(super) mod age;
#[cfg(feature = "encrypted-logins")]
pub(super) mod keyring;
#[cfg(not(feature = "encrypted-logins"))]
#[path = "keyring_left_out.rs"]
pub(super) mod keyring;
pub(super) mod record_file;

mod encrypted;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use secrecy::{ExposeSecret, SecretString};

use self::record_file::CredentialLock;
use super::credentials::{StoredCredentials, parse_versioned};
use super::error::AuthError;
use crate::choice::choice_enum;
use crate::text::truncate_text;
use encrypted::{CredentialFile, EncryptedRecord, EncryptionHeader, UnlockMethod};

choice_enum! {
    /// How a record is stored.
    pub enum CredentialStoreKind {
        /// The platform's keyring: Keychain, Credential Manager, Secret Service
        // The keyring holds the key; the record itself is an encrypted file.
        Keyring = "keyring",
        /// A file that only you can read
        File = "file",
        /// A file that is encrypted with a passphrase or for a recipient
        Age = "age",
    }
}

/// Where records are stored.
#[derive(Debug, Clone)]
pub struct CredentialDir {
    /// The directory, created with the first record.
    pub dir: PathBuf,
}

/// The source of passphrases, identities and recipients for age encryption.
pub trait AgeKeySource: Send + Sync {
    /// Asks for the passphrase; `new` when it is being chosen.
    ///
    /// # Errors
    /// [`AuthError::Sealed`] when the passphrase cannot be asked for.
    fn ask_passphrase(&self, new: bool) -> Result<SecretString, AuthError>;

    /// The file with the user's own identities, which decrypt records that are encrypted for
    /// recipients.
    fn identity_file(&self) -> Option<PathBuf> {
        None
    }

    /// The recipients of a new record (`age1…`); none means a passphrase.
    fn recipients(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The store of one profile. Clones share the unlock cache.
#[derive(Clone)]
pub struct CredentialStore {
    inner: Arc<CredentialStoreInner>,
}

struct CredentialStoreInner {
    profile: String,
    path: PathBuf,
    lock: PathBuf,
    unlock: Arc<dyn AgeKeySource>,
    known: Mutex<UnlockCache>,
}

/// The header last seen, and what decrypted it, so that the user is asked only once.
#[derive(Default, Clone)]
struct UnlockCache {
    header: Option<EncryptionHeader>,
    identities: Option<SecretString>,
}

impl CredentialStore {
    /// Sets up the store for a new record. Nothing is on disk before [`CredentialStore::save`],
    /// which replaces the profile's earlier record; only the keyring has a new entry.
    pub fn create(
        credential_dir: &CredentialDir,
        profile: &str,
        kind: CredentialStoreKind,
        unlock: Arc<dyn AgeKeySource>,
    ) -> Result<Self, AuthError> {
        let store = Self::for_profile(credential_dir, profile, unlock)?;
        let known = match kind {
            CredentialStoreKind::File => UnlockCache::default(),
            CredentialStoreKind::Keyring => encrypted::set_up_keyring(profile)?,
            CredentialStoreKind::Age => encrypted::set_up_age(&*store.inner.unlock)?,
        };
        *store.unlock_cache() = known;
        Ok(store)
    }

    /// Opens the store of a profile's record; None when there is no record. The user is not asked
    /// for anything yet.
    pub fn open_existing(
        credential_dir: &CredentialDir,
        profile: &str,
        unlock: Arc<dyn AgeKeySource>,
    ) -> Result<Option<Self>, AuthError> {
        let store = Self::for_profile(credential_dir, profile, unlock)?;
        let Some(text) = record_file::read_private_file(&store.inner.path)? else {
            return Ok(None);
        };
        let outer: CredentialFile = parse_versioned(text.expose_secret(), &store.inner.path)?;
        store.unlock_cache().header = outer.sealed.map(|sealed| sealed.header);
        Ok(Some(store))
    }

    fn for_profile(
        credential_dir: &CredentialDir,
        profile: &str,
        unlock: Arc<dyn AgeKeySource>,
    ) -> Result<Self, AuthError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if profile.is_empty() || profile.len() > 64 || !profile.chars().all(plain) {
            let shown = truncate_text(profile, 64).replace(char::is_control, "\u{fffd}");
            return Err(AuthError::Name(shown));
        }
        let inner = CredentialStoreInner {
            profile: profile.to_owned(),
            path: credential_dir.dir.join(format!("{profile}.json")),
            lock: credential_dir.dir.join(format!("{profile}.lock")),
            unlock,
            known: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    fn unlock_cache(&self) -> std::sync::MutexGuard<'_, UnlockCache> {
        self.inner.known.lock().expect("the lock is not poisoned: nothing panics while holding it")
    }

    /// The profile.
    #[must_use]
    pub fn profile_name(&self) -> &str {
        &self.inner.profile
    }

    /// How the record is stored.
    #[must_use]
    pub fn kind(&self) -> CredentialStoreKind {
        match self.unlock_cache().header.as_ref().map(|header| header.by) {
            None => CredentialStoreKind::File,
            Some(UnlockMethod::Keyring) => CredentialStoreKind::Keyring,
            Some(UnlockMethod::Passphrase | UnlockMethod::Recipients) => CredentialStoreKind::Age,
        }
    }

    /// Describes the storage for users: ``file `/…/main.json` (0600)``.
    #[must_use]
    pub fn describe_storage(&self) -> String {
        let path = self.inner.path.display();
        match self.unlock_cache().header.as_ref().map(|header| (header.by, header.recipients.len()))
        {
            None => format!("file `{path}` (0600)"),
            Some((UnlockMethod::Keyring, _)) => format!("keyring, which decrypts `{path}`"),
            Some((UnlockMethod::Passphrase, _)) => format!("age file `{path}` (with a passphrase)"),
            Some((UnlockMethod::Recipients, 1)) => format!("age file `{path}` (for one recipient)"),
            Some((UnlockMethod::Recipients, n)) => {
                format!("age file `{path}` (for {n} recipients)")
            }
        }
    }

    /// Loads the record from disk. Fails with [`AuthError::Missing`] when it was removed.
    pub fn load(&self) -> Result<StoredCredentials, AuthError> {
        let path = &self.inner.path;
        let text = record_file::read_private_file(path)?
            .ok_or_else(|| AuthError::Missing(self.inner.profile.clone()))?;
        let outer: CredentialFile = parse_versioned(text.expose_secret(), path)?;
        let Some(EncryptedRecord { header, record }) = outer.sealed else {
            *self.unlock_cache() = UnlockCache::default();
            return StoredCredentials::from_json(&text, path);
        };
        let identities = self.unlock_identities(&header)?;
        let plain = super::store::age::decrypt_with_identities(&identities, &record, path)?;
        *self.unlock_cache() = UnlockCache { header: Some(header), identities: Some(identities) };
        StoredCredentials::from_json(&plain, path)
    }

    /// The identities that decrypt a record with this header: cached, or asked for.
    fn unlock_identities(&self, header: &EncryptionHeader) -> Result<SecretString, AuthError> {
        let known = self.unlock_cache().clone();
        match known.identities {
            Some(identities) if known.header.as_ref() == Some(header) => Ok(identities),
            _ => header.load_identities(&*self.inner.unlock, &self.inner.path),
        }
    }

    /// Saves a record, replacing the previous one. It is on disk when this returns.
    pub fn save(&self, stored: &StoredCredentials) -> Result<(), AuthError> {
        self.create_directory()?;
        let _lock = self.acquire_lock()?;
        let before = self.stored_header();
        self.replace_record(stored)?;
        match before {
            Some(header) if self.unlock_cache().header.as_ref() != Some(&header) => {
                header.delete_keyring_entry()
            }
            _ => Ok(()),
        }
    }

    /// Replaces the record; the caller holds the lock.
    pub(super) fn replace_record(&self, stored: &StoredCredentials) -> Result<(), AuthError> {
        record_file::remove_leftovers(&self.inner.path)?;
        let plain = stored.to_json();
        let header = self.unlock_cache().header.clone();
        match header {
            None => record_file::replace_atomically(&self.inner.path, plain.expose_secret()),
            Some(header) => {
                let text = header.encrypt_record(&plain)?;
                record_file::replace_atomically(&self.inner.path, text.as_bytes())
            }
        }
    }

    /// Waits until no other process works on the record. Blocks.
    pub(super) fn acquire_lock(&self) -> Result<CredentialLock, AuthError> {
        CredentialLock::acquire_blocking(&self.inner.lock)
    }

    /// Deletes the record and its keyring entry; whether there was a record.
    pub fn delete_record(&self) -> Result<bool, AuthError> {
        self.create_directory()?;
        let _lock = self.acquire_lock()?;
        record_file::remove_leftovers(&self.inner.path)?;
        let header = self.stored_header();
        let removed = record_file::remove_durably(&self.inner.path)?;
        header.map_or(Ok(()), |header| header.delete_keyring_entry())?;
        Ok(removed)
    }

    fn create_directory(&self) -> Result<(), AuthError> {
        record_file::create_private_dir(self.inner.path.parent().unwrap_or(Path::new(".")))
    }

    /// The header of the record on disk, if it can be read.
    fn stored_header(&self) -> Option<EncryptionHeader> {
        let text = record_file::read_private_file(&self.inner.path).ok()??;
        let outer: CredentialFile = parse_versioned(text.expose_secret(), &self.inner.path).ok()?;
        Some(outer.sealed?.header)
    }
}

/// Shows no secret.
impl std::fmt::Debug for CredentialStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Safe").field("path", &self.inner.path).finish_non_exhaustive()
    }
}
