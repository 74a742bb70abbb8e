//! Values of custom fields: numbers, money, dates and options, as people write them.

use serde_json::{Value, json};

use super::{copy_case, warned_columns};
use crate::import_world::empty_world;
use crate::world::World;

const FILE: &str = "d07_custom_values.csv";

/// A world whose location has the fields of the case.
fn world_with_fields() -> World {
    let world = empty_world();
    let field = |name: &str, kind: &str, options: &[&str]| {
        let key = name.to_lowercase().replace(' ', "_");
        let mut field = json!({
            "id": format!("TESTfield{key}"), "name": name, "fieldKey": format!("contact.{key}"), "dataType": kind, "model": "contact", "isAllowedCustomOption": false,
        });
        if !options.is_empty() {
            field["picklistOptions"] = json!(options);
        }
        field
    };
    let fields = [
        field("Plan", "TEXT", &[]),
        field("Lifetime value", "MONETORY", &[]),
        field("Seats", "NUMERICAL", &[]),
        field("Renewal date", "DATE", &[]),
        field("Interests", "MULTIPLE_OPTIONS", &["golf", "tea", "chess, blitz"]),
        field("Region", "SINGLE_OPTIONS", &["north", "south", "east", "west"]),
        field("Consent", "MULTIPLE_OPTIONS", &["golf", "tea"]),
    ];
    world.control_request("PUT", "customFields", &json!(fields));
    copy_case(&world, FILE);
    world
}

/// A contact's value of a custom field.
fn value(world: &World, who: &str, key: &str) -> Value {
    let contact = world.contact_by_email(&format!("{who}.d7@example.net"))["contact"].clone();
    let id = format!("TESTfield{key}");
    let fields = contact["customFields"].as_array().cloned().unwrap_or_default();
    fields
        .iter()
        .find(|field| field["id"] == id)
        .map_or(Value::Null, |field| field["value"].clone())
}

#[test]
fn values_of_custom_fields_are_read_and_no_unknown_option_is_stored() {
    let world = world_with_fields();
    let options = "--yes --out res --date-order DMY --unknown-option drop-value";
    world.run_command(&format!("import {FILE} {options}")).exits(0);
    let keys = ["lifetime_value", "seats", "renewal_date", "interests", "region", "consent"];
    let date = "2026-02-14";
    for (who, expected) in [
        // Whether `1,250` has a fraction, only `--decimal` can say.
        ("a", json!([1250.0, null, date, ["golf", "tea"], "north", ["golf"]])),
        ("b", json!([-50.0, null, date, ["golf", "chess, blitz"], null, null])),
        ("c", json!([1.25, 3.0, date, ["golf", "tea"], "north", ["tea"]])),
        ("d", json!([99.0, null, null, null, "west", null])),
        ("e", json!([99.999, -1.0, null, ["chess, blitz"], null, null])),
        ("f", json!([null, null, null, ["golf", "tea"], "east", null])),
    ] {
        assert_eq!(json!(keys.map(|key| value(&world, who, key))), expected, "{who}");
    }
    let counts = |all: &[(&str, usize)]| -> Vec<(String, usize)> {
        all.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    for (code, expected) in [
        ("W_OPTION_UNKNOWN", &[("Consent", 3), ("Interests", 1), ("Region", 1)][..]),
        ("W_NUMBER_INVALID", &[("Lifetime value", 1), ("Seats", 4)]),
        ("W_NUMBER_AMBIGUOUS", &[("Lifetime value", 2)]),
        ("W_DATE_INVALID", &[("Renewal date", 2)]),
        ("W_DATE_SERIAL", &[("Renewal date", 1)]),
    ] {
        assert_eq!(warned_columns(&world, code), counts(expected), "{code}");
    }
    let warnings = world.read_csv("res/warnings.csv");
    assert!(warnings.iter().any(|it| {
        it["message"].contains("`45702` looks like a spreadsheet's number for 2025-02-14")
    }));
}

#[test]
fn rows_with_unknown_options_are_rejected_unless_they_are_to_be_dropped() {
    let world = world_with_fields();
    world.run_command(&format!("import {FILE} --yes --out res --date-order DMY")).exits(3);
    let rejected = world.read_csv("res/rejected.csv");
    let lines: Vec<_> = rejected.iter().map(|row| row["_reject_line"].as_str()).collect();
    assert_eq!(lines, ["3", "5", "6", "7"]);
    assert!(rejected.iter().all(|row| row["_reject_code"] == "R_OPTION_UNKNOWN"), "{rejected:?}");
}

#[test]
fn a_decimal_sign_makes_numbers_unambiguous() {
    for (sign, lifetime, seats) in [("point", 1.25, json!(1250.0)), ("comma", 1250.0, json!(1.25))]
    {
        let world = world_with_fields();
        let options = format!(
            "--yes --out res --date-order DMY --unknown-option drop-value --decimal {sign}"
        );
        world.run_command(&format!("import {FILE} {options}"));
        assert_eq!(value(&world, "c", "lifetime_value"), lifetime, "{sign}");
        assert_eq!(value(&world, "a", "seats"), seats, "{sign}");
        assert!(warned_columns(&world, "W_NUMBER_AMBIGUOUS").is_empty());
    }
}
