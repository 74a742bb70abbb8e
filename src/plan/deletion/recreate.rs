//! Turns a deleted record into a draft that recreates it.
//!
//! Everything that the API accepts is taken from the image. What it cannot write (additional
//! addresses, files, signatures), and what the location no longer has (fields, users, businesses),
//! is reported.

use std::collections::BTreeMap;

use serde_json::Value;

use super::BeforeImage;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::LocationDirectory;
use crate::model::draft::{ContactDraft, NoteDraft, TaskDraft};
use crate::model::policy::LONGEST_NOTE;
use crate::model::remote::{RemoteContact, equality};
use crate::model::target::Field;

/// Types of custom fields that a create cannot fill (api.md §5, custom-field values).
const UNWRITABLE: [&str; 3] = ["FILE_UPLOAD", "SIGNATURE", "TEXTBOX_LIST"];
const LOST: DiagnosticCode = DiagnosticCode::W_NOT_BROUGHT_BACK;

/// A record to recreate.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecreationDraft {
    /// What to create.
    pub draft: ContactDraft,
    /// The former ids of the draft's notes and tasks, in their order.
    pub notes: Vec<String>,
    /// The former ids of its tasks, in their order.
    pub tasks: Vec<String>,
    /// What of it cannot be made.
    pub warnings: Vec<Diagnostic>,
}

impl BeforeImage {
    /// The contact with its notes and tasks, to be recreated; `None` if the image has no contact.
    #[must_use]
    pub fn recreation_draft(&self, directory: &LocationDirectory) -> Option<RecreationDraft> {
        let remote = self.remote_contact()?;
        Some(RecreationDraft::from_records(&remote, &self.notes, &self.tasks, directory))
    }
}

impl RecreationDraft {
    /// The contact with its notes and tasks, to be recreated; what the API or the location cannot have becomes a warning.
    #[must_use]
    pub fn from_records(
        remote: &RemoteContact,
        notes: &[Value],
        tasks: &[Value],
        directory: &LocationDirectory,
    ) -> Self {
        let mut recreation = Self::default();
        recreation.fill_contact(remote, directory);
        recreation.add_notes(notes, directory);
        recreation.add_tasks(tasks, directory);
        recreation
    }

    /// Adds notes, the oldest first.
    pub fn add_notes(&mut self, notes: &[Value], directory: &LocationDirectory) {
        let mut notes: Vec<&Value> = notes.iter().collect();
        notes.sort_by_key(|note| equality::value_epoch_millis(&note["dateAdded"]));
        for note in notes {
            let id = equality::child_id(note).unwrap_or_default();
            let Some(fields) = recreated_note_fields(note, directory) else {
                self.warn_not_recreated(
                    "note",
                    &format!("note `{id}` has no text, which the API requires"),
                );
                continue;
            };
            self.notes.push(id.to_owned());
            self.draft.notes.push(NoteDraft { id: None, fields });
        }
    }

    /// Adds tasks.
    pub fn add_tasks(&mut self, tasks: &[Value], directory: &LocationDirectory) {
        for task in tasks {
            let id = equality::child_id(task).unwrap_or_default();
            let Some(fields) = recreated_task_fields(task, directory) else {
                self.warn_not_recreated(
                    "task",
                    &format!("task `{id}` has no title or date, which the API requires"),
                );
                continue;
            };
            self.tasks.push(id.to_owned());
            self.draft.tasks.push(TaskDraft { fields, ..TaskDraft::default() });
        }
    }

    fn fill_contact(&mut self, remote: &RemoteContact, directory: &LocationDirectory) {
        let parts = remote.has_name_parts();
        let fields = remote.fields.iter().filter(|(field, _)| !(parts && **field == Field::Name));
        self.draft.fields =
            fields.map(|(field, value)| (*field, Value::from(value.clone()))).collect();
        for (id, value) in &remote.custom {
            self.fill_custom_field(id, value, directory);
        }
        self.draft.tags.clone_from(&remote.tags);
        self.draft.dnd = remote.dnd.then_some(true);
        let blocked = remote.channels.iter().filter(|(_, state)| state.is_blocked());
        self.draft.channels = blocked.map(|(channel, _)| (*channel, true)).collect();
        self.draft.additional_emails.clone_from(&remote.additional_emails);
        self.draft.additional_phones.clone_from(&remote.additional_phones);
        if let Some(owner) = &remote.owner {
            if has_user(directory, owner) {
                self.draft.owner = Some(owner.clone().into());
            } else {
                self.warn_not_recreated(
                    "assignedTo",
                    &format!("the location no longer has the user `{owner}`"),
                );
            }
        }
        if let Some(id) = &remote.business {
            if directory.businesses.iter().any(|it| it.id == *id) {
                self.draft.business = Some(id.clone());
            } else {
                self.warn_not_recreated(
                    "business",
                    &format!("the location no longer has the business `{id}`"),
                );
            }
        }
    }

    fn fill_custom_field(&mut self, id: &str, value: &Value, directory: &LocationDirectory) {
        let target = |name: &str| format!("customFields.{name}");
        match directory.fields.iter().find(|field| field.id == id) {
            None => {
                self.warn_not_recreated(
                    &target(id),
                    "the location no longer has this custom field",
                );
            }
            Some(field) if UNWRITABLE.contains(&field.data_type.as_str()) => {
                let why = format!("the API cannot write fields of type {}", field.data_type);
                self.warn_not_recreated(&target(&field.key), &why);
            }
            Some(_) => {
                self.draft.custom.insert(id.to_owned(), value.clone());
            }
        }
    }

    fn warn_not_recreated(&mut self, field: &str, why: &str) {
        let message = format!("{why}; that is not brought back");
        self.warnings.push(Diagnostic::new(LOST, message).in_field(field));
    }
}

fn has_user(directory: &LocationDirectory, id: &str) -> bool {
    directory.users.iter().any(|user| user.id == id)
}

/// The properties of a recreated note: its text begins with the date on which it was written,
/// because the API sets the date itself. `None` if it has no text, which the API requires.
#[must_use]
pub fn recreated_note_fields(
    note: &Value,
    directory: &LocationDirectory,
) -> Option<BTreeMap<String, Value>> {
    let body = note["body"].as_str().filter(|body| !body.trim().is_empty())?;
    let day = equality::value_epoch_millis(&note["dateAdded"]).and_then(equality::utc_date);
    let front = day.map(|day| format!("[{day}] ")).unwrap_or_default();
    let fits = front.chars().count() + body.chars().count() <= LONGEST_NOTE;
    let as_it_is = body.starts_with(&front) || !fits;
    let body = if as_it_is { body.to_owned() } else { format!("{front}{body}") };
    let mut fields =
        restorable_properties(note, &["title", "color", "pinned", "userId"], directory);
    fields.insert("body".to_owned(), body.into());
    Some(fields)
}

/// The properties of a recreated task. `None` if it has no title, which the API requires; a task
/// without a date is due on the day it was written.
#[must_use]
pub fn recreated_task_fields(
    task: &Value,
    directory: &LocationDirectory,
) -> Option<BTreeMap<String, Value>> {
    task["title"].as_str().filter(|title| !title.trim().is_empty())?;
    let mut fields = restorable_properties(task, &["title", "body", "assignedTo"], directory);
    let due = [&task["dueDate"], &task["dateAdded"]]
        .into_iter()
        .find_map(equality::value_epoch_millis)?;
    let due = jiff::Timestamp::from_millisecond(due).ok()?;
    fields.insert("dueDate".to_owned(), due.to_string().into());
    fields.insert("completed".to_owned(), task["completed"].as_bool().unwrap_or_default().into());
    Some(fields)
}

/// The non-empty properties of a note or task, as they were.
fn restorable_properties(
    record: &Value,
    keys: &[&str],
    directory: &LocationDirectory,
) -> BTreeMap<String, Value> {
    let properties = keys.iter().filter_map(|key| {
        let value = &record[*key];
        let user = matches!(*key, "userId" | "assignedTo");
        let known = !user || value.as_str().is_some_and(|id| has_user(directory, id));
        let some = !equality::is_null_or_empty(value) && *value != Value::Bool(false);
        (known && some).then(|| ((*key).to_owned(), value.clone()))
    });
    properties.collect()
}
