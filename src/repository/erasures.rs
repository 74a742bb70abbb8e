//! What the repository remembers of people who were erased from it: hashes, by which a restore recognizes them.
//!
//! An erasure is one file, written before anything is changed; a second one says what came of it, and is written at the end.
//! Neither is ever changed. Both have no data of people but SHA-256 hashes, salted with the repository's id: a person who
//! knows an address can ask whether it was erased, and addresses cannot be read from them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::checked_json;
use super::error::RepositoryError;
use super::layout::{self, ErasureKey};
use super::manifest::read_bounded;
use super::open_repository::Repository;
use super::snapshot_id::SnapshotId;
use super::{FORMAT, data_reader};
use crate::id::LocationId;

/// A person who was erased, as hashes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedPerson {
    /// That of the contact's id.
    pub contact: String,
    /// Those of all e-mail addresses that the contact had in any snapshot.
    pub emails: BTreeSet<String>,
    /// Those of all its phone numbers.
    pub phones: BTreeSet<String>,
}

/// That people were erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureRecord {
    /// The format.
    pub format: u32,
    /// Its id, made like that of a snapshot.
    pub erasure: SnapshotId,
    /// The location that they were contacts of.
    pub location: LocationId,
    /// When the erasure began.
    pub erased: Timestamp,
    /// The people.
    pub people: Vec<ErasedPerson>,
}

/// What came of an erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasureResult {
    /// When it was finished.
    pub finished: Timestamp,
    /// The snapshots that were written again, forgotten ones included.
    pub snapshots: u64,
    /// The lines that were left out of their files.
    pub lines: u64,
}

/// The erasures of a location's people.
#[derive(Debug, Clone)]
pub struct Erasures {
    salt: String,
    records: Vec<ErasureRecord>,
    finished: BTreeSet<SnapshotId>,
    /// The erasure, by the hash of an id, an address or a number.
    known: HashMap<String, usize>,
}

impl Erasures {
    /// Reads the erasures of the people of a location.
    ///
    /// # Errors
    /// When one is damaged, or the store cannot be read: a restore must stop then, since it is not known who was erased.
    pub fn load(repository: &Repository, location: &LocationId) -> Result<Self, RepositoryError> {
        let objects = repository.store().list("");
        let objects =
            objects.map_err(|source| RepositoryError::from_io(repository.place(), source))?;
        let (mut records, mut finished) = (BTreeMap::new(), BTreeSet::new());
        for object in &objects {
            match layout::read_erasure_key(&object.key) {
                Some(ErasureKey::Record(id)) => {
                    let record: ErasureRecord = read_checked(repository, &object.key)?;
                    records.insert(id, record);
                }
                Some(ErasureKey::Result(id)) => drop(finished.insert(id)),
                None => {}
            }
        }
        let records: Vec<_> =
            records.into_values().filter(|record| record.location == *location).collect();
        let mut known = HashMap::new();
        for (at, record) in records.iter().enumerate() {
            for person in &record.people {
                let hashes = [&person.contact].into_iter().chain(&person.emails);
                known.extend(hashes.chain(&person.phones).map(|hash| (hash.clone(), at)));
            }
        }
        Ok(Self { salt: repository.header().id.clone(), records, finished, known })
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether a contact was erased, by its id, by its e-mail address, or by its phone number if it has no address: several
    /// people may have one number.
    #[must_use]
    pub fn contains_contact(&self, id: &str, email: Option<&str>, phone: Option<&str>) -> bool {
        self.find_contact(id, email, phone).is_some()
    }

    /// The erasure of a contact; the last one if there were several.
    #[must_use]
    pub fn find_contact(
        &self,
        id: &str,
        email: Option<&str>,
        phone: Option<&str>,
    ) -> Option<&ErasureRecord> {
        if self.is_empty() {
            return None;
        }
        let email = email.map(normalize_email).filter(|email| !email.is_empty());
        let phone = phone.map(normalize_phone).filter(|phone| !phone.is_empty() && email.is_none());
        let hashes = [
            Some(hash_value(&self.salt, "id", id)),
            email.map(|email| hash_value(&self.salt, "email", &email)),
            phone.map(|phone| hash_value(&self.salt, "phone", &phone)),
        ];
        let found = hashes.into_iter().flatten().filter_map(|hash| self.known.get(&hash));
        found.max().map(|at| &self.records[*at])
    }

    /// The erasures that a value (an id, an address or a number) was part of, oldest first, and whether each is finished.
    pub fn find_value(&self, value: &str) -> impl Iterator<Item = (&ErasureRecord, bool)> {
        let hashes = [
            hash_value(&self.salt, "id", value),
            hash_value(&self.salt, "email", &normalize_email(value)),
            hash_value(&self.salt, "phone", &normalize_phone(value)),
        ];
        let has = move |person: &ErasedPerson| {
            let all = [&person.contact].into_iter().chain(&person.emails).chain(&person.phones);
            all.into_iter().any(|hash| hashes.contains(hash))
        };
        let found = self.records.iter().filter(move |record| record.people.iter().any(&has));
        found.map(|record| (record, self.finished.contains(&record.erasure)))
    }

    /// Whether a contact with this id is part of an erasure that was begun and not finished.
    #[must_use]
    pub fn is_being_erased(&self, id: &str) -> bool {
        let mut unfinished = self.unfinished().peekable();
        if unfinished.peek().is_none() {
            return false;
        }
        let hash = hash_value(&self.salt, "id", id);
        unfinished.any(|record| record.people.iter().any(|person| person.contact == hash))
    }

    /// The erasures that were begun and not finished, oldest first.
    pub fn unfinished(&self) -> impl Iterator<Item = &ErasureRecord> {
        self.records.iter().filter(|record| !self.finished.contains(&record.erasure))
    }
}

impl ErasedPerson {
    /// Hashes what names a person.
    #[must_use]
    pub fn new<'t>(
        repository: &Repository,
        id: &str,
        emails: impl Iterator<Item = &'t str>,
        phones: impl Iterator<Item = &'t str>,
    ) -> Self {
        let salt = &repository.header().id;
        let hash = |kind, value: &str| hash_value(salt, kind, value);
        Self {
            contact: hash("id", id),
            emails: emails.map(|email| hash("email", &normalize_email(email))).collect(),
            phones: phones.map(|phone| hash("phone", &normalize_phone(phone))).collect(),
        }
    }
}

impl Repository {
    /// Remembers that people are being erased.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn record_erasure(
        &self,
        location: &LocationId,
        now: Timestamp,
        people: Vec<ErasedPerson>,
    ) -> Result<ErasureRecord, RepositoryError> {
        let erasure = SnapshotId::new(now);
        let key = layout::erasure_key(&erasure);
        let record = ErasureRecord {
            format: FORMAT,
            erasure,
            location: location.clone(),
            erased: now,
            people,
        };
        match self.put_bytes(&key, &checked_json::to_bytes(&record))? {
            super::PutResult::Created => Ok(record),
            super::PutResult::Exists => Err(RepositoryError::Conflict { object: key }),
        }
    }

    /// Remembers what came of an erasure, which is finished.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn finish_erasure(
        &self,
        erasure: &SnapshotId,
        result: &ErasureResult,
    ) -> Result<(), RepositoryError> {
        let bytes = checked_json::to_bytes(result);
        let _ = self.put_bytes(&layout::erasure_result_key(erasure), &bytes)?;
        Ok(())
    }
}

fn read_checked<T: serde::de::DeserializeOwned>(
    repository: &Repository,
    key: &str,
) -> Result<T, RepositoryError> {
    #[derive(Deserialize)]
    struct AnyFormat {
        format: u64,
    }
    let bytes = read_bounded(data_reader::open_file(repository.store(), key)?, key)?;
    let damaged = |error: serde_json::Error| RepositoryError::damaged(key, error);
    let any: AnyFormat = serde_json::from_slice(&bytes).map_err(damaged)?;
    if any.format > u64::from(FORMAT) {
        return Err(RepositoryError::NewerFormat { object: key.to_owned(), format: any.format });
    }
    if !checked_json::is_sound(&bytes) {
        return Err(RepositoryError::damaged(key, "its checksum is wrong"));
    }
    serde_json::from_slice(&bytes).map_err(damaged)
}

fn hash_value(salt: &str, kind: &str, value: &str) -> String {
    let mut hash = Sha256::new();
    for part in ["ghl-bulk erasure", salt, kind, value] {
        hash.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
        hash.update(part);
    }
    base16ct::lower::encode_string(&hash.finalize())
}

/// An address as it is compared.
fn normalize_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// A number as it is compared: its digits.
fn normalize_phone(phone: &str) -> String {
    phone.chars().filter(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::MemoryStore;
    use super::*;

    fn repository() -> (Arc<MemoryStore>, Repository) {
        let store = Arc::new(MemoryStore::default());
        let repository = Repository::create(store.clone(), "memory", Vec::new()).unwrap();
        (store, repository)
    }

    fn erase_ann(repository: &Repository, location: &LocationId) -> ErasureRecord {
        let emails = ["Ann@Example.com", "ann@work.example"];
        let ann = ErasedPerson::new(
            repository,
            "c1",
            emails.into_iter(),
            ["+1 (202) 555-0143"].into_iter(),
        );
        repository.record_erasure(location, Timestamp::now(), vec![ann]).unwrap()
    }

    #[test]
    fn an_erased_person_is_recognized_and_cannot_be_read() {
        let (store, repository) = repository();
        let location: LocationId = "loc".parse().unwrap();
        assert!(Erasures::load(&repository, &location).unwrap().is_empty());
        let record = erase_ann(&repository, &location);
        let erasures = Erasures::load(&repository, &location).unwrap();
        assert!(erasures.contains_contact("c1", None, None));
        assert!(erasures.contains_contact("c2", Some(" ANN@example.com"), None));
        assert!(erasures.contains_contact("c2", Some("ann@work.example"), None));
        assert!(erasures.contains_contact("c2", None, Some("+12025550143")));
        let other = erasures.find_contact("c2", Some("bob@example.com"), Some("+12025550143"));
        assert_eq!(other, None, "people who share a number are several");
        assert!(!erasures.contains_contact("c3", None, None));
        assert!(!erasures.contains_contact("c3", Some(""), Some("")));
        for value in ["c1", "ann@example.com", "1 202 555 0143"] {
            let found: Vec<_> = erasures.find_value(value).collect();
            assert_eq!(found, [(&record, false)], "{value}");
        }
        assert_eq!(erasures.unfinished().count(), 1);
        for key in store.keys() {
            let text = String::from_utf8_lossy(&store.bytes(&key)).to_lowercase();
            assert!(!text.contains("ann@") && !text.contains("2025550143"), "{key}: {text}");
        }
        let elsewhere = Erasures::load(&repository, &"other".parse().unwrap()).unwrap();
        assert!(!elsewhere.contains_contact("c1", None, None), "a person of another location");
        assert_eq!(repository.list_locations().unwrap(), []);
    }

    #[test]
    fn an_erasure_that_is_finished_is_known_to_be() {
        let (_, repository) = repository();
        let location: LocationId = "loc".parse().unwrap();
        let record = erase_ann(&repository, &location);
        let result = ErasureResult { finished: Timestamp::now(), snapshots: 2, lines: 3 };
        repository.finish_erasure(&record.erasure, &result).unwrap();
        let erasures = Erasures::load(&repository, &location).unwrap();
        assert_eq!(erasures.unfinished().count(), 0);
        assert_eq!(erasures.find_value("c1").collect::<Vec<_>>(), [(&record, true)]);
    }

    #[test]
    fn a_damaged_erasure_is_not_taken_for_none() {
        let (store, repository) = repository();
        let location: LocationId = "loc".parse().unwrap();
        let record = erase_ann(&repository, &location);
        let key = layout::erasure_key(&record.erasure);
        let bytes = store.bytes(&key);
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            store.set_bytes(&key, flipped);
            assert!(Erasures::load(&repository, &location).is_err(), "byte {at}");
        }
    }
}
