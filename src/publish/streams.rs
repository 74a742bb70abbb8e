//! Which streams of the spool hold the rows of which table, and where in an answer they stand.

use crate::run::stream;

/// Rows of a table in a stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    /// The table.
    pub(super) table: &'static str,
    /// The stream's name, or how it begins where it ends with `/`.
    pub(super) stream: &'static str,
    /// The key of the list in the answer, or of the one row.
    pub(super) key: &'static str,
    /// Whether an entry holds many answers, each about one contact.
    pub(super) packed: bool,
}

const fn page(table: &'static str, stream: &'static str, key: &'static str) -> Source {
    Source { table, stream, key, packed: false }
}

const fn pack(table: &'static str, stream: &'static str, key: &'static str) -> Source {
    Source { table, stream, key, packed: true }
}

/// Every source of every table.
const SOURCES: &[Source] = &[
    page("contacts", stream::CONTACTS, "contacts"),
    page("contacts", stream::CONTACTS_AGAIN, "contacts"),
    pack("contacts", stream::CONTACTS_SINGLE, "contact"),
    page("tasks", stream::TASKS, "tasks"),
    pack("tasks", stream::CONTACT_TASKS, "tasks"),
    pack("notes", stream::NOTES, "notes"),
    page("appointments", stream::EVENTS, "events"),
    pack("appointments", stream::CONTACT_APPOINTMENTS, "events"),
    page("custom_fields", stream::FIELDS, "customFields"),
    page("users", stream::USERS, "users"),
    page("tags", stream::TAGS, "tags"),
];

/// The source that a stream is, if rows are made of it.
pub(super) fn of(stream: &str) -> Option<Source> {
    let is = |source: &&Source| {
        let many = source.stream.ends_with('/');
        stream == source.stream || (many && stream.starts_with(source.stream))
    };
    SOURCES.iter().find(is).copied()
}

/// The table whose records a stream's failures are about.
pub(super) fn table(stream: &str) -> &str {
    of(stream).map_or(stream, |source| source.table)
}
