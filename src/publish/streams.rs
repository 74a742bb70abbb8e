//! Which streams of the spool contain the rows of which table, and under which key of a response.

use crate::run::stream;

/// The rows of a table in a stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct TableStream {
    /// The table.
    pub(super) table: &'static str,
    /// The stream's name, or its prefix if it ends with `/`.
    pub(super) stream: &'static str,
    /// The key of the list in the response, or of the single row.
    pub(super) key: &'static str,
    /// Whether an entry contains many responses, each for one contact.
    pub(super) packed: bool,
}

const fn page_stream(table: &'static str, stream: &'static str, key: &'static str) -> TableStream {
    TableStream { table, stream, key, packed: false }
}

const fn packed_stream(
    table: &'static str,
    stream: &'static str,
    key: &'static str,
) -> TableStream {
    TableStream { table, stream, key, packed: true }
}

/// All streams of all tables.
const SOURCES: &[TableStream] = &[
    page_stream("contacts", stream::CONTACTS, "contacts"),
    page_stream("contacts", stream::REREAD_CONTACTS, "contacts"),
    packed_stream("contacts", stream::CONTACTS_SINGLE, "contact"),
    page_stream("tasks", stream::TASKS, "tasks"),
    packed_stream("tasks", stream::CONTACT_TASKS, "tasks"),
    page_stream("notes", stream::NOTE_SEARCH, "notes"),
    packed_stream("notes", stream::NOTES, "notes"),
    page_stream("appointments", stream::EVENTS, "events"),
    packed_stream("appointments", stream::CONTACT_APPOINTMENTS, "events"),
    page_stream("custom_fields", stream::FIELDS, "customFields"),
    page_stream("users", stream::USERS, "users"),
    page_stream("tags", stream::TAGS, "tags"),
    page_stream("businesses", stream::BUSINESSES, "businesses"),
];

/// Finds the definition of a stream, if it contains rows.
pub(super) fn find_by_name(stream: &str) -> Option<TableStream> {
    let is = |source: &&TableStream| {
        let many = source.stream.ends_with('/');
        stream == source.stream || (many && stream.starts_with(source.stream))
    };
    SOURCES.iter().find(is).copied()
}

/// The table that a stream's failures belong to.
pub(super) fn table_name(stream: &str) -> &str {
    find_by_name(stream).map_or(stream, |source| source.table)
}
