//! The routes below `/notes` for one note.

use ghl_bulk::sandbox::LOCATION;
use serde_json::{Value, json};

use super::oauth_client::said;
use crate::raw_http::{RawClient, RawResponse, list_rows};
use crate::world::World;

fn send(world: &World, method: &str, path: &str, body: &Value) -> RawResponse {
    RawClient { version: "v3", ..RawClient::new(world.url()) }.send_request(method, path, body)
}

fn contact_ids(world: &World) -> Vec<String> {
    let state = world.get_control("state");
    let all = state["contacts"].as_array().unwrap().iter();
    all.map(|one| one["contact"]["id"].as_str().unwrap().to_owned()).collect()
}

fn relation(contact: &str) -> Value {
    json!({"objectKey": "contact", "recordId": contact})
}

/// Whether a contact's list has the note.
fn lists(world: &World, contact: &str, note: &str) -> bool {
    let rows = list_rows(world, &format!("/contacts/{contact}/notes"), "notes");
    rows.iter().any(|row| row["id"] == note)
}

/// A note of a contact, made by the newer route.
fn create(world: &World, contact: &str) -> String {
    let body = json!({"locationId": LOCATION, "body": "new", "relations": [relation(contact)]});
    let made = send(world, "POST", "/notes/", &body);
    assert_eq!((made.status, &made.body["note"]["contactId"]), (201, &json!(contact)));
    made.body["note"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_note_is_created_changed_deleted_and_restored() {
    let world = World::new();
    let contact = contact_ids(&world).remove(0);
    let id = create(&world, &contact);
    assert!(lists(&world, &contact, &id));
    let path = format!("/notes/{id}");
    let changed = send(&world, "PUT", &path, &json!({"body": "changed", "pinned": true}));
    assert_eq!((changed.status, &changed.body["note"]["pinned"]), (200, &json!(true)));
    let deleted = send(&world, "DELETE", &path, &Value::Null);
    assert_eq!((deleted.status, &deleted.body["succeeded"]), (200, &json!(true)));
    assert!(!lists(&world, &contact, &id));
    assert_eq!(said(&send(&world, "GET", &path, &Value::Null)), (404, "Note not found"));
    let restored = send(&world, "POST", &format!("{path}/restore"), &json!({}));
    assert_eq!((restored.status, &restored.body["note"]["body"]), (201, &json!("changed")));
    assert!(lists(&world, &contact, &id));
}

#[test]
fn relations_move_a_note_between_contacts() {
    let world = World::new();
    let [first, second, third, ..] = &contact_ids(&world)[..] else { panic!() };
    let id = create(&world, first);
    let path = format!("/notes/{id}/relations");
    let answer =
        send(&world, "PUT", &path, &json!({"relations": [relation(second), relation(third)]}));
    assert_eq!((answer.status, &answer.body["note"]["contactId"]), (200, &json!(second)));
    assert_eq!([first, second, third].map(|one| lists(&world, one, &id)), [false, true, true]);
    let wrong = send(&world, "PUT", &path, &json!({"relations": [relation("nothing")]}));
    assert_eq!(wrong.status, 422);
    assert_eq!(send(&world, "PUT", &path, &json!({"relations": [], "x": 1})).status, 422);
}

#[test]
fn attachments_are_shown_by_the_newer_routes_only() {
    let world = World::new();
    let contact = contact_ids(&world).remove(0);
    let id = create(&world, &contact);
    let files = json!([{"url": "https://example.com/a.pdf"}]);
    let answer =
        send(&world, "PATCH", &format!("/notes/{id}/attachments"), &json!({"attachments": files}));
    assert_eq!((answer.status, &answer.body["note"]["attachments"]), (200, &files));
    let body = json!({"locationId": LOCATION, "relations": [relation(&contact)]});
    let found = send(&world, "POST", "/notes/search", &body).body;
    assert_eq!(found["notes"][0]["attachments"], files);
    let row = list_rows(&world, &format!("/contacts/{contact}/notes"), "notes").remove(0);
    assert!(row["attachments"].is_null() && row["relations"].is_null());
}

#[test]
fn a_deleted_contact_leaves_the_notes_of_others() {
    let world = World::new();
    let [first, second, ..] = &contact_ids(&world)[..] else { panic!() };
    let (alone, both) = (create(&world, first), create(&world, first));
    let relations = json!({"relations": [relation(first), relation(second)]});
    send(&world, "PUT", &format!("/notes/{both}/relations"), &relations);
    assert_eq!(send(&world, "DELETE", &format!("/contacts/{first}"), &Value::Null).status, 200);
    let note = |id: &str| send(&world, "GET", &format!("/notes/{id}"), &Value::Null);
    assert_eq!(note(&alone).status, 404);
    assert_eq!(note(&both).body["note"]["relations"], json!([relation(second)]));
    assert!(lists(&world, second, &both));
}

#[test]
fn each_route_asks_for_its_scope_and_for_v3() {
    let world = World::new();
    let routes = [
        ("notes.write", "POST", "/notes/"),
        ("notes.readonly", "GET", "/notes/x"),
        ("notes.write", "PUT", "/notes/x"),
        ("notes.write", "DELETE", "/notes/x"),
        ("notes.write", "PATCH", "/notes/x/attachments"),
        ("notes.write", "PUT", "/notes/x/relations"),
        ("notes.write", "POST", "/notes/x/restore"),
    ];
    for (scope, method, path) in routes {
        let ask = |token: &str, version| {
            let caller = RawClient { url: world.url(), token, version };
            let body = if method == "GET" { Value::Null } else { json!({}) };
            caller.send_request(method, path, &body).status
        };
        assert_eq!(ask(&format!("pit-sandbox-without:{scope}"), "v3"), 401, "{method} {path}");
        assert!(
            [404, 422].contains(&ask(&format!("pit-sandbox-only:{scope}"), "v3")),
            "{method} {path}"
        );
        assert_eq!(ask("pit-sandbox-full", "2021-07-28"), 404, "{method} {path}");
    }
}
