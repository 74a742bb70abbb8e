//! A property: one thing that a body says about a contact, and how it is read off a live one.

use serde_json::{Map, Value, json};

use crate::model::remote::{Live, equality};
use crate::model::target::{Channel, Field};

/// One thing said about a contact.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Property {
    pub(crate) kind: Kind,
    /// The value in writable form; null or an empty text for none.
    pub(crate) value: Value,
}

/// What it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Field(Field),
    Custom(String),
    Dnd,
    Channel(Channel),
    Owner,
    Business,
    /// The whole list.
    Tags,
    /// At least these.
    TagsThere,
    /// None of these.
    TagsGone,
}

/// What a contact's body says, property by property. `open_tags` is for bodies whose tags may be joined
/// by others. Keys that say nothing about the contact (`locationId`) are passed over.
pub(crate) fn properties(body: &Map<String, Value>, open_tags: bool) -> Vec<Property> {
    let mut all = Vec::with_capacity(body.len());
    for (key, value) in body {
        let kind = match key.as_str() {
            "tags" if open_tags => Kind::TagsThere,
            "tags" => Kind::Tags,
            "dnd" => Kind::Dnd,
            "assignedTo" => Kind::Owner,
            "customFields" => {
                all.extend(value.as_array().into_iter().flatten().filter_map(custom));
                continue;
            }
            "dndSettings" => {
                all.extend(value.as_object().into_iter().flatten().filter_map(channel));
                continue;
            }
            key => match Field::named(key) {
                Some(field) => Kind::Field(field),
                None => continue,
            },
        };
        all.push(Property { kind, value: value.clone() });
    }
    all
}

fn custom(entry: &Value) -> Option<Property> {
    let id = entry.get("id")?.as_str()?.to_owned();
    let value = entry.get("field_value").or_else(|| entry.get("fieldValue"))?;
    Some(Property { kind: Kind::Custom(id), value: value.clone() })
}

fn channel((name, state): (&String, &Value)) -> Option<Property> {
    let channel = Channel::ALL.iter().find(|one| one.name().eq_ignore_ascii_case(name))?;
    Some(Property { kind: Kind::Channel(*channel), value: state.clone() })
}

impl Property {
    /// Its name, as plans and warnings show it.
    pub(crate) fn field(&self) -> String {
        match &self.kind {
            Kind::Field(field) => field.name().to_owned(),
            Kind::Custom(id) => format!("customFields.{id}"),
            Kind::Dnd => "dnd".to_owned(),
            Kind::Channel(channel) => format!("dndSettings.{}", channel.name()),
            Kind::Owner => "assignedTo".to_owned(),
            Kind::Business => "business".to_owned(),
            Kind::Tags | Kind::TagsThere | Kind::TagsGone => "tags".to_owned(),
        }
    }

    /// Whether the contact is so.
    pub(crate) fn holds(&self, live: &Live) -> bool {
        match &self.kind {
            Kind::Field(field) => self.field_holds(*field, live),
            Kind::Custom(id) => {
                equality::custom(None, &self.value, live.custom.get(id).unwrap_or(&Value::Null))
            }
            Kind::Dnd => self.value.as_bool().unwrap_or_default() == live.dnd,
            Kind::Channel(channel) => self.status() == status(live, *channel),
            Kind::Owner => same_id(&self.value, live.owner.as_deref()),
            Kind::Business => same_id(&self.value, live.business.as_deref()),
            Kind::Tags => {
                let mut keys = self.tag_keys();
                keys.sort_unstable();
                keys.dedup();
                keys == live_tag_keys(live)
            }
            Kind::TagsThere => {
                let there = live_tag_keys(live);
                self.tag_keys().iter().all(|key| there.binary_search(key).is_ok())
            }
            Kind::TagsGone => {
                let there = live_tag_keys(live);
                self.tag_keys().iter().all(|key| there.binary_search(key).is_err())
            }
        }
    }

    fn field_holds(&self, field: Field, live: &Live) -> bool {
        let sent = self.value.as_str().unwrap_or_default();
        match field {
            // No answer says it (api.md §2): only another value is a difference.
            Field::Gender => live.field(field).is_none_or(|got| equality::field(field, sent, got)),
            // It was taken apart into first and last name.
            Field::Name => {
                let words = |text: &str| equality::plain_words(text).to_lowercase();
                words(sent) == words(&live.whole_name())
            }
            _ => match live.field(field) {
                Some(got) => equality::field(field, sent, got),
                None => sent.trim().is_empty(),
            },
        }
    }

    /// The value in the contact, in the form of a body; null for nothing.
    pub(crate) fn current(&self, live: &Live) -> Value {
        match &self.kind {
            Kind::Field(Field::Name) => {
                Some(live.whole_name()).filter(|name| !name.is_empty()).into()
            }
            Kind::Field(field) => live.field(*field).into(),
            Kind::Custom(id) => live.custom.get(id).cloned().unwrap_or_default(),
            Kind::Dnd => live.dnd.into(),
            Kind::Channel(channel) => channel_value(live, *channel),
            Kind::Owner => live.owner.as_deref().into(),
            Kind::Business => live.business.as_deref().into(),
            Kind::Tags | Kind::TagsThere | Kind::TagsGone => live.tags.clone().into(),
        }
    }

    /// The same property as it was before, by the op's `before`.
    pub(crate) fn was(&self, before: &Value) -> Self {
        let key = |key: &str| before.get(key).cloned().unwrap_or_default();
        let value = match &self.kind {
            Kind::Field(field) => key(field.name()),
            Kind::Custom(id) => custom_before(before, id),
            Kind::Dnd => key("dnd"),
            Kind::Channel(channel) => channel_before(before, *channel),
            Kind::Owner => key("assignedTo"),
            Kind::Tags => key("tags"),
            // The before-image of a bulk change is the one value that it changes.
            Kind::Business | Kind::TagsThere | Kind::TagsGone => before.clone(),
        };
        Self { kind: self.kind.clone(), value }
    }

    fn status(&self) -> String {
        let status = self.value.get("status").and_then(Value::as_str).unwrap_or("inactive");
        status.to_lowercase()
    }

    pub(crate) fn tag_keys(&self) -> Vec<String> {
        let tags = self.value.as_array().into_iter().flatten().filter_map(Value::as_str);
        tags.map(equality::tag_key).collect()
    }
}

fn custom_before(before: &Value, id: &str) -> Value {
    let entries = before.get("customFields").and_then(Value::as_array).into_iter().flatten();
    let mut values =
        entries.filter_map(custom).filter(|one| one.kind == Kind::Custom(id.to_owned()));
    values.next().map(|one| one.value).unwrap_or_default()
}

fn channel_before(before: &Value, channel: Channel) -> Value {
    before.pointer(&format!("/dndSettings/{}", channel.name())).cloned().unwrap_or_default()
}

/// No state of a channel is one that is not blocked.
fn status(live: &Live, channel: Channel) -> String {
    live.channels
        .get(&channel)
        .map_or_else(|| "inactive".to_owned(), |one| one.status.to_lowercase())
}

/// A channel of a contact in the form of a body; null for nothing.
pub(crate) fn channel_value(live: &Live, channel: Channel) -> Value {
    let Some(state) = live.channels.get(&channel) else { return Value::Null };
    let mut value = json!({ "status": state.status });
    for (key, text) in [("message", &state.message), ("code", &state.code)] {
        if let Some(text) = text {
            value[key] = text.as_str().into();
        }
    }
    value
}

fn same_id(value: &Value, id: Option<&str>) -> bool {
    value.as_str().filter(|text| !text.is_empty()) == id
}

fn live_tag_keys(live: &Live) -> Vec<String> {
    let mut keys: Vec<String> = live.tags.iter().map(|tag| equality::tag_key(tag)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
