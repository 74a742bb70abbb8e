//! The list of the contacts that are wanted: kept in the spool, so that a resumed run needs no file.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::super::{Pull, PullError};
use super::lookup_key::{ContactKey, SelectedContacts, parse_contact_keys};
use crate::concurrency;
use crate::run::{self, FetchFailure, SpoolEntry, SpoolReader, SpoolWrite, StreamProgress, stream};

/// Keys that are stored together.
const LOT: usize = 5_000;

/// The contacts that somebody named.
#[derive(Debug, Clone, Default)]
pub struct ContactKeyList {
    /// The keys, each once.
    pub keys: BTreeSet<ContactKey>,
    /// What names nobody: the value, and why.
    pub unclear: Vec<(String, String)>,
}

/// Whether a run has stored its list.
///
/// # Errors
/// When the spool is damaged.
pub fn has_stored_list(reader: &SpoolReader) -> Result<bool, run::RunError> {
    Ok(reader.stream_progress(stream::CHOSEN)?.done)
}

/// What a run's list holds.
///
/// # Errors
/// When the spool is damaged.
pub(super) fn load_keys(reader: &SpoolReader) -> Result<BTreeMap<ContactKey, bool>, run::RunError> {
    let (mut keys, mut seq) = (BTreeMap::new(), 0);
    while let Some(entry) = reader.next_entry(stream::CHOSEN, seq)? {
        seq = entry.seq;
        let lot: Vec<ContactKey> = serde_json::from_slice(&entry.body)
            .map_err(|error| damaged_entry_error(reader, &entry, &error))?;
        keys.extend(lot.into_iter().map(|key| (key, false)));
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
    /// Stores which contacts are wanted, once.
    ///
    /// # Errors
    /// When the spool takes nothing any more.
    ///
    /// # Panics
    /// Never: keys are plain JSON, and a lot is small.
    pub async fn store_contact_list(&self, list: &ContactKeyList) -> Result<(), PullError> {
        for (value, why) in &list.unclear {
            self.write_to_spool(SpoolWrite::Failed(contact_failure(value, "unclear", why.clone())))
                .await?;
        }
        let keys: Vec<&ContactKey> = list.keys.iter().collect();
        let lots = keys.len().div_ceil(LOT);
        for (at, lot) in keys.chunks(LOT).enumerate() {
            let body = Bytes::from(serde_json::to_vec(lot).expect("keys are plain JSON"));
            let rows = u32::try_from(lot.len()).expect("a lot is small");
            let progress = StreamProgress {
                rows: (at * LOT + lot.len()) as u64,
                done: at + 1 == lots,
                ..StreamProgress::default()
            };
            self.write_to_spool(SpoolWrite::Entry {
                stream: stream::CHOSEN.to_owned(),
                rows,
                body,
                progress,
            })
            .await?;
        }
        self.flush_writes().await
    }

    /// What is wanted, and what of it the spool has already.
    pub(super) async fn load_selected_contacts(&self) -> Result<SelectedContacts, PullError> {
        let db = self.db.clone();
        let read = concurrency::run_blocking(move || {
            let reader = SpoolReader::open(&db)?;
            let mut wanted =
                SelectedContacts { keys: load_keys(&reader)?, ..SelectedContacts::default() };
            let mut seq = 0;
            while let Some(entry) = reader.next_entry(stream::CONTACTS, seq)? {
                seq = entry.seq;
                let rows = crate::api::parse_list_rows(&entry.body, "contacts")
                    .map_err(|error| damaged_entry_error(&reader, &entry, &error))?;
                for row in rows {
                    wanted.match_row(row);
                    // One that was found by another value than its primary ones.
                    wanted.contacts.extend(parse_contact_keys(row).map(|(id, _)| id));
                }
            }
            Ok::<_, run::RunError>(wanted)
        });
        Ok(read.await?)
    }
}

/// A contact that was named and is not there.
pub(super) fn contact_failure(subject: &str, code: &str, message: String) -> FetchFailure {
    FetchFailure {
        stream: stream::CONTACTS.to_owned(),
        subject: subject.to_owned(),
        code: code.to_owned(),
        message,
        status: None,
        trace_id: None,
        transient: false,
    }
}
