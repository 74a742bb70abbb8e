//! Made-up people in place of real ones, for a location that is shown to others.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::SnapshotContact;
use crate::model::directory::CustomField;
use crate::model::target::Field;

const FIRST: [&str; 16] = [
    "Ada", "Ben", "Cleo", "Dora", "Emil", "Fay", "Gus", "Hana", "Ivo", "Jana", "Kit", "Lea", "Max",
    "Nina", "Otto", "Pia",
];
const LAST: [&str; 16] = [
    "Adler", "Brook", "Castle", "Dale", "Ember", "Field", "Grove", "Hill", "Island", "Jordan",
    "Keel", "Lake", "Meadow", "North", "Oak", "Pine",
];
/// Native fields that say little about who a person is.
const KEPT: [Field; 2] = [Field::Country, Field::Timezone];

/// Replaces what identifies a person by made-up values: the same for the same id, addresses that lead to no mailbox
/// (RFC 2606), numbers that are not given to anybody (555-0100 to 555-0199). Texts become their length; custom fields
/// keep numbers and the options of pick lists.
pub fn anonymise(contact: &mut SnapshotContact, fields: &[CustomField]) {
    let digest = Sha256::digest(contact.remote.id.as_str().as_bytes());
    let made_up = make_up_fields(&digest, &contact.remote.fields);
    let remote = &mut contact.remote;
    remote.fields = made_up;
    remote.additional_emails.clear();
    remote.additional_phones.clear();
    for state in remote.channels.values_mut() {
        // A reason may quote a message.
        (state.message, state.code) = (None, None);
    }
    for (id, value) in std::mem::take(&mut remote.custom) {
        let has_options = fields.iter().any(|field| field.id == id && !field.options.is_empty());
        remote.custom.extend(anonymise_value(value, has_options).map(|value| (id, value)));
    }
    for note in &mut contact.notes {
        replace_text(note, "body", "Note");
        replace_text(note, "title", "Note");
    }
    for task in &mut contact.tasks {
        replace_text(task, "title", "Task");
        replace_text(task, "body", "Text");
    }
}

fn make_up_fields(digest: &[u8], old: &BTreeMap<Field, String>) -> BTreeMap<Field, String> {
    let pick = |names: &[&'static str; 16], at: usize| names[usize::from(digest[at] & 15)];
    let (first, last) = (pick(&FIRST, 0), pick(&LAST, 1));
    let kept = old.iter().filter(|(field, _)| KEPT.contains(field));
    let mut fields: BTreeMap<Field, String> =
        kept.map(|(field, text)| (*field, text.clone())).collect();
    fields.insert(Field::FirstName, first.to_owned());
    fields.insert(Field::LastName, last.to_owned());
    if old.contains_key(&Field::Email) {
        let mark = crate::text::encode_hex(&digest[2..8]);
        let email = format!("{first}.{last}.{mark}@example.invalid").to_lowercase();
        fields.insert(Field::Email, email);
    }
    if old.contains_key(&Field::Phone) {
        let number = u32::from_le_bytes([digest[8], digest[9], digest[10], digest[11]]);
        let (area, line) = (200 + number % 800, 100 + number / 800 % 100);
        fields.insert(Field::Phone, format!("+1{area}5550{line}"));
    }
    if old.contains_key(&Field::CompanyName) {
        fields.insert(Field::CompanyName, format!("{last} & Co."));
    }
    fields
}

fn anonymise_value(value: Value, has_options: bool) -> Option<Value> {
    match value {
        value if has_options || value.is_number() || value.is_boolean() => Some(value),
        Value::String(text) => Some(format!("{} characters", text.chars().count()).into()),
        _ => None,
    }
}

fn replace_text(record: &mut Value, key: &str, what: &str) {
    if let Some(text) = record.get_mut(key)
        && let Some(length) = text.as_str().map(|text| text.chars().count()).filter(|it| *it > 0)
    {
        *text = format!("{what} of {length} characters").into();
    }
}
