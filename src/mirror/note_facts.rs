//! What a sync knows of how the notes of its location are read; each sync goes on from what the one before knew.

use serde::{Deserialize, Serialize};

/// How the notes of a location are read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteRefreshMode {
    /// Contact by contact, all of them whenever everything is read: the location has few contacts.
    #[default]
    EachContact,
    /// By search: all of them whenever everything is read, and the newest ones in between.
    Search,
    /// Contact by contact, some contacts in each sync, so that no reading is older than a bound.
    Rotation,
}

/// What a sync knows of the notes of its location.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteFacts {
    /// How they are read.
    pub reading: NoteRefreshMode,
    /// The server's time, in milliseconds since 1970, up to which the search has shown every new note.
    #[serde(default)]
    pub newest_ms: Option<i64>,
    /// Whether the notes of some contacts have to be looked at again, because a search may not have shown all of them.
    #[serde(default)]
    pub unsettled: bool,
    /// Whether there were more new notes than can be read newest first, so that all have to be read.
    #[serde(default)]
    pub overflowed: bool,
    /// When the rotation last went on, in milliseconds since 1970.
    #[serde(default)]
    pub rotated_ms: Option<i64>,
    /// How old a reading of a contact's notes may be, in seconds; `None` without a bound.
    #[serde(default)]
    pub bound_s: Option<u64>,
    /// Contacts whose notes differed when they were read again, and whose `dateUpdated` had moved.
    #[serde(default)]
    pub announced: u64,
    /// Contacts whose notes differed although their `dateUpdated` had not moved.
    #[serde(default)]
    pub silent: u64,
}
