//! Undo of a deletion: the records are recreated completely, and only once.

use serde_json::{Value, json};

use super::{ann, three};
use crate::import_world::empty_world;
use crate::world::{CommandOutput, World};

/// A world in which Ann, Bob and Eve were deleted; gives the accounts before, and the run.
fn deleted() -> (World, Vec<Value>, String) {
    let (world, ids) = three();
    let before = world.read_contacts();
    world.write_sheet(
        "in.csv",
        &ids.iter().fold("Contact Id\n".to_owned(), |all, id| all + id + "\n"),
    );
    world.run_deletion("--confirm-delete 3").exits(0);
    let run = world.last_run("import");
    world.clear_log();
    (world, before, run)
}

fn undo(world: &World, run: &str, options: &str) -> CommandOutput {
    world.run_command(&format!("undo {run} --yes --out undone {options}"))
}

/// A person without ids, dates, and what the server derives.
fn plain(person: &Value) -> Value {
    let own = [
        "id",
        "contactId",
        "dateAdded",
        "dateUpdated",
        "searchAfter",
        // What the server gives to every new contact.
        "attributionSource",
        "type",
        "country",
        "contactName",
    ];
    let bare = |row: &mut Value| {
        let Some(row) = row.as_object_mut() else { return };
        row.retain(|key, value| {
            let nothing =
                [json!(null), json!(""), json!([]), json!({}), json!(false)].contains(value);
            !own.contains(&key.as_str()) && !nothing && !key.ends_with("LowerCase")
        });
        if let Some(Value::Array(tags)) = row.get_mut("tags") {
            tags.sort_by_key(Value::to_string);
        }
    };
    let mut person = person.clone();
    bare(&mut person["contact"]);
    for list in ["notes", "tasks"] {
        let all = person[list].as_array_mut().unwrap();
        all.iter_mut().for_each(bare);
        all.sort_by_key(Value::to_string);
    }
    person
}

fn all_plain(people: &[Value]) -> Vec<Value> {
    let mut all: Vec<_> = people.iter().map(plain).collect();
    all.sort_by_key(|it| it["contact"]["email"].to_string());
    all
}

#[test]
fn contacts_come_back_with_their_notes_and_tasks_as_new_ones() {
    let (world, before, run) = deleted();
    let shown = world.run_command(&format!("undo {run} --dry-run --out undone"));
    shown.exits(0).says("3 recreate").says("create notes");
    assert!(world.read_contacts().is_empty());
    undo(&world, &run, "").exits(0);
    let mut expected = all_plain(&before);
    expected[0]["notes"][0]["body"] = "[2026-01-02] met at the fair".into();
    assert_eq!(all_plain(&world.read_contacts()), expected);
    let map = world.read_csv("undone/recreated.csv");
    assert_eq!(map.len(), 3 + 1 + 2);
    for person in &before {
        let old = person["contact"]["id"].as_str().unwrap();
        let new = map.iter().find(|it| it["old_id"] == old).unwrap();
        assert_eq!((&*new["record"], new["new_id"] == old), ("contact", false));
        assert_eq!(
            world.contact_by_id(&new["new_id"])["contact"]["email"],
            person["contact"]["email"]
        );
    }
}

#[test]
fn a_second_undo_of_a_deletion_sends_nothing() {
    let (world, _, run) = deleted();
    undo(&world, &run, "").exits(0);
    world.clear_log();
    undo(&world, &run, "").exits(0).says("3  unchanged");
    assert_eq!(world.list_writes(), [] as [String; 0]);
    assert_eq!(world.read_contacts().len(), 3);
    assert_eq!(
        world.read_csv("undone/unchanged.csv")[0]["_reason"],
        "it has already been recreated"
    );
}

#[test]
fn a_contact_that_has_the_address_by_now_is_not_duplicated() {
    let (world, _, run) = deleted();
    world.add_contacts(&[json!({"email": "bob@example.com", "firstName": "Robert"})]);
    undo(&world, &run, "").exits(3);
    assert_eq!(world.read_emails(), ["ann@example.com", "bob@example.com", "eve@example.com"]);
    assert_eq!(world.contact_by_email("bob@example.com")["contact"]["firstName"], "Robert");
    let rejected = &world.read_csv("undone/rejected.csv")[0];
    assert_eq!((&*rejected["_reject_code"], &*rejected["_reject_field"]), ("R_EXISTS", "email"));
}

#[test]
fn an_undo_of_a_deletion_that_is_killed_anywhere_duplicates_no_contact() {
    for point in [
        "after_intent:1",
        "mid_body:2",
        "after_response:2",
        "before_outcome:4",
        "after_response:5",
        "during_results:1",
    ] {
        let (world, before, run) = deleted();
        let world =
            world.with_env("GHL_BULK_SETTLE_S", "0.2").with_env("GHL_BULK_FAILPOINT", point);
        undo(&world, &run, "--concurrency 1").exits(-1);
        let world = world.without_env("GHL_BULK_FAILPOINT");
        world.run_command(&format!("resume {}", world.last_run("undo"))).exits(0);
        let mut expected = all_plain(&before);
        expected[0]["notes"][0]["body"] = "[2026-01-02] met at the fair".into();
        assert_eq!(all_plain(&world.read_contacts()), expected, "{point}");
        assert_eq!(world.read_csv("undone/succeeded.csv").len(), 3, "{point}");
        assert_eq!(world.read_csv("undone/recreated.csv").len(), 6, "{point}");
    }
}

#[test]
fn a_contact_created_between_plan_and_undo_stops_the_undo() {
    let (world, _, run) = deleted();
    world.run_command(&format!("undo {run} --dry-run --out undone")).exits(0);
    world.add_contacts(&[json!({"email": "bob@example.com"})]);
    world.run_command(&format!("apply {} --yes", world.last_run("undo"))).exits(5);
    assert_eq!(world.read_contacts().len(), 1);
}

#[test]
fn a_location_that_allows_duplicates_gets_every_contact_back_once() {
    let world = World::with_settings(|settings| {
        settings.contacts = 0;
        settings.allow_duplicates = true;
    });
    let stop = json!({"SMS": {"status": "permanent", "message": "STOP_KEYWORD", "code": "103"}});
    let ids = world.add_contacts(&[
        ann(),
        json!({"email": "bob@example.com", "phone": "+12025550143", "dndSettings": stop}),
        json!({"firstName": "Nobody", "lastName": "Known"}),
    ]);
    let before = world.read_contacts();
    world.write_sheet(
        "in.csv",
        &ids.iter().fold("Contact Id\n".to_owned(), |all, id| all + id + "\n"),
    );
    world.run_deletion("--confirm-delete 3").exits(0);
    let run = world.last_run("import");
    undo(&world, &run, "").exits(0);
    undo(&world, &run, "").exits(0);
    let mut expected = all_plain(&before);
    let ann = expected.iter_mut().find(|it| it["contact"]["email"] == "ann@example.com").unwrap();
    ann["notes"][0]["body"] = "[2026-01-02] met at the fair".into();
    assert_eq!(all_plain(&world.read_contacts()), expected);
}

#[test]
fn a_large_account_is_restored_as_it_was_and_differences_are_reported() {
    let world = World::new();
    let before = world.read_contacts();
    let mut sheet = "Contact Id\n".to_owned();
    for person in &before {
        sheet.push_str(person["contact"]["id"].as_str().unwrap());
        sheet.push('\n');
    }
    world.write_sheet("in.csv", &sheet);
    world.run_deletion("--confirm-delete 60").exits(0);
    // Some share a phone number, which the location lets only one have by now.
    undo(&world, &world.last_run("import"), "").exits(3);
    let rejected = world.read_csv("undone/rejected.csv");
    let mut back = world.read_csv("undone/recreated.csv");
    back.retain(|it| it["record"] == "contact");
    assert_eq!(back.len() + rejected.len(), 60);
    assert!(rejected.len() < 5, "{rejected:#?}");
    let warnings = world.read_csv("undone/warnings.csv");
    for pair in &back {
        let then = before.iter().find(|it| it["contact"]["id"] == *pair["old_id"]).unwrap();
        let now = world.contact_by_id(&pair["new_id"]);
        let warned = |field: &str| {
            warnings.iter().any(|it| it["row"] == pair["row"] && it["field"] == field)
        };
        for key in [
            "firstName",
            "lastName",
            "email",
            "phone",
            "city",
            "assignedTo",
            "businessId",
            "source",
        ] {
            let (then, now) = (&then["contact"][key], &now["contact"][key]);
            let field = if key == "businessId" { "business" } else { key };
            let none = |value: &Value| value.is_null() || *value == "";
            assert!(then == now || none(then) && none(now) || warned(field), "{key}: {then} {now}");
        }
        let customs =
            |it: &Value| it["contact"]["customFields"].as_array().cloned().unwrap_or_default();
        for field in customs(&now) {
            let same = |it: &Value| it["id"] == field["id"];
            assert!(customs(then).iter().any(same), "{field}");
        }
        for (list, one) in [("notes", "note"), ("tasks", "task")] {
            let count = |it: &Value| it[list].as_array().unwrap().len();
            assert!(count(then) == count(&now) || warned(one), "{list}: {then:#} {now:#}");
        }
    }
}

#[test]
fn nothing_but_what_was_deleted_comes_back() {
    let world = empty_world();
    world.add_contacts(&[ann()]);
    world.write_sheet("in.csv", "Email\nann@example.com\nnobody@example.com\n");
    world.run_deletion("--confirm-delete 1").exits(0);
    undo(&world, &world.last_run("import"), "").exits(0);
    assert_eq!(world.read_emails(), ["ann@example.com"]);
}
