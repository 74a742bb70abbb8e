//! What a spool has: the ids of its rows, and the contacts whose own lists were read.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::{Pull, PullError};
use crate::concurrency;
use crate::pull::ChildKind;
use crate::resource::{self, CustomFieldColumns, ResourceSpec, SortKeyReader};
use crate::run::{PackedResponses, RunError, SpoolReader, SpoolWrite, StreamProgress, stream};
use crate::text::hash_text;

/// Records that no longer exist, by the name of their table: an entry of the stream [`stream::DELETED`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedRecords(pub BTreeMap<String, Vec<String>>);

/// What a spool has of notes or tasks.
#[derive(Debug, Default)]
pub(super) struct SpooledChildren {
    /// The ids, as hashes: a collision keeps a record that was deleted.
    pub(super) ids: HashSet<u64>,
    /// The contacts whose own lists are among them.
    pub(super) own_lists: HashSet<String>,
}

/// The name of the table of a kind of child.
pub(super) fn table_name(kind: ChildKind) -> &'static str {
    match kind {
        ChildKind::Notes => "notes",
        ChildKind::Tasks => "tasks",
        ChildKind::Appointments => "appointments",
    }
}

/// The stream of the search for a kind of child.
pub(super) fn search_stream(kind: ChildKind) -> &'static str {
    match kind {
        ChildKind::Notes => stream::NOTE_SEARCH,
        ChildKind::Tasks => stream::TASKS,
        ChildKind::Appointments => stream::EVENTS,
    }
}

fn key_reader(table: &str) -> SortKeyReader {
    let spec = ResourceSpec::from_name(table).expect("the table is in the registry");
    SortKeyReader::new(&spec.table_schema(&CustomFieldColumns::default()))
}

impl Pull {
    /// Shows every contact's row in the spool, as the search has sent it.
    pub(super) async fn scan_contacts<T: Send + 'static>(
        &self,
        mut state: T,
        mut show: impl FnMut(&mut T, &str, i64, &str) -> Result<(), PullError> + Send + 'static,
    ) -> Result<T, PullError> {
        let db = self.db.clone();
        concurrency::run_blocking(move || {
            let (reader, keys) = (SpoolReader::open(&db)?, key_reader("contacts"));
            let mut seq = 0;
            while let Some(entry) = reader.next_entry(stream::CONTACTS, seq)? {
                seq = entry.seq;
                if !matches!(entry.stream.as_str(), stream::CONTACTS | stream::REREAD_CONTACTS) {
                    continue;
                }
                let answer = std::str::from_utf8(&entry.body).unwrap_or_default();
                for row in resource::response_rows(answer, "contacts") {
                    if let Ok(key) = keys.sort_key(row) {
                        show(&mut state, &key.id, key.added, row)?;
                    }
                }
            }
            Ok(state)
        })
        .await
    }

    /// Collects what the spool has of notes or tasks.
    pub(super) async fn scan_children(
        &self,
        kind: ChildKind,
    ) -> Result<SpooledChildren, PullError> {
        let db = self.db.clone();
        concurrency::run_blocking(move || {
            let (reader, keys) = (SpoolReader::open(&db)?, key_reader(table_name(kind)));
            let mut found = SpooledChildren::default();
            let add_rows = |ids: &mut HashSet<u64>, answer: &[u8]| {
                let answer = std::str::from_utf8(answer).unwrap_or_default();
                let rows = resource::response_rows(answer, table_name(kind));
                let exists = |row: &&str| !resource::has_true_member(row, "deleted");
                let keys = rows.filter(exists).filter_map(|row| keys.sort_key(row).ok());
                ids.extend(keys.map(|key| hash_text(&key.id)));
            };
            for name in [search_stream(kind), kind.stream_name()] {
                let mut seq = 0;
                while let Some(entry) = reader.next_entry(name, seq)? {
                    seq = entry.seq;
                    if entry.stream != name {
                        continue;
                    }
                    if name == search_stream(kind) {
                        add_rows(&mut found.ids, &entry.body);
                    } else {
                        for (contact, answer) in PackedResponses::new(entry.body) {
                            add_rows(&mut found.ids, &answer);
                            let contact = String::from_utf8_lossy(&contact).into_owned();
                            found.own_lists.insert(contact);
                        }
                    }
                }
            }
            Ok::<_, RunError>(found)
        })
        .await
        .map_err(PullError::from)
    }

    /// The contacts that the spool says no longer exist.
    pub(super) async fn load_deleted_contacts(&self) -> Result<BTreeSet<String>, PullError> {
        self.flush_writes().await?;
        let (reader, mut deleted, mut seq) = (self.open_reader()?, BTreeSet::new(), 0);
        while let Some(entry) = reader.next_entry(stream::DELETED, seq)? {
            seq = entry.seq;
            let mut records: DeletedRecords =
                serde_json::from_slice(&entry.body).unwrap_or_default();
            deleted.extend(records.0.remove("contacts").unwrap_or_default());
        }
        Ok(deleted)
    }

    /// Stores that records no longer exist.
    pub(super) async fn store_deleted(
        &self,
        table: &str,
        ids: Vec<String>,
    ) -> Result<(), PullError> {
        if ids.is_empty() {
            return Ok(());
        }
        let rows = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let records = DeletedRecords(BTreeMap::from([(table.to_owned(), ids)]));
        let body = serde_json::to_vec(&records).expect("ids are plain JSON").into();
        let (stream, progress) = (stream::DELETED.to_owned(), StreamProgress::default());
        self.write_to_spool(SpoolWrite::Entry { stream, rows, body, progress }).await
    }
}
