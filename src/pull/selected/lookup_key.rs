//! A key: one thing by which somebody names a contact.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::id::ContactId;

/// The longest value that a search filter takes, in characters (api.md §2.3).
const LONGEST: usize = 75;

/// By what a contact is named: its id, its primary e-mail address or its primary phone number.
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
    /// An e-mail address in whatever case.
    #[must_use]
    pub fn from_email(text: &str) -> Self {
        Self::Email(text.trim().to_lowercase().into())
    }

    /// A phone number with or without punctuation; its country must be in it.
    #[must_use]
    pub fn from_phone(text: &str) -> Self {
        Self::Phone(text.chars().filter(|c| *c == '+' || c.is_ascii_digit()).collect())
    }

    /// What people call it, such as `ann@example.com`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Id(id) => id.as_str(),
            Self::Email(text) | Self::Phone(text) => text,
        }
    }

    /// The search's name of what it is (api.md §2.7).
    pub(super) fn search_field(&self) -> &'static str {
        match self {
            Self::Id(_) => "id",
            Self::Email(_) => "email",
            Self::Phone(_) => "phone",
        }
    }

    /// The filter that it passes; nothing when the search takes no value so long.
    pub(super) fn search_filter(&self) -> Option<Value> {
        let short = self.as_str().chars().nth(LONGEST).is_none();
        short.then(
            || json!({"field": self.search_field(), "operator": "eq", "value": self.as_str()}),
        )
    }
}

impl fmt::Display for ContactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The part of a contact's row by which it is named.
#[derive(Deserialize)]
struct ContactKeyFields<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(default)]
    email: Value,
    #[serde(default)]
    phone: Value,
}

/// The contact of a row, and the keys that name it; nothing where a row is no contact.
pub(super) fn parse_contact_keys(row: &RawValue) -> Option<(ContactId, Vec<ContactKey>)> {
    let row: ContactKeyFields<'_> = serde_json::from_str(row.get()).ok()?;
    let id: ContactId = row.id.parse().ok()?;
    let mut keys = vec![ContactKey::Id(id.clone())];
    keys.extend(row.email.as_str().map(ContactKey::from_email));
    keys.extend(row.phone.as_str().map(ContactKey::from_phone));
    Some((id, keys))
}

/// What is wanted, and how much of it there is already.
#[derive(Debug, Default)]
pub(super) struct SelectedContacts {
    /// Whether each key has found its contact.
    pub(super) keys: BTreeMap<ContactKey, bool>,
    /// The contacts found.
    pub(super) contacts: HashSet<ContactId>,
}

impl SelectedContacts {
    /// Notes a row that may be wanted. Its contact, when it is and was not there yet.
    pub(super) fn match_row(&mut self, row: &RawValue) -> Option<ContactId> {
        let (id, names) = parse_contact_keys(row)?;
        let mut wanted = false;
        for name in &names {
            if let Some(found) = self.keys.get_mut(name) {
                (*found, wanted) = (true, true);
            }
        }
        (wanted && self.contacts.insert(id.clone())).then_some(id)
    }

    /// Notes the row that the server gave for a key, by which it may know the contact in other ways than
    /// by primary values. Its contact, when it was not there yet.
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

    /// The keys that have found nobody.
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
            let mut wanted = SelectedContacts::default();
            wanted.keys.insert(key, false);
            let ann = row(r#"{"id":"c1","email":"ANN@example.com","phone":"+12025550143"}"#);
            assert_eq!(wanted.match_row(&row(r#"{"id":"c2","email":null,"phone":3}"#)), None);
            assert!(wanted.match_row(&ann).is_some() && wanted.missing_keys().next().is_none());
            assert_eq!(wanted.match_row(&ann), None, "the same contact twice");
        }
    }

    #[test]
    fn a_value_longer_than_the_search_takes_makes_no_filter() {
        assert!(ContactKey::from_email(&"x".repeat(75)).search_filter().is_some());
        assert!(ContactKey::from_email(&"x".repeat(76)).search_filter().is_none());
    }
}
