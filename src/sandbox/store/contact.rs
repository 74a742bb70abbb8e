//! One contact as it is stored.
//!
//! Stored as the bytes of its search row, ready to be sent, and parsed only where a value is
//! needed. While the index lags, what searches still show is stored too.

use std::time::Instant;

use serde_json::{Map, Value};

use super::notes_and_tasks::StoredTask;
use super::slots::NoteSlot;

/// A search row, parsed.
pub(crate) type SearchRow = Map<String, Value>;

/// One contact and its children.
#[derive(Debug)]
pub(crate) struct StoredContact {
    pub(crate) id: Box<str>,
    pub(crate) added: i64,
    pub(crate) updated: i64,
    /// The search row without its closing brace, because every response appends a cursor to it.
    pub(crate) open_row: Box<str>,
    /// Fields that only `GET /contacts/{id}` shows: an object.
    pub(crate) extra: Option<Box<str>>,
    /// The places of its notes, in the order of its list.
    pub(crate) notes: Vec<NoteSlot>,
    pub(crate) tasks: Vec<StoredTask>,
    pub(crate) stale: Option<Box<StaleIndexEntry>>,
    pub(crate) gone: bool,
}

/// What searches still show of a contact that was written.
#[derive(Debug)]
pub(crate) struct StaleIndexEntry {
    pub(crate) until: Instant,
    pub(crate) updated: i64,
    /// `None` when the contact did not exist.
    pub(crate) open_row: Option<Box<str>>,
}

/// A contact as searches show it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IndexedContact<'a> {
    pub(crate) contact: &'a StoredContact,
    pub(crate) updated: i64,
    pub(crate) open_row: &'a str,
}

/// The keys by which a contact is found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct LookupKeys {
    pub(crate) email: Option<Box<str>>,
    pub(crate) phone: Option<Box<str>>,
    pub(crate) other_emails: Vec<Box<str>>,
    pub(crate) other_phones: Vec<Box<str>>,
}

impl StoredContact {
    /// A contact from its search row; `row` is a JSON object without a cursor.
    pub(crate) fn new(id: &str, added: i64, updated: i64, row: &str) -> Self {
        Self {
            id: id.into(),
            added,
            updated,
            open_row: strip_closing_brace(row),
            extra: None,
            notes: Vec::new(),
            tasks: Vec::new(),
            stale: None,
            gone: false,
        }
    }

    /// The current search row, whatever the index shows.
    pub(crate) fn parse_row(&self) -> SearchRow {
        parse_open_row(&self.open_row)
    }

    /// The current search row, as a JSON object.
    pub(crate) fn row_json(&self) -> String {
        format!("{}}}", self.open_row)
    }

    /// The contact as searches show it, if they do.
    pub(crate) fn indexed_view(&self) -> Option<IndexedContact<'_>> {
        match &self.stale {
            Some(stale) => stale.open_row.as_deref().map(|open_row| IndexedContact {
                contact: self,
                updated: stale.updated,
                open_row,
            }),
            None if self.gone => None,
            None => Some(IndexedContact {
                contact: self,
                updated: self.updated,
                open_row: &self.open_row,
            }),
        }
    }
}

impl IndexedContact<'_> {
    pub(crate) fn parse_row(&self) -> SearchRow {
        parse_open_row(self.open_row)
    }
}

/// A row without its closing brace.
pub(crate) fn strip_closing_brace(row: &str) -> Box<str> {
    row.trim_end().strip_suffix('}').expect("a row is a JSON object").into()
}

fn parse_open_row(open_row: &str) -> SearchRow {
    let text = format!("{open_row}}}");
    serde_json::from_str(&text).expect("a stored row was JSON when it was stored")
}

impl LookupKeys {
    /// The keys of a search row.
    pub(crate) fn from_row(row: &SearchRow) -> Self {
        let text = |key: &str| row.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let others = |list: &str, key: &str| -> Vec<Box<str>> {
            let values = row.get(list).and_then(Value::as_array).into_iter().flatten();
            values
                .filter_map(|value| value.as_str().or_else(|| value.get(key)?.as_str()))
                .map(|text| text.to_lowercase().into())
                .collect()
        };
        Self {
            email: text("email").map(|email| email.to_lowercase().into()),
            phone: text("phone").map(Into::into),
            other_emails: others("additionalEmails", "email"),
            other_phones: others("additionalPhones", "phone"),
        }
    }
}
