//! Reverts writes to existing contacts.

use serde_json::{Map, Value, json};

use super::{RevertPlan, RevertStep, combine_steps, revert_step, single_step_plan};
use crate::model::op::{Op, OpChange};
use crate::model::remote::{RemoteContact, equality};
use crate::model::target::Field;
use crate::model::verify::{ContactProperty, PropertyKind, body_properties, remote_channel_value};

/// How to revert an update, or a change of tags or business.
pub(super) fn plan_contact_revert(op: &Op, remote: &RemoteContact) -> RevertPlan {
    match &op.change {
        OpChange::Update { body } => revert_update(body, &op.before, remote),
        OpChange::AddTags { tags } => {
            let step = remove_tags_step(tags_not_in(tags, &string_list(&op.before)), remote);
            combine_steps(
                Vec::from_iter(step),
                Vec::new(),
                "the tags were already there before, or have been removed",
            )
        }
        OpChange::RemoveTags { tags } => {
            let before = string_list(&op.before);
            let removed = tags_not_in(&before, &tags_not_in(&before, tags));
            let step = add_tags_step(removed, remote);
            combine_steps(
                Vec::from_iter(step),
                Vec::new(),
                "the tags were not there before, or have been added again",
            )
        }
        OpChange::SetBusiness { business } => {
            revert_business(business.as_deref(), &op.before, remote)
        }
        _ => RevertPlan::Nothing("it did not change the contact"),
    }
}

fn revert_update(body: &Map<String, Value>, before: &Value, remote: &RemoteContact) -> RevertPlan {
    let (mut restored, mut conflicts, mut steps) = (Vec::new(), Vec::new(), Vec::new());
    for written in body_properties(body, false) {
        let was = written.property_before(before);
        if written.kind == PropertyKind::Tags {
            steps.extend(tag_list_steps(&written, &was, remote));
        } else if was.matches_contact(remote) {
            // It is as before: the server did not accept it, or it was changed back.
        } else if written.matches_contact(remote) {
            restored.push((written, was));
        } else {
            conflicts.push(written.field_name());
        }
    }
    if !restored.is_empty() {
        steps.insert(0, restoring_update(&restored, remote));
    }
    combine_steps(steps, conflicts, "everything is already as before")
}

/// The update that restores old values.
fn restoring_update(
    restored: &[(ContactProperty, ContactProperty)],
    remote: &RemoteContact,
) -> RevertStep {
    let (mut body, mut before) = (Map::new(), Map::new());
    for (written, was) in restored {
        if written.kind == PropertyKind::Field(Field::Name) {
            // The server split the full name; there were no parts before.
            for part in [Field::FirstName, Field::LastName] {
                body.insert(part.name().to_owned(), Value::Null);
                before.insert(part.name().to_owned(), remote.native_field(part).into());
            }
            continue;
        }
        write_property(&mut body, was, remote);
        write_property(&mut before, written, remote);
    }
    revert_step(OpChange::Update { body }, before.into())
}

/// Adds one property to a body.
fn write_property(
    body: &mut Map<String, Value>,
    property: &ContactProperty,
    remote: &RemoteContact,
) {
    let value = property.value.clone();
    match &property.kind {
        PropertyKind::Field(field) => {
            body.insert(field.name().to_owned(), value);
        }
        PropertyKind::Custom(id) => {
            let entry = json!({ "id": id, "field_value": value });
            if let Some(list) = entry_or_insert(body, "customFields", json!([])).as_array_mut() {
                list.push(entry);
            }
        }
        PropertyKind::Channel(channel) => {
            // All channels are included, so that none is lost if the server replaces them.
            let all = remote
                .channels
                .keys()
                .map(|one| (one.name().to_owned(), remote_channel_value(remote, *one)));
            let all: Map<String, Value> = all.collect();
            let settings = entry_or_insert(body, "dndSettings", all.into());
            let open = || json!({ "status": "inactive" });
            settings[channel.name()] = if value.is_null() { open() } else { value };
        }
        PropertyKind::Dnd => {
            body.insert("dnd".to_owned(), value);
        }
        PropertyKind::Owner => {
            body.insert("assignedTo".to_owned(), value);
        }
        // Not part of an update that restores values.
        PropertyKind::Business
        | PropertyKind::Tags
        | PropertyKind::TagsThere
        | PropertyKind::TagsGone => {}
    }
}

fn entry_or_insert<'b>(body: &'b mut Map<String, Value>, key: &str, empty: Value) -> &'b mut Value {
    body.entry(key).or_insert(empty)
}

/// A list of tags that replaced another: what it added is removed, what it removed is added, and
/// other changes of the tags are kept.
fn tag_list_steps(
    written: &ContactProperty,
    was: &ContactProperty,
    remote: &RemoteContact,
) -> impl Iterator<Item = RevertStep> {
    let (new, old) = (string_list(&written.value), string_list(&was.value));
    let steps = [
        remove_tags_step(tags_not_in(&new, &old), remote),
        add_tags_step(tags_not_in(&old, &new), remote),
    ];
    steps.into_iter().flatten()
}

/// Removes those of the tags that are present.
fn remove_tags_step(mut tags: Vec<String>, remote: &RemoteContact) -> Option<RevertStep> {
    tags.retain(|tag| remote.has_tag(tag));
    let before = remote.tags.clone().into();
    (!tags.is_empty()).then(|| revert_step(OpChange::RemoveTags { tags }, before))
}

/// Adds those of the tags that are missing.
fn add_tags_step(mut tags: Vec<String>, remote: &RemoteContact) -> Option<RevertStep> {
    tags.retain(|tag| !remote.has_tag(tag));
    let before = remote.tags.clone().into();
    (!tags.is_empty()).then(|| revert_step(OpChange::AddTags { tags }, before))
}

/// The tags of a list that another list does not have.
fn tags_not_in(tags: &[String], others: &[String]) -> Vec<String> {
    let others: Vec<String> = others.iter().map(|tag| equality::tag_key(tag)).collect();
    tags.iter().filter(|tag| !others.contains(&equality::tag_key(tag))).cloned().collect()
}

fn string_list(value: &Value) -> Vec<String> {
    let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

fn revert_business(written: Option<&str>, before: &Value, remote: &RemoteContact) -> RevertPlan {
    let (current, was) = (remote.business.as_deref(), before.as_str());
    if current == was {
        RevertPlan::Nothing("the business is already as before")
    } else if current == written {
        let change = OpChange::SetBusiness { business: was.map(str::to_owned) };
        single_step_plan(change, current.into())
    } else {
        RevertPlan::Conflict(vec!["business".to_owned()])
    }
}
