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
pub enum Key {
    /// The contact's id.
    Id(ContactId),
    /// An e-mail address, in lower case.
    Email(Box<str>),
    /// A phone number: `+` and digits.
    Phone(Box<str>),
}

impl Key {
    /// An e-mail address in whatever case.
    #[must_use]
    pub fn email(text: &str) -> Self {
        Self::Email(text.trim().to_lowercase().into())
    }

    /// A phone number with or without punctuation; its country must be in it.
    #[must_use]
    pub fn phone(text: &str) -> Self {
        Self::Phone(text.chars().filter(|c| *c == '+' || c.is_ascii_digit()).collect())
    }

    /// What people call it, such as `ann@example.com`.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Id(id) => id.as_str(),
            Self::Email(text) | Self::Phone(text) => text,
        }
    }

    /// The search's name of what it is (api.md §2.7).
    pub(super) fn field(&self) -> &'static str {
        match self {
            Self::Id(_) => "id",
            Self::Email(_) => "email",
            Self::Phone(_) => "phone",
        }
    }

    /// The filter that it passes; nothing when the search takes no value so long.
    pub(super) fn filter(&self) -> Option<Value> {
        let short = self.text().chars().nth(LONGEST).is_none();
        short.then(|| json!({"field": self.field(), "operator": "eq", "value": self.text()}))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// The part of a contact's row by which it is named.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(default)]
    email: Value,
    #[serde(default)]
    phone: Value,
}

/// The contact of a row, and the keys that name it; nothing where a row is no contact.
pub(super) fn names(row: &RawValue) -> Option<(ContactId, Vec<Key>)> {
    let row: Named<'_> = serde_json::from_str(row.get()).ok()?;
    let id: ContactId = row.id.parse().ok()?;
    let mut keys = vec![Key::Id(id.clone())];
    keys.extend(row.email.as_str().map(Key::email));
    keys.extend(row.phone.as_str().map(Key::phone));
    Some((id, keys))
}

/// What is wanted, and how much of it there is already.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Whether each key has found its contact.
    pub(super) keys: BTreeMap<Key, bool>,
    /// The contacts found.
    pub(super) contacts: HashSet<ContactId>,
}

impl Wanted {
    /// Notes a row that may be wanted. Its contact, when it is and was not there yet.
    pub(super) fn take(&mut self, row: &RawValue) -> Option<ContactId> {
        let (id, names) = names(row)?;
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
    pub(super) fn take_for(&mut self, key: &Key, row: &RawValue) -> Option<ContactId> {
        let (id, _) = names(row)?;
        if let Some(found) = self.keys.get_mut(key) {
            *found = true;
        }
        self.take(row).or_else(|| self.contacts.insert(id.clone()).then_some(id))
    }

    /// The keys that have found nobody.
    pub(super) fn missing(&self) -> impl Iterator<Item = &Key> {
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
            Key::Id("c1".parse().unwrap()),
            Key::email(" Ann@Example.com"),
            Key::phone("+1 (202) 555-0143"),
        ];
        for key in keys {
            let mut wanted = Wanted::default();
            wanted.keys.insert(key, false);
            let ann = row(r#"{"id":"c1","email":"ANN@example.com","phone":"+12025550143"}"#);
            assert_eq!(wanted.take(&row(r#"{"id":"c2","email":null,"phone":3}"#)), None);
            assert!(wanted.take(&ann).is_some() && wanted.missing().next().is_none());
            assert_eq!(wanted.take(&ann), None, "the same contact twice");
        }
    }

    #[test]
    fn a_value_longer_than_the_search_takes_makes_no_filter() {
        assert!(Key::email(&"x".repeat(75)).filter().is_some());
        assert!(Key::email(&"x".repeat(76)).filter().is_none());
    }
}
