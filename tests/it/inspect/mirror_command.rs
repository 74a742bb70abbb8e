//! `mirror status` and `mirror rm`.

use serde_json::{Value, json};

use super::{ADA, add_ada, has_lines};
use crate::running_command::RunningCommand;
use crate::world::World;

fn status(world: &World) -> Vec<Value> {
    let shown = world.run_command("mirror status --json").exits(0).stdout;
    serde_json::from_str(&shown).unwrap()
}

#[test]
fn status_shows_what_a_mirror_has_and_what_was_made_from_it() {
    let world = World::new();
    add_ada(&world);
    world.run_command("export --incremental --out mirrored").exits(0);
    world.edit_by_id(ADA, &json!({ "city": "Paris" }));
    world.delete_by_id(&world.contact_id(3));
    world.sync("");
    let world = world.without_env("GHL_TOKEN");
    let requests = world.requests_of(|| {
        let one = &status(&world)[0];
        let mut contacts = one["records"]["contacts"].clone();
        assert!(
            contacts.as_object_mut().unwrap().remove("former_bytes").unwrap().as_u64() > Some(0)
        );
        let expected =
            json!({"live": 60, "deleted": 1, "without_content": 0, "former_versions": 2});
        assert_eq!(contacts, expected);
        assert_eq!((&one["last_sync"]["seq"], &one["last_walk"]["seq"]), (&json!(2), &json!(1)));
        assert_eq!(one["readers"][0]["up_to_date"], false);
        assert_eq!((&one["merging"], &one["sandbox"]), (&json!(false), &json!(false)));
        let page = world.run_command("mirror").exits(0);
        has_lines(&page, &["contacts           60, 1 deleted, 2 former versions"]);
        assert!(page.stdout.contains("mirrored (sync 1, behind)"), "{}", page.stdout);
        let kept = "deleted records 90 days, former versions 365 days (";
        assert!(page.stdout.contains(kept), "{}", page.stdout);
    });
    assert_eq!(requests, 0);
}

#[test]
fn status_lists_every_mirror_and_waits_for_no_sync() {
    let world = World::new();
    assert_eq!(status(&world.without_env("GHL_LOCATION_ID")), Vec::<Value>::new());
    let world = World::new();
    world.run_command("mirror status").exits(10).says("ghl-bulk sync");
    world.sync("");
    world.run_command("sync --sandbox").exits(0);
    world.control_request("POST", "faults", &json!(["POST /contacts/search hold"]));
    let running = RunningCommand::start(&world, "sync");
    world.get_control("held");
    let world = world.without_env("GHL_LOCATION_ID");
    assert_eq!(status(&world).len(), 2);
    world.control_request("POST", "release", &Value::Null);
    drop(running);
}

#[test]
fn a_reader_that_is_forgotten_holds_nothing_back() {
    let world = World::new();
    world.run_command("export --incremental --format jsonl --out mirrored").exits(0);
    world.run_command("watch --once --jsonl events.jsonl").exits(0);
    world.edit_by_id(&world.contact_id(3), &json!({ "city": "Paris" }));
    let removed = |flags: &str| world.sync(flags)["removed"]["former_versions"].clone();
    assert_eq!(removed("--history-keep 0s"), 0, "neither the directory nor the sink has it");
    world.run_command("mirror forget nowhere").exits(10).says("mirrored").says("jsonl:");
    world.run_command("mirror forget mirrored").exits(0).says("nothing is kept for it");
    assert_eq!(removed(""), 0, "the sink has not got it");
    let sink = status(&world)[0]["sinks"][0]["name"].as_str().unwrap().to_owned();
    world.run_command(&format!("mirror forget {sink}")).exits(0);
    assert_eq!(removed(""), 1);
    assert_eq!(status(&world)[0]["readers"], json!([]));
    world.run_command("export --incremental --format jsonl --out mirrored").exits(0);
}

#[test]
fn a_mirror_is_removed_only_when_asked_and_when_no_sync_runs() {
    let world = World::new();
    world.run_command("mirror rm --yes").exits(10).says("no local copy");
    world.run_command("export --incremental --format jsonl --out mirrored").exits(0);
    world.run_command("mirror rm").exits(2).says("--yes");
    world.control_request("POST", "faults", &json!(["POST /contacts/search hold"]));
    let running = RunningCommand::start(&world, "sync");
    world.get_control("held");
    world.run_command("mirror rm --yes").exits(11);
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "release", &Value::Null);
    running.wait_for_exit().exits(0);
    world.run_command("mirror rm --yes").exits(0).says("the next sync reads everything");
    assert_eq!(world.list_files("home/mirrors"), Vec::<String>::new());
    assert_eq!(world.read_rows("mirrored/contacts.jsonl").len(), 60, "exported files stay");
    assert_eq!(world.sync("")["read"], "walk");
}

#[test]
fn a_mirror_is_not_removed_under_a_watch() {
    let world = World::new();
    world.sync("");
    world.control_request("POST", "faults", &json!(["POST /contacts/search hold"]));
    let running = RunningCommand::start(&world, "watch --every 10m --jsonl events.jsonl");
    world.get_control("held");
    world.run_command("mirror rm --yes").exits(11).says("the watch of location");
    world.control_request("POST", "release", &Value::Null);
    drop(running);
}

#[test]
fn a_damaged_mirror_can_be_removed() {
    let world = World::new();
    world.sync("");
    let dir = world.list_files("home/mirrors").remove(0);
    std::fs::write(world.path(&format!("home/mirrors/{dir}/mirror.db")), b"no database").unwrap();
    world.run_command("mirror status").exits(12).says("mirror.db");
    world.run_command("mirror rm --yes").exits(0);
    world.sync("");
}
