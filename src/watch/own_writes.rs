//! The writes of this program's own imports, by which their echo in the account is recognised.
//!
//! A change is own only if imports that ran since the sync before explain every column that differs: it says what one of
//! their ops has written. A change in doubt is not own.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value};

use super::row_members::RowMembers;
use crate::id::LocationId;
use crate::mirror::{ChangeKind, RecordKind};
use crate::model::{OpChange, op_codec};
use crate::resource::{ColumnSource, TableColumn, TableSchema};
use crate::run::{self, OpRecord, OpState, RunError, RunStore};

/// How long before the sync before a run may have written: the search lags, and clocks differ.
const SLACK_MS: i64 = 15 * 60_000;

/// Columns that the server fills.
const SET_BY_SERVER: [&str; 6] =
    ["id", "location_id", "contact_id", "name", "date_added", "date_updated"];
/// Columns that the server also fills in a new record.
const SET_IN_NEW: [&str; 7] = [
    "type",
    "country",
    "attribution_source",
    "last_attribution_source",
    "user_id",
    "relations",
    "extra",
];

/// What imports have written to the records of a location.
#[derive(Debug, Default)]
pub(super) struct OwnWrites {
    writes: HashMap<(RecordKind, String), Vec<OpChange>>,
    deleted: HashSet<(RecordKind, String)>,
}

/// A change of a record, to be explained.
pub(super) struct ChangeToExplain<'a> {
    pub(super) kind: RecordKind,
    pub(super) id: &'a str,
    pub(super) parent: Option<&'a str>,
    pub(super) change: ChangeKind,
    pub(super) row: &'a RowMembers,
    /// What differing columns said before.
    pub(super) before: Option<&'a RowMembers>,
}

impl OwnWrites {
    /// Reads the ledgers of the imports and undos that have written since a time in milliseconds since 1970. A ledger that
    /// cannot be read explains nothing.
    pub(super) fn load(home: &RunStore, location: &LocationId, since_ms: i64) -> Self {
        let mut own = Self::default();
        let receipts = home.receipts_written_since(since_ms.saturating_sub(SLACK_MS));
        for receipt in receipts.unwrap_or_default() {
            let writes = receipt.meta.kind.writes();
            if writes && receipt.meta.location == *location {
                let states = [OpState::Applied, OpState::Differs];
                let _ = run::for_each_op_in_state(&receipt.db, &states, |op| own.add_op(&op));
            }
        }
        own
    }

    fn add_op(&mut self, record: &OpRecord) -> Result<(), RunError> {
        let change = op_codec::decode_op(record)?.change;
        let contact = record.contact.as_ref().map(ToString::to_string);
        let made = record.made.clone();
        let (kind, id) = match &change {
            OpChange::Create { .. } | OpChange::Upsert { .. } => {
                (RecordKind::Contact, made.or(contact))
            }
            OpChange::CreateNote { .. } => (RecordKind::Note, made),
            OpChange::CreateTask { .. } => (RecordKind::Task, made),
            OpChange::UpdateNote { id, .. } | OpChange::DeleteNote { id } => {
                (RecordKind::Note, Some(id.clone()))
            }
            OpChange::UpdateTask { id, .. }
            | OpChange::CompleteTask { id, .. }
            | OpChange::DeleteTask { id } => (RecordKind::Task, Some(id.clone())),
            OpChange::CreateField { .. } | OpChange::DeleteField { .. } => return Ok(()),
            OpChange::Update { .. }
            | OpChange::Delete
            | OpChange::AddTags { .. }
            | OpChange::RemoveTags { .. }
            | OpChange::SetBusiness { .. } => (RecordKind::Contact, contact),
        };
        let Some(id) = id else { return Ok(()) };
        if change.is_deletion() {
            self.deleted.insert((kind, id));
        } else {
            self.writes.entry((kind, id)).or_default().push(change);
        }
        Ok(())
    }

    /// Whether a change says only what imports have written.
    pub(super) fn explain(&self, change: &ChangeToExplain<'_>, table: &TableSchema) -> bool {
        let key = (change.kind, change.id.to_owned());
        if change.change == ChangeKind::Delete {
            let is_of_parent = change.parent.is_some_and(|parent| {
                self.deleted.contains(&(RecordKind::Contact, parent.to_owned()))
            });
            return is_of_parent || self.deleted.contains(&key);
        }
        let Some(writes) = self.writes.get(&key) else { return false };
        let is_new = change.change == ChangeKind::Insert;
        table.columns.iter().all(|column| {
            let now = change.row.parse(&column.name);
            let before = match change.before {
                Some(before) if before.has(&column.name) => before.parse(&column.name),
                // A column of an update that does not differ needs no explanation.
                Some(_) => return true,
                None => Value::Null,
            };
            let is_servers = SET_BY_SERVER.contains(&column.name.as_str())
                || is_new && (SET_IN_NEW.contains(&column.name.as_str()) || is_empty(&now));
            is_servers
                || writes.iter().any(|write| explains_value(write, column, table, &now, &before))
        })
    }
}

/// Whether a write explains the value of a column.
fn explains_value(
    write: &OpChange,
    column: &TableColumn,
    table: &TableSchema,
    now: &Value,
    before: &Value,
) -> bool {
    match write {
        OpChange::Create { body }
        | OpChange::Upsert { body }
        | OpChange::Update { body }
        | OpChange::CreateNote { body }
        | OpChange::UpdateNote { body, .. }
        | OpChange::CreateTask { body }
        | OpChange::UpdateTask { body, .. } => {
            written_value(body, column, table).is_some_and(|written| is_same(written, now))
        }
        OpChange::CompleteTask { completed, .. } => {
            column.name == "completed" && now == &Value::Bool(*completed)
        }
        OpChange::AddTags { tags } | OpChange::RemoveTags { tags } => {
            let differing: BTreeSet<String> =
                text_set(now).symmetric_difference(&text_set(before)).cloned().collect();
            column.name == "tags" && differing.is_subset(&lowercase_set(tags))
        }
        OpChange::SetBusiness { business } => {
            column.name == "business_id" && now.as_str() == business.as_deref()
        }
        _ => false,
    }
}

/// What a body says about a column.
fn written_value<'b>(
    body: &'b Map<String, Value>,
    column: &TableColumn,
    table: &TableSchema,
) -> Option<&'b Value> {
    if let ColumnSource::Field(field) = &column.source {
        let entries = body.get("customFields").and_then(Value::as_array)?;
        let entry = entries.iter().find(|entry| entry["id"] == field.id.as_str())?;
        return ["field_value", "fieldValue", "value"].iter().find_map(|key| entry.get(key));
    }
    let is_column = |key: &str| {
        table.column_index_of_key(key).is_some_and(|at| table.columns[at].name == column.name)
    };
    body.iter().find(|(key, _)| is_column(key)).map(|(_, value)| value)
}

/// Whether a value of the account is what was written: texts without regard to case, times as such, lists as sets.
fn is_same(written: &Value, now: &Value) -> bool {
    match (written, now) {
        (Value::String(one), Value::String(other)) => {
            let time = |text: &str| text.parse::<jiff::Timestamp>().ok();
            one.trim().to_lowercase() == other.trim().to_lowercase()
                || time(one).is_some_and(|one| time(other) == Some(one))
        }
        (Value::Array(_), Value::Array(_)) => text_set(written) == text_set(now),
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ => written == now || is_empty(written) && is_empty(now),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

fn text_set(list: &Value) -> BTreeSet<String> {
    let texts = list.as_array().into_iter().flatten();
    texts.map(|text| text.as_str().map_or_else(|| text.to_string(), str::to_lowercase)).collect()
}

fn lowercase_set(texts: &[String]) -> BTreeSet<String> {
    texts.iter().map(|text| text.to_lowercase()).collect()
}
