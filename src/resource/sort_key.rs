//! The sort order of rows: by the time they were added, then by id.
//!
//! Rows are sorted before they are decoded, so only the key is read from the raw row.

use super::table::TableSchema;
use super::{RowDecodeError, json_scan, row, scalar};

/// The key of a row without a date: it comes before all others.
pub const UNDATED: i64 = i64::MIN;

/// The sort key of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowSortKey {
    /// The column `date_added` in epoch milliseconds; [`UNDATED`] if it is null.
    pub added: i64,
    /// The column `id`.
    pub id: String,
}

/// Reads the keys of one table's rows.
#[derive(Debug)]
pub struct SortKeyReader {
    table: &'static str,
    id: Vec<&'static str>,
    added: Vec<&'static str>,
}

impl SortKeyReader {
    /// A reader for rows of this table.
    #[must_use]
    pub fn new(table: &TableSchema) -> Self {
        let names = |name: &str| -> Vec<&'static str> {
            let column = table.columns.iter().find(|column| column.name == name);
            column.into_iter().flat_map(super::TableColumn::source_keys).collect()
        };
        Self { table: table.name, id: names("id"), added: names("date_added") }
    }

    /// The sort key of a raw row.
    ///
    /// # Errors
    /// When the row is not an object, or has no id.
    pub fn sort_key(&self, row: &str) -> Result<RowSortKey, RowDecodeError> {
        let (mut id, mut added) = (None, None);
        for (key, raw) in json_scan::object_members(row) {
            if raw == "null" {
                continue;
            }
            replace_if_preferred(&mut id, &self.id, key, raw);
            replace_if_preferred(&mut added, &self.added, key, raw);
        }
        let id = id.map(|(_, raw)| raw).filter(|raw| row::is_row_id(raw));
        let id = id.ok_or_else(|| {
            RowDecodeError::not_a_row(self.table, "it is not an object with an id", row)
        })?;
        let added = added.and_then(|(_, raw)| scalar::parse_instant(raw, None));
        Ok(RowSortKey {
            added: added.map_or(UNDATED, |(ms, _)| ms),
            id: json_scan::decode_string(id)
                .map_or_else(|| id.to_owned(), std::borrow::Cow::into_owned),
        })
    }
}

/// Takes a value if its key is one of the names, and no better one was found before.
fn replace_if_preferred<'r>(
    best: &mut Option<(usize, &'r str)>,
    names: &[&str],
    key: &str,
    raw: &'r str,
) {
    if let Some(place) = names.iter().position(|name| *name == key)
        && best.is_none_or(|(taken, _)| place <= taken)
    {
        *best = Some((place, raw));
    }
}
