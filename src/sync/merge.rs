//! The merge: from a run's spool into the mirror. It sends no request, and doing it twice is doing it once.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;

use bytes::Bytes;

use super::extra_tables::ExtraTables;
use super::{SyncError, merge_failures};
use crate::concurrency;
use crate::failpoint::{self, FailPoint};
use crate::mirror::{
    self, DeletedRows, MergeBatch, MergeEnd, MergeRow, MirrorReader, MirrorWriter, NotesEnd,
    RecordKind, SyncFacts, SyncKind, SyncRecord, SyncState,
};
use crate::publish::{RowSplitter, SplitRows};
use crate::pull::changes::{DeletedRecords, SearchedContacts};
use crate::pull::{self, SpooledNotes};
use crate::resource::{self, FieldColumn, ResourceSpec, RowDigester};
use crate::run::{FetchFailure, PackedResponses, RunError, SpoolReader, stream};

/// Rows of one transaction.
const BATCH_ROWS: usize = 10_000;
/// Their most bytes, about: as many are read while a transaction is written.
const BATCH_BYTES: usize = 10 << 20;

/// The lists that a walk reads as a whole: what they lack no longer exists.
const LISTS: [(RecordKind, &str); 4] = [
    (RecordKind::CustomField, stream::FIELDS),
    (RecordKind::User, stream::USERS),
    (RecordKind::Tag, stream::TAGS),
    (RecordKind::Business, stream::BUSINESSES),
];

/// Merges the spool of a run into a mirror.
///
/// # Errors
/// When either is damaged or cannot be written. Another call goes on from the last transaction.
pub(super) fn merge_spool(
    input: &MergeInput,
    writer: &mut MirrorWriter,
    facts: SyncFacts,
) -> Result<SyncRecord, SyncError> {
    let db = &input.db;
    let mut sync = writer.begin_merge(facts)?;
    if sync.state == SyncState::Done {
        return Ok(sync);
    }
    let spool = SpoolReader::open(db)?;
    let merge = SpoolMerge::new(input, load_deleted(&spool)?);
    let (read_at_ms, place) = (sync.facts.started.as_millisecond(), sync.place);
    // One thread reads the spool and computes digests, the other writes.
    concurrency::run_pipeline(
        0,
        |batches| merge.send_batches(&SpoolReader::open(db)?, place, batches),
        |batch: MergeBatch| {
            writer.merge_batch(&mut sync, &batch, read_at_ms)?;
            failpoint::kill_if_due(FailPoint::DuringMerge);
            Ok::<_, SyncError>(())
        },
    )?;
    let mirror = open_mirror(&input.mirror)?;
    let end = describe_end(&spool, input, &mirror, &sync.facts)?;
    writer.finish_merge(&mut sync, &end, read_at_ms)?;
    Ok(sync)
}

/// What is needed to turn entries into rows of the mirror.
struct SpoolMerge {
    splitter: RowSplitter,
    kinds: Vec<(RecordKind, RowDigester)>,
    deleted: BTreeSet<(RecordKind, String)>,
    /// What was updated before this time is in the mirror, as far as the records say so.
    known_until_ms: Option<i64>,
    tables: ExtraTables,
}

impl SpoolMerge {
    fn new(input: &MergeInput, deleted: BTreeSet<(RecordKind, String)>) -> Self {
        let specs = RecordKind::ALL.map(spec_of_kind);
        let digesters = specs.iter().map(|spec| RowDigester::new(spec));
        Self {
            splitter: RowSplitter::for_resources(&input.db, &specs),
            kinds: RecordKind::ALL.into_iter().zip(digesters).collect(),
            deleted,
            known_until_ms: input.known_until_ms,
            tables: input.tables,
        }
    }

    /// Sends what is in the spool behind a place, and what was deleted last.
    fn send_batches(
        &self,
        spool: &SpoolReader,
        place: i64,
        batches: &SyncSender<MergeBatch>,
    ) -> Result<(), SyncError> {
        let (mut batch, mut bytes) = (MergeBatch { place, ..MergeBatch::default() }, 0);
        while let Some(entry) = spool.next_entry("", batch.place)? {
            // A contact's own list only says which appointments exist: it writes them in another way than the calendars.
            let is_merged = entry.stream != stream::CONTACT_APPOINTMENTS;
            if is_merged && let Some(rows) = self.splitter.split_entry(&entry)? {
                bytes += entry.body.len();
                self.add_rows(rows, entry.stream == stream::CONTACTS_SINGLE, &mut batch);
            }
            if entry.stream == stream::NOTES {
                let lists = PackedResponses::new(entry.body.clone());
                let contact =
                    |(contact, _): (Bytes, Bytes)| String::from_utf8(contact.to_vec()).ok();
                batch.note_lists.extend(lists.filter_map(contact));
            }
            if entry.stream == stream::SEARCHED_CONTACTS {
                let searched: SearchedContacts = serde_json::from_slice(&entry.body)
                    .map_err(|error| RunError::damaged(spool.path(), error.to_string()))?;
                batch.note_lists.extend(searched.settled);
            }
            batch.place = entry.seq;
            let is_full = batch.rows.len() + batch.note_lists.len() >= BATCH_ROWS;
            if is_full || bytes >= BATCH_BYTES {
                bytes = 0;
                let next = MergeBatch { place: entry.seq, ..MergeBatch::default() };
                if batches.send(std::mem::replace(&mut batch, next)).is_err() {
                    // The writer has failed and reports the reason.
                    return Ok(());
                }
            }
        }
        batch.deleted = self.deleted.iter().cloned().collect();
        let _ = batches.send(batch);
        Ok(())
    }

    /// Adds rows to a batch. `is_single` is whether they come from the own endpoint of contacts, which writes them in
    /// another way than the search: they count only where nothing else is known.
    fn add_rows(&self, rows: SplitRows, is_single: bool, batch: &mut MergeBatch) {
        let (kind, digester) = &self.kinds[rows.table];
        if !self.tables.includes(*kind) {
            return;
        }
        for row in rows.rows.into_iter().flatten() {
            let id = row.key.id;
            if !self.deleted.is_empty() && self.deleted.contains(&(*kind, id.clone())) {
                continue;
            }
            let text = resource::without_page_cursor(&row.text);
            let is_child =
                matches!(kind, RecordKind::Task | RecordKind::Note | RecordKind::Appointment);
            let parent = is_child.then(|| resource::find_text_member(&text, "contactId")).flatten();
            let digest = digester.digest_row(&text);
            let claims_unchanged = *kind == RecordKind::Contact && self.claims_unchanged(&text);
            let (kind, body) = (*kind, text.into());
            batch.rows.push(MergeRow {
                kind,
                added_ms: row.key.added,
                id,
                parent,
                digest,
                claims_unchanged,
                is_fallback: is_single,
                body,
            });
        }
    }
}

impl SpoolMerge {
    /// Whether a contact's own date of change is from before the last sync.
    fn claims_unchanged(&self, row: &str) -> bool {
        let Some(known_until_ms) = self.known_until_ms else { return false };
        let updated = resource::find_text_member(row, "dateUpdated");
        let updated = updated.and_then(|text| text.parse::<jiff::Timestamp>().ok());
        updated.is_some_and(|updated| updated.as_millisecond() < known_until_ms)
    }
}

fn open_mirror(dir: &Path) -> Result<MirrorReader, SyncError> {
    let path = mirror::database_path(dir);
    let missing = || RunError::damaged(&path, "it has disappeared");
    Ok(MirrorReader::open(dir)?.ok_or_else(missing)?)
}

fn spec_of_kind(kind: RecordKind) -> &'static ResourceSpec {
    ResourceSpec::from_name(kind.table_name()).expect("every kind is in the registry")
}

fn load_deleted(spool: &SpoolReader) -> Result<BTreeSet<(RecordKind, String)>, SyncError> {
    let (mut deleted, mut seq) = (BTreeSet::new(), 0);
    while let Some(entry) = spool.next_entry(stream::DELETED, seq)? {
        seq = entry.seq;
        let records: DeletedRecords = serde_json::from_slice(&entry.body)
            .map_err(|error| RunError::damaged(spool.path(), format!("entry {seq}: {error}")))?;
        for (table, ids) in records.0 {
            let kind = RecordKind::from_table_name(&table);
            deleted.extend(
                kind.into_iter().flat_map(|kind| ids.iter().map(move |id| (kind, id.clone()))),
            );
        }
    }
    Ok(deleted)
}

fn describe_end(
    spool: &SpoolReader,
    input: &MergeInput,
    mirror: &MirrorReader,
    sync: &SyncFacts,
) -> Result<MergeEnd, SyncError> {
    let failures = spool.load_failures()?;
    let is_walk = sync.kind == SyncKind::Walk;
    let notes = NotesEnd {
        read_at_ms: input.read_at_ms,
        whole: is_walk && pull::find_spooled_notes(spool)? == SpooledNotes::Searched,
        unread: contacts_without_notes(&failures),
        tried: input.note_contacts.clone(),
    };
    let failures = merge_failures::merge_failures(
        failures,
        spool,
        mirror,
        (sync, input.read_at_ms, input.tables),
    )?;
    let mut end = MergeEnd { failures, notes, ..<_>::default() };
    if let Some(entry) = spool.next_entry(stream::LOCATION, 0)? {
        end.location_settings = String::from_utf8(entry.body.to_vec()).ok();
    }
    for (kind, name) in LISTS {
        let is_unread = end.failures.iter().any(|failure| failure.stream == name);
        let ids = read_list_ids(spool, &input.db, kind, name)?;
        // An empty list is no proof that everything was deleted.
        if !is_unread && !ids.is_empty() {
            end.whole_lists.push((kind, ids));
        }
    }
    end.field_columns = assign_field_columns(mirror, &end.whole_lists)?;
    Ok(end)
}

/// The columns of the custom fields that exist now. Those that were known keep their names.
fn assign_field_columns(
    mirror: &MirrorReader,
    whole_lists: &[(RecordKind, Vec<String>)],
) -> Result<Vec<FieldColumn>, SyncError> {
    let list = whole_lists.iter().find(|(kind, _)| *kind == RecordKind::CustomField);
    let listed = list.map(|(_, ids)| ids.iter().collect::<HashSet<_>>());
    let fields = mirror.load_rows(RecordKind::CustomField, None, DeletedRows::Drop, usize::MAX)?;
    let exists = |id: &String| listed.as_ref().is_none_or(|listed| listed.contains(id));
    let definitions = fields.iter().filter(|field| exists(&field.id));
    let known = mirror.load_field_columns(i64::MAX)?;
    Ok(resource::assign_field_columns(&known, definitions.map(|field| field.body.as_str())))
}

/// The ids in the last response with a list; of businesses, which come in pages, in all of them.
fn read_list_ids(
    spool: &SpoolReader,
    db: &Path,
    kind: RecordKind,
    name: &str,
) -> Result<Vec<String>, SyncError> {
    let splitter = RowSplitter::for_resources(db, &[spec_of_kind(kind)]);
    let (mut ids, mut seq) = (Vec::new(), 0);
    while let Some(entry) = spool.next_entry(name, seq)? {
        seq = entry.seq;
        let rows = splitter.split_entry(&entry)?.map(|split| split.rows).unwrap_or_default();
        if kind != RecordKind::Business {
            ids.clear();
        }
        ids.extend(rows.into_iter().flatten().map(|row| row.key.id));
    }
    Ok(ids)
}

/// The contacts whose notes could not be read, or not completely.
fn contacts_without_notes(failures: &[FetchFailure]) -> Vec<String> {
    let of_notes = failures.iter().filter(|failure| failure.stream == stream::NOTES);
    of_notes.filter_map(|it| it.subject.split(' ').next()).map(str::to_owned).collect()
}

/// What a merge works with.
#[derive(Debug, Clone)]
pub(super) struct MergeInput {
    /// The run's database.
    pub(super) db: PathBuf,
    /// The directory of the mirror.
    pub(super) mirror: PathBuf,
    /// What was updated before this time, in milliseconds since 1970, is in the mirror, as far as the records say so.
    pub(super) known_until_ms: Option<i64>,
    /// When the run began to read, in milliseconds since 1970 by the server's clock.
    pub(super) read_at_ms: i64,
    /// The contacts whose turn it was.
    pub(super) note_contacts: Vec<String>,
    /// The tables that were read in addition to the usual ones.
    pub(super) tables: ExtraTables,
}
