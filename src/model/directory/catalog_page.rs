//! Reads a directory from API responses (api.md §6).
//!
//! Responses are checked only for what is needed; entries without an id, and deleted users, are
//! left out.

use serde::de::Error as _;
use serde_json::Value;

use super::{CustomField, LocationBusiness, LocationDirectory, LocationUser};
use crate::id::LocationId;
use crate::resource;

impl LocationDirectory {
    /// Reads the responses of `GET /locations/{id}`, of its `customFields`, of `users`, and of the
    /// pages of `businesses`. Responses that were not requested give empty lists.
    ///
    /// # Errors
    /// When a response is not JSON, or lacks required data.
    pub fn from_responses(
        location_id: LocationId,
        location: &[u8],
        fields: &[u8],
        users: Option<&[u8]>,
        businesses: &[Vec<u8>],
    ) -> Result<Self, serde_json::Error> {
        let body: Value = serde_json::from_slice(location)?;
        let about = body.get("location").unwrap_or(&body);
        let users = users.map(|body| response_list(body, "users")).transpose()?.unwrap_or_default();
        let mut companies = Vec::new();
        for page in businesses {
            companies.extend(response_list(page, "businesses")?.iter().filter_map(parse_business));
        }
        Ok(Self {
            location: location_id,
            name: text_property(about, "name"),
            country: text_property(about, "country"),
            timezone: text_property(about, "timezone"),
            allows_duplicates: about["settings"]["allowDuplicateContact"].as_bool().unwrap_or(true),
            unique: unique_identifiers(about),
            fields: parse_custom_fields(&response_list(fields, "customFields")?)?,
            users: users.iter().filter_map(parse_user).collect(),
            businesses: companies,
        })
    }
}

impl CustomField {
    /// Reads the response of `GET /locations/{id}/customFields`: the contacts' fields.
    ///
    /// # Errors
    /// When it is not JSON, or lacks the list.
    pub fn list_from_response(body: &[u8]) -> Result<Vec<Self>, serde_json::Error> {
        parse_custom_fields(&response_list(body, "customFields")?)
    }
}

fn response_list(body: &[u8], name: &str) -> Result<Vec<Value>, serde_json::Error> {
    let body: Value = serde_json::from_slice(body)?;
    let list = body.get(name).and_then(Value::as_array).cloned();
    list.ok_or_else(|| serde_json::Error::custom(format!("the response has no list `{name}`")))
}

fn text_property(entry: &Value, name: &str) -> Option<String> {
    let text = entry.get(name)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Which fields make a contact unique. The setting is not documented and may be missing (api.md
/// §5.7).
fn unique_identifiers(location: &Value) -> Vec<String> {
    let stated = location["settings"]["contactUniqueIdentifiers"].as_array();
    match stated {
        Some(names) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        None => vec!["email".to_owned(), "phone".to_owned()],
    }
}

/// The contacts' custom fields, with their column names in exports.
fn parse_custom_fields(entries: &[Value]) -> Result<Vec<CustomField>, serde_json::Error> {
    let texts: Vec<String> = entries.iter().map(Value::to_string).collect();
    let columns = resource::CustomFieldColumns::from_definitions(texts.iter().map(String::as_str));
    let columns = columns.map_err(serde_json::Error::custom)?;
    let mut fields: Vec<_> = entries.iter().filter_map(parse_custom_field).collect();
    for field in &mut fields {
        field.column = columns.column_name(&field.id).unwrap_or_default().to_owned();
    }
    Ok(fields)
}

fn parse_custom_field(entry: &Value) -> Option<CustomField> {
    // Without a model, the list has only contact fields; with one, it may also have those of
    // opportunities.
    if text_property(entry, "model").is_some_and(|model| model != "contact") {
        return None;
    }
    let id = text_property(entry, "id")?;
    let key = text_property(entry, "fieldKey").unwrap_or_else(|| id.clone());
    let options = entry["picklistOptions"].as_array();
    Some(CustomField {
        key: key.strip_prefix("contact.").unwrap_or(&key).to_owned(),
        column: String::new(),
        name: text_property(entry, "name").unwrap_or_default(),
        data_type: text_property(entry, "dataType")?,
        options: options.into_iter().flatten().filter_map(option_label).collect(),
        custom_option: entry["isAllowedCustomOption"].as_bool().unwrap_or(false),
        id,
    })
}

/// The stored form of an option: its label.
fn option_label(entry: &Value) -> Option<String> {
    match entry.as_str() {
        Some(label) => Some(label.to_owned()),
        None => {
            ["label", "name", "value", "key"].iter().find_map(|name| text_property(entry, name))
        }
    }
}

fn parse_user(entry: &Value) -> Option<LocationUser> {
    if entry["deleted"] == true {
        return None;
    }
    let parts = || {
        let parts = [text_property(entry, "firstName"), text_property(entry, "lastName")];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    Some(LocationUser {
        id: text_property(entry, "id")?,
        name: text_property(entry, "name").unwrap_or_else(parts),
        email: text_property(entry, "email").unwrap_or_default(),
    })
}

fn parse_business(entry: &Value) -> Option<LocationBusiness> {
    Some(LocationBusiness {
        id: text_property(entry, "id")?,
        name: text_property(entry, "name").unwrap_or_default(),
    })
}
