//! `watch` as a service: signals, the service manager, other processes, and failures that pass or last.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use serde_json::{Value, json};

use super::watch_world::ONCE;
use crate::running_command::RunningCommand;
use crate::world::World;

const SERVICE: &str = "watch --every 100ms --jsonl events.jsonl";

#[test]
fn the_service_manager_learns_that_the_service_is_ready_alive_and_about_to_stop() {
    let world = World::new();
    world.run_command(ONCE).exits(0);
    let path = world.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let world =
        world.with_env("NOTIFY_SOCKET", path.to_str().unwrap()).with_env("WATCHDOG_USEC", "200000");
    let watch = RunningCommand::start(&world, SERVICE);
    let wait_for = |expected: &str| {
        let mut buffer = [0; 256];
        loop {
            let read = socket.recv(&mut buffer).unwrap();
            if String::from_utf8_lossy(&buffer[..read]).contains(expected) {
                return;
            }
        }
    };
    wait_for("READY=1");
    wait_for("WATCHDOG=1");
    watch.send_signal("TERM");
    wait_for("STOPPING=1");
    watch.wait_for_exit().exits(0);
}

#[test]
fn a_service_that_is_terminated_comes_back_to_what_changed_meanwhile() {
    let world = World::new();
    let mut watch = RunningCommand::start(&world, SERVICE);
    watch.wait_for_stderr("read everything");
    world.add_contact(&json!({"firstName": "Ann"}));
    watch.wait_for_stderr("changed: 1 contact");
    watch.send_signal("TERM");
    watch.wait_for_exit().exits(0);
    world.add_contact(&json!({"firstName": "Bob"}));
    world.run_command(ONCE).exits(0);
    assert_eq!(world.read_events().len(), 2);
}

#[test]
fn a_watch_waits_for_another_sync() {
    let world = World::new();
    world.run_command(ONCE).exits(0);
    world.control_request("POST", "faults", &json!(["POST /contacts/search hold times=1"]));
    let sync = RunningCommand::start(&world, "sync");
    world.get_control("held?at_least=1");
    let mut watch = RunningCommand::start(&world, ONCE);
    watch.wait_for_stderr("waiting for it");
    world.control_request("POST", "release", &Value::Null);
    watch.wait_for_exit().exits(0);
    sync.wait_for_exit().exits(0);
}

#[test]
fn a_location_has_one_watch_at_a_time() {
    let world = World::new();
    let mut watch = RunningCommand::start(&world, SERVICE);
    watch.wait_for_stderr("read everything");
    world.run_command(ONCE).exits(11).says("the watch of location");
}

#[test]
fn a_failure_that_passes_is_said_once_and_outlived() {
    let world = World::new();
    let mut watch = RunningCommand::start(&world, "watch --every 100ms");
    watch.wait_for_stderr("read everything");
    world.control_request("POST", "faults", &json!(["POST /contacts/search status=400"]));
    watch.wait_for_stderr("a sync failed, and the next one goes on");
    world.add_contact(&json!({"firstName": "Ann"}));
    world.control_request("DELETE", "faults", &Value::Null);
    watch.wait_for_stdout("contact.created");
    watch.send_signal("TERM");
    assert_eq!(watch.wait_for_exit().exits(0).events().len(), 1);
}

#[test]
fn a_token_that_has_lost_a_scope_ends_the_watch_and_deletes_nothing() {
    let world = World::new();
    world.run_command(ONCE).exits(0);
    world.control_request("POST", "faults", &json!(["POST /contacts/search no-scope"]));
    world.run_command(SERVICE).exits(8);
    world.control_request("DELETE", "faults", &Value::Null);
    world.run_command(ONCE).exits(0);
    assert!(world.read_events().is_empty());
}

#[test]
fn an_account_that_looks_empty_makes_no_events() {
    let world = World::new();
    world.run_command(ONCE).exits(0);
    for _ in 0..60 {
        world.delete_by_id(&world.contact_id(0));
    }
    world.run_command(ONCE).exits(5);
    assert!(world.read_events().is_empty());
}
