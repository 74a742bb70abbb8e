//! The first sync of a location begins with what its newest export has read.

use std::fs;

use serde_json::{Value, json};

use super::incremental_export::assert_equals_plain_export;
use super::interrupted::kill_at;
use super::sync_world::changes;
use crate::world::World;

#[test]
fn nothing_that_an_export_has_read_is_requested_again() {
    let world = World::new();
    world.run_command("export --out files").exits(0);
    let sent = world.requests_of(|| {
        let first = world.sync("");
        assert!(first["export"].is_string(), "{first}");
        assert_eq!((&first["read"], &first["rows"]["contacts"]), (&json!("newest"), &json!(60)));
        assert_eq!(first["deletions"], "counted");
    });
    assert_eq!(sent, 1);
    assert_eq!(world.sync("")["export"], Value::Null);
    assert_equals_plain_export(&world);
    let runs = world.run_command("runs list").exits(0).stdout;
    assert!(runs.contains("export"), "the run stays: {runs}");
}

#[test]
fn what_has_changed_since_the_export_is_found() {
    let world = World::new();
    world.run_command("export --out files").exits(0);
    world.delete_by_id(&world.contact_id(30));
    world.edit_by_id(&world.contact_id(3), &json!({"city": "Ghent"}));
    world.add_contact(&json!({"firstName": "New"}));
    assert_eq!(changes(&world.sync(""), "contacts"), [1, 1, 1]);
    assert_equals_plain_export(&world);
}

#[test]
fn an_export_that_lacks_something_or_is_old_is_not_used() {
    let exports = ["--tag vip", "--with none", "--with tasks", "--children-since 7d"];
    for (flags, sync) in exports
        .map(|flags| (flags, ""))
        .into_iter()
        .chain([("", "--full"), ("", "--walk-every 0s")])
    {
        let world = World::new();
        world.run_command(&format!("export {flags} --out files")).exits(0);
        let first = world.sync(sync);
        assert_eq!((&first["read"], &first["export"]), (&json!("walk"), &Value::Null), "{flags}");
        assert_eq!(first["rows"]["contacts"], 60);
    }
}

#[test]
fn a_first_sync_that_was_killed_goes_on_also_without_the_export() {
    for export_is_lost in [false, true] {
        let world = World::new();
        world.run_command("export --out files").exits(0);
        kill_at(&world, "sync", "during_merge");
        if export_is_lost {
            fs::remove_dir_all(world.path("home/runs")).unwrap();
        }
        let first = world.sync("");
        assert_eq!(first["read"], if export_is_lost { "walk" } else { "newest" });
        assert_equals_plain_export(&world);
    }
}
