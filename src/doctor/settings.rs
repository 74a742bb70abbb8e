//! The location settings that affect an import (api.md §5.7, §6).

use bytes::Bytes;
use serde_json::Value;

use super::{CheckSink, DoctorCheck};

/// The checks of this file that are always reported.
pub(super) const IDS: [&str; 4] = ["duplicates", "identifiers", "time_zone", "country"];

/// The location's name.
pub(super) fn location_name(body: &[u8]) -> Option<String> {
    text_setting(&parse_location(body)?, "name")
}

fn parse_location(body: &[u8]) -> Option<Value> {
    let mut body: Value = serde_json::from_slice(body).ok()?;
    match body.get_mut("location") {
        Some(about) => Some(about.take()),
        None => Some(body),
    }
}

fn text_setting(about: &Value, name: &str) -> Option<String> {
    let text = about.get(name)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Reports the settings; without a response they are skipped.
pub(super) fn report_settings(answer: Option<&Bytes>, report: CheckSink<'_>) {
    let Some(about) = answer.and_then(|body| parse_location(body)) else {
        for id in IDS {
            report(DoctorCheck::skipped(id, "the location's settings could not be read"));
        }
        return;
    };
    report(check_duplicate_setting(&about));
    report(check_unique_identifiers(&about));
    report(check_time_zone(&about));
    report(check_country(&about));
    if let Some(currency) =
        text_setting(&about, "currency").or_else(|| text_setting(&about["settings"], "currency"))
    {
        report(DoctorCheck::ok("currency", format!("`{currency}`")));
    }
}

fn check_duplicate_setting(about: &Value) -> DoctorCheck {
    const ID: &str = "duplicates";
    match about["settings"]["allowDuplicateContact"].as_bool() {
        Some(false) => DoctorCheck::ok(ID, "duplicates are refused by the location: an import cannot create a contact twice"),
        Some(true) => DoctorCheck::warning(
            ID,
            "duplicates are allowed by the location: it does not prevent an import from creating a contact twice",
        )
        .with_hint("turn `Allow Duplicate Contact` off under Settings > Business Profile, or import with `--marker-field`"),
        None => DoctorCheck::warning(ID, "it is unknown whether the location allows duplicates")
            .with_hint("imports assume that they are allowed"),
    }
}

fn check_unique_identifiers(about: &Value) -> DoctorCheck {
    const ID: &str = "identifiers";
    let names = about["settings"]["contactUniqueIdentifiers"].as_array();
    let names: Vec<_> = names.into_iter().flatten().filter_map(Value::as_str).collect();
    match names.as_slice() {
        [] => DoctorCheck::ok(ID, "unknown; imports match by e-mail address, then by phone number"),
        [only] => DoctorCheck::ok(ID, format!("contacts are matched by {only}")),
        [first, rest @ ..] => DoctorCheck::ok(
            ID,
            format!("contacts are matched by {first}, then by {}", rest.join(", ")),
        ),
    }
}

fn check_time_zone(about: &Value) -> DoctorCheck {
    const ID: &str = "time_zone";
    let hint = "pass `--timezone` to imports";
    match text_setting(about, "timezone") {
        Some(zone) if jiff::tz::TimeZone::get(&zone).is_ok() => {
            DoctorCheck::ok(ID, format!("`{zone}`"))
        }
        Some(zone) => DoctorCheck::warning(ID, format!("`{zone}` is not known on this machine"))
            .with_hint(hint),
        None => DoctorCheck::warning(ID, "the location has no time zone").with_hint(hint),
    }
}

fn check_country(about: &Value) -> DoctorCheck {
    const ID: &str = "country";
    match text_setting(about, "country") {
        Some(country) => {
            DoctorCheck::ok(ID, format!("`{country}`: the default country of phone numbers"))
        }
        None => DoctorCheck::warning(ID, "the location has no country")
            .with_hint("pass `--default-country` to imports"),
    }
}
