//! Decodes the API's forms of a contact in one pass.
//!
//! Every key is optional and every value may have the wrong type: unusable values are ignored, so
//! that one odd field never hides a contact. Texts are borrowed from the input until a contact
//! stores them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::equality;
use super::{ChannelState, RemoteContact};
use crate::model::target::{Channel, Field};

/// The keys of a contact that matter here, in all its forms.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawRemoteContact<'a> {
    #[serde(borrow)]
    id: JsonScalar<'a>,
    #[serde(borrow, rename = "_id")]
    other_id: JsonScalar<'a>,
    #[serde(borrow)]
    first_name: JsonScalar<'a>,
    // The old list has the names in lower case, and the original ones under these keys (api.md
    // §3.6).
    #[serde(borrow)]
    first_name_raw: JsonScalar<'a>,
    #[serde(borrow)]
    last_name: JsonScalar<'a>,
    #[serde(borrow)]
    last_name_raw: JsonScalar<'a>,
    #[serde(borrow)]
    name: JsonScalar<'a>,
    #[serde(borrow)]
    contact_name: JsonScalar<'a>,
    #[serde(borrow)]
    full_name_lower_case: JsonScalar<'a>,
    #[serde(borrow)]
    email: JsonScalar<'a>,
    #[serde(borrow)]
    phone: JsonScalar<'a>,
    #[serde(borrow)]
    company_name: JsonScalar<'a>,
    #[serde(borrow)]
    address: JsonScalar<'a>,
    #[serde(borrow)]
    address1: JsonScalar<'a>,
    #[serde(borrow)]
    city: JsonScalar<'a>,
    #[serde(borrow)]
    state: JsonScalar<'a>,
    #[serde(borrow)]
    postal_code: JsonScalar<'a>,
    #[serde(borrow)]
    country: JsonScalar<'a>,
    #[serde(borrow)]
    website: JsonScalar<'a>,
    #[serde(borrow)]
    timezone: JsonScalar<'a>,
    #[serde(borrow)]
    date_of_birth: JsonScalar<'a>,
    #[serde(borrow)]
    source: JsonScalar<'a>,
    #[serde(borrow)]
    gender: JsonScalar<'a>,
    #[serde(borrow)]
    dnd: JsonScalar<'a>,
    #[serde(borrow)]
    assigned_to: JsonScalar<'a>,
    #[serde(borrow)]
    business_id: JsonScalar<'a>,
    #[serde(borrow)]
    location_id: JsonScalar<'a>,
    #[serde(borrow)]
    date_added: JsonScalar<'a>,
    #[serde(borrow)]
    date_updated: JsonScalar<'a>,
    tags: Value,
    additional_emails: Value,
    additional_phones: Value,
    custom_fields: Value,
    /// The name in the API's first version.
    custom_field: Value,
    dnd_settings: Value,
}

impl RawRemoteContact<'_> {
    pub(super) fn into_remote_contact(self) -> Option<RemoteContact> {
        let id = self.id.or_fallback(self.other_id).into_text()?.parse().ok()?;
        let name = self.name.or_fallback(self.contact_name).or_fallback(self.full_name_lower_case);
        let custom_values =
            if self.custom_fields.is_null() { self.custom_field } else { self.custom_fields };
        let natives = [
            (Field::FirstName, self.first_name_raw.or_fallback(self.first_name)),
            (Field::LastName, self.last_name_raw.or_fallback(self.last_name)),
            (Field::Name, name),
            (Field::Email, self.email),
            (Field::Phone, self.phone),
            (Field::CompanyName, self.company_name),
            (Field::Address1, self.address1.or_fallback(self.address)),
            (Field::City, self.city),
            (Field::State, self.state),
            (Field::PostalCode, self.postal_code),
            (Field::Country, self.country),
            (Field::Website, self.website),
            (Field::Timezone, self.timezone),
            (Field::DateOfBirth, JsonScalar::from_owned_text(self.date_of_birth.into_date_text())),
            (Field::Source, self.source),
            (Field::Gender, self.gender),
        ];
        let fields =
            natives.into_iter().filter_map(|(field, value)| Some((field, value.into_text()?)));
        Some(RemoteContact {
            id,
            fields: fields.collect(),
            custom: parse_custom_values(custom_values),
            tags: parse_text_list(self.tags),
            dnd: self.dnd.is_true(),
            channels: parse_channel_states(self.dnd_settings),
            owner: self.assigned_to.into_text(),
            business: self.business_id.into_text(),
            additional_emails: parse_text_list(self.additional_emails),
            additional_phones: parse_text_list(self.additional_phones),
            location: self.location_id.into_text(),
            added_ms: self.date_added.epoch_millis(),
            updated_ms: self.date_updated.epoch_millis(),
        })
    }
}

/// A value that should be a text, a number or a boolean; anything else counts as null.
#[derive(Debug, Default)]
enum JsonScalar<'a> {
    #[default]
    None,
    Text(Cow<'a, str>),
    Integer(i64),
    Float(f64),
    Bool(bool),
}

impl JsonScalar<'_> {
    fn from_owned_text(text: Option<String>) -> Self {
        text.map_or(Self::None, |text| Self::Text(Cow::Owned(text)))
    }

    fn is_missing(&self) -> bool {
        matches!(self, Self::None) || matches!(self, Self::Text(text) if text.is_empty())
    }

    fn or_fallback(self, other: Self) -> Self {
        if self.is_missing() { other } else { self }
    }

    fn into_text(self) -> Option<String> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text.into_owned()),
            Self::Integer(number) => Some(number.to_string()),
            Self::Float(number) => Some(number.to_string()),
            Self::None | Self::Text(_) | Self::Bool(_) => None,
        }
    }

    fn is_true(&self) -> bool {
        match self {
            Self::Bool(value) => *value,
            Self::Text(text) => text.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    /// Milliseconds since 1970.
    fn epoch_millis(&self) -> Option<i64> {
        match self {
            Self::Text(text) => equality::parse_epoch_millis(text),
            Self::Integer(milliseconds) => Some(*milliseconds),
            _ => None,
        }
    }

    /// The day of an epoch number (in UTC) or of a text (as written) (api.md §2, §5.16).
    fn into_date_text(self) -> Option<String> {
        match self {
            Self::Integer(milliseconds) => {
                equality::utc_date(milliseconds).map(|day| day.to_string())
            }
            Self::Text(text) => match equality::leading_date(&text).map(str::to_owned) {
                Some(day) => Some(day),
                None => Some(text.into_owned()).filter(|text| !text.is_empty()),
            },
            _ => None,
        }
    }
}

struct JsonScalarVisitor;

impl<'de> Visitor<'de> for JsonScalarVisitor {
    type Value = JsonScalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(JsonScalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(JsonScalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(JsonScalar::Integer(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or(JsonScalar::None, JsonScalar::Integer))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(JsonScalar::Float(number))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(JsonScalar::Bool(value))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(JsonScalar::None)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(JsonScalar::None)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Self::Value, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(JsonScalar::None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(JsonScalar::None)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for JsonScalar<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(JsonScalarVisitor)
    }
}

/// A list of texts, or of objects with one: `["a@x"]`, `[{"email":"a@x"}]` (api.md §2).
fn parse_text_list(list: Value) -> Vec<String> {
    let Value::Array(list) = list else { return Vec::new() };
    let text = |entry: Value| match entry {
        Value::String(text) => Some(text),
        Value::Object(mut entry) => ["email", "phone", "number", "value"]
            .iter()
            .find_map(|key| entry.remove(*key)?.as_str().map(str::to_owned)),
        _ => None,
    };
    list.into_iter().filter_map(text).filter(|text| !text.is_empty()).collect()
}

/// Custom values by field id: `{id, value}` in responses, `field_value` or `fieldValue` elsewhere; or one object with a
/// member for each field.
fn parse_custom_values(values: Value) -> BTreeMap<String, Value> {
    let list = match values {
        Value::Array(list) => list,
        Value::Object(map) => {
            let values = map.into_iter().filter(|(_, value)| !equality::is_null_or_empty(value));
            return values.collect();
        }
        _ => return BTreeMap::new(),
    };
    let one = |entry: Value| {
        let Value::Object(mut entry) = entry else { return None };
        let Some(Value::String(id)) = entry.remove("id") else { return None };
        let value = ["value", "fieldValue", "field_value"].iter().find_map(|key| {
            entry.remove(*key).filter(|value| !equality::is_null_or_empty(value))
        })?;
        Some((id, value))
    };
    list.into_iter().filter_map(one).collect()
}

/// The channels of `dndSettings`, whose letter case differs by version (api.md §1).
fn parse_channel_states(settings: Value) -> BTreeMap<Channel, ChannelState> {
    let Value::Object(settings) = settings else { return BTreeMap::new() };
    let one = |(name, state): (String, Value)| {
        let channel = Channel::ALL.iter().find(|one| one.name().eq_ignore_ascii_case(&name))?;
        let text = |key: &str| match state.get(key)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let (message, code) = (text("message"), text("code"));
        Some((*channel, ChannelState { status: text("status")?, message, code }))
    };
    settings.into_iter().filter_map(one).collect()
}
