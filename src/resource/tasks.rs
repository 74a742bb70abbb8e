//! Tasks: what a user has to do for a contact.
//!
//! The columns follow the row of `POST /locations/{id}/tasks/search`, whose id is `_id`; a
//! contact's own list has `id`.

use super::column::{TableColumn, boolean_column, extra_column, text_column, timestamp_column};
use super::derived::{DerivedKey, DerivedRule};
use super::fields::CustomFieldColumns;
use super::table::ResourceSpec;

/// The tasks of all contacts, one row each.
pub const TASKS: ResourceSpec = ResourceSpec {
    name: "tasks",
    doc: "The tasks of the location's contacts, one row each.",
    columns,
    derived: &[
        DerivedKey {
            key: "searchAfter",
            rule: DerivedRule::Cursor { time: "dateAdded", ids: &["_id", "id"] },
        },
        DerivedKey { key: "updatedAt", rule: DerivedRule::Copy("dateUpdated") },
    ],
};

fn columns(_: &CustomFieldColumns) -> Vec<TableColumn> {
    vec![
        text_column("id", "_id", "The task's id.").with_fallback_keys(&["id"]),
        text_column("contact_id", "contactId", "The id of the contact the task is about."),
        text_column("title", "title", "The title of the task."),
        text_column("body", "body", "The description of the task."),
        timestamp_column("due_date", "dueDate", "When the task is due, in UTC."),
        boolean_column("completed", "completed", "Whether the task is done."),
        text_column(
            "assigned_to",
            "assignedTo",
            "The id of the user it is assigned to; see the table `users`.",
        ),
        timestamp_column("date_added", "dateAdded", "When the task was created, in UTC."),
        timestamp_column("date_updated", "dateUpdated", "When the task was last changed, in UTC."),
        extra_column(),
    ]
}
