//! Finds the contact that a text names, in the account.

use serde::Deserialize;
use serde_json::Value;

use crate::api::{ApiClient, ApiError};
use crate::id::ContactId;
use crate::pull::{self, ContactKey};

/// What names a contact for people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContactLabel {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its primary e-mail address.
    pub email: Option<String>,
    /// Its primary phone number.
    pub phone: Option<String>,
    /// Whether it was deleted, as far as is known.
    pub is_deleted: bool,
}

/// The members of a contact that name it, in any dialect (api.md §2).
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LabelMembers {
    id: String,
    contact_name: Value,
    name: Value,
    first_name_raw: Value,
    first_name: Value,
    last_name_raw: Value,
    last_name: Value,
    email: Value,
    phone: Value,
}

impl ContactLabel {
    /// Reads the label of a raw contact; `None` if it is not one.
    #[must_use]
    pub fn from_row(row: &str) -> Option<Self> {
        let row: LabelMembers = serde_json::from_str(row).ok()?;
        let text = |values: &[&Value]| {
            let texts = values.iter().filter_map(|value| value.as_str());
            texts.map(str::trim).find(|text| !text.is_empty()).map(str::to_owned)
        };
        let first = text(&[&row.first_name_raw, &row.first_name]);
        let last = text(&[&row.last_name_raw, &row.last_name]);
        let both: Vec<String> = first.into_iter().chain(last).collect();
        let name = Some(both.join(" ")).filter(|name| !name.is_empty());
        Some(Self {
            id: Some(row.id).filter(|id| !id.is_empty())?,
            name: name.or_else(|| text(&[&row.contact_name, &row.name])),
            email: text(&[&row.email]),
            phone: text(&[&row.phone]),
            is_deleted: false,
        })
    }
}

/// What a key names.
#[derive(Debug)]
pub enum ContactMatch {
    /// No contact.
    Missing,
    /// One contact.
    Found(ContactId),
    /// Several contacts share the address or number.
    Several(Vec<ContactLabel>),
}

/// Finds the contact that a key names.
///
/// # Errors
/// When the server cannot say.
pub async fn find_contact(client: &ApiClient, key: &ContactKey) -> Result<ContactMatch, ApiError> {
    if let ContactKey::Id(id) = key {
        // Reading it says whether it exists.
        return Ok(ContactMatch::Found(id.clone()));
    }
    let rows = pull::find_contacts(client, key).await?;
    Ok(match_labels(rows.iter().filter_map(|row| ContactLabel::from_row(row.get()))))
}

/// What contacts come to, of which some may be repeated.
pub(super) fn match_labels(labels: impl Iterator<Item = ContactLabel>) -> ContactMatch {
    let mut labels: Vec<_> = labels.collect();
    labels.sort();
    labels.dedup_by(|one, other| one.id == other.id);
    match labels.as_slice() {
        [only] => only.id.parse().map_or(ContactMatch::Missing, ContactMatch::Found),
        [] => ContactMatch::Missing,
        _ => ContactMatch::Several(labels),
    }
}
