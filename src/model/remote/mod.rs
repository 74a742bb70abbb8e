//! A remote contact: a contact as it is in the account, whatever form it was read in.
//!
//! The server sends the same contact in three forms: the row of a search, the record of a read or
//! write, and the row of the old list (api.md §2, §3). A [`RemoteContact`] unifies them: absent,
//! null and empty are the same, a date of birth is a day, `address` is `address1`. It has only what
//! an import can change or must compare; what that means for a plan is decided elsewhere.

pub mod contact_label;
mod decode_remote;
mod digest;
pub mod equality;

pub(crate) use digest::short_hash;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::target::{Channel, Field};
use crate::id::ContactId;

/// A contact in the account. Stored as JSON in the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RemoteContact {
    /// The contact.
    pub id: ContactId,
    /// Native fields that have a value; a date of birth as `YYYY-MM-DD`. The name is in lower case
    /// if it comes from a search.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<Field, String>,
    /// Custom fields that have a value, by id, in the server's form.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub custom: BTreeMap<String, Value>,
    /// Tags, in the server's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Do not disturb, on all channels.
    #[serde(default)]
    pub dnd: bool,
    /// Do not disturb by channel.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub channels: BTreeMap<Channel, ChannelState>,
    /// The id of the user it is assigned to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The id of its business.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business: Option<String>,
    /// E-mail addresses in addition to the primary one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_emails: Vec<String>,
    /// Phone numbers in addition to the primary one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub additional_phones: Vec<String>,
    /// The location that it belongs to, if the response says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// When it was created, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added_ms: Option<i64>,
    /// When it was last changed, in milliseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_ms: Option<i64>,
}

/// Do not disturb on one channel, in the server's terms (api.md §5.18).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelState {
    /// `active` and `permanent` mean blocked; `inactive` means that messages may be sent.
    pub status: String,
    /// The reason, such as `STOP_KEYWORD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The reason's code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl ChannelState {
    /// Whether the channel is blocked permanently: an opt-out that an import must never lift.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.status.eq_ignore_ascii_case("permanent")
    }

    /// Whether the channel is blocked.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.is_permanent() || self.status.eq_ignore_ascii_case("active")
    }
}

impl RemoteContact {
    /// Reads one contact: a row of a search or list, or the `contact` of a response. `None` if it
    /// is not a JSON object or has no usable id.
    #[must_use]
    pub fn from_json_slice(row: &[u8]) -> Option<Self> {
        serde_json::from_slice::<decode_remote::RawRemoteContact<'_>>(row)
            .ok()?
            .into_remote_contact()
    }

    /// The same from parsed JSON.
    #[must_use]
    pub fn from_json_value(row: &Value) -> Option<Self> {
        decode_remote::RawRemoteContact::deserialize(row).ok()?.into_remote_contact()
    }

    /// A native field's value.
    #[must_use]
    pub fn native_field(&self, field: Field) -> Option<&str> {
        self.fields.get(&field).map(String::as_str)
    }

    /// Whether it has a first or a last name.
    #[must_use]
    pub fn has_name_parts(&self) -> bool {
        self.fields.contains_key(&Field::FirstName) || self.fields.contains_key(&Field::LastName)
    }

    /// First and last name as one text; the display name if both are missing.
    #[must_use]
    pub fn full_name(&self) -> String {
        let parts =
            [Field::FirstName, Field::LastName].into_iter().filter_map(|f| self.native_field(f));
        let parts: Vec<&str> = parts.collect();
        if parts.is_empty() {
            return self.native_field(Field::Name).unwrap_or_default().to_owned();
        }
        parts.join(" ")
    }

    /// Whether it has the tag, ignoring case: the server stores tags in lower case.
    #[must_use]
    pub fn has_tag(&self, tag: &str) -> bool {
        self.tags.iter().any(|one| equality::same_tag(one, tag))
    }
}
