//! The bodies of contact writes: validation, and their effect on a row.
//!
//! An unknown property refuses the whole body, as the service does; all problems are listed at
//! once. Handles one body and one row; identities and duplicates are handled elsewhere.

use serde_json::{Value, json};

use super::custom_field_values;
use super::dialect;
use crate::sandbox::http::response::EndpointError;
use crate::sandbox::store::contact::SearchRow;
use crate::sandbox::store::location_metadata::LocationMetadata;
use crate::sandbox::text;

/// The write that a body is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContactWriteKind {
    Create,
    Update,
    Upsert,
}

/// String fields that may also be null, with the row's name for each.
const NULLABLE: [(&str, &str); 14] = [
    ("firstName", "firstName"),
    ("lastName", "lastName"),
    ("name", "contactName"),
    ("email", "email"),
    ("phone", "phone"),
    ("address1", "address"),
    ("city", "city"),
    ("state", "state"),
    ("website", "website"),
    ("timezone", "timezone"),
    ("dateOfBirth", "dateOfBirth"),
    ("companyName", "companyName"),
    ("source", "source"),
    ("assignedTo", "assignedTo"),
];

/// String fields that may not be null.
const TEXTS: [&str; 3] = ["postalCode", "country", "gender"];

/// Refuses a body that breaks rules, naming all of them.
pub(crate) fn validate_body(
    body: &SearchRow,
    purpose: ContactWriteKind,
    v3: bool,
) -> Result<(), EndpointError> {
    let mut wrong = Vec::new();
    for (key, value) in body {
        match key.as_str() {
            "locationId" | "gender" if purpose == ContactWriteKind::Update => {
                wrong.push(unknown_property_message(key));
            }
            "createNewIfDuplicateAllowed" if purpose != ContactWriteKind::Upsert => {
                wrong.push(unknown_property_message(key));
            }
            "dnd" | "createNewIfDuplicateAllowed" if !value.is_boolean() => {
                wrong.push(format!("{key} must be a boolean value"));
            }
            "locationId" | "dnd" | "createNewIfDuplicateAllowed" => {}
            "dndSettings" => validate_dnd(value, v3, &mut wrong),
            "inboundDndSettings" => validate_inbound_dnd(value, &mut wrong),
            "tags" => validate_tags(value, &mut wrong),
            "customFields" => custom_field_values::validate_list_shape(value, v3, &mut wrong),
            key if TEXTS.contains(&key) => validate_text(key, value, false, &mut wrong),
            "source" if purpose == ContactWriteKind::Create => {
                validate_text(key, value, false, &mut wrong);
            }
            key if NULLABLE.iter().any(|(name, _)| *name == key) => {
                validate_text(key, value, true, &mut wrong);
            }
            _ => wrong.push(unknown_property_message(key)),
        }
    }
    if purpose != ContactWriteKind::Update && !body.get("locationId").is_some_and(Value::is_string)
    {
        wrong.push("locationId should not be empty".to_owned());
    }
    if wrong.is_empty() { Ok(()) } else { Err(EndpointError::validation_failed(wrong)) }
}

fn unknown_property_message(key: &str) -> String {
    format!("property {key} should not exist")
}

fn validate_text(key: &str, value: &Value, nullable: bool, wrong: &mut Vec<String>) {
    if value.is_null() && nullable {
        return;
    }
    let Some(text) = value.as_str() else {
        wrong.push(format!("{key} must be a string"));
        return;
    };
    let fits = match key {
        "email" => text::is_email(text),
        "phone" => text.is_empty() || text::normalize_phone(text).is_some(),
        "dateOfBirth" => text.is_empty() || text::parse_date(text).is_some(),
        "country" => {
            text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_uppercase())
                || text.is_empty()
        }
        "timezone" => text.is_empty() || LocationMetadata::knows_time_zone(text),
        _ => true,
    };
    if fits {
        return;
    }
    wrong.push(match key {
        "email" => "email must be an email".to_owned(),
        "country" | "timezone" => format!("{key} must be a valid enum value"),
        _ => format!("{key} is invalid"),
    });
}

fn validate_tags(value: &Value, wrong: &mut Vec<String>) {
    match value.as_array() {
        None => wrong.push("tags must be an array".to_owned()),
        Some(tags) if !tags.iter().all(Value::is_string) => {
            wrong.push("each value in tags must be a string".to_owned());
        }
        Some(_) => {}
    }
}

fn validate_dnd(value: &Value, v3: bool, wrong: &mut Vec<String>) {
    let Some(channels) = value.as_object() else {
        wrong.push("dndSettings must be an object".to_owned());
        return;
    };
    for (name, channel) in channels {
        if !dialect::is_dnd_channel(name, v3) {
            wrong.push(format!("dndSettings.property {name} should not exist"));
            continue;
        }
        let status = channel.get("status").and_then(Value::as_str);
        if !status.is_some_and(|status| ["active", "inactive", "permanent"].contains(&status)) {
            wrong.push(format!(
                "dndSettings.{name}.status must be one of the following values: active, inactive, permanent"
            ));
        }
        let keys = channel.as_object().into_iter().flat_map(|channel| channel.keys());
        for key in keys.filter(|key| !["status", "message", "code"].contains(&key.as_str())) {
            wrong.push(format!("dndSettings.{name}.property {key} should not exist"));
        }
    }
}

fn validate_inbound_dnd(value: &Value, wrong: &mut Vec<String>) {
    let status = value.pointer("/all/status").and_then(Value::as_str);
    if !status.is_some_and(|status| ["active", "inactive"].contains(&status)) {
        wrong.push(
            "inboundDndSettings.all.status must be one of the following values: active, inactive"
                .to_owned(),
        );
    }
}

/// The row of a new, empty contact: every key, most of them null.
pub(crate) fn empty_row(id: &str, location: &str, time: i64) -> SearchRow {
    let row = json!({
        "id": id, "locationId": location, "contactName": null, "firstName": null,
        "firstNameLowerCase": null, "lastName": null, "lastNameLowerCase": null, "email": null,
        "additionalEmails": [], "phone": null, "additionalPhones": [], "phoneLabel": null,
        "validEmail": null, "type": "lead", "assignedTo": null, "followers": [], "tags": [],
        "customFields": [], "dnd": false, "dndSettings": {}, "inboundDndSettings": {},
        "address": null, "city": null, "state": null, "postalCode": null, "country": "US",
        "timezone": null, "website": null, "companyName": null, "businessName": null,
        "businessId": null, "dateOfBirth": null, "source": null,
        "dateAdded": text::format_iso(time), "dateUpdated": text::format_iso(time), "opportunities": [],
        "attributionSource": { "sessionSource": "CRM UI", "medium": "manual" },
        "lastAttributionSource": {},
    });
    match row {
        Value::Object(row) => row,
        _ => SearchRow::new(),
    }
}

/// Applies a validated body to a row; absent keys change nothing. Returns the tags in it.
pub(crate) fn apply_body(
    body: &SearchRow,
    row: &mut SearchRow,
    metadata: &LocationMetadata,
    strict: bool,
    v3: bool,
) -> Result<Vec<String>, EndpointError> {
    if let Some(user) = body.get("assignedTo").and_then(Value::as_str)
        && !user.is_empty()
        && !metadata.has_user(user)
    {
        return Err(EndpointError::bad_request("Invalid assignedTo"));
    }
    if let Some(fields) = body.get("customFields") {
        custom_field_values::merge_values(fields, row, metadata, strict)?;
    }
    let named = NULLABLE.iter().filter(|(key, _)| *key != "name").copied();
    for (key, name) in named.chain([("postalCode", "postalCode"), ("country", "country")]) {
        if let Some(value) = body.get(key) {
            row.insert(name.to_owned(), stored_value(key, value));
        }
    }
    for key in ["dnd", "inboundDndSettings"] {
        if let Some(value) = body.get(key) {
            row.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(Value::Object(channels)) = body.get("dndSettings") {
        merge_dnd_settings(channels.clone(), row, v3);
    }
    let mut tags = Vec::new();
    if let Some(list) = body.get("tags") {
        tags = super::tags::normalize_tags(list)?;
        row.insert("tags".to_owned(), tags.clone().into());
    }
    if let Some(name) = body.get("name").and_then(Value::as_str) {
        split_full_name(name, body, row);
    }
    derive_name_fields(row);
    Ok(tags)
}

/// A string as it is stored; an empty one is no value.
fn stored_value(key: &str, value: &Value) -> Value {
    let Some(text) = value.as_str().filter(|text| !text.is_empty()) else { return Value::Null };
    match key {
        "phone" => text::normalize_phone(text).map_or(Value::Null, Value::from),
        "dateOfBirth" => text::parse_date(text).map_or(Value::Null, Value::from),
        _ => text.into(),
    }
}

fn merge_dnd_settings(mut channels: SearchRow, row: &mut SearchRow, v3: bool) {
    if v3 {
        dialect::convert_dnd_channels(&mut channels, false);
    }
    let settings = row.entry("dndSettings").or_insert_with(|| json!({}));
    if let Some(settings) = settings.as_object_mut() {
        settings.extend(channels);
    }
}

/// Splits a full name, unless its parts are given.
fn split_full_name(name: &str, body: &SearchRow, row: &mut SearchRow) {
    let (first, last) = name.trim().split_once(char::is_whitespace).unwrap_or((name.trim(), ""));
    for (key, part) in [("firstName", first), ("lastName", last.trim())] {
        if !body.contains_key(key) {
            let part = if part.is_empty() { Value::Null } else { part.into() };
            row.insert(key.to_owned(), part);
        }
    }
}

/// The lower-case copies of the names.
fn derive_name_fields(row: &mut SearchRow) {
    let mut parts = Vec::new();
    for (key, twin) in [("firstName", "firstNameLowerCase"), ("lastName", "lastNameLowerCase")] {
        let lower = row.get(key).and_then(Value::as_str).map(str::to_lowercase);
        parts.extend(lower.clone());
        row.insert(twin.to_owned(), lower.into());
    }
    let whole = if parts.is_empty() { Value::Null } else { parts.join(" ").into() };
    row.insert("contactName".to_owned(), whole);
}
