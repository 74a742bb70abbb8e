//! What is planned: which columns become fields, of which types, and what is refused.

use std::fmt::Write as _;

use serde_json::json;

use super::{BOTH, SHEET};
use crate::import_world::empty_world;
use crate::terminal::run_on_terminal;
use crate::world::World;

#[test]
fn columns_without_a_target_become_custom_fields_with_their_values() {
    let world = empty_world();
    world.write_sheet("in.csv", SHEET);
    let done = world.run_import(BOTH).exits(0);
    let done =
        done.says("creates 2 custom fields: `Favourite colour` (TEXT), `Shoe size` (NUMERICAL)");
    done.says("the custom field `Shoe size` was created");
    let (colour, size) = (world.field_named("Favourite colour"), world.field_named("Shoe size"));
    assert_eq!((&colour["dataType"], &size["dataType"]), (&json!("TEXT"), &json!("NUMERICAL")));
    assert_eq!(colour["model"], "contact");
    assert_eq!(world.field_value("ada@example.com", &colour), "teal");
    assert_eq!(world.field_value("bob@example.com", &size), 44.5);
    assert_eq!(world.field_value("cyn@example.com", &colour), json!(null));
    let writes = world.list_writes();
    assert!(writes[..2].iter().all(|line| line.ends_with("customFields")), "{writes:?}");
    assert_eq!(world.count_results(), [3, 0, 0, 0, 0]);
    let summary = world.read_json("res/summary.json");
    assert_eq!(summary["custom_fields"][0]["outcome"], "created");
    assert_eq!(summary["custom_fields"][0]["id"], colour["id"]);
    assert_eq!(summary["rows"]["succeeded"], 3);
}

#[test]
fn a_dry_run_shows_the_fields_and_sends_nothing() {
    let world = empty_world();
    world.write_sheet("in.csv", SHEET);
    let done = world.run_command(&format!("import in.csv --dry-run --out res {BOTH}"));
    done.exits(0).says("creates 2 custom fields").says("2 create custom fields");
    assert_eq!(world.list_writes(), [""; 0]);
    let plan = world.read_csv("res/plan.csv");
    assert_eq!(plan[0]["action"], "create_field");
    assert_eq!(plan[0]["field"], "customFields.Favourite colour");
    assert_eq!((plan[1]["row"].as_str(), plan[1]["new"].as_str()), ("", "NUMERICAL"));
    assert!(
        plan.iter()
            .any(|row| row["field"] == "customFields.favourite_colour" && row["new"] == "teal")
    );
    let summary = world.read_json("res/summary.json");
    let field = json!({"column": "Shoe size", "name": "Shoe size", "type": "NUMERICAL"});
    assert_eq!(summary["new_fields"][1], field);

    world.run_command(&format!("apply {} --yes", world.only_run_id())).exits(0);
    let colour = world.field_named("Favourite colour");
    assert_eq!(world.field_value("bob@example.com", &colour), "ochre");
}

#[test]
fn a_declined_plan_creates_nothing() {
    let world = empty_world();
    world.write_sheet("in.csv", SHEET);
    let line = format!("import in.csv --out res {BOTH}");
    let (code, shown) = run_on_terminal(&world, &line, "Apply", "n");
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("2 new custom fields, 3 creates"), "{shown}");
    assert_eq!(world.list_writes(), [""; 0]);
}

#[test]
fn all_means_every_column_without_a_target_except_consent_and_ids() {
    let world = empty_world();
    world.write_sheet(
        "in.csv",
        "Email,Favourite colour,SMS subscription,Legacy CRM id,Empty\na@example.com,teal,weekly,77,\n",
    );
    let done = world.run_import("--create-fields all").exits(0);
    done.says("`SMS subscription` says whether people may be contacted");
    let warnings = world.read_csv("res/warnings.csv");
    let is_id = "column `Legacy CRM id` looks like the ids of a system";
    assert!(warnings.iter().any(|row| row["message"].starts_with(is_id)), "{warnings:?}");
    assert!(world.has_field("Favourite colour"));
    assert!(!world.has_field("SMS subscription") && !world.has_field("Legacy CRM id"));
    assert!(!world.has_field("Empty"), "a column without values asks for no field");
    assert_eq!(world.count_field_requests(), 1);
}

#[test]
fn the_type_comes_from_all_values_of_the_column() {
    let world = empty_world();
    let mut sheet = "Email,Joined club,Hotline,Yearly fee,Story,Badge,Weight\n".to_owned();
    for n in 0..300 {
        let weight = if n == 299 { "unknown" } else { "70.5" };
        writeln!(
            sheet,
            "p{n}@example.com,2024-05-{:02},+1 305 555 {:04},$1{n}.50,\"one\ntwo\",00{n},{weight}",
            n % 28 + 1,
            n + 100
        )
        .unwrap();
    }
    world.write_sheet("in.csv", &sheet);
    let fields = "--create-fields 'Joined club,Hotline,Yearly fee,Story,Badge,Weight'";
    world.run_command(&format!("import in.csv --dry-run --out res {fields}")).exits(0);
    let summary = world.read_json("res/summary.json");
    let types = summary["new_fields"].as_array().unwrap().iter();
    let types: Vec<_> = types.map(|field| field["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["DATE", "PHONE", "MONETORY", "LARGE_TEXT", "TEXT", "TEXT"]);
}

#[test]
fn a_column_like_a_pick_list_is_named_because_the_api_cannot_create_options() {
    let world = empty_world();
    let mut sheet = "Email,Membership tier\n".to_owned();
    for n in 0..12 {
        let tier = ["gold", "silver", "bronze"][n % 3];
        writeln!(sheet, "p{n}@example.com,{tier}").unwrap();
    }
    world.write_sheet("in.csv", &sheet);
    world
        .run_import("--create-fields 'Membership tier'")
        .exits(0)
        .says("`Membership tier` looks like a pick list of 3 values");
    assert_eq!(world.field_named("Membership tier")["dataType"], "TEXT");
    let warnings = world.read_csv("res/warnings.csv");
    assert_eq!(warnings[0]["code"], "W_FIELD_AS_TEXT");
    assert_eq!(
        warnings[0]["message"],
        "`Membership tier` looks like a pick list of 3 values; the API cannot create its options, so it becomes \
         TEXT, or create the field in HighLevel first"
    );
}

#[track_caller]
fn is_refused(sheet: &str, options: &str, expected: &str) {
    let world = empty_world();
    world.write_sheet("in.csv", sheet);
    world.run_import(options).exits(4).says(expected).says("nothing was sent");
    assert_eq!(world.list_writes(), [""; 0]);
    assert_eq!(world.try_only_run_id(), None);
}

#[test]
fn columns_that_cannot_become_fields_are_refused_with_the_reason() {
    let sheet = "Email,Gender,SMS subscription,Member id,Colour,Colour,%\n\
         a@example.com,f,weekly,12,teal,red,5\n";
    is_refused(sheet, "--create-fields Colors", "the sheet has no column `Colors`");
    is_refused(sheet, "--create-fields Email", "column `Email` goes to `email` already");
    is_refused(sheet, "--create-fields 'SMS subscription'", "says whether people may be contacted");
    is_refused(sheet, "--create-fields 'Member id'", "looks like the ids of a system");
    is_refused(sheet, "--create-fields Colour", "is the header of columns E and F");
    is_refused(sheet, "--create-fields E,F", "would both create the custom field `Colour`");
    is_refused(sheet, "--create-fields '%'", "has no name that a field could have");
    is_refused(sheet, "--create-fields E --ignore-column E", "column `Colour` is ignored");
}

#[test]
fn a_field_that_exists_is_refused_with_its_target() {
    let world = World::new();
    let name = world.list_fields()[0]["name"].as_str().unwrap().to_owned();
    world.write_sheet("in.csv", &format!("Email,{name}\na@example.com,x\n"));
    world
        .run_import(&format!("--create-fields '{name}'"))
        .exits(4)
        .says("already")
        .says(&format!("map it with `--map '{name}=customFields."));
}

#[test]
fn a_second_import_maps_the_field_by_its_name() {
    let world = empty_world();
    world.write_sheet("in.csv", SHEET);
    world.run_import(BOTH).exits(0);
    world.write_sheet("in.csv", "Email,Favourite colour\nada@example.com,red\n");
    world.run_import("").exits(0);
    assert_eq!(world.field_value("ada@example.com", &world.field_named("Favourite colour")), "red");
    assert_eq!(world.count_field_requests(), 2);
}

#[test]
fn a_mapping_creates_a_field_with_its_own_type_and_name() {
    let world = empty_world();
    world.write_sheet("in.csv", SHEET);
    let mapping = "format = 1\n\n[[column]]\nfrom = \"Email\"\nto = \"email\"\n\n\
         [[column]]\nfrom = \"First Name\"\nto = \"firstName\"\n\n\
         [[column]]\nfrom = \"Favourite colour\"\ncreate = \"LARGE_TEXT\"\nname = \"Colour\"\n\n\
         [[column]]\nfrom = \"[D]\"\ncreate = \"TEXT\"\n";
    world.write_sheet("m.toml", mapping);
    world.run_import("--map m.toml").exits(0).says("`Colour` (LARGE_TEXT), `Shoe size` (TEXT)");
    assert_eq!(world.field_value("ada@example.com", &world.field_named("Colour")), "teal");
    assert_eq!(world.field_value("ada@example.com", &world.field_named("Shoe size")), "38");

    // The same mapping serves the next file as well: the fields exist now.
    world.write_sheet("in.csv", &SHEET.replace("teal", "red"));
    world.run_import("--map m.toml").exits(0).does_not_say("custom field");
    assert_eq!(world.field_value("ada@example.com", &world.field_named("Colour")), "red");
    assert_eq!(world.count_field_requests(), 2);
}

#[test]
fn a_mapping_with_a_type_that_cannot_be_created_says_so() {
    let world = empty_world();
    world.write_sheet("in.csv", SHEET);
    let check = |create: &str, expected: &str| {
        let mapping =
            format!("format = 1\n[[column]]\nfrom = \"Shoe size\"\ncreate = \"{create}\"\n");
        world.write_sheet("m.toml", &mapping);
        world.run_import("--map m.toml").exits(4).says(expected);
    };
    check("MONETARY", "did you mean `MONETORY`");
    check("SINGLE_OPTIONS", "the API cannot create the options of such fields");
    check("colour", "it can be `TEXT`, `LARGE_TEXT`");
}

#[test]
fn a_column_whose_values_say_who_may_be_contacted_becomes_no_field() {
    let world = empty_world();
    let sheet = "Email,Mail state\nada@example.com,unsubscribed\nbo@example.com,subscribed\n\
                 cy@example.com,bounced\n";
    world.write_sheet("in.csv", sheet);
    for columns in ["all", "'Mail*'", "'Mail state'", "B"] {
        let done = world.run_import(&format!("--create-fields {columns}")).exits(4);
        done.says("may be `dndSettings.Email`").says("--map B=dndSettings.Email");
    }
    assert_eq!(world.list_writes(), [""; 0]);
}

#[test]
fn several_files_of_one_command_share_the_fields_that_the_first_one_creates() {
    let world = empty_world();
    world.write_sheet("a.csv", SHEET);
    world.write_sheet("b.csv", &SHEET.replace("example.com", "example.org"));
    world.run_command(&format!("import a.csv b.csv --yes --out res {BOTH}")).exits(0);
    assert_eq!(world.count_field_requests(), 2);
    let colour = world.field_named("Favourite colour");
    assert_eq!(world.field_value("ada@example.org", &colour), "teal");
}

#[test]
fn a_new_field_is_no_marker_and_no_key() {
    let world = empty_world();
    world.write_sheet("in.csv", SHEET);
    for flag in ["--marker-field 'Shoe size'", "--key 'custom:Shoe size'"] {
        let done = world.run_import(&format!("{BOTH} {flag}"));
        assert!(matches!(done.code, 2 | 4), "{done:?}");
    }
    assert_eq!(world.list_writes(), [""; 0]);
}
