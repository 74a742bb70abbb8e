//! The dialects of a contact: search row, single record, deprecated list row.
//!
//! The store keeps search rows; the other forms are derived from them.

use serde_json::{Map, Value, json};

use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::SandboxResponse;
use crate::sandbox::store::contact::{SearchRow, StoredContact};
use crate::sandbox::text::format_iso;

const CHANNELS: [(&str, &str); 6] = [
    ("Call", "call"),
    ("Email", "email"),
    ("SMS", "sms"),
    ("WhatsApp", "whatsApp"),
    ("GMB", "gmb"),
    ("FB", "fb"),
];

/// The record that `GET /contacts/{id}` and the writes return: unset keys are absent.
pub(crate) fn render_record(contact: &StoredContact, v3: bool) -> SearchRow {
    let mut row = contact.parse_row();
    row.retain(|key, value| !value.is_null() && key != "opportunities" && key != "contactName");
    let text = |row: &SearchRow, key: &str| row.get(key).and_then(Value::as_str).map(str::to_owned);
    if let Some(address) = row.remove("address") {
        row.insert("address1".to_owned(), address);
    }
    if let Some(born) = row.get("dateOfBirth").and_then(Value::as_i64) {
        row.insert("dateOfBirth".to_owned(), format_iso(born).into());
    }
    if let Some(email) = text(&row, "email") {
        row.insert("emailLowerCase".to_owned(), email.to_lowercase().into());
    }
    let names = [text(&row, "firstName"), text(&row, "lastName")];
    let names: Vec<String> = names.into_iter().flatten().collect();
    if !names.is_empty() {
        row.insert("fullNameLowerCase".to_owned(), names.join(" ").to_lowercase().into());
    }
    if let Some(emails) = row.get_mut("additionalEmails").and_then(Value::as_array_mut) {
        for email in emails.iter_mut().filter(|email| email.is_string()) {
            *email = json!({ "email": email.take() });
        }
    }
    row.entry("createdBy").or_insert_with(|| default_created_by(contact));
    if let Some(extra) = &contact.extra {
        let extra: SearchRow = serde_json::from_str(extra).expect("extra fields are a JSON object");
        row.extend(extra.into_iter().filter(|(_, value)| !value.is_null()));
    }
    if v3 && let Some(settings) = row.get_mut("dndSettings").and_then(Value::as_object_mut) {
        convert_dnd_channels(settings, true);
    }
    row
}

fn default_created_by(contact: &StoredContact) -> Value {
    json!({
        "source": "WEB_USER",
        "channel": "APP",
        "sourceId": "sandboxUser000000001",
        "sourceName": "Sandbox User",
        "timestamp": format_iso(contact.added - 1),
    })
}

/// Converts the channels of `dndSettings` to the case of a version.
pub(crate) fn convert_dnd_channels(settings: &mut Map<String, Value>, v3: bool) {
    for (upper, lower) in CHANNELS {
        let (from, to) = if v3 { (upper, lower) } else { (lower, upper) };
        if let Some(channel) = settings.remove(from) {
            settings.insert(to.to_owned(), channel);
        }
    }
}

/// Whether `dndSettings` may have this channel; each version has its own spelling.
pub(crate) fn is_dnd_channel(name: &str, v3: bool) -> bool {
    let own = |(upper, lower): &(&str, &str)| name == *upper || v3 && name == *lower;
    name == "RCS" || v3 && name == "rcs" || CHANNELS.iter().any(own)
}

/// The row of `GET /contacts/`: names in lower case, plus the names as entered.
pub(crate) fn render_list_row(mut row: SearchRow) -> SearchRow {
    for key in ["firstName", "lastName"] {
        let typed = row.get(key).cloned().unwrap_or_default();
        let lower = typed.as_str().map_or(Value::Null, |name| name.to_lowercase().into());
        row.insert(format!("{key}Raw"), typed);
        row.insert(key.to_owned(), lower);
    }
    if let Some(address) = row.remove("address") {
        row.insert("address1".to_owned(), address);
    }
    if let Some(born) = row.get("dateOfBirth").and_then(Value::as_i64) {
        row.insert("dateOfBirth".to_owned(), format_iso(born).into());
    }
    let attributions: Vec<Value> = row.remove("attributionSource").into_iter().collect();
    row.insert("attributions".to_owned(), attributions.into());
    row.insert("profilePhoto".to_owned(), Value::Null);
    let dropped =
        ["opportunities", "firstNameLowerCase", "lastNameLowerCase", "lastAttributionSource"];
    row.retain(|key, _| !dropped.contains(&key.as_str()));
    row
}

/// An answer with the version's flag of success beside other fields.
pub(crate) fn success_response(
    status: u16,
    ask: &SandboxRequest,
    mut body: Value,
) -> SandboxResponse {
    let flag = if ask.is_v3() { "succeeded" } else { "succeded" };
    body[flag] = true.into();
    body["traceId"] = ask.trace.as_str().into();
    SandboxResponse::json(status, &body)
}
