//! Reverts the creation of a contact.

use serde_json::Value;

use super::{ForeignRecordCounts, RevertContext, RevertOptions, RevertPlan, single_step_plan};
use crate::model::op::{Op, OpChange};
use crate::model::remote::{ChannelState, RemoteContact, equality};
use crate::model::target::Field;
use crate::model::verify::{ContactProperty, PropertyKind, body_properties};

/// How to revert the creation of a contact.
pub(super) fn plan_created_contact_revert(
    op: &Op,
    remote: &RemoteContact,
    standing: &RevertContext<'_>,
    wish: &RevertOptions<'_>,
) -> RevertPlan {
    let older = |since: i64| remote.added_ms.is_some_and(|added| added < since);
    if wish.since_ms.is_some_and(older) {
        return RevertPlan::Nothing("the contact is older than the import");
    }
    if !wish.delete_created {
        return plan_tagging(remote, wish.tag);
    }
    let mut grown = foreign_record_kinds(standing.grown);
    grown.extend(foreign_fields(op, remote, standing.others, wish.tag));
    if grown.is_empty() {
        // The deleted contact is at least recorded in the plan.
        single_step_plan(OpChange::Delete, serde_json::to_value(remote).unwrap_or_default())
    } else {
        RevertPlan::Conflict(grown)
    }
}

fn plan_tagging(remote: &RemoteContact, tag: &str) -> RevertPlan {
    if remote.has_tag(tag) {
        return RevertPlan::Nothing("the contact already has the tag");
    }
    single_step_plan(OpChange::AddTags { tags: vec![tag.to_owned()] }, remote.tags.clone().into())
}

fn foreign_record_kinds(grown: ForeignRecordCounts) -> Vec<String> {
    let counts = [
        ("notes", grown.notes),
        ("tasks", grown.tasks),
        ("appointments", grown.appointments),
        ("opportunities", grown.opportunities),
    ];
    let some = counts.into_iter().filter(|(_, count)| *count > 0);
    some.map(|(name, _)| name.to_owned()).collect()
}

/// The fields of the contact that the import did not write. A missing value does not count: the
/// server may not have accepted it.
fn foreign_fields(op: &Op, remote: &RemoteContact, others: &[OpChange], tag: &str) -> Vec<String> {
    let written = written_properties(op, others);
    let mut grown = Vec::new();
    for property in contact_properties(remote) {
        let own = written.iter().rfind(|one| one.kind == property.kind);
        if !own.is_some_and(|own| own.matches_contact(remote))
            && !is_set_by_server(&property, &written)
        {
            grown.push(property.field_name());
        }
    }
    let mut known: Vec<String> = vec![equality::tag_key(tag)];
    known.extend(
        written
            .iter()
            .filter(|one| one.kind == PropertyKind::TagsThere)
            .flat_map(ContactProperty::tag_keys),
    );
    if remote.tags.iter().any(|tag| !known.contains(&equality::tag_key(tag))) {
        grown.push("tags".to_owned());
    }
    let has = |field: Field, value: &String| {
        remote
            .native_field(field)
            .is_some_and(|primary| equality::same_field(field, primary, value))
    };
    if !remote.additional_emails.iter().all(|email| has(Field::Email, email)) {
        grown.push("additionalEmails".to_owned());
    }
    if !remote.additional_phones.iter().all(|phone| has(Field::Phone, phone)) {
        grown.push("additionalPhones".to_owned());
    }
    grown
}

/// All properties that the import wrote to the contact.
fn written_properties(op: &Op, others: &[OpChange]) -> Vec<ContactProperty> {
    let mut all = Vec::new();
    for change in std::iter::once(&op.change).chain(others) {
        match change {
            OpChange::Create { body } | OpChange::Upsert { body } | OpChange::Update { body } => {
                all.extend(body_properties(body, true));
            }
            OpChange::AddTags { tags } => {
                all.push(ContactProperty {
                    kind: PropertyKind::TagsThere,
                    value: tags.clone().into(),
                });
            }
            OpChange::SetBusiness { business } => {
                all.push(ContactProperty {
                    kind: PropertyKind::Business,
                    value: business.clone().into(),
                });
            }
            _ => {}
        }
    }
    all
}

/// All properties of the contact except tags.
pub(super) fn contact_properties(remote: &RemoteContact) -> Vec<ContactProperty> {
    let property = |kind: PropertyKind| {
        let value =
            ContactProperty { kind: kind.clone(), value: Value::Null }.current_value(remote);
        ContactProperty { kind, value }
    };
    let mut kinds: Vec<PropertyKind> =
        remote.fields.keys().copied().map(PropertyKind::Field).collect();
    kinds.extend(remote.custom.keys().cloned().map(PropertyKind::Custom));
    let blocked = |(_, state): &(_, &ChannelState)| state.is_blocked();
    let channels = remote.channels.iter().filter(blocked);
    kinds.extend(channels.map(|(channel, _)| PropertyKind::Channel(*channel)));
    kinds.extend(remote.dnd.then_some(PropertyKind::Dnd));
    kinds.extend(remote.owner.is_some().then_some(PropertyKind::Owner));
    kinds.extend(remote.business.is_some().then_some(PropertyKind::Business));
    kinds.into_iter().map(property).collect()
}

/// Whether the server sets the value for new contacts by itself: names derived from each other, and
/// values from the location or the way in which the contact was added.
fn is_set_by_server(property: &ContactProperty, written: &[ContactProperty]) -> bool {
    let sent = |field: Field| written.iter().any(|one| one.kind == PropertyKind::Field(field));
    match property.kind {
        PropertyKind::Field(Field::Name | Field::Gender) => true,
        PropertyKind::Field(field @ (Field::Country | Field::Timezone | Field::Source)) => {
            !sent(field)
        }
        PropertyKind::Field(field @ (Field::FirstName | Field::LastName)) => {
            let full_name = written.iter().find(|one| one.kind == PropertyKind::Field(Field::Name));
            let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
            !sent(field)
                && full_name.is_some_and(|full_name| {
                    text(&full_name.value).contains(&text(&property.value))
                })
        }
        _ => false,
    }
}
