//! Splits an entry of the spool into the rows of one table, each with its sort key.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::str;

use super::PublishError;
use super::sort::SortableRow;
use super::streams::{self, TableStream};
use crate::api;
use crate::resource::{self, CustomFieldColumns, ResourceSpec, SortKeyReader, TableSchema};
use crate::run::{self, PackedResponses, SpoolEntry};

/// Splits entries into the rows of some tables.
pub struct RowSplitter {
    db: PathBuf,
    tables: Vec<(&'static str, SortKeyReader)>,
}

/// The rows of an entry.
pub struct SplitRows {
    /// The index of the table among those of the splitter.
    pub table: usize,
    /// The entry.
    pub seq: i64,
    /// The rows, or why a row cannot be used.
    pub rows: Vec<Result<SortableRow, resource::RowDecodeError>>,
    /// How many tasks are not among the rows because they were deleted.
    pub deleted: u64,
}

impl RowSplitter {
    /// A splitter for all rows of these resources in a run's database.
    #[must_use]
    pub fn for_resources(db: &Path, resources: &[&'static ResourceSpec]) -> Self {
        let no_fields = CustomFieldColumns::default();
        let tables: Vec<_> = resources.iter().map(|it| it.table_schema(&no_fields)).collect();
        Self::new(db, tables.iter())
    }

    pub(super) fn new<'t>(db: &Path, tables: impl Iterator<Item = &'t TableSchema>) -> Self {
        let tables = tables.map(|table| (table.name, SortKeyReader::new(table))).collect();
        Self { db: db.to_owned(), tables }
    }

    /// Splits an entry; `None` when it has no rows of these tables.
    ///
    /// # Errors
    /// When it is no valid response.
    pub fn split_entry(&self, entry: &SpoolEntry) -> Result<Option<SplitRows>, PublishError> {
        let Some(source) = streams::find_by_name(&entry.stream) else { return Ok(None) };
        let Some(table) = self.tables.iter().position(|(name, _)| *name == source.table) else {
            return Ok(None);
        };
        let (keyed, seq) = (&self.tables[table].1, entry.seq);
        let rows = Vec::with_capacity(usize::try_from(entry.rows).unwrap_or(0));
        let mut split = SplitRows { table, seq, rows, deleted: 0 };
        if source.packed {
            for (contact, answer) in PackedResponses::new(entry.body.clone()) {
                let contact = self.decode_utf8(seq, &contact)?;
                let child = Some(contact).filter(|_| source.table != "contacts");
                split_response(self.decode_utf8(seq, &answer)?, source, child, keyed, &mut split);
            }
        } else {
            split_response(self.decode_utf8(seq, &entry.body)?, source, None, keyed, &mut split);
        }
        Ok(Some(split))
    }

    fn decode_utf8<'b>(&self, seq: i64, body: &'b [u8]) -> Result<&'b str, PublishError> {
        str::from_utf8(body).map_err(|error| {
            let why = format!("entry {seq} is not a valid response: {error}");
            PublishError::Run(run::RunError::Damaged { path: self.db.clone(), why })
        })
    }
}

fn split_response(
    answer: &str,
    source: TableStream,
    contact: Option<&str>,
    keyed: &SortKeyReader,
    split: &mut SplitRows,
) {
    let seq = split.seq;
    for row in resource::response_rows(answer, source.key) {
        if source.table == "tasks" && resource::has_true_member(row, "deleted") {
            split.deleted += 1;
            continue;
        }
        let text = match contact {
            Some(contact) => with_contact_id(row, contact),
            None if source.table == "notes" => with_related_contact(row),
            None => Cow::Borrowed(row),
        };
        split.rows.push(keyed.sort_key(&text).map(|key| SortableRow {
            key,
            seq,
            text: text.into(),
        }));
    }
}

/// A child's row with its contact's id, whether or not the server included it.
fn with_contact_id<'a>(row: &'a str, contact: &str) -> Cow<'a, str> {
    if row.contains("\"contactId\"") || !row.starts_with('{') {
        return Cow::Borrowed(row);
    }
    let id = serde_json::to_string(contact).expect("text is JSON");
    let rest = row[1..].trim_start();
    let comma = if rest.starts_with('}') { "" } else { "," };
    Cow::Owned(format!("{{\"contactId\":{id}{comma}{rest}"))
}

/// A note's row with the id of its first contact, whether or not the server wrote it beside the relations.
fn with_related_contact(row: &str) -> Cow<'_, str> {
    if row.contains("\"contactId\"") {
        return Cow::Borrowed(row);
    }
    let contacts = api::parse_note_ref(row).map(|note| note.contacts).unwrap_or_default();
    match contacts.first() {
        Some(contact) => with_contact_id(row, contact.as_str()),
        None => Cow::Borrowed(row),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_always_names_its_contact() {
        assert_eq!(with_contact_id(r#"{"id":"n"}"#, "c\""), r#"{"contactId":"c\"","id":"n"}"#);
        assert_eq!(with_contact_id("{}", "c"), r#"{"contactId":"c"}"#);
        assert_eq!(with_contact_id(r#"{"contactId":"x"}"#, "c"), r#"{"contactId":"x"}"#);
    }
}
