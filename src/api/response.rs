//! Responses, and the parts of them that drive paging.
//!
//! A body is kept as the server sent it, together with the ids, the cursor and the count that
//! decide what is requested next. `decode` extracts them from the body.

use bytes::Bytes;
use serde_json::value::RawValue;

use super::broken_record::BrokenRecord;
use crate::id::{CalendarId, ContactId};

/// A usable response.
#[derive(Debug, Clone)]
pub struct ApiResponse<T> {
    /// The body as the server sent it, but for broken records: one complete JSON text in UTF-8.
    pub body: Bytes,
    /// The decoded parts that drive paging.
    pub head: T,
    /// The records with bytes that are not UTF-8 or not JSON. The body has what can be read of them.
    pub broken: Vec<BrokenRecord>,
}

/// Where a search continues: the last row's `searchAfter`, as the server wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchCursor(Box<str>);

impl SearchCursor {
    /// Parses a stored cursor.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<&RawValue>(text).map(|raw| Self(raw.get().into()))
    }

    /// The cursor's JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes a cursor as the server wrote it.
    pub(super) fn new(text: &str) -> Self {
        Self(text.into())
    }

    pub(super) fn to_raw_value(&self) -> Box<RawValue> {
        RawValue::from_string(self.0.to_string()).expect("a cursor holds JSON")
    }
}

/// A page of `POST /contacts/search`.
#[derive(Debug, Clone, Default)]
pub struct ContactPage {
    /// The rows, in the server's order; None for a row that is not a contact.
    pub rows: Vec<Option<ContactRef>>,
    /// The total number of matching contacts.
    pub total: Option<u64>,
    /// Where the next page starts.
    pub next: Option<SearchCursor>,
    /// How many rows were asked for; 0 for a stored page.
    pub limit: usize,
}

impl ContactPage {
    /// Whether it has this contact and no other row.
    #[must_use]
    pub fn has_only(&self, id: &ContactId) -> bool {
        matches!(self.rows.as_slice(), [Some(row)] if row.id == *id)
    }
}

/// What identifies a contact in a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactRef {
    /// Its id.
    pub id: ContactId,
    /// When it was added, in milliseconds since 1970.
    pub added: Option<i64>,
    /// When it was last changed, in milliseconds since 1970.
    pub updated: Option<i64>,
}

/// A complete list, such as one contact's notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChildList {
    /// How many rows it has.
    pub rows: usize,
}

/// A page of a list that is read with `skip` and `limit`.
pub type ListPage = ChildList;

/// The calendars of a location.
#[derive(Debug, Clone, Default)]
pub struct CalendarList {
    /// The calendars; those without a usable id are left out.
    pub calendars: Vec<CalendarRef>,
}

/// A calendar.
#[derive(Debug, Clone)]
pub struct CalendarRef {
    /// Its id.
    pub id: CalendarId,
}

/// A location.
#[derive(Debug, Clone, Default)]
pub struct LocationDetails {
    /// Its name.
    pub name: Option<String>,
    /// Its IANA time zone.
    pub timezone: Option<String>,
}
