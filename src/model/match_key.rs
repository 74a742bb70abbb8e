//! What rows and contacts are matched by instead of id, e-mail and phone, in a particular location.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use super::directory::{LocationDirectory, NameLookupError};
use super::draft::ContactDraft;
use super::policy::IdentityKey;
use super::remote::RemoteContact;
use super::target::Field;

/// How a full name is stored in a run. No custom field has this id: theirs have 20 characters.
const FULL_NAME: &str = "name";

/// What `--key` means in a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum MatchKey {
    /// The custom field with this id.
    CustomField(String),
    /// The full name.
    FullName,
}

impl From<String> for MatchKey {
    fn from(text: String) -> Self {
        if text == FULL_NAME { Self::FullName } else { Self::CustomField(text) }
    }
}

impl From<MatchKey> for String {
    fn from(key: MatchKey) -> Self {
        match key {
            MatchKey::CustomField(id) => id,
            MatchKey::FullName => FULL_NAME.to_owned(),
        }
    }
}

impl MatchKey {
    /// The key that a policy names; `None` for the usual ones.
    ///
    /// # Errors
    /// When the location has no such custom field, or several.
    pub fn resolve(
        key: &IdentityKey,
        directory: &LocationDirectory,
    ) -> Result<Option<Self>, NameLookupError> {
        match key {
            IdentityKey::Usual => Ok(None),
            IdentityKey::Name => Ok(Some(Self::FullName)),
            IdentityKey::Custom(name) => {
                directory.find_field(name).map(|field| Some(Self::CustomField(field.id.clone())))
            }
        }
    }

    /// The id of the custom field.
    #[must_use]
    pub fn custom_field(&self) -> Option<&str> {
        match self {
            Self::CustomField(id) => Some(id),
            Self::FullName => None,
        }
    }

    /// Whether a row has a value of it.
    #[must_use]
    pub fn identifies_row(&self, draft: &ContactDraft) -> bool {
        !self.values_in_draft(draft).is_empty()
    }

    /// The values by which a row's contact is found. A name is also looked for as its cell has it, if reading changed it
    /// or was impossible.
    #[must_use]
    pub fn values_in_draft(&self, draft: &ContactDraft) -> Vec<String> {
        match self {
            Self::CustomField(id) => {
                let value = draft.custom.get(id).filter(|value| !value.is_null());
                value.map(identity_text).into_iter().collect()
            }
            Self::FullName => {
                let target = Field::Name.name();
                let cell = draft.written.get(target).cloned();
                let unread = draft.unread.iter().filter(|cell| cell.to == target);
                let cells = cell.into_iter().chain(unread.map(|cell| cell.text.clone()));
                let names = full_name_of_draft(draft).into_iter().chain(cells);
                let mut folded: Vec<String> = names.map(|name| fold_full_name(&name)).collect();
                folded.dedup();
                folded.retain(|name| !name.is_empty());
                folded
            }
        }
    }

    /// The value by which a contact is found.
    #[must_use]
    pub fn value_in_contact(&self, contact: &RemoteContact) -> Option<String> {
        match self {
            Self::CustomField(id) => contact.custom.get(id).map(identity_text),
            Self::FullName => {
                Some(fold_full_name(&contact.full_name())).filter(|name| !name.is_empty())
            }
        }
    }
}

/// A row's full name: its parts, or else the name as a whole.
fn full_name_of_draft(draft: &ContactDraft) -> Option<String> {
    let text = |field: &Field| draft.fields.get(field).and_then(Value::as_str);
    let parts: Vec<&str> = [Field::FirstName, Field::LastName].iter().filter_map(text).collect();
    if parts.is_empty() { text(&Field::Name).map(str::to_owned) } else { Some(parts.join(" ")) }
}

/// A full name as it is compared: without regard to case, to the number of spaces, and to the form of accents.
fn fold_full_name(name: &str) -> String {
    let words = name.split_whitespace().map(|word| word.nfc().collect::<String>().to_lowercase());
    words.collect::<Vec<_>>().join(" ")
}

/// The value of a custom field as an identity.
fn identity_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
