//! Responses, and the parts of them that drive paging.
//!
//! A body is kept as the server sent it, together with the ids, the cursor and the count that
//! decide what is requested next. `decode` extracts them from the body.

use std::fmt;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::broken_record::BrokenRecord;
use crate::id::{CalendarId, ContactId};
use crate::text::format_count;

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
    /// The location that it belongs to, if the response says so.
    pub location: Option<Box<str>>,
}

/// A complete list, such as one contact's notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChildList {
    /// What the response says about rows that it does not have.
    pub missing: Option<MissingRows>,
    /// How many rows it has.
    pub rows: usize,
}

/// A page of a list that is read with `skip` and `limit`.
pub type ListPage = ChildList;

/// A page of the businesses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusinessPage {
    /// How many rows it has.
    pub rows: usize,
    /// The ids of the rows that have one.
    pub ids: Vec<String>,
    /// The number of all businesses, if the response says it; the specification has no such number.
    pub total: Option<u64>,
}

/// Rows of a list that a response does not have although it should be the whole list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingRows {
    /// The response counts so many more.
    Counted(u64),
    /// The response names a next page.
    NextPage,
}

impl MissingRows {
    /// How many rows are missing at least.
    #[must_use]
    pub fn count(self) -> u64 {
        match self {
            Self::Counted(rows) => rows,
            Self::NextPage => 1,
        }
    }
}

impl fmt::Display for MissingRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Counted(rows) => {
                write!(f, "the response lacks {} of the rows that it counts", format_count(*rows))
            }
            Self::NextPage => {
                f.write_str("the response names a next page, which cannot be requested")
            }
        }
    }
}

/// A response that should be a whole list, or that is no list.
pub trait WholeList {
    /// What it says about rows that it does not have.
    fn missing_rows(&self) -> Option<MissingRows>;
}

impl WholeList for ChildList {
    fn missing_rows(&self) -> Option<MissingRows> {
        self.missing
    }
}

impl WholeList for CalendarList {
    fn missing_rows(&self) -> Option<MissingRows> {
        self.missing
    }
}

impl WholeList for LocationDetails {
    fn missing_rows(&self) -> Option<MissingRows> {
        None
    }
}

/// The calendars of a location.
#[derive(Debug, Clone, Default)]
pub struct CalendarList {
    /// What the response says about calendars that it does not have.
    pub missing: Option<MissingRows>,
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
    /// Its country (ISO 3166-1 alpha-2).
    pub country: Option<String>,
}
