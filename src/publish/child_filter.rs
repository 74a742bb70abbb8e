//! Which notes, tasks and appointments an export has, beyond those of its contacts.
//!
//! The rows are chosen when the tables are written, from the last version of each record. A record whose date is
//! unknown is never left out because of it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::remote::equality::value_epoch_millis;

/// Conditions on the records that are attached to contacts; all of them must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildFilter {
    /// Only tasks that are completed, or only those that are not.
    #[serde(default)]
    pub completed: Option<bool>,
    /// Only tasks that are due before this moment.
    #[serde(default)]
    pub due_before: Option<Timestamp>,
    /// Only what was added at this moment or later.
    #[serde(default)]
    pub added_since: Option<Timestamp>,
}

/// What the conditions look at.
#[derive(Deserialize)]
struct ChildJson {
    #[serde(default)]
    completed: Option<bool>,
    #[serde(default, rename = "dueDate")]
    due: Value,
    #[serde(default, rename = "dateAdded")]
    added: Value,
}

impl ChildFilter {
    /// Whether there is no condition.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a row, as the server sent it, belongs into a table.
    pub(super) fn keeps_row(&self, table: &str, row: &str) -> bool {
        if self.is_empty() || !["tasks", "notes", "appointments"].contains(&table) {
            return true;
        }
        // What cannot be read is reported by the decoder.
        let Ok(child) = serde_json::from_str::<ChildJson>(row) else { return true };
        let added = value_epoch_millis(&child.added);
        let since = self.added_since.map(Timestamp::as_millisecond);
        if matches!((since, added), (Some(since), Some(added)) if added < since) {
            return false;
        }
        if table != "tasks" {
            return true;
        }
        let has_state = self.completed.is_none_or(|it| child.completed.unwrap_or(false) == it);
        // A task without a due date is never due.
        let is_due = |end: Timestamp| {
            value_epoch_millis(&child.due).is_some_and(|due| due < end.as_millisecond())
        };
        has_state && self.due_before.is_none_or(is_due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn tasks_are_chosen_by_state_and_due_date() {
        let open = ChildFilter { completed: Some(false), ..ChildFilter::default() };
        assert!(open.keeps_row("tasks", r#"{"completed":false}"#));
        assert!(open.keeps_row("tasks", "{}") && open.keeps_row("notes", r#"{"completed":true}"#));
        assert!(!open.keeps_row("tasks", r#"{"completed":true}"#));
        let due = ChildFilter { due_before: Some(moment("2026-12-01T00:00:00Z")), ..open };
        assert!(due.keeps_row("tasks", r#"{"dueDate":"2026-11-30T23:59:59.999Z"}"#));
        assert!(due.keeps_row("tasks", r#"{"dueDate":1764547199000}"#));
        assert!(due.keeps_row("tasks", r#"{"dueDate":"2026-11-30"}"#));
        for row in [r#"{"dueDate":"2026-12-01T00:00:00Z"}"#, r#"{"dueDate":null}"#, "{}"] {
            assert!(!due.keeps_row("tasks", row), "{row}");
        }
    }

    #[test]
    fn a_record_without_a_date_is_kept_by_since() {
        let since = ChildFilter {
            added_since: Some(moment("2026-11-01T00:00:00Z")),
            ..ChildFilter::default()
        };
        for table in ["tasks", "notes", "appointments"] {
            assert!(since.keeps_row(table, r#"{"dateAdded":"2026-11-01T00:00:00Z"}"#));
            assert!(since.keeps_row(table, "{}") && since.keeps_row(table, r#"{"dateAdded":"x"}"#));
            assert!(!since.keeps_row(table, r#"{"dateAdded":"2026-10-31T23:59:59Z"}"#));
        }
        assert!(since.keeps_row("contacts", r#"{"dateAdded":"2020-01-01T00:00:00Z"}"#));
    }
}
