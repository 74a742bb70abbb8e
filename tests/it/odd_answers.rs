//! Answers in another form than the documented one: lists in pages, other names and shapes, null in place of a list.

use serde_json::Value;

use crate::export_files::read_errors_csv;
use crate::world::{CommandOutput, World};

const EXPORT: &str = "export --format jsonl --out out";

/// Exports from a server with these faults.
#[track_caller]
fn export(faults: &[&str], options: &str, code: i32) -> (World, CommandOutput) {
    let world = World::with_settings(|settings| {
        settings.contacts = 120;
        settings.awkward = false;
        settings.faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    })
    .with_env("GHL_BULK_SETTLE_S", "0");
    let done = world.run_command(&format!("{EXPORT} {options}")).exits(code);
    (world, done)
}

/// How many notes, tasks or appointments there are in the account.
fn count_children(world: &World, list: &str) -> usize {
    let state = world.get_control("state");
    let contacts = state["contacts"].as_array().unwrap().iter();
    contacts.map(|one| one[list].as_array().unwrap().len()).sum()
}

/// The values of all custom fields in the table.
fn custom_values(world: &World) -> Vec<(String, Value)> {
    let rows = world.read_rows("out/contacts.jsonl");
    let members = rows.iter().flat_map(|row| row.as_object().unwrap());
    let members = members.filter(|(key, value)| key.starts_with("custom_") && !value.is_null());
    members.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Expects that the rows which a table lacks are told, each once.
#[track_caller]
fn assert_lacking_rows_are_told(faults: &[&str], options: &str, list: &str) {
    let (world, done) = export(faults, options, 3);
    let rows = world.read_rows(&format!("out/{list}.jsonl")).len();
    let lacking = count_children(&world, list) - rows;
    assert!(lacking > 1, "{list}: {rows} rows");
    done.says(&format!("{lacking} records could not be read"));
    let errors = read_errors_csv(&world, "out");
    assert!(errors.iter().all(|line| line["table"] == list && line["code"] == "incomplete"));
    let manifest = world.read_json("out/manifest.json");
    assert_eq!((&manifest["unreadable"], &manifest["complete"]), (&lacking.into(), &false.into()));
    world.control_request("DELETE", "faults", &Value::Null);
    world.run_command("resume --retry-errors").exits(0);
    assert_eq!(world.read_rows(&format!("out/{list}.jsonl")).len(), lacking + rows);
}

#[test]
fn notes_that_come_in_pages_are_read_later_and_told_until_then() {
    let paged = ["GET /contacts/*/notes paged=1"];
    assert_lacking_rows_are_told(&paged, "--with notes --notes-by contact", "notes");
}

#[test]
fn tasks_of_a_contact_that_come_in_pages_are_told() {
    let paged = ["POST /locations/*/tasks/search no-scope", "GET /contacts/*/tasks paged=1"];
    assert_lacking_rows_are_told(&paged, "--with tasks", "tasks");
}

#[test]
fn a_search_of_notes_is_not_distrusted_for_what_a_paged_list_lacks() {
    let (world, done) = export(&["GET /contacts/*/notes paged=1"], "--with notes", 0);
    done.does_not_say("warning");
    assert_eq!(world.read_rows("out/notes.jsonl").len(), count_children(&world, "notes"));
}

#[test]
fn lists_of_the_location_that_come_in_pages_are_told() {
    let lists = ["/users/", "/locations/*/tags", "/locations/*/customFields", "/calendars/"];
    let faults = lists.map(|path| format!("GET {path} paged=2"));
    let faults: Vec<&str> = faults.iter().map(String::as_str).collect();
    let (world, _) = export(&faults, "--with appointments", 3);
    let mut told: Vec<String> =
        read_errors_csv(&world, "out").iter().map(|line| line["table"].clone()).collect();
    told.sort();
    assert_eq!(told, ["calendars", "custom_fields", "tags", "users"]);
}

#[test]
fn events_of_a_calendar_that_come_in_pages_are_told() {
    let (world, _) = export(&["GET /calendars/events paged=1"], "--with appointments", 3);
    let errors = read_errors_csv(&world, "out");
    assert!(errors.iter().all(|line| line["code"] == "incomplete"), "{errors:?}");
}

#[test]
fn an_import_refuses_custom_fields_that_are_not_all_there() {
    let world = World::with_faults(&["GET /locations/*/customFields paged=2"]);
    std::fs::write(world.path("in.csv"), "Email,City\nann@example.com,Rome\n").unwrap();
    let done = world.run_command("import in.csv --dry-run --out res").exits(2);
    done.says("the response lacks");
}

#[test]
fn custom_fields_are_read_from_an_object_and_under_their_old_name() {
    let (plain, _) = export(&[], "--with none", 0);
    let expected = custom_values(&plain);
    assert!(expected.len() > 100);
    for shape in ["map", "v1"] {
        let fault = format!("POST /contacts/search custom-fields={shape}");
        let (world, done) = export(&[&fault], "--with none", 0);
        done.does_not_say("warning");
        assert_eq!(custom_values(&world), expected, "{shape}");
    }
}

#[test]
fn custom_fields_in_a_form_that_nobody_knows_are_told_once() {
    let odd = r#"POST /contacts/search set=customFields:[{"key":"a","val":1}]"#;
    let (world, done) = export(&[odd], "--with none", 0);
    done.says("custom fields of 120 contacts are in a form that cannot be read");
    let rows = world.read_rows("out/contacts.jsonl");
    assert!(rows.iter().all(|row| row["extra"]["customFields"][0]["val"] == 1));
    let (_, done) = export(&["POST /contacts/search set=customFields:null"], "--with none", 0);
    done.says("the server sent no custom fields of 120 contacts");
}

#[test]
fn null_in_place_of_the_contacts_is_no_empty_account() {
    let (world, done) = export(&["POST /contacts/search shape=null"], "--with none", 2);
    done.says("`contacts` is null");
    assert!(!world.path("out").exists());
    let once = ["POST /contacts/search shape=null times=2"];
    let (world, _) = export(&once, "--with none", 0);
    assert_eq!(world.read_rows("out/contacts.jsonl").len(), 120);
    let empty = ["POST /contacts/search shape=null", "POST /contacts/search total=0"];
    let (world, _) = export(&empty, "--with none", 0);
    assert!(world.read_rows("out/contacts.jsonl").is_empty());
}

#[test]
fn deleted_tasks_are_left_out_and_counted() {
    let deleted = "POST /locations/*/tasks/search set=deleted:true times=1";
    let (world, done) = export(&[deleted], "--with tasks", 0);
    let tasks = count_children(&world, "tasks");
    done.says(&format!("{tasks} deleted tasks that the server sent are left out"));
    assert!(world.read_rows("out/tasks.jsonl").is_empty());
}

#[test]
fn line_breaks_between_the_values_change_nothing() {
    let (plain, _) = export(&[], "", 0);
    let (pretty, _) = export(&["* /** pretty"], "", 0);
    for table in ["contacts", "tasks", "notes"] {
        let file = format!("out/{table}.jsonl");
        assert_eq!(pretty.read_rows(&file), plain.read_rows(&file), "{table}");
    }
}

#[test]
fn an_id_under_its_other_name_is_an_id() {
    let (plain, _) = export(&[], "", 0);
    let faults = ["POST /contacts/search rename=id:_id", "POST /notes/search rename=id:_id"];
    let notes = "GET /contacts/*/notes rename=id:_id";
    for (options, faults) in [("", &faults[..]), ("--notes-by contact", &[faults[0], notes])] {
        let (world, _) = export(faults, options, 0);
        for table in ["contacts", "tasks", "notes"] {
            let rows = world.read_rows(&format!("out/{table}.jsonl"));
            let expected = plain.read_rows(&format!("out/{table}.jsonl"));
            let ids = |rows: &[Value]| rows.iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
            assert_eq!(ids(&rows), ids(&expected), "{table}");
            assert!(rows.iter().all(|row| row["extra"]["searchAfter"].is_null()), "{table}");
        }
    }
}

#[test]
fn hidden_contacts_are_counted_one_by_one() {
    let (world, done) = export(&["POST /contacts/search total=125"], "--with none", 3);
    done.says("5 records could not be read");
    assert_eq!(world.read_json("out/manifest.json")["unreadable"], 5);
    assert_eq!(read_errors_csv(&world, "out").len(), 1);
    let run = world.only_run_id();
    let shown = world.run_command(&format!("runs show {run} --json")).exits(0).stdout;
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap()["unreadable"], 5);
}

#[test]
fn contacts_of_another_location_are_told_and_no_row_is_written_to_them() {
    let foreign = "POST /contacts/search set=locationId:\"elsewhere\" rows=3 times=1";
    let (world, done) = export(&[foreign], "", 3);
    done.says("the server sent 3 contacts of another location");
    let errors = read_errors_csv(&world, "out");
    assert_eq!(errors.len(), 3, "{errors:#?}");
    assert!(errors.iter().all(|line| line["code"] == "other_location"), "{errors:#?}");
    // None is left out: that would lose the account's own contacts if the server only errs about the location.
    assert_eq!(world.read_rows("out/contacts.jsonl").len(), 120);

    let world = crate::import_world::empty_world_with_faults(&[
        "POST /contacts/search set=locationId:\"elsewhere\"",
        "GET /contacts/* set=locationId:\"elsewhere\"",
        "GET /contacts/search/duplicate set=locationId:\"elsewhere\"",
    ]);
    let ids = world.add_contacts(&[serde_json::json!({ "email": "avery@example.com" })]);
    world.write_sheet("in.csv", "Email,City\navery@example.com,Rome\n");
    world.run_import("").exits(3).says("belongs to location `elsewhere`");
    assert_eq!(world.read_csv("res/rejected.csv")[0]["_reject_code"], "R_OTHER_LOCATION");
    assert_eq!(world.contact_by_id(&ids[0])["contact"]["city"], Value::Null);
    world.write_sheet("in.csv", &format!("Contact Id\n{}\n", ids[0]));
    world.run_import("--mode delete --confirm-delete 1").exits(3);
    assert_eq!(world.read_csv("res/rejected.csv")[0]["_reject_code"], "R_OTHER_LOCATION");
    assert_eq!(world.read_contacts().len(), 1);
}
