//! Deletion: what a file deletes, and the before-images that an undo needs.
//!
//! The kind of file determines what its rows delete: a file of tasks deletes tasks, a file of notes
//! deletes notes, any other file deletes contacts. Before anything is deleted, its image is stored
//! in the op. The API cannot restore a record, so an undo can restore only what is in the image.

mod recreate;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::mapping::{BoundMapping, BoundRule};
use crate::model::LocationDirectory;
use crate::model::policy::{IdentityKey, ImportPolicy};
use crate::model::remote::{RemoteContact, equality};
use crate::model::target::{Field, MappingTarget, NotePart, TaskPart};
use crate::model::verify::same_child_value;

pub use recreate::{RecreationDraft, recreated_note_fields, recreated_task_fields};

/// What the rows of a file delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletedRecordKind {
    /// Contacts, with their notes and tasks.
    Contacts,
    /// Notes.
    Notes,
    /// Tasks.
    Tasks,
}

impl DeletedRecordKind {
    /// The singular name of the kind.
    #[must_use]
    pub fn singular_name(self) -> &'static str {
        match self {
            Self::Contacts => "contact",
            Self::Notes => "note",
            Self::Tasks => "task",
        }
    }

    /// Determines what the rows of a file delete from its mapped columns, and checks that they
    /// suffice.
    ///
    /// # Errors
    /// When it is ambiguous, or a column is missing.
    pub fn from_mapping(plan: &BoundMapping) -> Result<Self, String> {
        let has =
            |wanted: fn(&MappingTarget) -> bool| plan.bound.iter().any(|it| wanted(&it.rule.to));
        let ids = [MappingTarget::Note(NotePart::Id), MappingTarget::Task(TaskPart::Id)];
        let [notes, tasks] = ids.map(|id| plan.bound.iter().any(|it| it.rule.to == id));
        let of_children = has(is_child_target) && !has(is_contact_data);
        match (notes, tasks) {
            (true, true) => {
                Err("the file has ids of notes and of tasks; delete one kind first, and leave \
                 the other column out with `--ignore-column`"
                    .to_owned())
            }
            (true, false) => Ok(Self::Notes),
            (false, true) => Ok(Self::Tasks),
            (false, false) if of_children => {
                Err("it is a file of notes or tasks, and has no column with their ids; to delete \
                 their contacts instead, leave the other columns out with `--ignore-column`"
                    .to_owned())
            }
            (false, false) => Ok(Self::Contacts),
        }
    }

    /// Whether a deletion reads values of this target.
    #[must_use]
    pub fn reads_target(
        self,
        target: &MappingTarget,
        policy: &ImportPolicy,
        directory: &LocationDirectory,
    ) -> bool {
        match (target, self) {
            (MappingTarget::ContactId | MappingTarget::Field(Field::Email | Field::Phone), _)
            | (MappingTarget::Note(NotePart::Id), Self::Notes)
            | (MappingTarget::Task(TaskPart::Id), Self::Tasks) => true,
            (MappingTarget::Custom(name), _) => is_key_field(name, policy, directory),
            _ => false,
        }
    }

    /// Whether a bound rule is needed.
    #[must_use]
    pub fn needs_rule(
        self,
        bound: &BoundRule,
        policy: &ImportPolicy,
        directory: &LocationDirectory,
    ) -> bool {
        self.reads_target(&bound.rule.to, policy, directory)
    }
}

fn is_key_field(name: &str, policy: &ImportPolicy, directory: &LocationDirectory) -> bool {
    let IdentityKey::Custom(key) = &policy.key else { return false };
    match (directory.find_field(key), directory.find_field(name)) {
        (Ok(key), Ok(field)) => key.id == field.id,
        _ => false,
    }
}

fn is_child_target(target: &MappingTarget) -> bool {
    matches!(target, MappingTarget::Note(_) | MappingTarget::Task(_))
}

fn is_contact_data(target: &MappingTarget) -> bool {
    let identity = matches!(
        target,
        MappingTarget::ContactId
            | MappingTarget::SourceId
            | MappingTarget::Field(Field::Email | Field::Phone)
    );
    !(identity || is_child_target(target))
}

/// A record as it was before it was deleted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BeforeImage {
    /// The contact as its own endpoint returns it; null if only notes or tasks are deleted.
    pub contact: Value,
    /// Its notes.
    pub notes: Vec<Value>,
    /// Its tasks.
    pub tasks: Vec<Value>,
    /// How many opportunities it has. They are not stored.
    pub opportunities: usize,
}

impl BeforeImage {
    /// The image in an op, if it has one of a contact.
    #[must_use]
    pub fn from_op_before(before: &Value) -> Option<Self> {
        let image: Self = serde_json::from_value(before.clone()).ok()?;
        image.contact.is_object().then_some(image)
    }

    /// The contact.
    #[must_use]
    pub fn remote_contact(&self) -> Option<RemoteContact> {
        RemoteContact::from_json_value(&self.contact)
    }

    /// The note or task with this id.
    #[must_use]
    pub fn find_child(&self, what: DeletedRecordKind, id: &str) -> Option<&Value> {
        let list = if what == DeletedRecordKind::Tasks { &self.tasks } else { &self.notes };
        list.iter().find(|child| equality::has_id(child, id))
    }

    /// The parts that differ in another image of the same record; empty if an undo would restore
    /// the same.
    #[must_use]
    pub fn changed_parts(&self, now: &Self) -> Vec<&'static str> {
        let digest = |image: &Self| image.remote_contact().map(|remote| remote.content_digest());
        let differs = [
            ("contact", digest(self) != digest(now)),
            ("notes", !same_children(&self.notes, &now.notes, is_note_unchanged)),
            ("tasks", !same_children(&self.tasks, &now.tasks, is_task_unchanged)),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

/// Whether a note is still as in the image.
#[must_use]
pub fn is_note_unchanged(one: &Value, other: &Value) -> bool {
    same_properties(one, other, &["body", "title", "color", "pinned", "userId"])
}

/// Whether a task is still as in the image.
#[must_use]
pub fn is_task_unchanged(one: &Value, other: &Value) -> bool {
    same_properties(one, other, &["title", "body", "dueDate", "completed", "assignedTo"])
}

fn same_properties(one: &Value, other: &Value, keys: &[&str]) -> bool {
    keys.iter().all(|key| same_child_value(key, &one[*key], &other[*key]))
}

fn same_children(then: &[Value], now: &[Value], same: fn(&Value, &Value) -> bool) -> bool {
    let found = |child: &Value| {
        let id = equality::child_id(child);
        id.and_then(|id| now.iter().find(|other| equality::has_id(other, id)))
    };
    then.len() == now.len()
        && then.iter().all(|child| found(child).is_some_and(|it| same(child, it)))
}
