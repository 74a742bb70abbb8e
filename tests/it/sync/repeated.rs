//! `sync --every`, `--max-requests` and `--hint`: a sync that goes on for days, shares the quota, and is shown where to look.

use serde_json::{Value, json};

use super::sync_world::changes;
use crate::running_command::RunningCommand;
use crate::world::World;

#[test]
fn a_sync_that_is_repeated_finds_each_change_and_stops_in_order() {
    let world = World::new();
    let mut sync = RunningCommand::start(&world, "sync --every 100ms");
    sync.wait_for_stderr("has read everything");
    world.add_contact(&json!({"firstName": "Ann"}));
    sync.wait_for_stderr("changed: 1 contact");
    sync.send_signal("TERM");
    sync.wait_for_exit().exits(0);
    assert_eq!(changes(&world.sync(""), "contacts"), [0, 0, 0]);
}

#[test]
fn the_requests_of_a_day_are_counted_for_all_syncs() {
    let world = World::new();
    world.sync("");
    let used = world.get_control("log?last=0")["requests"].as_u64().unwrap();
    world.sync(&format!("--max-requests {}", used + 1));
    let refused = world.run_command(&format!("sync --max-requests {}", used + 1)).exits(9);
    refused.says("the requests that `--max-requests` allows for today are used up");
    assert_eq!(world.get_control("log?last=0")["requests"], used + 1, "none is sent in vain");
    world.sync("--max-requests 50%");
    world.sync("");
}

#[test]
fn a_sync_that_stops_at_its_share_goes_on_with_what_it_has_read() {
    let world = World::new();
    world.run_command("sync --max-requests 3").exits(9);
    let summary = world.sync("");
    assert_eq!(summary["rows"]["contacts"], 60);
}

#[test]
fn the_requests_of_a_sync_that_was_killed_count() {
    let world = World::with_faults(&["POST /contacts/search hold times=1"]);
    let sync = RunningCommand::start(&world, "sync");
    world.get_control("held?at_least=1");
    let sent = world.get_control("log?last=0")["requests"].as_u64().unwrap();
    assert!(sent > 3, "{sent}");
    while counted_requests(&world) < sent {
        std::thread::yield_now();
    }
    sync.kill();
    world.control_request("POST", "release", &Value::Null);
    let refused = world.run_command(&format!("sync --max-requests {sent}")).exits(9);
    refused.says("the requests that `--max-requests` allows for today are used up");
    let used = world.get_control("log?last=0")["requests"].as_u64().unwrap();
    assert!(used <= sent, "{used}: the second one has sent more");
    world.sync("");
    let used = world.get_control("log?last=0")["requests"].as_u64().unwrap();
    // The one that was held has no answer, and is not in the server's log.
    assert_eq!(counted_requests(&world), used + 1, "each counts once");
}

/// The requests of today in the mirror.
fn counted_requests(world: &World) -> u64 {
    let dirs = world.list_files("home/mirrors");
    let path = world.path(&format!("home/mirrors/{}/mirror.db", dirs[0]));
    let mirror = rusqlite::Connection::open(path).unwrap();
    let sum = "SELECT coalesce(sum(requests), 0) FROM request_count";
    mirror.query_row(sum, [], |row| row.get::<_, i64>(0)).unwrap().cast_unsigned()
}

#[test]
fn a_hint_finds_notes_and_tasks_that_moved_no_date() {
    let world = World::new();
    world.sync("");
    let (hinted, other) = (world.contact_id(2), world.contact_id(4));
    for id in [&hinted, &other] {
        let silent =
            json!({"__silent": true, "__notes": [{"body": "n"}], "__tasks": [{"title": "t"}]});
        world.edit_by_id(id, &silent);
    }
    let unseen = world.sync("");
    assert_eq!((changes(&unseen, "notes"), changes(&unseen, "tasks")), ([0, 0, 0], [0, 0, 0]));
    std::fs::write(world.path("hints"), format!("{hinted}\n\n")).unwrap();
    let seen = world.sync("--hint hints");
    assert_eq!(changes(&seen, "contacts"), [0, 0, 0], "a hint is no change");
    assert_eq!((changes(&seen, "notes")[0], changes(&seen, "tasks")[0]), (1, 1));
}

#[test]
fn a_hint_at_a_contact_that_does_not_exist_is_said() {
    let world = World::new();
    world.sync("");
    std::fs::write(world.path("hints"), "nowhere00000000000001\n").unwrap();
    let output = world.run_command("sync --hint hints").exits(0);
    output.says("the location does not show 1 hinted contact: `nowhere00000000000001`");
}

#[test]
fn hints_that_are_no_ids_or_cannot_be_read_are_refused() {
    let world = World::new();
    std::fs::write(world.path("hints"), "ok\nx\u{7}y\n").unwrap();
    world.run_command("sync --hint hints").exits(2).says("hints line 2");
    world.run_command("sync --hint nowhere").exits(2).says("cannot be read");
}
