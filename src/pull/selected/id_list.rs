//! The list of the contacts that are wanted: kept in the spool, so that a resumed run needs no file.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::super::{Error, Pull};
use super::lookup_key::{Key, Wanted, names};
use crate::concurrency;
use crate::run::{self, Entry, Failure, Progress, Reader, Write, stream};

/// Keys that are stored together.
const LOT: usize = 5_000;

/// The contacts that somebody named.
#[derive(Debug, Clone, Default)]
pub struct List {
    /// The keys, each once.
    pub keys: BTreeSet<Key>,
    /// What names nobody: the value, and why.
    pub unclear: Vec<(String, String)>,
}

/// Whether a run has stored its list.
///
/// # Errors
/// When the spool is damaged.
pub fn is_listed(reader: &Reader) -> Result<bool, run::Error> {
    Ok(reader.progress(stream::CHOSEN)?.done)
}

/// What a run's list holds.
///
/// # Errors
/// When the spool is damaged.
pub(super) fn stored(reader: &Reader) -> Result<BTreeMap<Key, bool>, run::Error> {
    let (mut keys, mut seq) = (BTreeMap::new(), 0);
    while let Some(entry) = reader.next(stream::CHOSEN, seq)? {
        seq = entry.seq;
        let lot: Vec<Key> =
            serde_json::from_slice(&entry.body).map_err(|error| damaged(reader, &entry, &error))?;
        keys.extend(lot.into_iter().map(|key| (key, false)));
    }
    Ok(keys)
}

fn damaged(reader: &Reader, entry: &Entry, error: &serde_json::Error) -> run::Error {
    let (path, seq) = (reader.path().to_owned(), entry.seq);
    run::Error::Damaged { path, why: format!("entry {seq}: {error}") }
}

impl Pull {
    /// Stores which contacts are wanted, once.
    ///
    /// # Errors
    /// When the spool takes nothing any more.
    ///
    /// # Panics
    /// Never: keys are plain JSON, and a lot is small.
    pub async fn choose(&self, list: &List) -> Result<(), Error> {
        for (value, why) in &list.unclear {
            self.store(Write::Failed(failure(value, "unclear", why.clone()))).await?;
        }
        let keys: Vec<&Key> = list.keys.iter().collect();
        let lots = keys.len().div_ceil(LOT);
        for (at, lot) in keys.chunks(LOT).enumerate() {
            let body = Bytes::from(serde_json::to_vec(lot).expect("keys are plain JSON"));
            let rows = u32::try_from(lot.len()).expect("a lot is small");
            let progress = Progress {
                rows: (at * LOT + lot.len()) as u64,
                done: at + 1 == lots,
                ..Progress::default()
            };
            self.store(Write::Entry { stream: stream::CHOSEN.to_owned(), rows, body, progress })
                .await?;
        }
        self.settle_writes().await
    }

    /// What is wanted, and what of it the spool has already.
    pub(super) async fn wanted(&self) -> Result<Wanted, Error> {
        let db = self.db.clone();
        let read = concurrency::blocking(move || {
            let reader = Reader::open(&db)?;
            let mut wanted = Wanted { keys: stored(&reader)?, ..Wanted::default() };
            let mut seq = 0;
            while let Some(entry) = reader.next(stream::CONTACTS, seq)? {
                seq = entry.seq;
                let rows = crate::api::rows(&entry.body, "contacts")
                    .map_err(|error| damaged(&reader, &entry, &error))?;
                for row in rows {
                    wanted.take(row);
                    // One that was found by another value than its primary ones.
                    wanted.contacts.extend(names(row).map(|(id, _)| id));
                }
            }
            Ok::<_, run::Error>(wanted)
        });
        Ok(read.await?)
    }
}

/// A contact that was named and is not there.
pub(super) fn failure(subject: &str, code: &str, message: String) -> Failure {
    Failure {
        stream: stream::CONTACTS.to_owned(),
        subject: subject.to_owned(),
        code: code.to_owned(),
        message,
        status: None,
        trace_id: None,
        passing: false,
    }
}
