//! Notes: what somebody wrote down about a contact.
//!
//! The API lists notes only contact by contact, at `GET /contacts/{id}/notes`.

use super::column::{Column, boolean, extra, text, time};
use super::fields::Fields;
use super::table::Resource;

/// The notes of all contacts, one row each.
pub const NOTES: Resource = Resource {
    name: "notes",
    doc: "The notes of the location's contacts, one row each.",
    columns,
    derived: &[],
};

fn columns(_: &Fields) -> Vec<Column> {
    vec![
        text("id", "id", "The note's id."),
        text("contact_id", "contactId", "The id of the contact the note is about."),
        text("body", "body", "The text of the note; it may hold HTML."),
        text("title", "title", "The title of the note."),
        text("color", "color", "The color of the note, as `#RRGGBB`."),
        boolean("pinned", "pinned", "Whether the note is pinned to the top."),
        text("user_id", "userId", "The id of the user who wrote it; see the table `users`."),
        time("date_added", "dateAdded", "When the note was written, in UTC."),
        extra(),
    ]
}
