//! The list of selected contacts, stored in the spool so that a resumed run does not need the file.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::super::{Pull, PullError};
use super::lookup_key::{ContactKey, SelectedContacts, parse_contact_keys};
use crate::concurrency;
use crate::diagnostic::FetchFailureCode;
use crate::run::{self, FetchFailure, SpoolEntry, SpoolReader, SpoolWrite, StreamProgress, stream};

/// Keys stored together.
const KEYS_PER_ENTRY: usize = 5_000;

/// The selected contacts.
#[derive(Debug, Clone, Default)]
pub struct ContactKeyList {
    /// The keys, each once.
    pub keys: BTreeSet<ContactKey>,
    /// Values that identify no contact, each with the reason.
    pub unresolved: Vec<(String, String)>,
}

/// Whether a run has stored its list.
pub fn has_stored_list(reader: &SpoolReader) -> Result<bool, run::RunError> {
    Ok(reader.stream_progress(stream::SELECTED_CONTACTS)?.done)
}

/// The keys of a run's stored list, each still unmatched.
pub(super) fn load_keys(reader: &SpoolReader) -> Result<BTreeMap<ContactKey, bool>, run::RunError> {
    let (mut keys, mut seq) = (BTreeMap::new(), 0);
    while let Some(entry) = reader.next_entry(stream::SELECTED_CONTACTS, seq)? {
        seq = entry.seq;
        let batch: Vec<ContactKey> = serde_json::from_slice(&entry.body)
            .map_err(|error| damaged_entry_error(reader, &entry, &error))?;
        keys.extend(batch.into_iter().map(|key| (key, false)));
    }
    Ok(keys)
}

fn damaged_entry_error(
    reader: &SpoolReader,
    entry: &SpoolEntry,
    error: &serde_json::Error,
) -> run::RunError {
    let (path, seq) = (reader.path().to_owned(), entry.seq);
    run::RunError::Damaged { path, why: format!("entry {seq}: {error}") }
}

impl Pull {
    /// Stores the list of selected contacts, once.
    ///
    /// # Panics
    /// Never: keys are plain JSON, and a batch is small.
    pub async fn store_contact_list(&self, list: &ContactKeyList) -> Result<(), PullError> {
        for (value, reason) in &list.unresolved {
            self.write_to_spool(SpoolWrite::Failed(contact_failure(
                value,
                FetchFailureCode::Unclear,
                reason.clone(),
            )))
            .await?;
        }
        let keys: Vec<&ContactKey> = list.keys.iter().collect();
        let batch_count = keys.len().div_ceil(KEYS_PER_ENTRY);
        for (index, batch) in keys.chunks(KEYS_PER_ENTRY).enumerate() {
            let body = Bytes::from(serde_json::to_vec(batch).expect("keys are plain JSON"));
            let rows = u32::try_from(batch.len()).expect("a batch is small");
            let progress = StreamProgress {
                rows: (index * KEYS_PER_ENTRY + batch.len()) as u64,
                done: index + 1 == batch_count,
                ..StreamProgress::default()
            };
            self.write_to_spool(SpoolWrite::Entry {
                stream: stream::SELECTED_CONTACTS.to_owned(),
                rows,
                body,
                progress,
            })
            .await?;
        }
        self.flush_writes().await
    }

    /// Loads the selected keys and matches them against the contacts already in the spool.
    pub(super) async fn load_selected_contacts(&self) -> Result<SelectedContacts, PullError> {
        let db = self.db.clone();
        let read = concurrency::run_blocking(move || {
            let reader = SpoolReader::open(&db)?;
            let mut selected =
                SelectedContacts { keys: load_keys(&reader)?, ..SelectedContacts::default() };
            let mut seq = 0;
            while let Some(entry) = reader.next_entry(stream::CONTACTS, seq)? {
                seq = entry.seq;
                let rows = crate::api::parse_list_rows(&entry.body, "contacts")
                    .map_err(|error| damaged_entry_error(&reader, &entry, &error))?;
                for row in rows {
                    selected.match_row(row);
                    // A contact that was found by a secondary value has no key that matches.
                    selected.contacts.extend(parse_contact_keys(row).map(|(id, _)| id));
                }
            }
            Ok::<_, run::RunError>(selected)
        });
        Ok(read.await?)
    }
}

/// The failure of a selected contact that was not found.
pub(super) fn contact_failure(
    subject: &str,
    code: FetchFailureCode,
    message: String,
) -> FetchFailure {
    FetchFailure {
        stream: stream::CONTACTS.to_owned(),
        subject: subject.to_owned(),
        code,
        message,
        status: None,
        trace_id: None,
        transient: false,
        records: 1,
    }
}
