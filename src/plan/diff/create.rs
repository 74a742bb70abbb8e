//! A new contact: its body, and what has to wait until it is there.

use serde_json::{Map, Value, json};

use super::idempotency::Way;
use super::{Work, change_text, consent};
use crate::model::op::{Change, Class};
use crate::model::remote::equality;
use crate::model::target::Field;

/// Creates the contact.
pub(super) fn create(work: &mut Work<'_>, way: &Way) {
    let mut body = natives(work);
    customs(work, &mut body);
    consent::create(work, &mut body, matches!(way, Way::Upsert(_)));
    if let Some(owner) = work.draft.owner.as_ref().filter(|owner| !equality::is_nothing(owner)) {
        body.insert("assignedTo".to_owned(), owner.clone());
        work.change("assignedTo", String::new(), change_text::text(owner));
    }
    let tags = work.draft.tags.clone();
    if !tags.is_empty() {
        work.change("tags", String::new(), change_text::list(&tags));
    }
    match way {
        Way::Create(class) => {
            if !tags.is_empty() {
                body.insert("tags".to_owned(), tags.into());
            }
            if *class == Class::Marked {
                mark(work, &mut body);
            }
            work.push("contact", 0, *class, Change::Create { body }, Value::Null);
        }
        Way::Upsert(later) => upsert(work, body, tags, later),
    }
}

/// Creates by an upsert. Should somebody have created the contact in between, the upsert updates it: so it
/// carries nothing that would take something away, and tags, which it would replace, are added afterwards.
fn upsert(work: &mut Work<'_>, mut body: Map<String, Value>, tags: Vec<String>, later: &[Field]) {
    let mut after = Map::new();
    for field in later {
        after.extend(body.remove(field.name()).map(|value| (field.name().to_owned(), value)));
    }
    let replace = work.replaces_tags();
    if replace && !tags.is_empty() {
        body.insert("tags".to_owned(), tags.clone().into());
    }
    work.push("contact", 0, Class::Replayable, Change::Upsert { body }, Value::Null);
    if !after.is_empty() {
        let before: Map<String, Value> =
            after.keys().map(|key| (key.clone(), Value::Null)).collect();
        let change = Change::Update { body: after };
        work.push("contact", 1, Class::Replayable, change, before.into());
    }
    if !replace && !tags.is_empty() {
        work.push("add-tags", 0, Class::Replayable, Change::AddTags { tags }, json!([]));
    }
}

fn natives(work: &mut Work<'_>) -> Map<String, Value> {
    let draft = work.draft;
    let has =
        |field: Field| draft.fields.get(&field).is_some_and(|value| !equality::is_nothing(value));
    let parts = has(Field::FirstName) || has(Field::LastName);
    let mut body = Map::new();
    for (field, value) in &draft.fields {
        // The whole name would fill the part that the row leaves out.
        if equality::is_nothing(value) || *field == Field::Name && parts {
            continue;
        }
        work.change(field.name(), String::new(), change_text::text(value));
        body.insert(field.name().to_owned(), value.clone());
    }
    body
}

fn customs(work: &mut Work<'_>, body: &mut Map<String, Value>) {
    let draft = work.draft;
    let mut entries = Vec::new();
    for (id, value) in draft.custom.iter().filter(|(_, value)| !equality::is_nothing(value)) {
        work.change(&work.planner.custom_name(id), String::new(), change_text::text(value));
        entries.push(json!({ "id": id, "field_value": value }));
    }
    if !entries.is_empty() {
        body.insert("customFields".to_owned(), entries.into());
    }
}

/// Writes the op's key into the marker, by which the contact can be found.
fn mark(work: &mut Work<'_>, body: &mut Map<String, Value>) {
    let Some(marker) = work.planner.marker else { return };
    let key = work.key("contact", 0);
    let fields = body.entry("customFields").or_insert_with(|| json!([]));
    if let Some(fields) = fields.as_array_mut() {
        fields.retain(|field| field["id"] != marker.id);
        fields.push(json!({ "id": marker.id, "field_value": key }));
    }
}
