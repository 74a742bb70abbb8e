//! `show`: one contact whole, from the account.

use ghl_bulk::sandbox::ContactLookupAccess;
use serde_json::{Value, json};

use super::{ADA, add_ada, has_lines, keys};
use crate::world::{CommandOutput, World};

fn show(world: &World, contact: &str) -> CommandOutput {
    world.run_command(&format!("show '{contact}'"))
}

fn show_json(world: &World, contact: &str) -> Value {
    let shown = world.run_command(&format!("show '{contact}' --json")).exits(0);
    serde_json::from_str(&shown.stdout).unwrap()
}

#[test]
fn a_contact_is_shown_on_a_page_with_all_that_belongs_to_it() {
    let world = World::new();
    add_ada(&world);
    world.edit_by_id(
        ADA,
        &json!({
            "dnd": true,
            "dndSettings": { "SMS": { "status": "permanent", "message": "STOP" } },
            "__appointments": ["Tea"],
        }),
    );
    let requests = world.requests_of(|| {
        let page = show(&world, ADA).exits(0);
        has_lines(
            &page,
            &[
                "Ada Lovelace",
                "DO NOT DISTURB: all channels, SMS (STOP)",
                "email              Ada@example.com",
                "tags               vip, maths",
                "owner              Grace Hopper",
                "Tasks (1)",
                "[ ] 2026-12-24 10:00  Call",
                "Notes (1)",
                "first",
                "second",
                "Appointments (1)",
            ],
        );
        assert_eq!(page.stderr, "");
        assert_eq!(page.stdout.matches("America/New_York").count(), 1, "{}", page.stdout);
        assert!(!page.stdout.contains("phone number"), "empty fields are left out");
    });
    assert!(requests <= 7, "{requests}");
}

#[test]
fn json_has_the_columns_of_the_tables() {
    let world = World::new();
    add_ada(&world);
    world.edit_by_id(ADA, &json!({ "__appointments": ["Tea"] }));
    world.run_command("export --format jsonl --with tasks,notes,appointments --out out").exits(0);
    let shown = show_json(&world, ADA);
    let exported = |table: &str| {
        let rows = world.read_rows(&format!("out/{table}.jsonl"));
        let of_ada = |row: &&Value| row["id"] == ADA || row["contact_id"] == ADA;
        rows.iter().find(of_ada).unwrap_or(&rows[0]).clone()
    };
    let row = exported("contacts");
    let mut expected = keys(&row);
    expected.extend(["appointments", "left_out", "notes", "tasks"]);
    expected.sort_unstable();
    assert_eq!(keys(&shown), expected);
    for column in ["id", "email", "phone", "city", "tags", "assigned_to", "date_added"] {
        assert_eq!(shown[column], row[column], "{column}");
    }
    for table in ["tasks", "notes", "appointments"] {
        assert_eq!(keys(&shown[table][0]), keys(&exported(table)), "{table}");
    }
    assert_eq!(
        (&shown["notes"][0]["id"], &shown["tasks"][0]["id"]),
        (&json!("note1"), &json!("task1"))
    );
    assert_eq!(shown["left_out"], json!([]));
}

#[test]
fn a_contact_is_found_by_its_address_or_number_however_it_is_written() {
    for access in [ContactLookupAccess::Everyone, ContactLookupAccess::Apps(403)] {
        let world = World::with_settings(|settings| settings.contact_lookup = access);
        add_ada(&world);
        for named in ["ada@EXAMPLE.com", "+1 202 555 0143", "(202) 555-0143", ADA] {
            assert_eq!(show_json(&world, named)["id"], ADA, "{named}");
        }
    }
}

#[test]
fn the_lookup_finds_a_contact_by_an_additional_address() {
    let world =
        World::with_settings(|settings| settings.contact_lookup = ContactLookupAccess::Everyone);
    add_ada(&world);
    world.edit_by_id(ADA, &json!({ "additionalEmails": ["countess@example.com"] }));
    assert_eq!(show_json(&world, "countess@example.com")["id"], ADA);
}

#[test]
fn contacts_that_share_an_address_are_listed() {
    let world = World::new();
    add_ada(&world);
    world.add_contact(&json!({ "id": "another0000000000001", "email": "ada@example.com" }));
    let listed = show(&world, "ada@example.com").exits(2).says("2 contacts have `ada@example.com`");
    let listed = listed.says("adaLovelace000000001  Ada Lovelace").says("another0000000000001");
    assert_eq!(listed.stdout, "");
}

#[test]
fn a_contact_that_does_not_exist_is_no_failure_of_the_program() {
    let world = World::new();
    add_ada(&world);
    world.delete_by_id(ADA);
    for named in [ADA, "ada@example.com", "+12025550143"] {
        show(&world, named).exits(10).says("has no contact").says("ghl-bulk history");
    }
}

#[test]
fn a_text_that_names_no_contact_is_never_requested() {
    let world = World::new();
    let texts = [
        "",
        " ",
        "x",
        "..",
        "a/../../b/abcdefghijklmnop",
        "?locationId=abcdefghijklmno",
        "a b@c d",
    ];
    let requests = world.requests_of(|| {
        for text in texts {
            show(&world, text).exits(2);
        }
        let escaped = show(&world, "a\u{1b}[2J\u{7}@b").exits(2);
        assert!(!escaped.stderr.contains(['\u{1b}', '\u{7}']), "{:?}", escaped.stderr);
    });
    assert_eq!(requests, 0);
}

#[test]
fn what_the_token_may_not_read_is_left_out_and_named() {
    let world = World::with_faults(&["GET /contacts/*/appointments no-scope"]);
    add_ada(&world);
    show(&world, ADA).exits(0).says("left out: appointments").says("`contacts.readonly`");
    world.run_command(&format!("show {ADA} --quiet")).exits(0).does_not_say("left out");
    world.control_request("POST", "faults", &json!(["GET /contacts/*/notes no-scope"]));
    show(&world, ADA).exits(3).says("left out: notes");
    let shown = world.run_command(&format!("show {ADA} --json")).exits(3);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!((&shown["notes"], &shown["appointments"]), (&Value::Null, &Value::Null));
    assert_eq!(shown["tasks"][0]["id"], "task1");
    let parts: Vec<_> =
        shown["left_out"].as_array().unwrap().iter().map(|it| &it["part"]).collect();
    assert_eq!(parts, ["notes", "appointments"]);
}

#[test]
fn a_contact_without_readable_names_is_shown_with_ids() {
    let world =
        World::with_faults(&["GET /users/ no-scope", "GET /locations/*/customFields status=500"]);
    add_ada(&world);
    let page = show(&world, ADA).exits(0).says("names of users").says("names of custom fields");
    has_lines(&page, &["owner              userGrace00000000001"]);
}

#[test]
fn texts_of_a_contact_cannot_control_the_terminal() {
    let world = World::new();
    let bell = "\u{1b}]0;title\u{7}\u{9b}2J\u{202e}";
    let id = world.add_contact(&json!({
        "firstName": bell, "city": bell, "tags": [bell], "attributionSource": { bell: bell },
        "__notes": [{ "body": format!("a\r\n{bell}\rb") }], "__tasks": [{ "title": bell }],
    }));
    for flags in ["", "--json"] {
        let shown = world.run_command(&format!("show {id} {flags}")).exits(0).stdout;
        let shown: String = shown.chars().filter(|c| *c != '\n').collect();
        assert!(!shown.contains(|c: char| c.is_control() || c == '\u{202e}'), "{shown:?}");
    }
}

#[test]
fn the_sandbox_and_several_locations_are_as_elsewhere() {
    let world = World::new();
    world.run_command("show wei.6@example.com --sandbox").exits(0);
    world.run_command(&format!("show {ADA} --location a,b")).exits(2).says("is about one location");
    world.without_env("GHL_TOKEN").run_command(&format!("show {ADA}")).exits(8);
}
