//! Taking back a contact that was created.

use serde_json::Value;

use super::{Grown, Reversal, Standing, Wish, one};
use crate::model::op::{Change, Op};
use crate::model::remote::{ChannelState, Live, equality};
use crate::model::target::Field;
use crate::model::verify::{Kind, Property, properties};

/// How to take back a created contact.
pub(super) fn reverse(op: &Op, live: &Live, standing: &Standing<'_>, wish: &Wish<'_>) -> Reversal {
    let older = |since: i64| live.added_ms.is_some_and(|added| added < since);
    if wish.since_ms.is_some_and(older) {
        return Reversal::Nothing("the contact is older than the import");
    }
    if !wish.delete_created {
        return tagged(live, wish.tag);
    }
    let mut grown = grown_children(standing.grown);
    grown.extend(grown_fields(op, live, standing.others, wish.tag));
    if grown.is_empty() {
        // What is deleted is kept on paper at least.
        one(Change::Delete, serde_json::to_value(live).unwrap_or_default())
    } else {
        Reversal::Conflict(grown)
    }
}

fn tagged(live: &Live, tag: &str) -> Reversal {
    if live.has_tag(tag) {
        return Reversal::Nothing("the contact has the tag already");
    }
    one(Change::AddTags { tags: vec![tag.to_owned()] }, live.tags.clone().into())
}

fn grown_children(grown: Grown) -> Vec<String> {
    let counts = [
        ("notes", grown.notes),
        ("tasks", grown.tasks),
        ("appointments", grown.appointments),
        ("opportunities", grown.opportunities),
    ];
    let some = counts.into_iter().filter(|(_, count)| *count > 0);
    some.map(|(name, _)| name.to_owned()).collect()
}

/// What the contact holds that the import did not write. A value that is missing is no growth: the server
/// may not have taken it.
fn grown_fields(op: &Op, live: &Live, others: &[Change], tag: &str) -> Vec<String> {
    let ours = written(op, others);
    let mut grown = Vec::new();
    for property in there(live) {
        let own = ours.iter().rfind(|one| one.kind == property.kind);
        if !own.is_some_and(|own| own.holds(live)) && !is_given(&property, &ours) {
            grown.push(property.field());
        }
    }
    let mut known: Vec<String> = vec![equality::tag_key(tag)];
    known
        .extend(ours.iter().filter(|one| one.kind == Kind::TagsThere).flat_map(Property::tag_keys));
    if live.tags.iter().any(|tag| !known.contains(&equality::tag_key(tag))) {
        grown.push("tags".to_owned());
    }
    let has = |field: Field, value: &String| {
        live.field(field).is_some_and(|primary| equality::field(field, primary, value))
    };
    if !live.additional_emails.iter().all(|email| has(Field::Email, email)) {
        grown.push("additionalEmails".to_owned());
    }
    if !live.additional_phones.iter().all(|phone| has(Field::Phone, phone)) {
        grown.push("additionalPhones".to_owned());
    }
    grown
}

/// All that the import wrote to the contact.
fn written(op: &Op, others: &[Change]) -> Vec<Property> {
    let mut all = Vec::new();
    for change in std::iter::once(&op.change).chain(others) {
        match change {
            Change::Create { body } | Change::Upsert { body } | Change::Update { body } => {
                all.extend(properties(body, true));
            }
            Change::AddTags { tags } => {
                all.push(Property { kind: Kind::TagsThere, value: tags.clone().into() });
            }
            Change::SetBusiness { business } => {
                all.push(Property { kind: Kind::Business, value: business.clone().into() });
            }
            _ => {}
        }
    }
    all
}

/// All that the contact holds, tags aside.
pub(super) fn there(live: &Live) -> Vec<Property> {
    let property = |kind: Kind| {
        let value = Property { kind: kind.clone(), value: Value::Null }.current(live);
        Property { kind, value }
    };
    let mut kinds: Vec<Kind> = live.fields.keys().copied().map(Kind::Field).collect();
    kinds.extend(live.custom.keys().cloned().map(Kind::Custom));
    let blocked = |(_, state): &(_, &ChannelState)| state.is_blocked();
    let channels = live.channels.iter().filter(blocked);
    kinds.extend(channels.map(|(channel, _)| Kind::Channel(*channel)));
    kinds.extend(live.dnd.then_some(Kind::Dnd));
    kinds.extend(live.owner.is_some().then_some(Kind::Owner));
    kinds.extend(live.business.is_some().then_some(Kind::Business));
    kinds.into_iter().map(property).collect()
}

/// Whether the server gives the value to new contacts by itself: names made of one another, and what it
/// takes from the location or the way in.
fn is_given(property: &Property, ours: &[Property]) -> bool {
    let sent = |field: Field| ours.iter().any(|one| one.kind == Kind::Field(field));
    match property.kind {
        Kind::Field(Field::Name | Field::Gender) => true,
        Kind::Field(field @ (Field::Country | Field::Timezone | Field::Source)) => !sent(field),
        Kind::Field(field @ (Field::FirstName | Field::LastName)) => {
            let whole = ours.iter().find(|one| one.kind == Kind::Field(Field::Name));
            let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
            !sent(field)
                && whole.is_some_and(|whole| text(&whole.value).contains(&text(&property.value)))
        }
        _ => false,
    }
}
