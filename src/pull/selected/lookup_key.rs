//! Lookup keys: values that identify a contact.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::id::ContactId;

/// The longest value that a search filter takes, in characters (api.md §2.3).
const MAX_FILTER_VALUE: usize = 75;

/// Identifies a contact by its id, its primary e-mail address or its primary phone number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ContactKey {
    /// The contact's id.
    Id(ContactId),
    /// An e-mail address, in lower case.
    Email(Box<str>),
    /// A phone number: `+` and digits.
    Phone(Box<str>),
}

impl ContactKey {
    /// An e-mail address in any letter case.
    #[must_use]
    pub fn from_email(text: &str) -> Self {
        Self::Email(text.trim().to_lowercase().into())
    }

    /// A phone number with or without punctuation; it must include the country code.
    #[must_use]
    pub fn from_phone(text: &str) -> Self {
        Self::Phone(text.chars().filter(|c| *c == '+' || c.is_ascii_digit()).collect())
    }

    /// The key as users write it, such as `ann@example.com`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Id(id) => id.as_str(),
            Self::Email(text) | Self::Phone(text) => text,
        }
    }

    /// The name of the search field (api.md §2.7).
    pub(super) fn search_field(&self) -> &'static str {
        match self {
            Self::Id(_) => "id",
            Self::Email(_) => "email",
            Self::Phone(_) => "phone",
        }
    }

    /// The search filter for this key; `None` when the value is longer than the search accepts.
    pub(super) fn search_filter(&self) -> Option<Value> {
        let fits = self.as_str().chars().nth(MAX_FILTER_VALUE).is_none();
        fits.then(
            || json!({"field": self.search_field(), "operator": "eq", "value": self.as_str()}),
        )
    }
}

impl fmt::Display for ContactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The fields of a contact that a key can match.
#[derive(Deserialize)]
struct ContactKeyFields<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(default)]
    email: Value,
    #[serde(default)]
    phone: Value,
}

/// A row's contact id and the keys that identify it; `None` if the row is not a contact.
pub(super) fn parse_contact_keys(row: &RawValue) -> Option<(ContactId, Vec<ContactKey>)> {
    let row: ContactKeyFields<'_> = serde_json::from_str(row.get()).ok()?;
    let id: ContactId = row.id.parse().ok()?;
    let mut keys = vec![ContactKey::Id(id.clone())];
    keys.extend(row.email.as_str().map(ContactKey::from_email));
    keys.extend(row.phone.as_str().map(ContactKey::from_phone));
    Some((id, keys))
}

/// The id of a contact's row.
pub(in crate::pull) fn parse_row_id(row: &RawValue) -> Option<String> {
    parse_contact_keys(row).map(|(id, _)| id.to_string())
}

/// The selected contacts, and which of them have been found.
#[derive(Debug, Default)]
pub(super) struct SelectedContacts {
    /// Whether each key has found its contact.
    pub(super) keys: BTreeMap<ContactKey, bool>,
    /// The contacts found.
    pub(super) contacts: HashSet<ContactId>,
}

impl SelectedContacts {
    /// Matches a row against the keys. Returns its contact if it is selected and new.
    pub(super) fn match_row(&mut self, row: &RawValue) -> Option<ContactId> {
        let (id, keys) = parse_contact_keys(row)?;
        let mut selected = false;
        for key in &keys {
            if let Some(found) = self.keys.get_mut(key) {
                (*found, selected) = (true, true);
            }
        }
        (selected && self.contacts.insert(id.clone())).then_some(id)
    }

    /// Accepts the row that the server returned for a key, which it may know by other than primary
    /// values. Returns its contact if it is new.
    pub(super) fn match_row_for_key(
        &mut self,
        key: &ContactKey,
        row: &RawValue,
    ) -> Option<ContactId> {
        let (id, _) = parse_contact_keys(row)?;
        if let Some(found) = self.keys.get_mut(key) {
            *found = true;
        }
        self.match_row(row).or_else(|| self.contacts.insert(id.clone()).then_some(id))
    }

    /// The keys for which no contact was found.
    pub(super) fn missing_keys(&self) -> impl Iterator<Item = &ContactKey> {
        self.keys.iter().filter(|(_, found)| !**found).map(|(key, _)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn a_contact_is_named_by_its_id_its_address_in_any_case_and_its_number_however_written() {
        let keys = [
            ContactKey::Id("c1".parse().unwrap()),
            ContactKey::from_email(" Ann@Example.com"),
            ContactKey::from_phone("+1 (202) 555-0143"),
        ];
        for key in keys {
            let mut selected = SelectedContacts::default();
            selected.keys.insert(key, false);
            let ann = row(r#"{"id":"c1","email":"ANN@example.com","phone":"+12025550143"}"#);
            assert_eq!(selected.match_row(&row(r#"{"id":"c2","email":null,"phone":3}"#)), None);
            assert!(selected.match_row(&ann).is_some() && selected.missing_keys().next().is_none());
            assert_eq!(selected.match_row(&ann), None, "the same contact twice");
        }
    }

    #[test]
    fn a_value_longer_than_the_search_takes_makes_no_filter() {
        assert!(ContactKey::from_email(&"x".repeat(75)).search_filter().is_some());
        assert!(ContactKey::from_email(&"x".repeat(76)).search_filter().is_none());
    }
}
