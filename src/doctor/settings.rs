//! The location's settings that decide what an import does, as the location tells them (api.md §5.7, §6).

use bytes::Bytes;
use serde_json::Value;

use super::{Check, Tell as TellTo};

/// The checks of this file that are always told.
pub(super) const IDS: [&str; 4] = ["duplicates", "identifiers", "time_zone", "country"];

/// The location's name.
pub(super) fn name(body: &[u8]) -> Option<String> {
    text(&read(body)?, "name")
}

fn read(body: &[u8]) -> Option<Value> {
    let mut body: Value = serde_json::from_slice(body).ok()?;
    match body.get_mut("location") {
        Some(about) => Some(about.take()),
        None => Some(body),
    }
}

fn text(about: &Value, name: &str) -> Option<String> {
    let text = about.get(name)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Tells the settings; without an answer they are skipped.
pub(super) fn tell(answer: Option<&Bytes>, tell: TellTo<'_>) {
    let Some(about) = answer.and_then(|body| read(body)) else {
        for id in IDS {
            tell(Check::skipped(id, "the location's settings could not be read"));
        }
        return;
    };
    tell(duplicates(&about));
    tell(identifiers(&about));
    tell(time_zone(&about));
    tell(country(&about));
    if let Some(currency) =
        text(&about, "currency").or_else(|| text(&about["settings"], "currency"))
    {
        tell(Check::ok("currency", format!("`{currency}`")));
    }
}

fn duplicates(about: &Value) -> Check {
    const ID: &str = "duplicates";
    match about["settings"]["allowDuplicateContact"].as_bool() {
        Some(false) => Check::ok(ID, "refused by the location: an import makes no contact twice"),
        Some(true) => Check::warning(
            ID,
            "allowed by the location: it does not keep an import from making a contact twice",
        )
        .hint("turn `Allow Duplicate Contact` off under Settings > Business Profile, or import with `--marker-field`"),
        None => Check::warning(ID, "the location does not tell whether it allows duplicates")
            .hint("imports take them to be allowed"),
    }
}

fn identifiers(about: &Value) -> Check {
    const ID: &str = "identifiers";
    let names = about["settings"]["contactUniqueIdentifiers"].as_array();
    let names: Vec<_> = names.into_iter().flatten().filter_map(Value::as_str).collect();
    match names.as_slice() {
        [] => Check::ok(ID, "not told; imports take the e-mail address, then the phone number"),
        [only] => Check::ok(ID, format!("contacts are told apart by {only}")),
        [first, rest @ ..] => Check::ok(
            ID,
            format!("contacts are told apart by {first}, then by {}", rest.join(", ")),
        ),
    }
}

fn time_zone(about: &Value) -> Check {
    const ID: &str = "time_zone";
    let hint = "give imports `--timezone`";
    match text(about, "timezone") {
        Some(zone) if jiff::tz::TimeZone::get(&zone).is_ok() => Check::ok(ID, format!("`{zone}`")),
        Some(zone) => {
            Check::warning(ID, format!("`{zone}` is not known on this machine")).hint(hint)
        }
        None => Check::warning(ID, "the location has none").hint(hint),
    }
}

fn country(about: &Value) -> Check {
    const ID: &str = "country";
    match text(about, "country") {
        Some(country) => Check::ok(
            ID,
            format!("`{country}`: phone numbers without a country are taken to be from there"),
        ),
        None => {
            Check::warning(ID, "the location has none").hint("give imports `--default-country`")
        }
    }
}
