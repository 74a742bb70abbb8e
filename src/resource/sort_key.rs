//! The order of rows: by the time they were added, then by id.
//!
//! Rows are sorted before they are decoded, so the key is read from the raw row and nothing else is.

use super::table::Table;
use super::{Error, json_scan, row, scalar};

/// What rows are sorted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The column `date_added` in epoch milliseconds; the least of all where it is null.
    pub added: i64,
    /// The column `id`.
    pub id: String,
}

/// Reads the keys of one table's rows.
#[derive(Debug)]
pub struct Keyed {
    table: &'static str,
    id: Vec<&'static str>,
    added: Vec<&'static str>,
}

impl Keyed {
    /// For rows of this table.
    #[must_use]
    pub fn new(table: &Table) -> Self {
        let names = |name: &str| -> Vec<&'static str> {
            let column = table.columns.iter().find(|column| column.name == name);
            column.into_iter().flat_map(super::Column::keys).collect()
        };
        Self { table: table.name, id: names("id"), added: names("date_added") }
    }

    /// The key of a raw row.
    ///
    /// # Errors
    /// When the row is no object, or has no id.
    pub fn key(&self, row: &str) -> Result<Key, Error> {
        let (mut id, mut added) = (None, None);
        for (key, raw) in json_scan::members(row) {
            if raw == "null" {
                continue;
            }
            better(&mut id, &self.id, key, raw);
            better(&mut added, &self.added, key, raw);
        }
        let id = id.map(|(_, raw)| raw).filter(|raw| row::is_id(raw));
        let id =
            id.ok_or_else(|| Error::not_a_row(self.table, "it is no object with an id", row))?;
        let added = added.and_then(|(_, raw)| scalar::instant(raw, None));
        Ok(Key {
            added: added.map_or(i64::MIN, |(ms, _)| ms),
            id: json_scan::string(id).map_or_else(|| id.to_owned(), std::borrow::Cow::into_owned),
        })
    }
}

/// Takes a value when its key is one of the names, and none before it was better.
fn better<'r>(best: &mut Option<(usize, &'r str)>, names: &[&str], key: &str, raw: &'r str) {
    if let Some(place) = names.iter().position(|name| *name == key)
        && best.is_none_or(|(taken, _)| place <= taken)
    {
        *best = Some((place, raw));
    }
}
