//! How a reversal reads in a plan: field by field, what stands there and what will.

use serde_json::{Map, Value};

use super::{Step, delete_created};
use crate::model::op::Change;
use crate::model::remote::{Live, equality};
use crate::model::target::Field;
use crate::model::verify::{Kind, Property, properties};
use crate::plan::diff::{FieldChange, change_text, is_same, target};

/// The changes of one write. `named` gives a custom field's key for its id. What is deleted is listed with
/// all that it holds: the plan is the one place that keeps it.
#[must_use]
pub fn shown(step: &Step, named: &dyn Fn(&str) -> String) -> Vec<FieldChange> {
    let before = &step.before;
    match &step.change {
        Change::Create { body } | Change::Upsert { body } | Change::Update { body } => {
            update(body, before, named)
        }
        Change::Delete => deletion(before, named),
        Change::AddTags { tags } => {
            let there = texts(before);
            vec![change(
                "tags",
                change_text::list(&there),
                change_text::list(&[&there[..], tags].concat()),
            )]
        }
        Change::RemoveTags { tags } => {
            let there = texts(before);
            let stays = |tag: &&String| !tags.iter().any(|gone| equality::tag(gone, tag));
            let left: Vec<&String> = there.iter().filter(stays).collect();
            vec![change("tags", change_text::list(&there), change_text::list(&left))]
        }
        Change::SetBusiness { business } => {
            vec![change(
                "business",
                change_text::text(before),
                business.clone().unwrap_or_default(),
            )]
        }
        Change::CreateNote { body } | Change::UpdateNote { body, .. } => {
            child("note", body, before)
        }
        Change::CreateTask { body } | Change::UpdateTask { body, .. } => {
            child("task", body, before)
        }
        Change::CompleteTask { completed, .. } => {
            let old = before.get("completed").map(change_text::text).unwrap_or_default();
            vec![change("task.completed", old, completed.to_string())]
        }
        Change::DeleteNote { .. } => gone("note", &["body", "title"], before),
        Change::DeleteTask { .. } => {
            gone("task", &["title", "body", "dueDate", "completed", "assignedTo"], before)
        }
    }
}

fn change(field: &str, old: String, new: String) -> FieldChange {
    FieldChange { field: field.to_owned(), old, new }
}

fn update(
    body: &Map<String, Value>,
    before: &Value,
    named: &dyn Fn(&str) -> String,
) -> Vec<FieldChange> {
    let pairs = properties(body, false).into_iter().map(|new| (new.was(before), new));
    let shown = pairs.map(|(old, new)| change(&name(&new, named), value(&old), value(&new)));
    // Channels go along with the one that changes; they are no changes.
    shown.filter(|it| it.old != it.new).collect()
}

fn name(property: &Property, named: &dyn Fn(&str) -> String) -> String {
    match &property.kind {
        Kind::Custom(id) => format!("customFields.{}", named(id)),
        _ => property.field(),
    }
}

fn value(property: &Property) -> String {
    match &property.kind {
        Kind::Channel(_) => property.value.get("status").map(change_text::text).unwrap_or_default(),
        _ => change_text::text(&property.value),
    }
}

/// All that a contact holds, on its way out.
fn deletion(before: &Value, named: &dyn Fn(&str) -> String) -> Vec<FieldChange> {
    let Ok(live) = serde_json::from_value::<Live>(before.clone()) else {
        return vec![change("contact", String::new(), "deleted".to_owned())];
    };
    let known = live.field(Field::Email).or_else(|| live.field(Field::Phone));
    let who = known.map_or_else(|| live.whole_name(), str::to_owned);
    let mut all = vec![change("contact", who, "deleted".to_owned())];
    let held = delete_created::there(&live);
    all.extend(held.iter().map(|it| change(&name(it, named), value(it), String::new())));
    if !live.tags.is_empty() {
        all.push(change("tags", change_text::list(&live.tags), String::new()));
    }
    all
}

fn child(kind: &str, body: &Map<String, Value>, before: &Value) -> Vec<FieldChange> {
    let old = |key: &str| before.get(key).unwrap_or(&Value::Null);
    let differing = body.iter().filter(|(key, value)| !is_same(key, value, old(key)));
    differing
        .map(|(key, value)| {
            change(&target(kind, key), change_text::text(old(key)), change_text::text(value))
        })
        .collect()
}

/// A note or task on its way out.
fn gone(kind: &str, keys: &[&str], before: &Value) -> Vec<FieldChange> {
    let held = keys.iter().filter_map(|key| {
        let value = before.get(key).filter(|value| !equality::is_nothing(value))?;
        Some(change(&target(kind, key), change_text::text(value), String::new()))
    });
    let held: Vec<FieldChange> = held.collect();
    if held.is_empty() { vec![change(kind, String::new(), "deleted".to_owned())] } else { held }
}

fn texts(value: &Value) -> Vec<String> {
    let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::op::Class;

    /// A write in the lines of a plan.
    fn lines(change: Change, before: Value) -> Vec<String> {
        let step = Step { change, class: Class::Replayable, before };
        let named = |id: &str| format!("key_of_{id}");
        let all = shown(&step, &named);
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
        let mut lines = lines(Change::Update { body: body(&new) }, old);
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
        let live =
            json!({"id": "c", "firstName": "Ann", "phone": "+12025550143", "tags": ["a", "b"]});
        let live = serde_json::to_value(Live::read_value(&live).unwrap()).unwrap();
        let all = [
            "contact: +12025550143 -> deleted",
            "firstName: Ann -> ",
            "phone: +12025550143 -> ",
            "tags: a; b -> ",
        ];
        let mut deleted = lines(Change::Delete, live);
        deleted[1..].sort_unstable();
        assert_eq!(deleted, all);
        assert_eq!(lines(Change::Delete, Value::Null), ["contact:  -> deleted"]);
        let note = Change::DeleteNote { id: "n".to_owned() };
        assert_eq!(lines(note.clone(), json!({"body": "Hello"})), ["note: Hello -> "]);
        assert_eq!(lines(note, Value::Null), ["note:  -> deleted"]);
    }

    #[test]
    fn tags_and_businesses_read_as_they_are_and_will_be() {
        let tags = || vec!["B".to_owned()];
        let before = json!(["a", "b"]);
        assert_eq!(lines(Change::RemoveTags { tags: tags() }, before), ["tags: a; b -> a"]);
        assert_eq!(lines(Change::AddTags { tags: tags() }, json!(["a"])), ["tags: a -> a; B"]);
        assert_eq!(lines(Change::SetBusiness { business: None }, json!("x")), ["business: x -> "]);
        let task = Change::CompleteTask { id: "t".to_owned(), completed: false };
        assert_eq!(lines(task, json!({"completed": true})), ["task.completed: true -> false"]);
    }
}
