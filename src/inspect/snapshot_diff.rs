//! What differs between two snapshots of a location, record by record.
//!
//! Both are read in the order of the time when records were added and their ids, so that no more than a few are in memory.
//! A record whose time became known in between has another place in each; those are found first, by the hashes of their ids.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::iter::Peekable;

use serde::Serialize;

use super::find_contact::ContactLabel;
use super::history::{FieldChange, compare_rows};
use super::record_row::{RecordReader, RecordRow};
use crate::mirror::RecordKind;
use crate::repository::{Chain, ChainRecords, RepositoryError, SnapshotRecord};
use crate::resource::{CustomFieldColumns, FieldColumn, RESOURCES, ResourceSpec};
use crate::text::hash_text;

/// What became of a record between two snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// Only the second one has it.
    Added,
    /// Both have it, and it says something else.
    Changed,
    /// Only the first one has it.
    Deleted,
}

/// A record that differs between two snapshots.
#[derive(Debug, Clone, Serialize)]
pub struct RecordDifference {
    /// Its table.
    pub table: &'static str,
    /// What became of it.
    pub change: DifferenceKind,
    /// Its id.
    pub id: String,
    /// The contact that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// The name, address and number of a contact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its primary e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Its primary phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The columns that differ; of a new or deleted record none.
    pub fields: BTreeMap<String, FieldChange>,
}

/// Shows what differs between two snapshots in some tables, until one is refused.
///
/// # Errors
/// When a snapshot is damaged, or cannot be decrypted.
pub fn diff_snapshots(
    (before, after): (&Chain, &Chain),
    tables: &[&'static str],
    mut show: impl FnMut(RecordDifference) -> bool,
) -> Result<(), RepositoryError> {
    let fields = load_fields(after)?;
    for spec in RESOURCES.iter().filter(|spec| tables.contains(&spec.name)) {
        let Some(kind) = RecordKind::from_table_name(spec.name) else { continue };
        let mut diff = TableDiff::new((before, after), (spec, kind), &fields)?;
        while let Some(difference) = diff.next_difference()? {
            if !show(difference) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// The columns of the custom fields of a snapshot.
pub(super) fn load_fields(chain: &Chain) -> Result<CustomFieldColumns, RepositoryError> {
    let (_, columns) = chain.read_location()?;
    let columns = columns.and_then(|text| serde_json::from_str::<Vec<FieldColumn>>(&text).ok());
    Ok(columns.map_or_else(CustomFieldColumns::default, |it| CustomFieldColumns::from_columns(&it)))
}

/// The differences of one table.
struct TableDiff<'a> {
    table: &'static str,
    kind: RecordKind,
    fields: &'a CustomFieldColumns,
    reader: RecordReader,
    before: Peekable<ChainRecords>,
    after: Peekable<ChainRecords>,
    /// Records that both have, at other places.
    moved: HashSet<u64>,
    /// Those of them that only one side has shown yet.
    waiting: HashMap<String, (bool, SnapshotRecord)>,
}

impl<'a> TableDiff<'a> {
    fn new(
        (before, after): (&Chain, &Chain),
        (spec, kind): (&'static ResourceSpec, RecordKind),
        fields: &'a CustomFieldColumns,
    ) -> Result<Self, RepositoryError> {
        let open =
            || Ok((before.records(spec.name)?.peekable(), after.records(spec.name)?.peekable()));
        let (mut one, mut other) = open()?;
        let (mut deleted, mut added) = (HashSet::new(), HashSet::new());
        while let Some(pair) = next_pair(&mut one, &mut other)? {
            match pair {
                (Some(before), None) => drop(deleted.insert(hash_text(&before.id))),
                (None, Some(after)) => drop(added.insert(hash_text(&after.id))),
                _ => {}
            }
        }
        let moved = deleted.intersection(&added).copied().collect();
        let (before, after) = open()?;
        let reader = RecordReader::new(spec, fields, None);
        let waiting = HashMap::new();
        Ok(Self { table: spec.name, kind, fields, reader, before, after, moved, waiting })
    }

    fn next_difference(&mut self) -> Result<Option<RecordDifference>, RepositoryError> {
        while let Some(pair) = next_pair(&mut self.before, &mut self.after)? {
            let Some(pair) = self.match_moved(pair) else { continue };
            match pair {
                (Some(before), Some(after)) if before.digest == after.digest => {}
                (before, after) => return Ok(self.describe(before, after)),
            }
        }
        Ok(None)
    }

    /// Puts the two sides of a record together that has another place in each.
    fn match_moved(&mut self, pair: RecordPair) -> Option<RecordPair> {
        let (is_after, record) = match &pair {
            (Some(_), Some(_)) | (None, None) => return Some(pair),
            (Some(before), None) => (false, before),
            (None, Some(after)) => (true, after),
        };
        if !self.moved.contains(&hash_text(&record.id)) {
            return Some(pair);
        }
        match self.waiting.remove(&record.id) {
            Some((was_after, other)) if was_after != is_after => {
                let (before, after) = pair;
                Some(if is_after { (Some(other), after) } else { (before, Some(other)) })
            }
            _ => {
                self.waiting.insert(record.id.clone(), (is_after, record.clone()));
                None
            }
        }
    }

    fn describe(
        &mut self,
        before: Option<SnapshotRecord>,
        after: Option<SnapshotRecord>,
    ) -> Option<RecordDifference> {
        let change = match (&before, &after) {
            (Some(_), Some(_)) => DifferenceKind::Changed,
            (None, _) => DifferenceKind::Added,
            (_, None) => DifferenceKind::Deleted,
        };
        let mut fields = BTreeMap::new();
        if let (Some(before), Some(after)) = (&before, &after) {
            let mut read = |record: &SnapshotRecord| -> RecordRow {
                self.reader.read_row(&record.body).unwrap_or_default()
            };
            let (before, after) = (read(before), read(after));
            fields = compare_rows(self.kind, Some(&before), &after, self.fields);
        }
        let record = after.or(before)?;
        let label = (self.kind == RecordKind::Contact)
            .then(|| ContactLabel::from_row(&record.body))
            .flatten();
        let (name, email, phone) =
            label.map_or((None, None, None), |label| (label.name, label.email, label.phone));
        let (table, id, of) = (self.table, record.id, record.of);
        Some(RecordDifference { table, change, id, of, name, email, phone, fields })
    }
}

/// A record as each side has it at one place of the order.
type RecordPair = (Option<SnapshotRecord>, Option<SnapshotRecord>);

fn next_pair(
    before: &mut Peekable<ChainRecords>,
    after: &mut Peekable<ChainRecords>,
) -> Result<Option<RecordPair>, RepositoryError> {
    let order = match (before.peek(), after.peek()) {
        (None, None) => return Ok(None),
        (Some(Err(_)), _) | (Some(_), None) => Ordering::Less,
        (_, Some(Err(_))) | (None, Some(_)) => Ordering::Greater,
        (Some(Ok(one)), Some(Ok(other))) => {
            (one.added_ms, &one.id).cmp(&(other.added_ms, &other.id))
        }
    };
    let one = if order.is_le() { before.next().transpose()? } else { None };
    let other = if order.is_ge() { after.next().transpose()? } else { None };
    Ok(Some((one, other)))
}
