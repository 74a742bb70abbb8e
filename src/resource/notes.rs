//! Notes: texts that users wrote about a contact.
//!
//! They come from `POST /notes/search`, or contact by contact from `GET /contacts/{id}/notes`.

use super::column::{
    TableColumn, boolean_column, extra_column, json_column, text_column, timestamp_column,
};
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
        text_column("id", "id", "The note's id.").with_fallback_keys(&["_id"]),
        text_column(
            "contact_id",
            "contactId",
            "The id of the contact the note is about: the first one, if it relates to several. Null if it \
             relates to none, but to an opportunity, say.",
        ),
        text_column("body", "body", "The text of the note; it may contain HTML."),
        text_column("title", "title", "The title of the note."),
        text_column("color", "color", "The color of the note, as `#RRGGBB`."),
        boolean_column("pinned", "pinned", "Whether the note is pinned to the top."),
        text_column("user_id", "userId", "The id of the user who wrote it; see the table `users`."),
        timestamp_column("date_added", "dateAdded", "When the note was written, in UTC."),
        json_column(
            "relations",
            "relations",
            "Everything the note relates to, as a list of `objectKey` and `recordId`. Null where the note was read \
             contact by contact, which does not show it.",
        ),
        extra_column(),
    ]
}
