//! Notes: texts that users wrote about a contact.
//!
//! The API lists notes only contact by contact, at `GET /contacts/{id}/notes`.

use super::column::{TableColumn, boolean_column, extra_column, text_column, timestamp_column};
use super::fields::CustomFieldColumns;
use super::table::ResourceSpec;

/// The notes of all contacts, one row each.
pub const NOTES: ResourceSpec = ResourceSpec {
    name: "notes",
    doc: "The notes of the location's contacts, one row each.",
    columns,
    derived: &[],
};

fn columns(_: &CustomFieldColumns) -> Vec<TableColumn> {
    vec![
        text_column("id", "id", "The note's id."),
        text_column("contact_id", "contactId", "The id of the contact the note is about."),
        text_column("body", "body", "The text of the note; it may contain HTML."),
        text_column("title", "title", "The title of the note."),
        text_column("color", "color", "The color of the note, as `#RRGGBB`."),
        boolean_column("pinned", "pinned", "Whether the note is pinned to the top."),
        text_column("user_id", "userId", "The id of the user who wrote it; see the table `users`."),
        timestamp_column("date_added", "dateAdded", "When the note was written, in UTC."),
        extra_column(),
    ]
}
