//! Reconciling: how an import handles every answer that a write can get, and a missing one.
//!
//! A write is never sent a second time before it is known that the first was not applied; a refusal is
//! not believed where the service is known to say one thing and do another.

mod corrupt_ledger;
mod creates;
mod interruptions;
mod late_writes;
mod rejected_writes;
mod updates;

use serde_json::Value;

use crate::import_world::empty_world_with_faults;
use crate::world::World;

/// One person with one note.
const ONE: &str = "First Name,Email,Notes\nAvery,avery@example.com,hello\n";

/// A world with these faults and little patience.
fn world(faults: &[&str]) -> World {
    empty_world_with_faults(faults).with_env("GHL_BULK_SETTLE_S", "0.3")
}

/// How many requests like this were sent.
fn sent(world: &World, line: &str) -> usize {
    world.list_writes().iter().filter(|write| *write == line).count()
}

/// So many people, a line each.
fn people(count: usize) -> String {
    let line = |n: usize| format!("Person {n},p{n}@example.com,note {n}\n");
    std::iter::once("Name,Email,Notes\n".to_owned()).chain((0..count).map(line)).collect()
}

/// Asserts that each of so many people is there once, with one note.
#[track_caller]
fn all_once(world: &World, count: usize) {
    let all = world.read_contacts();
    assert_eq!(all.len(), count, "{all:#?}");
    for n in 0..count {
        let person = world.contact_by_email(&format!("p{n}@example.com"));
        assert_eq!(person["notes"].as_array().unwrap().len(), 1, "{person:#}");
    }
}

/// From now on there are no faults and no waits.
fn calm(world: &World) {
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "release", &Value::Null);
}
