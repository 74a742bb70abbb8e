//! Further e-mail addresses and phone numbers: warned about, or kept in a note or a text field.

use serde_json::json;

use super::{contact, warned_columns};
use crate::import_world::empty_world;
use crate::world::World;

const SHEET: &str = "Email,First Name,Phone,Phone 2,Email 2\n\
                     a@example.net,Ann,+12025550143,+12025550144,a2@example.net\n\
                     b@example.net,Bob,+12025550145,,\n";
const MAP: &str = "--map 'Phone 2=additionalPhones' --map 'Email 2=additionalEmails'";

/// A location with a text field and a field for numbers.
fn world() -> World {
    let world = empty_world();
    let field = |id: &str, key: &str, kind: &str| json!({ "id": id, "name": key, "fieldKey": format!("contact.{key}"), "dataType": kind, "model": "contact" });
    let fields = json!([field("f1", "others", "TEXT"), field("f2", "count", "NUMERICAL")]);
    world.control_request("PUT", "customFields", &fields);
    world.write_sheet("in.csv", SHEET);
    world
}

fn notes(world: &World, email: &str) -> Vec<String> {
    let person = world.contact_by_email(email);
    let notes = person["notes"].as_array().unwrap().iter();
    notes.map(|note| note["body"].as_str().unwrap().to_owned()).collect()
}

#[track_caller]
fn warnings(world: &World) -> usize {
    warned_columns(world, "W_MULTI_EMAIL").len() + warned_columns(world, "W_MULTI_PHONE").len()
}

#[test]
fn further_values_cause_a_warning_that_names_the_option_or_are_left_out_without_one() {
    for (option, expected) in [("", 2), ("--extra-values warn", 2), ("--extra-values drop", 0)] {
        let world = world();
        world.run_import(&format!("{MAP} {option}")).exits(0);
        assert_eq!(warnings(&world), expected, "{option}");
        assert_eq!(notes(&world, "a@example.net"), [""; 0]);
        if expected > 0 {
            let rows = world.read_csv("res/warnings.csv");
            assert!(rows[0]["message"].contains("`--extra-values`"), "{rows:?}");
        }
    }
}

#[test]
fn further_values_become_one_note_and_the_same_file_adds_no_second_one() {
    let world = world();
    let import = format!("{MAP} --extra-values note");
    world.run_import(&import).exits(0);
    let expected = "Other e-mail: a2@example.net\nOther phone: +12025550144";
    assert_eq!(notes(&world, "a@example.net"), [expected]);
    assert_eq!(notes(&world, "b@example.net"), [""; 0]);
    assert_eq!(warnings(&world), 0);
    let writes = world.list_writes().len();
    world.run_import(&import).exits(0);
    assert_eq!(world.list_writes().len(), writes);
    // A file that has grown, and in another order, adds only what is new.
    let grown = "Email,First Name,Phone,Phone 2,Email 2\n\
                 c@example.net,Cy,+12025550146,,\n\
                 b@example.net,Bob,+12025550145,+12025550147,\n\
                 a@example.net,Ann,+12025550143,+12025550144,a2@example.net\n";
    world.write_sheet("in.csv", grown);
    world.run_import(&import).exits(0);
    assert_eq!(notes(&world, "a@example.net"), [expected]);
    assert_eq!(notes(&world, "b@example.net"), ["Other phone: +12025550147"]);
}

#[test]
fn the_rows_of_a_source_with_ids_get_a_note_for_new_values_only() {
    let world = world();
    let sheet = |phone: &str| format!("Id,Email,First Name,Phone 2\n7,a@example.net,Ann,{phone}\n");
    let import = "--map Id=sourceId --map 'Phone 2=additionalPhones' --extra-values note";
    // The first number is the contact's own, since it has none yet.
    world.add_contacts(&[json!({ "email": "a@example.net", "phone": "+12025550143" })]);
    let mut counts = Vec::new();
    for phone in ["+12025550144", "+12025550144", "+12025550149"] {
        world.write_sheet("in.csv", &sheet(&format!("+12025550143;{phone}")));
        world.run_import(import).exits(0);
        counts.push(notes(&world, "a@example.net").len());
    }
    assert_eq!(counts, [1, 1, 2]);
}

#[test]
fn values_that_the_contact_has_already_are_not_noted() {
    for option in ["note", "custom:others"] {
        let world = world();
        let known = json!({
            "email": "a@example.net", "firstName": "Ann", "phone": "+12025550143",
            "additionalEmails": [{ "email": "a2@example.net" }],
            "additionalPhones": [{ "phone": "+12025550144" }],
        });
        world.add_contacts(&[known]);
        let sheet: Vec<&str> = SHEET.lines().take(2).collect();
        world.write_sheet("in.csv", &sheet.join("\n"));
        world.run_import(&format!("{MAP} --extra-values {option}")).exits(0);
        assert_eq!(world.list_writes(), [""; 0], "{option}");
    }
}

#[test]
fn further_values_are_written_into_a_text_field() {
    let world = world();
    let map = "format = 1\n[options]\nextra_values = \"custom:others\"\n\
               [[column]]\nfrom = \"Email\"\nto = \"email\"\n\
               [[column]]\nfrom = \"First Name\"\nto = \"firstName\"\n\
               [[column]]\nfrom = \"Phone\"\nto = \"phone\"\n\
               [[column]]\nfrom = \"Phone 2\"\nto = \"additionalPhones\"\n\
               [[column]]\nfrom = \"Email 2\"\nto = \"additionalEmails\"\n";
    world.write_sheet("map.toml", map);
    world.run_import("--map map.toml").exits(0);
    let fields = contact(&world, "a@example.net")["customFields"].clone();
    assert_eq!(fields[0]["value"], "a2@example.net; +12025550144");
    assert_eq!(contact(&world, "b@example.net")["customFields"], json!([]));
    assert_eq!(warnings(&world), 0);
    let writes = world.list_writes().len();
    world.run_import("--map map.toml").exits(0);
    assert_eq!(world.list_writes().len(), writes);
}

#[test]
fn a_field_that_cannot_take_the_values_is_refused() {
    for (option, says) in [
        ("custom:count", "NUMERICAL, but further values need a text field"),
        ("custom:othrs", "others"),
        ("custom:", "expected `note`, `custom:NAME`, `drop` or `warn`"),
        ("notes", "expected `note`, `custom:NAME`, `drop` or `warn`"),
    ] {
        let world = world();
        world.run_import(&format!("{MAP} --extra-values {option}")).exits(2).says(says);
        assert_eq!(world.list_writes(), [""; 0]);
    }
}

#[test]
fn undo_removes_the_note_and_restores_the_field() {
    let world = world();
    let old = json!({
        "email": "a@example.net", "firstName": "Ann", "phone": "+12025550143",
        "customFields": [{ "id": "f1", "value": "before" }],
    });
    world.add_contacts(&[old]);
    for option in ["note", "custom:others"] {
        world.run_import(&format!("{MAP} --extra-values {option}")).exits(0);
        let undo = format!("undo {} --yes --out undone", world.last_run("import"));
        world.run_command(&undo).exits(0);
        assert_eq!(notes(&world, "a@example.net"), [""; 0], "{option}");
        let fields = contact(&world, "a@example.net")["customFields"].clone();
        assert_eq!(fields[0]["value"], "before", "{option}");
    }
}
