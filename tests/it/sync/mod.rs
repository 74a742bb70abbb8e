//! The mirror and its syncs: what they find, what they cost, and what they never do.

mod awkward_histories;
mod change_files;
mod changes;
mod duckdb;
mod extra_tables;
mod field_columns;
mod first_export;
mod histories;
mod incremental_export;
mod interrupted;
mod many_locations;
mod never_false;
mod newest_notes;
mod note_histories;
mod note_rotation;
mod repeated;
mod retention;
mod searched_notes;
pub(crate) mod sync_world;
mod tasks_every;

use serde_json::Value;

use crate::world::World;

use sync_world::changes;

#[test]
fn the_first_sync_reads_everything_and_the_next_one_takes_one_request() {
    let world = World::new();
    let first = world.sync("");
    assert_eq!(first["read"], "walk");
    assert_eq!(first["rows"]["contacts"], 60);
    assert_eq!(changes(&first, "contacts"), [60, 0, 0]);
    let second = world.requests_of(|| {
        let second = world.sync("");
        assert_eq!(second["read"], "newest");
        assert_eq!(second["deletions"], "counted");
        for table in ["contacts", "tasks", "notes"] {
            assert_eq!(changes(&second, table), [0, 0, 0], "{table}");
        }
        assert_eq!(second["changes"]["changed_seq"], 1);
    });
    assert_eq!(second, 1);
    assert_eq!(world.list_files("home/runs"), Vec::<String>::new(), "a finished run is removed");
}

#[test]
fn people_read_what_a_sync_came_to() {
    let world = World::new();
    let said = world.run_command("sync").exits(0).stderr;
    assert!(said.contains("the first sync of this location has read everything"), "{said}");
    world.run_command("sync").exits(0).says("nothing has changed").says("1 request in");
}

#[test]
fn an_event_says_what_a_sync_has_changed() {
    let world = World::new();
    let events = world.run_command("sync --json").exits(0).events();
    let synced = events.iter().find(|event| event["event"] == "synced").unwrap();
    assert_eq!(synced["contacts"]["added"], 60);
    assert_eq!(synced["seq"], 1);
    assert!(synced["requests"].as_u64().unwrap() > 1);
    assert_ne!(synced["mirror"], Value::Null);
}
