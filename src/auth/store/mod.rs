//! Safes: where a profile's record lies, and who opens it.
//!
//! A profile has one file, whatever the kind of its store: in the open for its owner alone, or sealed by age
//! for an identity that the keyring, a passphrase or a file of the user's gives. So a record is replaced in
//! one step, also by one of another kind. All calls here block: files, locks, people.

pub(super) mod age;
pub(super) mod keyring;
pub(super) mod record_file;

mod encrypted;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use secrecy::{ExposeSecret, SecretString};

use self::record_file::Lock;
use super::credentials::{Stored, parsed};
use super::error::Error;
use encrypted::{By, Header, Outer, Sealed};

/// How a record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// Sealed for an identity that the platform's keyring keeps.
    Keyring,
    /// In the open, in a file that only its owner may read.
    File,
    /// Sealed by age, for a passphrase or for recipients.
    Age,
}

/// Where records are kept.
#[derive(Debug, Clone)]
pub struct Places {
    /// The directory, made when the first record is kept.
    pub dir: PathBuf,
}

/// Who opens a record that is sealed by age, and for whom one is sealed.
pub trait Unlock: Send + Sync {
    /// The passphrase; `new` when it is being chosen.
    ///
    /// # Errors
    /// [`Error::Sealed`] when there is nobody to ask.
    fn passphrase(&self, new: bool) -> Result<SecretString, Error>;

    /// The file with the user's own identities, which open what is sealed for recipients.
    fn identity_file(&self) -> Option<PathBuf> {
        None
    }

    /// For whom a new record is sealed (`age1…`); for nobody means by a passphrase.
    fn recipients(&self) -> Vec<String> {
        Vec::new()
    }
}

/// One profile's place. Clones share what they know.
#[derive(Clone)]
pub struct Safe {
    inner: Arc<Inner>,
}

struct Inner {
    profile: String,
    path: PathBuf,
    lock: PathBuf,
    unlock: Arc<dyn Unlock>,
    known: Mutex<Known>,
}

/// How the record is sealed, as last seen, and what opened it: nobody is asked twice.
#[derive(Default, Clone)]
struct Known {
    header: Option<Header>,
    identities: Option<SecretString>,
}

impl Safe {
    /// A place for a new record. Nothing is on disk before [`Safe::save`], which replaces what was kept for
    /// the profile; only the keyring holds a new entry.
    ///
    /// # Errors
    /// When the name is none, the keyring is absent or locked, or there is no passphrase.
    pub fn create(
        places: &Places,
        profile: &str,
        kind: StoreKind,
        unlock: Arc<dyn Unlock>,
    ) -> Result<Self, Error> {
        let safe = Self::at(places, profile, unlock)?;
        let known = match kind {
            StoreKind::File => Known::default(),
            StoreKind::Keyring => encrypted::for_keyring(profile)?,
            StoreKind::Age => encrypted::for_people(&*safe.inner.unlock)?,
        };
        *safe.known() = known;
        Ok(safe)
    }

    /// The place of a profile's record; nothing when there is no record. Nobody is asked for anything yet.
    ///
    /// # Errors
    /// When the name is none, or the file cannot be read or is open to others.
    pub fn find(
        places: &Places,
        profile: &str,
        unlock: Arc<dyn Unlock>,
    ) -> Result<Option<Self>, Error> {
        let safe = Self::at(places, profile, unlock)?;
        let Some(text) = record_file::read(&safe.inner.path)? else { return Ok(None) };
        let outer: Outer = parsed(text.expose_secret(), &safe.inner.path)?;
        safe.known().header = outer.sealed.map(|sealed| sealed.header);
        Ok(Some(safe))
    }

    fn at(places: &Places, profile: &str, unlock: Arc<dyn Unlock>) -> Result<Self, Error> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if profile.is_empty() || profile.len() > 64 || !profile.chars().all(plain) {
            let shown =
                profile.chars().take(70).map(|c| if c.is_control() { '\u{fffd}' } else { c });
            return Err(Error::Name(shown.collect()));
        }
        let inner = Inner {
            profile: profile.to_owned(),
            path: places.dir.join(format!("{profile}.json")),
            lock: places.dir.join(format!("{profile}.lock")),
            unlock,
            known: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.inner.known.lock().expect("nobody panics with it")
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.inner.profile
    }

    /// How the record is kept.
    #[must_use]
    pub fn kind(&self) -> StoreKind {
        match self.known().header.as_ref().map(|header| header.by) {
            None => StoreKind::File,
            Some(By::Keyring) => StoreKind::Keyring,
            Some(By::Passphrase | By::Recipients) => StoreKind::Age,
        }
    }

    /// The place, for people: ``file `/…/main.json` (0600)``.
    #[must_use]
    pub fn describe(&self) -> String {
        let path = self.inner.path.display();
        match self.known().header.as_ref().map(|header| (header.by, header.recipients.len())) {
            None => format!("file `{path}` (0600)"),
            Some((By::Keyring, _)) => format!("keyring, which opens `{path}`"),
            Some((By::Passphrase, _)) => format!("age file `{path}` (by a passphrase)"),
            Some((By::Recipients, 1)) => format!("age file `{path}` (for one recipient)"),
            Some((By::Recipients, n)) => format!("age file `{path}` (for {n} recipients)"),
        }
    }

    /// The record as it is on disk now.
    ///
    /// # Errors
    /// [`Error::Missing`] when it was removed; when it cannot be read or opened.
    pub fn load(&self) -> Result<Stored, Error> {
        let path = &self.inner.path;
        let text =
            record_file::read(path)?.ok_or_else(|| Error::Missing(self.inner.profile.clone()))?;
        let outer: Outer = parsed(text.expose_secret(), path)?;
        let Some(Sealed { header, record }) = outer.sealed else {
            *self.known() = Known::default();
            return Stored::from_json(&text, path);
        };
        let identities = self.identities(&header)?;
        let plain = super::store::age::open(&identities, &record, path)?;
        *self.known() = Known { header: Some(header), identities: Some(identities) };
        Stored::from_json(&plain, path)
    }

    /// What opens a record with this header: as before, or asked for.
    fn identities(&self, header: &Header) -> Result<SecretString, Error> {
        let known = self.known().clone();
        match known.identities {
            Some(identities) if known.header.as_ref() == Some(header) => Ok(identities),
            _ => header.identities(&*self.inner.unlock, &self.inner.path),
        }
    }

    /// Keeps a record in place of what was there. It is on disk when this returns.
    ///
    /// # Errors
    /// When it cannot be sealed or written.
    pub fn save(&self, stored: &Stored) -> Result<(), Error> {
        self.prepare()?;
        let _lock = self.lock()?;
        let before = self.kept_header();
        self.put(stored)?;
        match before {
            Some(header) if self.known().header.as_ref() != Some(&header) => header.forget(),
            _ => Ok(()),
        }
    }

    /// Replaces the record, by somebody who holds the lock.
    pub(super) fn put(&self, stored: &Stored) -> Result<(), Error> {
        let plain = stored.to_json();
        let header = self.known().header.clone();
        match header {
            None => record_file::replace(&self.inner.path, plain.expose_secret()),
            Some(header) => {
                let text = header.sealed(&plain)?;
                record_file::replace(&self.inner.path, text.as_bytes())
            }
        }
    }

    /// Waits until no other process works on the record: blocks.
    pub(super) fn lock(&self) -> Result<Lock, Error> {
        Lock::wait(&self.inner.lock)
    }

    /// Removes the record and what the keyring holds for it; whether there was one.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self) -> Result<bool, Error> {
        self.prepare()?;
        let _lock = self.lock()?;
        let header = self.kept_header();
        let removed = record_file::remove(&self.inner.path)?;
        header.map_or(Ok(()), |header| header.forget())?;
        Ok(removed)
    }

    fn prepare(&self) -> Result<(), Error> {
        record_file::directory(self.inner.path.parent().unwrap_or(Path::new(".")))
    }

    /// The header of what is on disk, as far as that can be read.
    fn kept_header(&self) -> Option<Header> {
        let text = record_file::read(&self.inner.path).ok()??;
        let outer: Outer = parsed(text.expose_secret(), &self.inner.path).ok()?;
        Some(outer.sealed?.header)
    }
}

/// Shows no secret.
impl std::fmt::Debug for Safe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Safe").field("path", &self.inner.path).finish_non_exhaustive()
    }
}
