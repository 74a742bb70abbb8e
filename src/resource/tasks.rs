//! Tasks: what somebody is to do about a contact.
//!
//! The columns follow the row of `POST /locations/{id}/tasks/search`, whose id is `_id`; a contact's own list calls it
//! `id`.

use super::column::{Column, boolean, extra, text, time};
use super::derived::{Derived, Rule};
use super::fields::Fields;
use super::table::Resource;

/// The tasks of all contacts, one row each.
pub const TASKS: Resource = Resource {
    name: "tasks",
    doc: "The tasks of the location's contacts, one row each.",
    columns,
    derived: &[
        Derived { key: "searchAfter", rule: Rule::Cursor { time: "dateAdded", id: "_id" } },
        Derived { key: "updatedAt", rule: Rule::Copy("dateUpdated") },
    ],
};

fn columns(_: &Fields) -> Vec<Column> {
    vec![
        text("id", "_id", "The task's id.").or(&["id"]),
        text("contact_id", "contactId", "The id of the contact the task is about."),
        text("title", "title", "What is to be done, in a line."),
        text("body", "body", "What is to be done, at length."),
        time("due_date", "dueDate", "When the task is due, in UTC."),
        boolean("completed", "completed", "Whether the task is done."),
        text(
            "assigned_to",
            "assignedTo",
            "The id of the user who is to do it; see the table `users`.",
        ),
        time("date_added", "dateAdded", "When the task was created, in UTC."),
        time("date_updated", "dateUpdated", "When the task was last changed, in UTC."),
        extra(),
    ]
}
