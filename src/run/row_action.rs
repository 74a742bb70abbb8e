//! The action of a plan for a row.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The action of a plan for a row. The variants are in the order of their names, in which a plan
/// lists them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowAction {
    /// The record to delete no longer exists.
    AlreadyGone,
    /// A contact is created.
    Create,
    /// A contact is deleted.
    Delete,
    /// An undo deletes the contact that the row created.
    DeleteCreated,
    /// A note is deleted.
    DeleteNote,
    /// A task is deleted.
    DeleteTask,
    /// An earlier run has already done it.
    DoneEarlier,
    /// It is part of another row.
    Merged,
    /// Notes and tasks are written, and nothing else of the contact.
    NotesAndTasks,
    /// Not decided yet.
    Pending,
    /// An undo recreates what the row deleted.
    Recreate,
    /// It is rejected.
    Rejected,
    /// An undo restores the former values.
    Restore,
    /// The contact exists and is left unchanged.
    Skip,
    /// Another row of the same contact is used instead.
    Superseded,
    /// Tags are added, and nothing else.
    Tag,
    /// An undo tags the contact that the row created.
    TagCreated,
    /// The account already has all values.
    #[default]
    Unchanged,
    /// Tags are removed, and nothing else.
    Untag,
    /// A contact is updated.
    Update,
}

impl RowAction {
    /// Every action.
    pub const ALL: [Self; 20] = [
        Self::AlreadyGone,
        Self::Create,
        Self::Delete,
        Self::DeleteCreated,
        Self::DeleteNote,
        Self::DeleteTask,
        Self::DoneEarlier,
        Self::Merged,
        Self::NotesAndTasks,
        Self::Pending,
        Self::Recreate,
        Self::Rejected,
        Self::Restore,
        Self::Skip,
        Self::Superseded,
        Self::Tag,
        Self::TagCreated,
        Self::Unchanged,
        Self::Untag,
        Self::Update,
    ];

    /// The name, in the database, in result files and in events.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AlreadyGone => "already_gone",
            Self::Create => "create",
            Self::Delete => "delete",
            Self::DeleteCreated => "delete_created",
            Self::DeleteNote => "delete_note",
            Self::DeleteTask => "delete_task",
            Self::DoneEarlier => "done_earlier",
            Self::Merged => "merged",
            Self::NotesAndTasks => "notes_and_tasks",
            Self::Pending => "pending",
            Self::Recreate => "recreate",
            Self::Rejected => "rejected",
            Self::Restore => "restore",
            Self::Skip => "skip",
            Self::Superseded => "superseded",
            Self::Tag => "tag",
            Self::TagCreated => "tag_created",
            Self::Unchanged => "unchanged",
            Self::Untag => "untag",
            Self::Update => "update",
        }
    }

    /// The action with this name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

impl fmt::Display for RowAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_has_one_name_in_files_in_the_database_and_in_json() {
        for action in RowAction::ALL {
            assert_eq!(RowAction::from_name(action.name()), Some(action));
            assert_eq!(serde_json::to_value(action).unwrap(), action.name());
        }
        assert_eq!(RowAction::from_name("children"), None);
        assert!(RowAction::ALL.is_sorted_by_key(|action| action.name()));
        assert!(RowAction::ALL.is_sorted());
    }
}
