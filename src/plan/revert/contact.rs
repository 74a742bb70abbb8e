//! Taking back what was written to a contact that existed.

use serde_json::{Map, Value, json};

use super::{Reversal, Step, one, step, summed};
use crate::model::op::{Change, Op};
use crate::model::remote::{Live, equality};
use crate::model::target::Field;
use crate::model::verify::{Kind, Property, channel_value, properties};

/// How to take back an update, or a change of tags or business.
pub(super) fn reverse(op: &Op, live: &Live) -> Reversal {
    match &op.change {
        Change::Update { body } => update(body, &op.before, live),
        Change::AddTags { tags } => {
            let step = removal(without(tags, &texts(&op.before)), live);
            summed(Vec::from_iter(step), Vec::new(), "the tags were there before, or are gone")
        }
        Change::RemoveTags { tags } => {
            let before = texts(&op.before);
            let removed = without(&before, &without(&before, tags));
            let step = addition(removed, live);
            summed(Vec::from_iter(step), Vec::new(), "the tags were not there before, or are back")
        }
        Change::SetBusiness { business } => set_business(business.as_deref(), &op.before, live),
        _ => Reversal::Nothing("it did not change the contact"),
    }
}

fn update(body: &Map<String, Value>, before: &Value, live: &Live) -> Reversal {
    let (mut restored, mut conflicts, mut steps) = (Vec::new(), Vec::new(), Vec::new());
    for written in properties(body, false) {
        let was = written.was(before);
        if written.kind == Kind::Tags {
            steps.extend(list_steps(&written, &was, live));
        } else if was.holds(live) {
            // It is as before: the server did not take it, or somebody took it back.
        } else if written.holds(live) {
            restored.push((written, was));
        } else {
            conflicts.push(written.field());
        }
    }
    if !restored.is_empty() {
        steps.insert(0, restoration(&restored, live));
    }
    summed(steps, conflicts, "all of it is as before already")
}

/// The update that puts old values back.
fn restoration(restored: &[(Property, Property)], live: &Live) -> Step {
    let (mut body, mut before) = (Map::new(), Map::new());
    for (written, was) in restored {
        if written.kind == Kind::Field(Field::Name) {
            // The server took the whole name apart; there were no parts before.
            for part in [Field::FirstName, Field::LastName] {
                body.insert(part.name().to_owned(), Value::Null);
                before.insert(part.name().to_owned(), live.field(part).into());
            }
            continue;
        }
        put(&mut body, was, live);
        put(&mut before, written, live);
    }
    step(Change::Update { body }, before.into())
}

/// Writes one property into a body.
fn put(body: &mut Map<String, Value>, property: &Property, live: &Live) {
    let value = property.value.clone();
    match &property.kind {
        Kind::Field(field) => {
            body.insert(field.name().to_owned(), value);
        }
        Kind::Custom(id) => {
            let entry = json!({ "id": id, "field_value": value });
            if let Some(list) = slot(body, "customFields", json!([])).as_array_mut() {
                list.push(entry);
            }
        }
        Kind::Channel(channel) => {
            // All channels go along, so that none is lost should the server replace them.
            let all =
                live.channels.keys().map(|one| (one.name().to_owned(), channel_value(live, *one)));
            let all: Map<String, Value> = all.collect();
            let settings = slot(body, "dndSettings", all.into());
            let open = || json!({ "status": "inactive" });
            settings[channel.name()] = if value.is_null() { open() } else { value };
        }
        Kind::Dnd => {
            body.insert("dnd".to_owned(), value);
        }
        Kind::Owner => {
            body.insert("assignedTo".to_owned(), value);
        }
        // Not part of a restoring update.
        Kind::Business | Kind::Tags | Kind::TagsThere | Kind::TagsGone => {}
    }
}

fn slot<'b>(body: &'b mut Map<String, Value>, key: &str, empty: Value) -> &'b mut Value {
    body.entry(key).or_insert(empty)
}

/// A list of tags that took the place of another: what it added goes, what it removed comes back, and
/// what others did to the tags since stays.
fn list_steps(written: &Property, was: &Property, live: &Live) -> impl Iterator<Item = Step> {
    let (new, old) = (texts(&written.value), texts(&was.value));
    let steps = [removal(without(&new, &old), live), addition(without(&old, &new), live)];
    steps.into_iter().flatten()
}

/// Takes those tags away that are there.
fn removal(mut tags: Vec<String>, live: &Live) -> Option<Step> {
    tags.retain(|tag| live.has_tag(tag));
    let before = live.tags.clone().into();
    (!tags.is_empty()).then(|| step(Change::RemoveTags { tags }, before))
}

/// Adds those tags that are not there.
fn addition(mut tags: Vec<String>, live: &Live) -> Option<Step> {
    tags.retain(|tag| !live.has_tag(tag));
    let before = live.tags.clone().into();
    (!tags.is_empty()).then(|| step(Change::AddTags { tags }, before))
}

/// The tags of a list that another does not have.
fn without(tags: &[String], others: &[String]) -> Vec<String> {
    let others: Vec<String> = others.iter().map(|tag| equality::tag_key(tag)).collect();
    tags.iter().filter(|tag| !others.contains(&equality::tag_key(tag))).cloned().collect()
}

fn texts(value: &Value) -> Vec<String> {
    let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

fn set_business(written: Option<&str>, before: &Value, live: &Live) -> Reversal {
    let (there, was) = (live.business.as_deref(), before.as_str());
    if there == was {
        Reversal::Nothing("the business is as before already")
    } else if there == written {
        let change = Change::SetBusiness { business: was.map(str::to_owned) };
        one(change, there.into())
    } else {
        Reversal::Conflict(vec!["business".to_owned()])
    }
}
