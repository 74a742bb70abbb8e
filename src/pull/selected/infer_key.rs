//! What a text names a contact by: an id, an e-mail address or a phone number.

use super::lookup_key::ContactKey;
use crate::id::ContactId;
use crate::value;

/// The shortest text that is taken for an id: HighLevel's ids have 20 to 24 letters and digits.
const MIN_ID_LENGTH: usize = 16;

/// A text that names no contact.
#[derive(Debug)]
pub struct UnclearContactKey {
    /// Why, in one sentence.
    pub reason: String,
    /// Whether it is a phone number that cannot be read.
    pub phone: bool,
}

/// Trims a text and removes the apostrophe that guards a cell against formula execution.
#[must_use]
pub fn trim_key_text(text: &str) -> &str {
    text.trim().trim_start_matches('\'')
}

/// The key for a text of unknown kind. `country` (ISO 3166-1 alpha-2) applies to numbers without `+`.
///
/// # Errors
/// When it is neither an id nor an e-mail address nor a phone number.
pub fn infer_contact_key(
    text: &str,
    country: Option<&str>,
) -> Result<ContactKey, UnclearContactKey> {
    let text = trim_key_text(text);
    if text.contains('@') {
        parse_email_key(text)
    } else if looks_like_contact_id(text) {
        parse_id_key(text)
    } else if text.chars().any(|c| c.is_ascii_digit()) && !text.chars().any(char::is_alphabetic) {
        parse_phone_key(text, country)
    } else {
        let reason = format!("`{text}` is not an id, an e-mail address or a phone number");
        Err(UnclearContactKey { reason, phone: false })
    }
}

/// Whether a text has the form of HighLevel's ids.
#[must_use]
pub fn looks_like_contact_id(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    text.len() >= MIN_ID_LENGTH
        && text.chars().all(letter)
        && text.chars().any(|c| c.is_ascii_alphabetic())
}

/// The key for an id.
pub fn parse_id_key(text: &str) -> Result<ContactKey, UnclearContactKey> {
    let id = text.parse::<ContactId>();
    id.map(ContactKey::Id)
        .map_err(|error| UnclearContactKey { reason: error.to_string(), phone: false })
}

/// The key for an e-mail address; of several, the first.
pub fn parse_email_key(text: &str) -> Result<ContactKey, UnclearContactKey> {
    let unusable = |reason: String| UnclearContactKey { reason, phone: false };
    let read = value::parse_emails(text, None).map_err(|error| unusable(error.message))?;
    let first = read.value.first().map(|email| ContactKey::from_email(email));
    first.ok_or_else(|| unusable(format!("`{text}` is not an e-mail address")))
}

/// The key for a phone number.
pub fn parse_phone_key(text: &str, country: Option<&str>) -> Result<ContactKey, UnclearContactKey> {
    let read = value::parse_phone(text, country);
    let read = read.map_err(|error| UnclearContactKey { reason: error.message, phone: true })?;
    Ok(ContactKey::from_phone(&read.value))
}
