//! Removal: what a deletion takes away, and whole enough to bring it back.
//!
//! A file's kind says what its rows delete: one of tasks deletes tasks, one of notes notes, any other
//! contacts. Before anything is deleted its image is kept in the op. The API cannot restore a record, so
//! the image is all that an undo has: whatever is not in it is gone for good.

mod recreate;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::mapping::{Bound, Plan};
use crate::model::Directory;
use crate::model::policy::{IdentityKey, Policy};
use crate::model::remote::{Live, equality};
use crate::model::target::{Field, NotePart, Target, TaskPart};
use crate::model::verify::same_child_value;

pub use recreate::{Anew, note_fields, task_fields};

/// What the rows of a file delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Removed {
    /// Contacts, with their notes and tasks.
    Contacts,
    /// Notes.
    Notes,
    /// Tasks.
    Tasks,
}

impl Removed {
    /// The name of one.
    #[must_use]
    pub fn one(self) -> &'static str {
        match self {
            Self::Contacts => "contact",
            Self::Notes => "note",
            Self::Tasks => "task",
        }
    }

    /// What the rows of a file delete by what its columns are for, and whether all that it needs for that
    /// is there.
    ///
    /// # Errors
    /// Why it cannot be told, or what is missing.
    pub fn of(plan: &Plan) -> Result<Self, String> {
        let has = |wanted: fn(&Target) -> bool| plan.bound.iter().any(|it| wanted(&it.rule.to));
        let ids = [Target::Note(NotePart::Id), Target::Task(TaskPart::Id)];
        let [notes, tasks] = ids.map(|id| plan.bound.iter().any(|it| it.rule.to == id));
        let of_children = has(is_of_child) && !has(is_about_contacts);
        match (notes, tasks) {
            (true, true) => {
                Err("the file has ids of notes and of tasks; delete the ones first, and \
                                 leave the other column out: `--ignore-column`"
                    .to_owned())
            }
            (true, false) => Ok(Self::Notes),
            (false, true) => Ok(Self::Tasks),
            (false, false) if of_children => {
                Err("it is a file of notes or tasks, and has no column with their ids; to delete \
                     their contacts instead, leave its other columns out: `--ignore-column`"
                    .to_owned())
            }
            (false, false) => Ok(Self::Contacts),
        }
    }

    /// Whether a deletion reads what goes to this target.
    #[must_use]
    pub fn reads(self, target: &Target, policy: &Policy, directory: &Directory) -> bool {
        match (target, self) {
            (Target::ContactId | Target::Field(Field::Email | Field::Phone), _)
            | (Target::Note(NotePart::Id), Self::Notes)
            | (Target::Task(TaskPart::Id), Self::Tasks) => true,
            (Target::Custom(name), _) => is_key(name, policy, directory),
            _ => false,
        }
    }

    /// Whether a rule that met its sheet is needed.
    #[must_use]
    pub fn needs(self, bound: &Bound, policy: &Policy, directory: &Directory) -> bool {
        self.reads(&bound.rule.to, policy, directory)
    }
}

fn is_key(name: &str, policy: &Policy, directory: &Directory) -> bool {
    let IdentityKey::Custom(key) = &policy.key else { return false };
    match (directory.field(key), directory.field(name)) {
        (Ok(key), Ok(field)) => key.id == field.id,
        _ => false,
    }
}

fn is_of_child(target: &Target) -> bool {
    matches!(target, Target::Note(_) | Target::Task(_))
}

fn is_about_contacts(target: &Target) -> bool {
    let identity = matches!(
        target,
        Target::ContactId | Target::SourceId | Target::Field(Field::Email | Field::Phone)
    );
    !(identity || is_of_child(target))
}

/// A record as it stood before it was deleted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Image {
    /// The contact as its own endpoint shows it; null where only notes or tasks are deleted.
    pub contact: Value,
    /// Its notes.
    pub notes: Vec<Value>,
    /// Its tasks.
    pub tasks: Vec<Value>,
    /// How many opportunities of it are known. They are not kept.
    pub opportunities: usize,
}

impl Image {
    /// The image that an op keeps, if it keeps one of a contact.
    #[must_use]
    pub fn read(before: &Value) -> Option<Self> {
        let image: Self = serde_json::from_value(before.clone()).ok()?;
        image.contact.is_object().then_some(image)
    }

    /// The contact.
    #[must_use]
    pub fn live(&self) -> Option<Live> {
        Live::read_value(&self.contact)
    }

    /// The note or task with this id.
    #[must_use]
    pub fn child(&self, what: Removed, id: &str) -> Option<&Value> {
        let list = if what == Removed::Tasks { &self.tasks } else { &self.notes };
        list.iter().find(|child| equality::has_id(child, id))
    }

    /// What differs in another image of the same record; nothing when an undo would bring the same back.
    #[must_use]
    pub fn changes(&self, now: &Self) -> Vec<&'static str> {
        let digest = |image: &Self| image.live().map(|live| live.digest());
        let differs = [
            ("contact", digest(self) != digest(now)),
            ("notes", !same_list(&self.notes, &now.notes, same_note)),
            ("tasks", !same_list(&self.tasks, &now.tasks, same_task)),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

/// Whether a note still stands as it was kept.
#[must_use]
pub fn same_note(one: &Value, other: &Value) -> bool {
    same_parts(one, other, &["body", "title", "color", "pinned", "userId"])
}

/// Whether a task still stands as it was kept.
#[must_use]
pub fn same_task(one: &Value, other: &Value) -> bool {
    same_parts(one, other, &["title", "body", "dueDate", "completed", "assignedTo"])
}

fn same_parts(one: &Value, other: &Value, keys: &[&str]) -> bool {
    keys.iter().all(|key| same_child_value(key, &one[*key], &other[*key]))
}

fn same_list(then: &[Value], now: &[Value], same: fn(&Value, &Value) -> bool) -> bool {
    let found = |child: &Value| {
        let id = equality::id_of(child);
        id.and_then(|id| now.iter().find(|other| equality::has_id(other, id)))
    };
    then.len() == now.len()
        && then.iter().all(|child| found(child).is_some_and(|it| same(child, it)))
}
