//! What events say, and when there are any.

use serde_json::json;

use super::watch_world::{sorted_types, types_and_ids};
use crate::world::World;

#[test]
fn the_first_watch_is_silent_and_later_ones_tell_what_has_changed() {
    let world = World::new();
    assert!(world.watch_once("").is_empty());
    assert!(world.watch_once("").is_empty(), "nothing has changed");
    let (edited, deleted) = (world.contact_id(3), world.contact_id(5));
    world.edit_by_id(&edited, &json!({"city": "Ghent"}));
    world.delete_by_id(&deleted);
    let added = world.add_contact(&json!({"firstName": "New", "email": "new@example.net"}));
    let events = world.watch_once("");
    let contacts: Vec<_> = types_and_ids(&events)
        .into_iter()
        .filter(|(name, _)| name.starts_with("contact."))
        .collect();
    assert!(contacts.contains(&("contact.updated".to_owned(), edited)), "{contacts:?}");
    assert!(contacts.contains(&("contact.deleted".to_owned(), deleted)), "{contacts:?}");
    assert!(contacts.contains(&("contact.created".to_owned(), added)), "{contacts:?}");
    assert_eq!(contacts.len(), 3, "{contacts:?}");
    assert!(world.watch_once("").is_empty(), "each is sent once");
}

#[test]
fn an_update_says_what_differs_and_what_it_was() {
    let world = World::new();
    let id = world.add_contact(&json!({"firstName": "Ann", "city": "Mons", "tags": ["a"]}));
    world.watch_once("");
    world.edit_by_id(&id, &json!({"city": "Ghent"}));
    let events = world.watch_once("");
    let event = &events[0];
    assert_eq!(event["type"], "contact.updated");
    assert_eq!(event["data"]["city"], "Ghent");
    assert_eq!(event["data"]["first_name"], "Ann");
    assert_eq!(event["before"]["city"], "Mons");
    assert_eq!(event["changed"], json!(["city", "date_updated"]));
    assert!(event["before"].get("first_name").is_none(), "{event}");
    assert!(event["id"].as_str().unwrap().starts_with("evt_"));
    assert_eq!(event["location"], "sandboxLocation00001");
}

#[test]
fn changes_that_another_sync_found_are_told_one_by_one() {
    let world = World::new();
    world.watch_once("");
    let id = world.contact_id(0);
    for city in ["Ghent", "Mons"] {
        world.edit_by_id(&id, &json!({"city": city}));
        world.sync("");
    }
    world.edit_by_id(&id, &json!({"city": "Namur"}));
    let events = world.watch_once("");
    let cities: Vec<_> = events.iter().map(|event| event["data"]["city"].clone()).collect();
    assert_eq!(cities, ["Ghent", "Mons", "Namur"]);
}

#[test]
fn notes_and_tasks_have_events_and_go_with_their_contact() {
    let world = World::new();
    let id = world.add_contact(&json!({"firstName": "Ann"}));
    world.watch_once("");
    world.edit_by_id(&id, &json!({"__notes": [{"body": "n"}], "__tasks": [{"title": "t"}]}));
    let events = world.watch_once("");
    assert_eq!(sorted_types(&events), ["contact.updated", "note.created", "task.created"]);
    world.delete_by_id(&id);
    let events = world.watch_once("");
    assert_eq!(sorted_types(&events), ["contact.deleted", "note.deleted", "task.deleted"]);
    assert_eq!(events[0]["type"], "contact.deleted");
}

#[test]
fn a_replay_tells_everything_from_the_beginning() {
    let world = World::new();
    let events = world.watch_once("--replay --events 'contact.*'");
    assert_eq!(events.len(), 60);
    assert!(events.iter().all(|event| event["type"] == "contact.created"));
    assert!(world.watch_once("--replay --events 'contact.*'").is_empty(), "the sink is known now");
}

#[test]
fn only_the_events_that_are_named_are_sent() {
    let world = World::new();
    world.watch_once("");
    world.edit_by_id(&world.contact_id(0), &json!({"city": "Ghent", "__notes": [{"body": "n"}]}));
    world.add_contact(&json!({"firstName": "New"}));
    let events = world.watch_once("--events contact.created,task.*");
    assert_eq!(sorted_types(&events), ["contact.created"]);
}

#[test]
fn an_event_that_does_not_exist_is_refused_with_a_similar_one() {
    let world = World::new();
    let refused = world.run_command("watch --events contact.create").exits(2);
    refused.says("there is no event `contact.create`; did you mean `contact.created`?");
}
