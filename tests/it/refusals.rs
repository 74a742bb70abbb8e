//! What is refused, with which code and which words; nothing is sent.

use serde_json::{Value, json};

use crate::people::{empty, empty_with};
use crate::process::Process;
use crate::world::World;

const ONE: &str = "Email,City\na@example.com,Rome\n";

/// Imports `ONE` with options that must be refused, and asserts that nothing was written.
#[track_caller]
fn refused(world: &World, options: &str, code: i32, says: &[&str]) {
    world.sheet("in.csv", ONE);
    let mut done = world.import(options).exits(code);
    for part in says {
        done = done.says(part);
    }
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[test]
fn a_file_that_is_none_is_named() {
    let world = empty();
    world.run("import nowhere.csv --yes").exits(2).says("nowhere.csv");
    std::fs::create_dir(world.path("dir.csv")).unwrap();
    world.run("import dir.csv --yes").exits(2).says("dir.csv");
}

#[test]
fn a_mapping_for_another_location_is_refused() {
    let world = empty();
    world.sheet("m.toml", "format = 1\nlocation = \"somewhereElse0000001\"\n[[column]]\nfrom = \"Email\"\nto = \"email\"\n[[column]]\nfrom = \"City\"\nto = \"city\"\n");
    refused(&world, "--map m.toml", 4, &["somewhereElse0000001", "nothing was sent"]);
}

#[test]
fn a_mapping_that_forgets_a_column_is_refused() {
    let world = empty();
    world.sheet("m.toml", "format = 1\n[[column]]\nfrom = \"Email\"\nto = \"email\"\n");
    refused(&world, "--map m.toml", 4, &["`City`", "ignore"]);
}

#[test]
fn a_wrong_word_in_a_mapping_is_named_with_its_line_and_the_nearest_right_one() {
    let world = empty();
    world.sheet("m.toml", "format = 1\n[[column]]\nfrom = \"Email\"\nto = \"emial\"\n");
    refused(&world, "--map m.toml", 4, &["line 4", "`emial`", "`email`"]);
}

#[test]
fn an_unknown_preset_key_or_marker_is_named() {
    let world = empty();
    refused(&world, "--preset hubspott", 2, &["hubspott", "hubspot"]);
    refused(&world, "--key custom:nonsense", 2, &["nonsense"]);
    refused(&world, "--marker-field nonsense", 2, &["nonsense"]);
}

#[test]
fn the_wrong_location_s_name_stops_an_import() {
    let world = empty();
    refused(&world, "--confirm-location Elsewhere", 2, &["Elsewhere", "nothing was sent"]);
}

#[test]
fn an_owner_whom_nobody_knows_stops_the_plan_with_the_nearest_name() {
    let world = World::with(|settings| settings.contacts = 1);
    world.sheet("in.csv", "Email,Owner\na@example.com,Nobody Atall\n");
    world.import("").exits(4).says("Nobody Atall").says("column `Owner`");
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[test]
fn a_sheet_that_changes_while_it_is_planned_is_stale() {
    let world = empty_with(&["GET /locations/* hold times=1"]);
    world.sheet("in.csv", ONE);
    let import = Process::start(&world, "import in.csv --yes --out res");
    world.ask("held?at_least=1");
    world.sheet("in.csv", "Email,City\nb@example.com,Paris\n");
    world.control("POST", "release", &Value::Null);
    import.end().exits(5).says("in.csv");
    assert!(world.account().is_empty());
}

#[test]
fn a_token_that_may_only_read_plans_and_then_says_which_scope_it_lacks() {
    let world = empty().env("GHL_TOKEN", "pit-sandbox-without:contacts.write");
    world.sheet("in.csv", ONE);
    world.run("import in.csv --dry-run --out res").exits(0);
    world.import("").exits(8).says("contacts.write").says("ghl-bulk resume");
    assert!(world.account().is_empty());
}

#[test]
fn result_files_that_cannot_be_written_stop_before_anything_is_sent() {
    let world = empty();
    world.sheet("file", "");
    world.sheet("in.csv", ONE);
    world.run("import in.csv --yes --out file/res").exits(2);
    assert!(world.account().is_empty());
}

#[test]
fn nonsense_on_the_command_line_is_refused_by_name() {
    let world = empty();
    for (options, part) in [
        ("--max-errors 150%", "--max-errors"),
        ("--sample 0", "--sample"),
        ("--key email", "--key"),
        ("--mode delete", "--mode"),
        ("--timezone Mars/Olympus", "timezone"),
        ("--default-country Germany", "country"),
    ] {
        world.sheet("in.csv", ONE);
        let done = world.import(options);
        assert!(done.code == 2 || done.code == 4, "{options}: {}", done.code);
        assert!(done.stderr.contains(part), "{options}: {}", done.stderr);
    }
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[test]
fn people_who_share_the_key_are_not_told_apart_by_guessing() {
    let world = empty();
    world.control("PUT", "customFields", &json!([
        {"id": "fieldMember00000001", "name": "Member", "fieldKey": "contact.member", "dataType": "TEXT", "model": "contact"},
    ]));
    let field = json!([{"id": "fieldMember00000001", "value": "M1"}]);
    world.add(&[
        json!({"email": "a@example.com", "customFields": field}),
        json!({"email": "b@example.com", "customFields": field}),
    ]);
    world.sheet("in.csv", "Member,City\nM1,Rome\nM2,Paris\n");
    world.import("--key custom:member --mode update").exits(3);
    let codes: Vec<_> =
        world.table("res/rejected.csv").iter().map(|row| row["_reject_code"].clone()).collect();
    assert_eq!(codes, ["R_AMBIGUOUS_MATCH", "R_NOT_FOUND"]);
}
