//! A deleted contact whose e-mail address somebody else has by now.

use serde_json::json;

use super::restore_world::child_texts;
use crate::world::World;

/// A world where another contact has the address of a deleted one: the former id, the other's id.
fn world_with_taken_address() -> (World, String, String) {
    let world = World::backed_up();
    let id = world.contacts_with_children()[0].clone();
    let email = world.contact_by_id(&id)["contact"]["email"].clone();
    world.delete_by_id(&id);
    let other = world.add_contact(&json!({"firstName": "Other", "email": email}));
    (world, id, other)
}

#[test]
fn nobody_is_made_a_second_time_and_the_other_contact_is_named() {
    let (world, id, other) = world_with_taken_address();
    let ended = world.run_restore("").exits(3);
    let ended = ended.says("now has this e-mail address").says("--on-existing");
    ended.says("lists what was not restored");
    let rejected = world.read_csv("res/rejected.csv");
    assert_eq!(rejected[0]["former_id"], id);
    assert_eq!(rejected[0]["_reject_code"], "R_EXISTS");
    assert_eq!(world.count_contacts(), 60);
    assert_eq!(world.contact_by_id(&other)["notes"], json!([]));
}

#[test]
fn the_other_contact_gets_the_notes_and_tasks_once() {
    let (world, _, other) = world_with_taken_address();
    world.run_restore("--on-existing attach").exits(0);
    let after = world.contact_by_id(&other);
    assert_eq!(after["contact"]["firstName"], "Other");
    let (notes, tasks) =
        (child_texts(&after, "notes", "body"), child_texts(&after, "tasks", "title"));
    assert!(!notes.is_empty() && !tasks.is_empty());
    world.run_restore("--on-existing attach").exits(0);
    let again = world.contact_by_id(&other);
    assert_eq!(child_texts(&again, "notes", "body"), notes);
    assert_eq!(child_texts(&again, "tasks", "title"), tasks);
}

#[test]
fn the_other_contact_gets_the_fields_too_if_that_is_wanted() {
    let (world, _, other) = world_with_taken_address();
    world.run_restore("--on-existing update").exits(0);
    let after = world.contact_by_id(&other);
    assert_ne!(after["contact"]["firstName"], "Other");
    assert!(!after["notes"].as_array().unwrap().is_empty());
    assert_eq!(world.count_contacts(), 60);
}
