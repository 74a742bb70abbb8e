//! Compares contacts of a snapshot with the account, as it is now.
//!
//! Contacts are searched for by their ids, since the search writes a contact as the snapshot has it; only the contact's own
//! endpoint says that one is gone. Notes and tasks are read from the contact's own lists. What differs must have changed
//! since the snapshot was made, as its dates say it; if they do not, either the snapshot or the server is wrong.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};

use jiff::Timestamp;
use serde::Serialize;

use super::current_contact::contact_exists;
use super::history::compare_rows;
use super::record_row::RecordReader;
use crate::api::{ApiClient, ApiError, RetryPolicy};
use crate::id::ContactId;
use crate::mirror::RecordKind;
use crate::pull;
use crate::repository::{Chain, RepositoryError, SnapshotRecord};
use crate::resource::{self, CustomFieldColumns, FieldColumn, ResourceSpec, RowDigester};
use crate::text::hash_text;

/// Contacts that one search asks for.
const BATCH: usize = 25;
/// How long the index of the search may be behind what was written before the snapshot, in milliseconds (api.md §2.10).
const INDEX_LAG_MS: i64 = 15 * 60_000;
/// How a list of a contact is read.
const BOUNDS: RetryPolicy = RetryPolicy { bytes: 64 << 20, ..RetryPolicy::BEST_EFFORT };

/// Contacts of a snapshot with their notes and tasks.
#[derive(Debug)]
pub struct LiveSample {
    contacts: Vec<SampledContact>,
    fields: CustomFieldColumns,
    /// The server's time when the snapshot's sync began, in milliseconds.
    as_of_ms: i64,
}

#[derive(Debug)]
struct SampledContact {
    record: SnapshotRecord,
    notes: BTreeMap<String, SnapshotRecord>,
    tasks: BTreeMap<String, SnapshotRecord>,
}

/// A contact that differs although nothing says that it has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LiveDifference {
    /// Its id.
    pub contact: String,
    /// The columns that differ; those of its notes and tasks as `notes.body`.
    pub fields: BTreeSet<String>,
}

/// What a comparison came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LiveReport {
    /// What decided which contacts were chosen: the same number chooses the same.
    pub seed: u64,
    /// Contacts that were compared.
    pub contacts: u64,
    /// Those that are the same, with their notes and tasks.
    pub equal: u64,
    /// Those that have changed since.
    pub changed: u64,
    /// Those that were deleted since.
    pub gone: u64,
    /// Those that the account has and its search does not show.
    pub hidden: u64,
    /// Those that differ although nothing says that they have changed.
    pub differing: Vec<LiveDifference>,
}

impl LiveSample {
    /// Chooses contacts of a snapshot, so many or all that there are. Takes their memory.
    ///
    /// # Errors
    /// When the snapshot is damaged, or cannot be decrypted.
    pub fn choose(chain: &Chain, count: usize, seed: u64) -> Result<Self, RepositoryError> {
        let mut chosen: BinaryHeap<(u64, String)> = BinaryHeap::new();
        for contact in chain.records("contacts")? {
            let id = contact?.id;
            chosen.push((hash_text(&format!("{seed} {id}")), id));
            if chosen.len() > count {
                chosen.pop();
            }
        }
        let ids: BTreeSet<String> = chosen.into_iter().map(|(_, id)| id).collect();
        let mut contacts: BTreeMap<String, SampledContact> = BTreeMap::new();
        for record in chain.records("contacts")? {
            let record = record?;
            if ids.contains(&record.id) {
                let (notes, tasks) = (BTreeMap::new(), BTreeMap::new());
                contacts.insert(record.id.clone(), SampledContact { record, notes, tasks });
            }
        }
        for (table, is_note) in [("notes", true), ("tasks", false)] {
            for child in chain.records(table)? {
                let child = child?;
                let contact = child.of.as_ref().and_then(|of| contacts.get_mut(of));
                let Some(contact) = contact else { continue };
                let to = if is_note { &mut contact.notes } else { &mut contact.tasks };
                to.insert(child.id.clone(), child);
            }
        }
        let (_, columns) = chain.read_location()?;
        let columns = columns.and_then(|text| serde_json::from_str::<Vec<FieldColumn>>(&text).ok());
        let fields = columns.map_or_else(CustomFieldColumns::default, |columns| {
            CustomFieldColumns::from_columns(&columns)
        });
        let as_of_ms = chain.manifest().as_of.as_millisecond();
        Ok(Self { contacts: contacts.into_values().collect(), fields, as_of_ms })
    }

    /// Compares them with the account: a request for 25 contacts, and two for each.
    ///
    /// # Errors
    /// When the account cannot be read.
    pub async fn compare(&self, client: &ApiClient, seed: u64) -> Result<LiveReport, ApiError> {
        let mut report = LiveReport { seed, ..LiveReport::default() };
        for batch in self.contacts.chunks(BATCH) {
            let ids: Vec<ContactId> =
                batch.iter().filter_map(|contact| contact.record.id.parse().ok()).collect();
            let rows = pull::search_contacts_by_id(client, &ids).await?;
            let rows: HashMap<String, String> = rows
                .into_iter()
                .filter_map(|row| {
                    let text = resource::without_page_cursor(row.get()).into_owned();
                    Some((resource::find_text_member(&text, "id")?, text))
                })
                .collect();
            for contact in batch {
                self.compare_contact(client, contact, rows.get(&contact.record.id), &mut report)
                    .await?;
            }
        }
        Ok(report)
    }

    async fn compare_contact(
        &self,
        client: &ApiClient,
        contact: &SampledContact,
        row: Option<&String>,
        report: &mut LiveReport,
    ) -> Result<(), ApiError> {
        report.contacts += 1;
        let Ok(id) = contact.record.id.parse::<ContactId>() else { return Ok(()) };
        let Some(row) = row else {
            let exists = contact_exists(client, &id).await?;
            *(if exists { &mut report.hidden } else { &mut report.gone }) += 1;
            return Ok(());
        };
        let (notes, tasks) = tokio::try_join!(
            client.list_contact_notes(&id, BOUNDS),
            client.list_contact_tasks(&id, BOUNDS)
        )?;
        let mut found = Comparison::default();
        self.compare_row(&contact.record, row, &mut found);
        let answer = std::str::from_utf8(&notes.body).unwrap_or_default();
        let kind = (RecordKind::Note, &resource::NOTES);
        self.compare_children(kind, &contact.notes, answer, &mut found);
        let answer = std::str::from_utf8(&tasks.body).unwrap_or_default();
        let kind = (RecordKind::Task, &resource::TASKS);
        self.compare_children(kind, &contact.tasks, answer, &mut found);
        if found.fields.is_empty() && !found.is_changed {
            report.equal += 1;
        } else if found.fields.is_empty() || self.has_moved(row) {
            report.changed += 1;
        } else {
            let (contact, fields) = (contact.record.id.clone(), found.fields);
            report.differing.push(LiveDifference { contact, fields });
        }
        Ok(())
    }

    fn compare_row(&self, record: &SnapshotRecord, row: &str, found: &mut Comparison) {
        let digester = RowDigester::new(&resource::CONTACTS);
        if digester.digest_row(row)[..] != record.digest[..] {
            let kind = (RecordKind::Contact, &resource::CONTACTS);
            found.fields.extend(self.differing_columns(kind, &record.body, row));
        }
    }

    /// The notes or tasks of a contact: what was added or deleted since is a change, what was edited must say when.
    fn compare_children(
        &self,
        (kind, spec): (RecordKind, &'static ResourceSpec),
        known: &BTreeMap<String, SnapshotRecord>,
        answer: &str,
        found: &mut Comparison,
    ) {
        let digester = RowDigester::new(spec);
        let mut left: BTreeSet<&String> = known.keys().collect();
        for row in resource::response_rows(answer, spec.name) {
            let Some(id) = resource::find_text_member(row, "id") else { continue };
            left.remove(&id);
            match known.get(&id) {
                Some(record) if digester.digest_row(row)[..] == record.digest[..] => {}
                _ if self.has_moved(row) => found.is_changed = true,
                Some(record) => {
                    let columns = self.differing_columns((kind, spec), &record.body, row);
                    found.fields.extend(columns.map(|column| format!("{}.{column}", spec.name)));
                }
                None => drop(found.fields.insert(spec.name.to_owned())),
            }
        }
        // Nothing says when a note or a task was deleted.
        found.is_changed |= !left.is_empty();
    }

    /// The names of the columns in which two rows differ.
    fn differing_columns(
        &self,
        (kind, spec): (RecordKind, &'static ResourceSpec),
        before: &str,
        after: &str,
    ) -> impl Iterator<Item = String> + use<> {
        let mut reader = RecordReader::new(spec, &self.fields, None);
        let mut read = |row: &str| reader.read_row(row).unwrap_or_default();
        let (before, after) = (read(before), read(after));
        let mut columns: Vec<String> =
            compare_rows(kind, Some(&before), &after, &self.fields).into_keys().collect();
        if columns.is_empty() {
            columns.push("extra".to_owned());
        }
        columns.into_iter()
    }

    /// Whether a record was added or updated after the snapshot, or so shortly before that its index may have lagged.
    fn has_moved(&self, row: &str) -> bool {
        ["dateUpdated", "updatedAt", "dateAdded", "createdAt"].iter().any(|member| {
            let time = resource::find_text_member(row, member);
            let time = time.and_then(|text| text.parse::<Timestamp>().ok());
            time.is_some_and(|time| time.as_millisecond() >= self.as_of_ms - INDEX_LAG_MS)
        })
    }
}

/// What differs of one contact.
#[derive(Debug, Default)]
struct Comparison {
    fields: BTreeSet<String>,
    is_changed: bool,
}
