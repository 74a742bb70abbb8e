//! The history of a contact: every version that the mirror has seen of it, its notes and its tasks.
//!
//! A version is known by the sync that saw it, so a change has a window in which it happened, and no time of its own. Who
//! made it is not known: the API does not say.

mod change_window;
mod field_changes;
mod find_known_contact;
mod snapshot_history;

use std::collections::BTreeMap;

use serde::Serialize;

use super::record_row::{RecordReader, RecordRow};
use crate::id::ContactId;
use crate::mirror::{ChangeKind, MirrorError, MirrorReader, RecordChange, RecordKind};
use crate::publish;
use crate::resource::{CustomFieldColumns, ResourceSpec};
use change_window::ChangeWindows;
pub(super) use field_changes::compare_rows;

pub use change_window::ChangeWindow;
pub use field_changes::FieldChange;
pub use find_known_contact::{find_known_contact, list_known_contacts, list_snapshot_contacts};
pub use snapshot_history::read_snapshot_history;

/// The kinds whose records a history has, in the order in which one sync's changes are listed.
const KINDS: [RecordKind; 3] = [RecordKind::Contact, RecordKind::Note, RecordKind::Task];

/// What the mirror has seen of a contact.
#[derive(Debug)]
pub struct ContactHistory {
    /// What it was last.
    pub contact: RecordRow,
    /// Its changes and those of its notes and tasks, oldest first.
    pub changes: Vec<RecordedChange>,
    /// The labels of the custom fields, by column.
    pub field_labels: BTreeMap<String, String>,
}

/// A change of one record that a sync saw.
#[derive(Debug, Serialize)]
pub struct RecordedChange {
    /// The number of the sync.
    pub seq: i64,
    /// The table of the record.
    pub kind: RecordKind,
    /// What happened.
    pub change: ChangeKind,
    /// The record's id.
    pub id: String,
    /// The contact.
    pub contact_id: String,
    /// When it happened.
    pub between: ChangeWindow,
    /// What changed, by column; nothing for a deletion.
    pub fields: BTreeMap<String, FieldChange>,
    /// Whether what the record said before is no longer kept, so that `fields` cannot say what changed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub before_unknown: bool,
}

/// Reads the history of a contact; `None` if the mirror has never seen it.
///
/// # Errors
/// When the mirror is damaged or cannot be read.
pub fn read_history(
    mirror: &MirrorReader,
    id: &ContactId,
) -> Result<Option<ContactHistory>, MirrorError> {
    let fields = publish::load_mirror_fields(mirror, i64::MAX)?;
    let mut history = HistoryReader {
        mirror,
        windows: ChangeWindows::new(mirror),
        fields: &fields,
        contact_id: id.as_str(),
        changes: Vec::new(),
        last: RecordRow::default(),
    };
    for kind in KINDS {
        let ids = match kind {
            RecordKind::Contact => vec![id.as_str().to_owned()],
            child => mirror.known_children(child, id.as_str())?,
        };
        let mut reader = RecordReader::new(spec_of(kind), &fields, None);
        for record in &ids {
            history.add_record(kind, record, &mut reader)?;
        }
    }
    let HistoryReader { mut changes, last, .. } = history;
    if changes.is_empty() {
        return Ok(None);
    }
    changes.sort_by(|a, b| (a.seq, place_of(a.kind), &a.id).cmp(&(b.seq, place_of(b.kind), &b.id)));
    let field_labels = super::label_fields(&fields);
    Ok(Some(ContactHistory { contact: last, changes, field_labels }))
}

/// The place of a kind among the changes of one sync.
fn place_of(kind: RecordKind) -> Option<usize> {
    KINDS.iter().position(|other| *other == kind)
}

fn spec_of(kind: RecordKind) -> &'static ResourceSpec {
    ResourceSpec::from_name(kind.table_name()).expect("every kind is in the registry")
}

struct HistoryReader<'a> {
    mirror: &'a MirrorReader,
    windows: ChangeWindows<'a>,
    fields: &'a CustomFieldColumns,
    contact_id: &'a str,
    changes: Vec<RecordedChange>,
    /// The last version of the contact.
    last: RecordRow,
}

impl HistoryReader<'_> {
    /// Adds the changes of one record. A change of a sync that is not done does not count yet.
    fn add_record(
        &mut self,
        kind: RecordKind,
        id: &str,
        reader: &mut RecordReader,
    ) -> Result<(), MirrorError> {
        let mut before: Option<RecordRow> = None;
        for version in self.mirror.load_history(kind, id)? {
            // What cannot be decoded was never a row of a table either.
            let Ok(row) = reader.read_row(&version.body) else { continue };
            let window = self.windows.find_window(kind, &version, before.as_ref(), &row)?;
            let Some(window) = window else { continue };
            self.add_version(kind, &version, window, before.as_ref(), &row);
            if kind == RecordKind::Contact {
                self.last = row.clone();
            }
            before = Some(row);
        }
        Ok(())
    }

    fn add_version(
        &mut self,
        kind: RecordKind,
        version: &RecordChange,
        window: ChangeWindow,
        before: Option<&RecordRow>,
        row: &RecordRow,
    ) {
        let before_unknown = before.is_none() && version.change == ChangeKind::Update;
        let fields = match before {
            _ if version.change == ChangeKind::Delete || before_unknown => BTreeMap::new(),
            before => compare_rows(kind, before, row, self.fields),
        };
        // Written in another way, it says the same.
        if version.change == ChangeKind::Update && fields.is_empty() && !before_unknown {
            return;
        }
        self.changes.push(RecordedChange {
            seq: version.seq,
            kind,
            change: version.change,
            id: version.id.clone(),
            contact_id: self.contact_id.to_owned(),
            between: window,
            fields,
            before_unknown,
        });
    }
}
