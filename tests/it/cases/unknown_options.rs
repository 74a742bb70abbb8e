//! Values that are not options of a pick list: rejected, left out or asked about.

use serde_json::{Value, json};

use super::{contact, warned_columns};
use crate::import_world::empty_world;
use crate::world::World;

const FLAGS: &str = "--map Size=customFields.size --map Kinds=customFields.kinds";
const SHEET: &str = "Email,Size,Kinds\n\
                     a@example.net,Smal,\"Solar, Wnd\"\n\
                     b@example.net,LARGE,\"Nuclear, Coal\"\n\
                     c@example.net,Smal,wind\n";

/// A location with a field for one option and one for several.
fn world() -> World {
    let world = empty_world();
    let field = |id: &str, key: &str, kind: &str, options: &[&str]| {
        json!({
            "id": id, "name": key, "fieldKey": format!("contact.{key}"), "dataType": kind,
            "model": "contact", "picklistOptions": options, "isAllowedCustomOption": false,
        })
    };
    let fields = json!([
        field("f1", "size", "SINGLE_OPTIONS", &["Small", "Large"]),
        field("f2", "kinds", "CHECKBOX", &["Solar", "Wind"]),
    ]);
    world.control_request("PUT", "customFields", &fields);
    world.write_sheet("in.csv", SHEET);
    world
}

/// The value of a contact's custom field.
fn custom(world: &World, email: &str, field: &str) -> Value {
    let contact = contact(world, email);
    let mut fields = contact["customFields"].as_array().unwrap().iter();
    fields.find(|it| it["id"] == field).map_or(Value::Null, |it| it["value"].clone())
}

#[test]
fn a_row_with_an_unknown_option_is_rejected_unless_it_is_asked_otherwise() {
    for option in ["", " --unknown-option reject"] {
        let world = world();
        world.run_import(&format!("{FLAGS}{option}")).exits(3);
        let rejected = world.read_csv("res/rejected.csv");
        let codes: Vec<_> = rejected.iter().map(|row| row["_reject_code"].as_str()).collect();
        assert_eq!(codes, ["R_OPTION_UNKNOWN"; 3]);
        assert_eq!(rejected[0]["_reject_field"], "Size; Kinds");
    }
}

#[test]
fn an_unknown_option_is_left_out_with_a_warning_and_the_known_ones_are_kept() {
    let world = world();
    let done = world.run_import(&format!("{FLAGS} --unknown-option drop-value"));
    done.exits(0)
        .says("Size: 2 cells name options that the field lacks, such as `Smal`; they are left")
        .says("Kinds: 2 cells name options that the field lacks, such as `Solar, Wnd`; they");
    assert_eq!(custom(&world, "a@example.net", "f1"), Value::Null);
    assert_eq!(custom(&world, "a@example.net", "f2"), json!(["Solar"]));
    assert_eq!(custom(&world, "b@example.net", "f1"), "Large");
    assert_eq!(custom(&world, "b@example.net", "f2"), Value::Null);
    assert_eq!(custom(&world, "c@example.net", "f2"), json!(["Wind"]));
    let warned = warned_columns(&world, "W_OPTION_UNKNOWN");
    assert_eq!(warned, [("Kinds".to_owned(), 2), ("Size".to_owned(), 2)]);
    let messages = world.read_csv("res/warnings.csv");
    let coal = messages.iter().find(|row| row["message"].contains("Coal")).unwrap();
    assert!(coal["message"].contains("`Nuclear` is not one of"), "{coal:?}");
}

#[test]
fn strict_imports_reject_the_row_of_an_option_that_would_be_left_out() {
    let world = world();
    world.run_import(&format!("{FLAGS} --unknown-option drop-value --strict")).exits(3);
    assert_eq!(world.read_csv("res/rejected.csv").len(), 3);
}

#[test]
fn an_import_that_asks_names_every_unknown_option_and_sends_nothing() {
    let world = world();
    let done = world.run_import(&format!("{FLAGS} --unknown-option ask"));
    done.exits(4)
        .says("`Smal` in column `Size` (2 rows) is not an option of `customFields.size`")
        .says("did you mean `Small`?")
        .says("`Wnd` in column `Kinds` (1 row)")
        .says("`Nuclear` in column `Kinds` (1 row)")
        .says("`Coal` in column `Kinds` (1 row)")
        .says("`values`")
        .says("create the options in HighLevel");
    assert_eq!(world.list_writes(), [""; 0]);
}

#[test]
fn an_import_that_asks_goes_on_when_all_options_are_mapped() {
    let world = world();
    let map = "format = 1\n[options]\nunknown_option = \"ask\"\n\
               [[column]]\nfrom = \"Email\"\nto = \"email\"\n\
               [[column]]\nfrom = \"Size\"\nto = \"customFields.size\"\nvalues = { \"smal\" = \"Small\" }\n\
               [[column]]\nfrom = \"Kinds\"\nto = \"customFields.kinds\"\n\
               values = { \"Wnd\" = \"Wind\", \"Nuclear\" = \"\" }\n";
    world.write_sheet("map.toml", map);
    world.run_import("--map map.toml").exits(4).says("`Coal`").does_not_say("`Nuclear`");
    world.write_sheet("map.toml", &map.replace("\"Nuclear\"", "\"Coal\" = \"\", \"Nuclear\""));
    world.run_import("--map map.toml").exits(0);
    assert_eq!(custom(&world, "a@example.net", "f1"), "Small");
    assert_eq!(custom(&world, "a@example.net", "f2"), json!(["Solar", "Wind"]));
}

#[test]
fn options_that_the_contact_has_from_earlier_are_no_question_and_no_change() {
    for rule in ["ask", "drop-value", "reject"] {
        let world = world();
        let old =
            json!([{ "id": "f1", "value": "Tiny" }, { "id": "f2", "value": ["Solar", "Coal"] }]);
        let ids = world.add_contacts(&[json!({ "email": "d@example.net", "customFields": old })]);
        let sheet = format!("contactId,Size,Kinds\n{},Tiny,Solar; Coal\n", ids[0]);
        world.write_sheet("in.csv", &sheet);
        world.run_import(&format!("{FLAGS} --unknown-option {rule}")).exits(0);
        assert_eq!(world.list_writes(), [""; 0], "{rule}");
        // Another unknown value still counts.
        world.write_sheet("in.csv", &sheet.replace("Coal", "Gas"));
        let done = world.run_import(&format!("{FLAGS} --unknown-option {rule}"));
        match rule {
            "ask" => drop(done.exits(4).says("`Gas`").does_not_say("`Tiny`")),
            "reject" => drop(done.exits(3)),
            _ => drop(done.exits(0)),
        }
    }
}
