//! A property: one value in a request body, and how to read it from a remote contact.

use serde_json::{Map, Value, json};

use crate::model::remote::{RemoteContact, equality};
use crate::model::target::{Channel, Field};

/// One property of a contact.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ContactProperty {
    pub(crate) kind: PropertyKind,
    /// The value in writable form; null or an empty text for none.
    pub(crate) value: Value,
}

/// The subject of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PropertyKind {
    Field(Field),
    Custom(String),
    Dnd,
    Channel(Channel),
    Owner,
    Business,
    /// The whole list.
    Tags,
    /// At least these tags.
    TagsThere,
    /// None of these tags.
    TagsGone,
}

/// The properties in a contact's body. `open_tags` is for bodies to whose tags others may be added.
/// Keys that are not about the contact (`locationId`) are skipped.
pub(crate) fn body_properties(body: &Map<String, Value>, open_tags: bool) -> Vec<ContactProperty> {
    let mut all = Vec::with_capacity(body.len());
    for (key, value) in body {
        let kind = match key.as_str() {
            "tags" if open_tags => PropertyKind::TagsThere,
            "tags" => PropertyKind::Tags,
            "dnd" => PropertyKind::Dnd,
            "assignedTo" => PropertyKind::Owner,
            "customFields" => {
                all.extend(
                    value.as_array().into_iter().flatten().filter_map(parse_custom_property),
                );
                continue;
            }
            "dndSettings" => {
                all.extend(
                    value.as_object().into_iter().flatten().filter_map(parse_channel_property),
                );
                continue;
            }
            key => match Field::from_name(key) {
                Some(field) => PropertyKind::Field(field),
                None => continue,
            },
        };
        all.push(ContactProperty { kind, value: value.clone() });
    }
    all
}

fn parse_custom_property(entry: &Value) -> Option<ContactProperty> {
    let id = entry.get("id")?.as_str()?.to_owned();
    let value = entry.get("field_value").or_else(|| entry.get("fieldValue"))?;
    Some(ContactProperty { kind: PropertyKind::Custom(id), value: value.clone() })
}

fn parse_channel_property((name, state): (&String, &Value)) -> Option<ContactProperty> {
    let channel = Channel::ALL.iter().find(|one| one.name().eq_ignore_ascii_case(name))?;
    Some(ContactProperty { kind: PropertyKind::Channel(*channel), value: state.clone() })
}

impl ContactProperty {
    /// Its name in plans and warnings.
    pub(crate) fn field_name(&self) -> String {
        match &self.kind {
            PropertyKind::Field(field) => field.name().to_owned(),
            PropertyKind::Custom(id) => format!("customFields.{id}"),
            PropertyKind::Dnd => "dnd".to_owned(),
            PropertyKind::Channel(channel) => format!("dndSettings.{}", channel.name()),
            PropertyKind::Owner => "assignedTo".to_owned(),
            PropertyKind::Business => "business".to_owned(),
            PropertyKind::Tags | PropertyKind::TagsThere | PropertyKind::TagsGone => {
                "tags".to_owned()
            }
        }
    }

    /// Whether the contact has this value.
    pub(crate) fn matches_contact(&self, remote: &RemoteContact) -> bool {
        match &self.kind {
            PropertyKind::Field(field) => self.native_field_matches(*field, remote),
            PropertyKind::Custom(id) => equality::same_custom_value(
                None,
                &self.value,
                remote.custom.get(id).unwrap_or(&Value::Null),
            ),
            PropertyKind::Dnd => self.value.as_bool().unwrap_or_default() == remote.dnd,
            PropertyKind::Channel(channel) => {
                self.channel_status() == remote_channel_status(remote, *channel)
            }
            PropertyKind::Owner => same_id(&self.value, remote.owner.as_deref()),
            PropertyKind::Business => same_id(&self.value, remote.business.as_deref()),
            PropertyKind::Tags => {
                let mut keys = self.tag_keys();
                keys.sort_unstable();
                keys.dedup();
                keys == remote_tag_keys(remote)
            }
            PropertyKind::TagsThere => {
                let there = remote_tag_keys(remote);
                self.tag_keys().iter().all(|key| there.binary_search(key).is_ok())
            }
            PropertyKind::TagsGone => {
                let there = remote_tag_keys(remote);
                self.tag_keys().iter().all(|key| there.binary_search(key).is_err())
            }
        }
    }

    fn native_field_matches(&self, field: Field, remote: &RemoteContact) -> bool {
        let sent = self.value.as_str().unwrap_or_default();
        match field {
            // No response contains it (api.md §2): only a different value is a difference.
            Field::Gender => {
                remote.native_field(field).is_none_or(|got| equality::same_field(field, sent, got))
            }
            // The server split it into first and last name.
            Field::Name => {
                let words = |text: &str| equality::strip_markup(text).to_lowercase();
                words(sent) == words(&remote.full_name())
            }
            _ => match remote.native_field(field) {
                Some(got) => equality::same_field(field, sent, got),
                None => sent.trim().is_empty(),
            },
        }
    }

    /// The current value in the contact, in the form of a body; null for none.
    pub(crate) fn current_value(&self, remote: &RemoteContact) -> Value {
        match &self.kind {
            PropertyKind::Field(Field::Name) => {
                Some(remote.full_name()).filter(|name| !name.is_empty()).into()
            }
            PropertyKind::Field(field) => remote.native_field(*field).into(),
            PropertyKind::Custom(id) => remote.custom.get(id).cloned().unwrap_or_default(),
            PropertyKind::Dnd => remote.dnd.into(),
            PropertyKind::Channel(channel) => remote_channel_value(remote, *channel),
            PropertyKind::Owner => remote.owner.as_deref().into(),
            PropertyKind::Business => remote.business.as_deref().into(),
            PropertyKind::Tags | PropertyKind::TagsThere | PropertyKind::TagsGone => {
                remote.tags.clone().into()
            }
        }
    }

    /// The same property before the change, from the op's `before`.
    pub(crate) fn property_before(&self, before: &Value) -> Self {
        let key = |key: &str| before.get(key).cloned().unwrap_or_default();
        let value = match &self.kind {
            PropertyKind::Field(field) => key(field.name()),
            PropertyKind::Custom(id) => custom_value_before(before, id),
            PropertyKind::Dnd => key("dnd"),
            PropertyKind::Channel(channel) => channel_value_before(before, *channel),
            PropertyKind::Owner => key("assignedTo"),
            PropertyKind::Tags => key("tags"),
            // The before-image of a bulk change is the single value that it changes.
            PropertyKind::Business | PropertyKind::TagsThere | PropertyKind::TagsGone => {
                before.clone()
            }
        };
        Self { kind: self.kind.clone(), value }
    }

    fn channel_status(&self) -> String {
        let status = self.value.get("status").and_then(Value::as_str).unwrap_or("inactive");
        status.to_lowercase()
    }

    pub(crate) fn tag_keys(&self) -> Vec<String> {
        let tags = self.value.as_array().into_iter().flatten().filter_map(Value::as_str);
        tags.map(equality::tag_key).collect()
    }
}

fn custom_value_before(before: &Value, id: &str) -> Value {
    let entries = before.get("customFields").and_then(Value::as_array).into_iter().flatten();
    let mut values = entries
        .filter_map(parse_custom_property)
        .filter(|one| one.kind == PropertyKind::Custom(id.to_owned()));
    values.next().map(|one| one.value).unwrap_or_default()
}

fn channel_value_before(before: &Value, channel: Channel) -> Value {
    before.pointer(&format!("/dndSettings/{}", channel.name())).cloned().unwrap_or_default()
}

/// A channel without a state is not blocked.
fn remote_channel_status(remote: &RemoteContact, channel: Channel) -> String {
    remote
        .channels
        .get(&channel)
        .map_or_else(|| "inactive".to_owned(), |one| one.status.to_lowercase())
}

/// A channel of a contact in the form of a body; null for none.
pub(crate) fn remote_channel_value(remote: &RemoteContact, channel: Channel) -> Value {
    let Some(state) = remote.channels.get(&channel) else { return Value::Null };
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

fn remote_tag_keys(remote: &RemoteContact) -> Vec<String> {
    let mut keys: Vec<String> = remote.tags.iter().map(|tag| equality::tag_key(tag)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
