//! Describes a revert in a plan: field by field, with the current and the new value.

use serde_json::{Map, Value};

use super::{RevertStep, delete_created};
use crate::model::op::OpChange;
use crate::model::remote::{RemoteContact, equality};
use crate::model::target::Field;
use crate::model::verify::{ContactProperty, PropertyKind, body_properties};
use crate::plan::diff::{FieldChange, change_text, child_target, is_property_unchanged};

/// The changes of one write. `named` returns a custom field's key for its id. A deleted record is
/// listed with all its values, because only the plan keeps them.
#[must_use]
pub fn describe_step(step: &RevertStep, named: &dyn Fn(&str) -> String) -> Vec<FieldChange> {
    let before = &step.before;
    match &step.change {
        OpChange::Create { body } | OpChange::Upsert { body } | OpChange::Update { body } => {
            describe_update(body, before, named)
        }
        OpChange::CreateField { .. } | OpChange::DeleteField { .. } => Vec::new(),
        OpChange::Delete => describe_contact_deletion(before, named),
        OpChange::AddTags { tags } => {
            let current = string_list(before);
            vec![field_change(
                "tags",
                change_text::format_list(&current),
                change_text::format_list(&[&current[..], tags].concat()),
            )]
        }
        OpChange::RemoveTags { tags } => {
            let current = string_list(before);
            let stays = |tag: &&String| !tags.iter().any(|gone| equality::same_tag(gone, tag));
            let left: Vec<&String> = current.iter().filter(stays).collect();
            vec![field_change(
                "tags",
                change_text::format_list(&current),
                change_text::format_list(&left),
            )]
        }
        OpChange::SetBusiness { business } => {
            vec![field_change(
                "business",
                change_text::format_value(before),
                business.clone().unwrap_or_default(),
            )]
        }
        OpChange::CreateNote { body } | OpChange::UpdateNote { body, .. } => {
            describe_child_write("note", body, before)
        }
        OpChange::CreateTask { body } | OpChange::UpdateTask { body, .. } => {
            describe_child_write("task", body, before)
        }
        OpChange::CompleteTask { completed, .. } => {
            let old = before.get("completed").map(change_text::format_value).unwrap_or_default();
            vec![field_change("task.completed", old, completed.to_string())]
        }
        OpChange::DeleteNote { .. } => describe_child_deletion("note", &["body", "title"], before),
        OpChange::DeleteTask { .. } => describe_child_deletion(
            "task",
            &["title", "body", "dueDate", "completed", "assignedTo"],
            before,
        ),
    }
}

fn field_change(field: &str, old: String, new: String) -> FieldChange {
    FieldChange { field: field.to_owned(), old, new }
}

fn describe_update(
    body: &Map<String, Value>,
    before: &Value,
    named: &dyn Fn(&str) -> String,
) -> Vec<FieldChange> {
    let pairs =
        body_properties(body, false).into_iter().map(|new| (new.property_before(before), new));
    let shown = pairs.map(|(old, new)| {
        field_change(&property_name(&new, named), property_text(&old), property_text(&new))
    });
    // Channels that are sent along unchanged are not changes.
    shown.filter(|it| it.old != it.new).collect()
}

fn property_name(property: &ContactProperty, named: &dyn Fn(&str) -> String) -> String {
    match &property.kind {
        PropertyKind::Custom(id) => format!("customFields.{}", named(id)),
        _ => property.field_name(),
    }
}

fn property_text(property: &ContactProperty) -> String {
    match &property.kind {
        PropertyKind::Channel(_) => {
            property.value.get("status").map(change_text::format_value).unwrap_or_default()
        }
        _ => change_text::format_value(&property.value),
    }
}

/// All values of a contact to be deleted.
fn describe_contact_deletion(before: &Value, named: &dyn Fn(&str) -> String) -> Vec<FieldChange> {
    let Ok(remote) = serde_json::from_value::<RemoteContact>(before.clone()) else {
        return vec![field_change("contact", String::new(), "deleted".to_owned())];
    };
    let known = remote.native_field(Field::Email).or_else(|| remote.native_field(Field::Phone));
    let who = known.map_or_else(|| remote.full_name(), str::to_owned);
    let mut all = vec![field_change("contact", who, "deleted".to_owned())];
    let values = delete_created::contact_properties(&remote);
    all.extend(
        values
            .iter()
            .map(|it| field_change(&property_name(it, named), property_text(it), String::new())),
    );
    if !remote.tags.is_empty() {
        all.push(field_change("tags", change_text::format_list(&remote.tags), String::new()));
    }
    all
}

fn describe_child_write(kind: &str, body: &Map<String, Value>, before: &Value) -> Vec<FieldChange> {
    let old = |key: &str| before.get(key).unwrap_or(&Value::Null);
    let differing = body.iter().filter(|(key, value)| !is_property_unchanged(key, value, old(key)));
    differing
        .map(|(key, value)| {
            field_change(
                &child_target(kind, key),
                change_text::format_value(old(key)),
                change_text::format_value(value),
            )
        })
        .collect()
}

/// The values of a note or task to be deleted.
fn describe_child_deletion(kind: &str, keys: &[&str], before: &Value) -> Vec<FieldChange> {
    let values = keys.iter().filter_map(|key| {
        let value = before.get(key).filter(|value| !equality::is_null_or_empty(value))?;
        Some(field_change(
            &child_target(kind, key),
            change_text::format_value(value),
            String::new(),
        ))
    });
    let values: Vec<FieldChange> = values.collect();
    if values.is_empty() {
        vec![field_change(kind, String::new(), "deleted".to_owned())]
    } else {
        values
    }
}

fn string_list(value: &Value) -> Vec<String> {
    let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::IdempotencyClass;

    /// A write in the lines of a plan.
    fn lines(change: OpChange, before: Value) -> Vec<String> {
        let step = RevertStep { change, class: IdempotencyClass::Replayable, before };
        let named = |id: &str| format!("key_of_{id}");
        let all = describe_step(&step, &named);
        all.iter().map(|it| format!("{}: {} -> {}", it.field, it.old, it.new)).collect()
    }

    fn body(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn an_update_reads_field_by_field_and_names_custom_fields_by_their_keys() {
        let stop = json!({"status": "permanent"});
        let new = json!({
            "city": "Oslo", "state": null,
            "customFields": [{"id": "x", "field_value": ["a", "b"]}],
            "dndSettings": {"Email": {"status": "inactive"}, "SMS": stop},
        });
        let old = json!({
            "city": "Rome", "state": "RM",
            "customFields": [{"id": "x", "field_value": ["c"]}],
            "dndSettings": {"Email": {"status": "active"}, "SMS": stop},
        });
        let mut lines = lines(OpChange::Update { body: body(&new) }, old);
        lines.sort_unstable();
        let all = [
            "city: Rome -> Oslo",
            "customFields.key_of_x: c -> a; b",
            "dndSettings.Email: active -> inactive",
            "state: RM -> ",
        ];
        assert_eq!(lines, all);
    }

    #[test]
    fn what_is_deleted_is_listed_with_all_that_it_holds() {
        let remote =
            json!({"id": "c", "firstName": "Ann", "phone": "+12025550143", "tags": ["a", "b"]});
        let remote =
            serde_json::to_value(RemoteContact::from_json_value(&remote).unwrap()).unwrap();
        let all = [
            "contact: +12025550143 -> deleted",
            "firstName: Ann -> ",
            "phone: +12025550143 -> ",
            "tags: a; b -> ",
        ];
        let mut deleted = lines(OpChange::Delete, remote);
        deleted[1..].sort_unstable();
        assert_eq!(deleted, all);
        assert_eq!(lines(OpChange::Delete, Value::Null), ["contact:  -> deleted"]);
        let note = OpChange::DeleteNote { id: "n".to_owned() };
        assert_eq!(lines(note.clone(), json!({"body": "Hello"})), ["note: Hello -> "]);
        assert_eq!(lines(note, Value::Null), ["note:  -> deleted"]);
    }

    #[test]
    fn tags_and_businesses_read_as_they_are_and_will_be() {
        let tags = || vec!["B".to_owned()];
        let before = json!(["a", "b"]);
        assert_eq!(lines(OpChange::RemoveTags { tags: tags() }, before), ["tags: a; b -> a"]);
        assert_eq!(lines(OpChange::AddTags { tags: tags() }, json!(["a"])), ["tags: a -> a; B"]);
        assert_eq!(
            lines(OpChange::SetBusiness { business: None }, json!("x")),
            ["business: x -> "]
        );
        let task = OpChange::CompleteTask { id: "t".to_owned(), completed: false };
        assert_eq!(lines(task, json!({"completed": true})), ["task.completed: true -> false"]);
    }
}
