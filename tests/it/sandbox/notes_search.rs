//! `POST /notes/search`: what it finds, page by page, and the behaviors that a test can choose.

use std::collections::BTreeSet;

use ghl_bulk::sandbox::LOCATION;
use serde_json::{Value, json};

use crate::raw_http::{RawClient, RawResponse};
use crate::world::World;

/// A world whose search of notes behaves like this.
fn world(behavior: &str) -> World {
    World::with_settings(|settings| settings.notes_search = behavior.parse().unwrap())
}

/// Sends a search with these properties.
fn search(world: &World, body: &Value) -> RawResponse {
    let mut body = body.clone();
    body["locationId"] = LOCATION.into();
    let caller = RawClient { version: "v3", ..RawClient::new(world.url()) };
    caller.send_request("POST", "/notes/search", &body)
}

/// The ids of the notes that a search finds.
fn found(world: &World, body: &Value) -> Vec<String> {
    ids(&search(world, body).body["notes"])
}

fn ids(notes: &Value) -> Vec<String> {
    notes.as_array().unwrap().iter().map(|note| note["id"].as_str().unwrap().to_owned()).collect()
}

/// All notes of the account.
fn truth(world: &World) -> Vec<Value> {
    world.get_control("notes")["notes"].as_array().unwrap().clone()
}

/// The first contacts that have notes, with the ids of those.
fn contacts_with_notes(world: &World) -> Vec<(String, BTreeSet<String>)> {
    let state = world.get_control("state");
    let all = state["contacts"].as_array().unwrap().iter();
    let with_notes = all.filter(|one| one["notes"] != json!([]));
    with_notes
        .map(|one| {
            let id = one["contact"]["id"].as_str().unwrap().to_owned();
            (id, ids(&one["notes"]).into_iter().collect())
        })
        .collect()
}

fn relation(contact: &str) -> Value {
    json!({"objectKey": "contact", "recordId": contact})
}

/// The pages of a walk with `skip`, until one is empty.
fn walk(world: &World, limit: usize, order: &str) -> Vec<String> {
    let mut all = Vec::new();
    for page in 0.. {
        let body = json!({"limit": limit, "skip": page * limit, "sortOrder": order});
        let rows = found(world, &body);
        if rows.is_empty() {
            break;
        }
        all.extend(rows);
    }
    all
}

#[track_caller]
fn check_refused(answer: &RawResponse, message: &str) {
    assert_eq!((answer.status, &answer.body["message"]), (422, &json!([message])));
}

#[test]
fn it_finds_every_note_of_the_location_newest_first() {
    let world = world("");
    let truth = truth(&world);
    let answer = search(&world, &json!({"limit": 500}));
    assert_eq!(answer.status, 201);
    assert_eq!(answer.body["total"], truth.len());
    let notes = answer.body["notes"].as_array().unwrap();
    let by_id = |list: &[Value]| {
        let pairs = list.iter().map(|note| (note["id"].to_string(), note.clone()));
        pairs.collect::<std::collections::BTreeMap<_, _>>()
    };
    assert_eq!(by_id(notes), by_id(&truth));
    assert!(notes.is_sorted_by_key(|note| std::cmp::Reverse(note["dateAdded"].to_string())));
    let mut rising = found(&world, &json!({"limit": 500, "sortOrder": "asc"}));
    rising.reverse();
    assert_eq!(rising, ids(&answer.body["notes"]));
}

#[test]
fn it_is_served_under_v3_only_unless_the_settings_say_otherwise() {
    let ask = |world: &World| {
        let body = json!({"locationId": LOCATION});
        RawClient::new(world.url()).send_request("POST", "/notes/search", &body)
    };
    let answer = ask(&world(""));
    assert_eq!(
        (answer.status, &answer.body["message"]),
        (404, &json!("Cannot POST /notes/search"))
    );
    assert_eq!(ask(&world("versions=v3+2021-07-28")).status, 201);
    assert_eq!(ask(&world("versions=any")).status, 201);
}

#[test]
fn it_asks_for_its_own_scope() {
    let world = world("");
    let ask = |token| {
        let caller = RawClient { version: "v3", token, ..RawClient::new(world.url()) };
        caller.send_request("POST", "/notes/search", &json!({"locationId": LOCATION})).status
    };
    assert_eq!(ask("pit-sandbox-without:notes.readonly"), 401);
    assert_eq!(ask("pit-sandbox-only:notes.readonly"), 201);
}

#[test]
fn an_unknown_property_or_value_is_refused() {
    let world = world("");
    check_refused(&search(&world, &json!({"page": 1})), "property page should not exist");
    check_refused(
        &search(&world, &json!({"contactId": "a"})),
        "property contactId should not exist",
    );
    check_refused(&search(&world, &json!({"limit": 501})), "limit must not be greater than 500");
    check_refused(
        &search(&world, &json!({"sources": ["API"]})),
        "each value in sources must be one of the following values: WEB_USER, WORKFLOW",
    );
    let caller = RawClient { version: "v3", ..RawClient::new(world.url()) };
    check_refused(
        &caller.send_request("POST", "/notes/search", &json!({})),
        "locationId should not be empty",
    );
}

#[test]
fn relations_find_the_notes_of_any_of_the_contacts() {
    let world = world("");
    let contacts = contacts_with_notes(&world);
    let [(first, some), (second, more), ..] = &contacts[..] else { panic!() };
    let rows = found(&world, &json!({"relations": [relation(first), relation(second)]}));
    assert_eq!(rows.into_iter().collect::<BTreeSet<_>>(), some | more);
    let other = json!({"relations": [{"objectKey": "opportunity", "recordId": first}]});
    assert_eq!(found(&world, &other), [""; 0]);
    assert_eq!(found(&world, &json!({"relations": [relation("nothing")]})), [""; 0]);
}

#[test]
fn a_note_can_relate_to_two_contacts_and_to_no_contact() {
    let world = world("");
    let [(first, _), (second, _), ..] = &contacts_with_notes(&world)[..] else { panic!() };
    let opportunity = json!({"objectKey": "opportunity", "recordId": "opp1"});
    let notes = json!([
        {"id": "both", "body": "two", "contactId": first, "relations": [relation(first), relation(second)]},
        {"id": "apart", "body": "none", "relations": [opportunity]},
    ]);
    world.control_request("POST", "notes", &notes);
    for contact in [first, second] {
        let rows =
            crate::raw_http::list_rows(&world, &format!("/contacts/{contact}/notes"), "notes");
        assert_eq!(rows[0]["id"], "both");
    }
    let rows = found(&world, &json!({"relations": [relation(first), relation(second)]}));
    assert_eq!(rows.iter().filter(|id| *id == "both").count(), 1);
    assert_eq!(found(&world, &json!({"relations": [opportunity]})), ["apart"]);
    let all = search(&world, &json!({"limit": 500})).body;
    let row = all["notes"].as_array().unwrap().iter().find(|note| note["id"] == "apart").unwrap();
    assert_eq!((&row["relations"], &row["contactId"]), (&json!([opportunity]), &Value::Null));
}

#[test]
fn relations_can_be_shown_with_their_records() {
    let world = world("");
    let (contact, _) = contacts_with_notes(&world).remove(0);
    let ask = |shows: bool| {
        let body = json!({"relations": [relation(&contact)], "includeRelationRecords": shows});
        search(&world, &body).body["notes"][0]["relations"][0].clone()
    };
    assert_eq!(ask(false), relation(&contact));
    assert_eq!(ask(true)["record"]["id"], contact);
}

#[test]
fn notes_are_filtered_by_source_author_and_text() {
    let world = world("");
    let truth = truth(&world);
    let count = |keep: &dyn Fn(&Value) -> bool| truth.iter().filter(|note| keep(note)).count();
    let total = |body: Value| search(&world, &body).body["total"].clone();
    let flows = count(&|note| note["source"] == "WORKFLOW");
    assert!(flows > 0 && flows < truth.len());
    assert_eq!(total(json!({"sources": ["WORKFLOW"]})), flows);
    let user = truth.iter().find_map(|note| note["userId"].as_str()).unwrap();
    assert_eq!(total(json!({"createdByUserId": user})), count(&|note| note["userId"] == user));
    let worded = count(&|note| note["title"] == "Summary; \"short\"");
    assert!(worded > 0);
    assert_eq!(total(json!({"query": "SUMMARY;"})), worded);
}

#[test]
fn the_window_ends_the_walk_as_the_settings_say() {
    let beyond = json!({"limit": 10, "skip": 35});
    let refused = "Result window is too large, skip + limit must be less than or equal to: [40]";
    check_refused(&search(&world("window=40"), &beyond), refused);
    assert_eq!(found(&world("window=40,over-window=empty"), &beyond), [""; 0]);
    assert_eq!(found(&world("window=none"), &beyond).len(), 10);
}

#[test]
fn the_form_of_relations_is_the_one_that_the_settings_take() {
    let (objects, ids, both) = (world(""), world("relations=ids"), world("relations=both"));
    let (contact, notes) = contacts_with_notes(&objects).remove(0);
    let (object, id) =
        (json!({"relations": [relation(&contact)]}), json!({"relations": [contact]}));
    check_refused(&search(&objects, &id), "each value in relations must be an object");
    check_refused(&search(&ids, &object), "each value in relations must be a string");
    for (world, body) in [(&objects, &object), (&ids, &id), (&both, &object), (&both, &id)] {
        assert_eq!(found(world, body).into_iter().collect::<BTreeSet<_>>(), notes);
    }
    let all = truth(&objects).len();
    for behavior in ["wrong-relations=ignore", "relations=ignored"] {
        assert_eq!(search(&world(behavior), &id).body["total"], all);
    }
}

#[test]
fn several_relations_mean_what_the_settings_say() {
    let contacts = contacts_with_notes(&world(""));
    let [(first, some), (second, _), (third, _), ..] = &contacts[..] else { panic!() };
    let body = json!({"relations": [relation(first), relation(second)]});
    let rows = found(&world("join=first"), &body);
    assert_eq!(&rows.into_iter().collect::<BTreeSet<_>>(), some);
    assert_eq!(found(&world("join=and"), &body), [""; 0]);
    let many = json!({"relations": [relation(first), relation(second), relation(third)]});
    check_refused(
        &search(&world("most-relations=2"), &many),
        "relations must contain no more than 2 elements",
    );
}

#[test]
fn sizes_totals_and_shapes_are_the_ones_that_the_settings_name() {
    let all = truth(&world("")).len();
    let page = |behavior, body: Value| search(&world(behavior), &body);
    let size = |answer: RawResponse| answer.body["notes"].as_array().unwrap().len();
    assert_eq!(size(page("limit=7,over-limit=clamp", json!({"limit": 100}))), 7);
    assert_eq!(size(page("default-limit=3", json!({}))), 3);
    check_refused(&page("limit=7", json!({"limit": 8})), "limit must not be greater than 7");
    assert_eq!(page("total=count", json!({})).body["count"], all);
    assert_eq!(page("total=meta.total", json!({})).body["meta"]["total"], all);
    assert!(page("total=none", json!({})).body["total"].is_null());
    assert!(page("total-when=asked", json!({})).body["total"].is_null());
    assert_eq!(page("total-when=asked", json!({"count": true})).body["total"], all);
    assert_eq!(page("total-cap=5", json!({})).body["total"], 5);
    assert_eq!(page("total-add=-2", json!({})).body["total"], all - 2);
    assert_eq!(page("status=200", json!({})).status, 200);
    let documented = page("shape=documented", json!({})).body;
    assert!(documented["note"]["id"].is_string() && documented["notes"].is_null());
}

#[test]
fn pages_can_repeat_and_lose_notes_at_their_borders() {
    let exact = walk(&world(""), 10, "asc");
    assert_eq!(exact.len(), truth(&world("")).len());
    let repeated = walk(&world("borders=repeat"), 10, "asc");
    assert_eq!(repeated[9], repeated[10]);
    let unique = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(unique(&repeated), unique(&exact));
    let lossy = walk(&world("borders=lose"), 10, "asc");
    assert_eq!(lossy.len(), exact.len());
    assert_eq!((&lossy[10], unique(&lossy).contains(&exact[10])), (&exact[9], false));
}

#[test]
fn the_order_can_be_none_or_always_the_same() {
    let newest = walk(&world("order=newest"), 10, "asc");
    assert_eq!(newest, walk(&world(""), 10, "desc"));
    let (unsorted, sorted) =
        (walk(&world("order=unsorted"), 10, "asc"), walk(&world(""), 10, "asc"));
    assert_ne!(unsorted, sorted);
    assert_eq!(unsorted.into_iter().collect::<BTreeSet<_>>(), sorted.into_iter().collect());
}

#[test]
fn old_notes_and_long_bodies_can_be_missing() {
    let full = world("");
    let limit = "2022-01-01";
    let truth = truth(&full);
    let new = truth.iter().filter(|note| note["dateAdded"].as_str().unwrap() >= limit).count();
    assert!(new > 0 && new < truth.len());
    let late = world(&format!("missing-before={limit}"));
    assert_eq!(search(&late, &json!({})).body["total"], new);
    let short = search(&world("longest-body=4"), &json!({"limit": 500})).body;
    let lengths = short["notes"].as_array().unwrap().iter();
    assert!(lengths.map(|note| note["body"].as_str().unwrap().chars().count()).max() == Some(4));
}

#[test]
fn a_write_is_found_once_the_lag_is_over() {
    let world = world("lag=2");
    let (contact, _) = contacts_with_notes(&world).remove(0);
    let path = format!("/contacts/{contact}/notes");
    let caller = RawClient::new(world.url());
    let made = caller.send_request("POST", &path, &json!({"body": "new"})).body;
    let id = made["note"]["id"].as_str().unwrap().to_owned();
    let of_contact = json!({"relations": [relation(&contact)], "limit": 500});
    let shows = |id: &String| found(&world, &of_contact).contains(id);
    assert_eq!([shows(&id), shows(&id), shows(&id)], [false, false, true]);
    assert_eq!(caller.send_request("DELETE", &format!("{path}/{id}"), &Value::Null).status, 200);
    assert_eq!([shows(&id), shows(&id), shows(&id)], [true, true, false]);
}

#[test]
fn a_held_index_catches_up_when_it_is_told_to() {
    let world = world("");
    world.control_request("POST", "settings", &json!({"notes_search": "lag=held"}));
    let (contact, notes) = contacts_with_notes(&world).remove(0);
    let id = notes.first().unwrap();
    let path = format!("/contacts/{contact}/notes/{id}");
    let edit = json!({"body": "edited"});
    assert_eq!(RawClient::new(world.url()).send_request("PUT", &path, &edit).status, 200);
    let body = || {
        let rows = search(&world, &json!({"relations": [relation(&contact)]})).body;
        let row = rows["notes"].as_array().unwrap().iter().find(|note| note["id"] == **id);
        row.unwrap()["body"].clone()
    };
    assert_ne!(body(), "edited");
    world.control_request("POST", "notes/index", &Value::Null);
    assert_eq!(body(), "edited");
}

#[test]
fn the_command_takes_the_behavior_and_refuses_a_wrong_one() {
    let world = World::new();
    world
        .run_command("sandbox --notes-search limit=some")
        .exits(2)
        .says("`limit=some` is not a setting of the notes search: it takes a whole number");
}
