//! A new contact: its body, and the writes that have to wait until it exists.

use serde_json::{Map, Value, json};

use super::idempotency::CreateStrategy;
use super::{RowPlanBuilder, change_text, consent};
use crate::model::IdempotencyClass;
use crate::model::op::OpChange;
use crate::model::remote::equality;
use crate::model::target::Field;

/// Creates the contact.
pub(super) fn plan_contact_creation(work: &mut RowPlanBuilder<'_>, strategy: &CreateStrategy) {
    let mut body = new_native_fields(work);
    add_custom_fields(work, &mut body);
    consent::add_to_create_body(work, &mut body, matches!(strategy, CreateStrategy::Upsert(_)));
    if let Some(owner) =
        work.draft.owner.as_ref().filter(|owner| !equality::is_null_or_empty(owner))
    {
        body.insert("assignedTo".to_owned(), owner.clone());
        work.add_field_change("assignedTo", String::new(), change_text::format_value(owner));
    }
    let tags = work.draft.tags.clone();
    if !tags.is_empty() {
        work.add_field_change("tags", String::new(), change_text::format_list(&tags));
    }
    match strategy {
        CreateStrategy::Create(class) => {
            if !tags.is_empty() {
                body.insert("tags".to_owned(), tags.into());
            }
            if *class == IdempotencyClass::Marked {
                add_marker(work, &mut body);
            }
            work.push_op("contact", 0, *class, OpChange::Create { body }, Value::Null);
        }
        CreateStrategy::Upsert(later) => plan_upsert(work, body, tags, later),
    }
}

/// Creates the contact by an upsert. If the contact has been created in the meantime, the upsert
/// updates it: so its body removes nothing, and tags, which it would replace, are added afterwards.
fn plan_upsert(
    work: &mut RowPlanBuilder<'_>,
    mut body: Map<String, Value>,
    tags: Vec<String>,
    later: &[Field],
) {
    let mut after = Map::new();
    for field in later {
        after.extend(body.remove(field.name()).map(|value| (field.name().to_owned(), value)));
    }
    let replace = work.replaces_tags();
    if replace && !tags.is_empty() {
        body.insert("tags".to_owned(), tags.clone().into());
    }
    work.push_op(
        "contact",
        0,
        IdempotencyClass::Replayable,
        OpChange::Upsert { body },
        Value::Null,
    );
    if !after.is_empty() {
        let before: Map<String, Value> =
            after.keys().map(|key| (key.clone(), Value::Null)).collect();
        let change = OpChange::Update { body: after };
        work.push_op("contact", 1, IdempotencyClass::Replayable, change, before.into());
    }
    if !replace && !tags.is_empty() {
        work.push_op(
            "add-tags",
            0,
            IdempotencyClass::Replayable,
            OpChange::AddTags { tags },
            json!([]),
        );
    }
}

fn new_native_fields(work: &mut RowPlanBuilder<'_>) -> Map<String, Value> {
    let draft = work.draft;
    let has = |field: Field| {
        draft.fields.get(&field).is_some_and(|value| !equality::is_null_or_empty(value))
    };
    let parts = has(Field::FirstName) || has(Field::LastName);
    let mut body = Map::new();
    for (field, value) in &draft.fields {
        // The full name would fill the part that the row leaves out.
        if equality::is_null_or_empty(value) || *field == Field::Name && parts {
            continue;
        }
        work.add_field_change(field.name(), String::new(), change_text::format_value(value));
        body.insert(field.name().to_owned(), value.clone());
    }
    body
}

fn add_custom_fields(work: &mut RowPlanBuilder<'_>, body: &mut Map<String, Value>) {
    let draft = work.draft;
    let mut entries = Vec::new();
    for (id, value) in draft.custom.iter().filter(|(_, value)| !equality::is_null_or_empty(value)) {
        work.add_field_change(
            &work.planner.custom_field_name(id),
            String::new(),
            change_text::format_value(value),
        );
        entries.push(json!({ "id": id, "field_value": value }));
    }
    if !entries.is_empty() {
        body.insert("customFields".to_owned(), entries.into());
    }
}

/// Writes the op's key into the marker field, by which the contact can be found.
fn add_marker(work: &mut RowPlanBuilder<'_>, body: &mut Map<String, Value>) {
    let Some(marker) = work.planner.marker else { return };
    let key = work.op_key("contact", 0);
    let fields = body.entry("customFields").or_insert_with(|| json!([]));
    if let Some(fields) = fields.as_array_mut() {
        fields.retain(|field| field["id"] != marker.id);
        fields.push(json!({ "id": marker.id, "field_value": key }));
    }
}
