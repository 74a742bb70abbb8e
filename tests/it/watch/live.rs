//! The sandbox as an account in use: random changes, with which a newcomer sees events.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::watch_world::{ONCE, types_and_ids};
use crate::running_command::RunningCommand;
use crate::world::World;

fn contact_ids(world: &World) -> BTreeSet<String> {
    let ids = world.account_contacts();
    ids.iter().map(|row| row["contact"]["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_watch_of_the_embedded_sandbox_speaks_by_itself() {
    let world = World::new().without_env("GHL_API_URL").without_env("GHL_TOKEN");
    let mut watch = RunningCommand::start(&world, "watch --sandbox");
    watch.wait_for_stdout("\"type\":");
    watch.send_signal("INT");
    let output = watch.wait_for_exit().exits(0);
    output.says("read everything");
}

#[test]
fn a_sandbox_changes_its_data_when_asked_and_a_watch_sees_all_of_it() {
    let world = World::new();
    world.run_command(ONCE).exits(0);
    let before = contact_ids(&world);
    let done = world.control_request("POST", "live", &json!({"edits": 40, "seed": 7}));
    let done = done["edits"].as_array().unwrap().clone();
    assert_eq!(done.len(), 40);
    for what in ["added contact", "deleted contact", "added note", "added task", "changed "] {
        let is_it = |text: &Value| text.as_str().unwrap().starts_with(what);
        assert!(done.iter().any(is_it), "no `{what}`: {done:?}");
    }
    // One that was deleted again was never there.
    let after = contact_ids(&world);
    let events = world.watch_once("--events contact.created,contact.deleted");
    let of = |name: &str| -> BTreeSet<String> {
        let events = types_and_ids(&events).into_iter().filter(|(known, _)| known == name);
        events.map(|(_, id)| id).collect()
    };
    assert_eq!(of("contact.created"), after.difference(&before).cloned().collect());
    assert_eq!(of("contact.deleted"), before.difference(&after).cloned().collect());
}

#[test]
fn the_same_seed_makes_the_same_changes() {
    let edits = || {
        let world = World::new();
        world.control_request("POST", "live", &json!({"edits": 20, "seed": 3}))
    };
    let kinds = |edits: &Value| -> Vec<String> {
        let edits = edits["edits"].as_array().unwrap().iter();
        edits.map(|text| text.as_str().unwrap().split(' ').take(2).collect()).collect()
    };
    assert_eq!(kinds(&edits()), kinds(&edits()));
}
