//! The order of rows: by the time they were added, then by id.
//!
//! Rows are sorted before they are decoded, so the key is read from the raw row and nothing else is.

use std::borrow::Cow;

use super::column::Column;
use super::row::{self, Keys};
use super::table::Table;
use super::{Error, scan, value};

/// What rows are sorted by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The column `date_added` in epoch milliseconds; the least of all where it is null.
    pub added: i64,
    /// The column `id`.
    pub id: String,
}

/// The key of a raw row.
pub fn key(text: &str, table: &Table) -> Result<Key, Error> {
    let (mut id, mut added) = (Best::of(table, "id"), Best::of(table, "date_added"));
    Keys::default()
        .walk(text, |key, raw| {
            id.offer(key, raw);
            added.offer(key, raw);
        })
        .map_err(|error| Error::not_a_row(table.name, error.to_string(), text))?;
    let id = id.raw.filter(|raw| row::is_id(raw));
    let id = id.ok_or_else(|| Error::not_a_row(table.name, "it has no id", text))?;
    let added = added.raw.and_then(|raw| value::instant(raw, None));
    Ok(Key {
        added: added.map_or(i64::MIN, |(ms, _)| ms),
        id: scan::string(id).map_or_else(|| id.to_owned(), Cow::into_owned),
    })
}

/// The value of one column, as far as the row was read.
struct Best<'r> {
    keys: Vec<&'static str>,
    rank: usize,
    raw: Option<&'r str>,
}

impl<'r> Best<'r> {
    fn of(table: &Table, name: &str) -> Self {
        let column = table.columns.iter().find(|column| column.name == name);
        Self {
            keys: column.into_iter().flat_map(Column::keys).collect(),
            rank: usize::MAX,
            raw: None,
        }
    }

    fn offer(&mut self, key: &str, raw: &'r str) {
        if let Some(rank) = self.keys.iter().position(|known| *known == key)
            && rank <= self.rank
        {
            (self.rank, self.raw) = (rank, Some(raw));
        }
    }
}
