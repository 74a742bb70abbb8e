//! The routes that came in 2026 or that other clients use: looking contacts up, searching users, single
//! custom fields and tags.

use ghl_bulk::sandbox::{COMPANY, ContactLookupAccess, LOCATION};
use serde_json::{Value, json};

use super::oauth_client::{grant, said, text};
use crate::raw_http::{RawClient, RawResponse, list_rows};
use crate::world::World;

fn v3(world: &World) -> RawClient<'_> {
    RawClient { version: "v3", ..RawClient::new(world.url()) }
}

/// A world where private integrations may look contacts up.
fn open() -> World {
    World::with_settings(|settings| settings.contact_lookup = ContactLookupAccess::Everyone)
}

fn look_up(world: &World, query: &str) -> RawResponse {
    let path = format!("/contacts/lookup?locationId={LOCATION}&{query}");
    v3(world).send_request("GET", &path, &Value::Null)
}

fn insert(world: &World, rows: &Value) {
    world.control_request("POST", "contacts", rows);
}

fn ids(answer: &RawResponse) -> Vec<&str> {
    let contacts = answer.body["contacts"].as_array().unwrap().iter();
    contacts.map(|contact| contact["id"].as_str().unwrap()).collect()
}

#[test]
fn a_lookup_finds_primary_and_additional_addresses_and_numbers() {
    let world = open();
    insert(
        &world,
        &json!([
            {"id": "own", "email": "Ada@example.com", "phone": "+14155550001", "dateAdded": "2020-01-01"},
            {"id": "other", "additionalEmails": [{"email": "ada@example.com"}],
             "additionalPhones": ["+14155550001"], "dateAdded": "2020-01-02"},
        ]),
    );
    assert_eq!(ids(&look_up(&world, "email=ada%40example.com")), ["own", "other"]);
    assert_eq!(ids(&look_up(&world, "phone=%2B14155550001")), ["own", "other"]);
    assert_eq!(ids(&look_up(&world, "email=ada%40example.co")), [""; 0]);
    for wrong in ["phone=4155550001", "email=ada", "", "email=a%40b.co&phone=%2B14155550001"] {
        assert_eq!(look_up(&world, wrong).status, 422, "{wrong}");
    }
}

#[test]
fn a_lookup_comes_in_pages_of_twenty_at_most() {
    let world = open();
    let rows: Vec<Value> = (10..33)
        .map(|day| json!({"id": format!("c{day}"), "email": "same@example.com", "dateAdded": format!("2020-01-01T00:{day}:00Z")}))
        .collect();
    insert(&world, &rows.into());
    let first = look_up(&world, "email=same%40example.com");
    assert_eq!(ids(&first).len(), 20);
    let next = text(&first.body["nextCursor"]);
    let last = look_up(&world, &format!("email=same%40example.com&cursor={next}"));
    assert_eq!((ids(&last), &last.body["nextCursor"]), (vec!["c30", "c31", "c32"], &Value::Null));
    assert_eq!(look_up(&world, "email=same%40example.com&limit=21").status, 422);
}

#[test]
fn by_default_only_an_apps_token_may_look_up() {
    let world = World::new();
    let message = "Private Integration tokens are not supported for this endpoint.";
    assert_eq!(said(&look_up(&world, "email=a%40example.com")), (401, message));
    let token = text(&grant(&world, &json!({"scope": "contacts.readonly"}))["access_token"]);
    let path = format!("/contacts/lookup?locationId={LOCATION}&email=a%40example.com");
    let answer = v3(&world).with_token(&token).send_request("GET", &path, &Value::Null);
    assert_eq!((answer.status, &answer.body["contacts"]), (200, &json!([])));
    world.control_request("POST", "settings", &json!({"contact_lookup": "apps-403"}));
    assert_eq!(said(&look_up(&world, "email=a%40example.com")), (403, message));
    world.control_request("POST", "settings", &json!({"contact_lookup": "everyone"}));
    assert_eq!(look_up(&world, "email=a%40example.com").status, 200);
    let old = RawClient::new(world.url()).send_request("GET", &path, &Value::Null);
    assert_eq!(said(&old), (400, "Contact not found for id:lookup"));
}

#[test]
fn users_are_searched_by_company() {
    let world = World::new();
    let ask = |query: &str| {
        let path = format!("/users/search?{query}");
        RawClient::new(world.url()).send_request("GET", &path, &Value::Null)
    };
    let all = list_rows(&world, &format!("/users/?locationId={LOCATION}"), "users");
    let found = ask(&format!("companyId={COMPANY}&locationId={LOCATION}"));
    assert_eq!((&found.body["users"], &found.body["count"]), (&json!(all), &json!(all.len())));
    let page = ask(&format!("companyId={COMPANY}&limit=2&skip=1")).body;
    assert_eq!(page["users"], json!(all[1..3]));
    let admins = ask(&format!("companyId={COMPANY}&role=admin")).body;
    assert_eq!(admins["count"], 1);
    let named = ask(&format!("companyId={COMPANY}&query=HOPPER")).body;
    assert_eq!((&named["count"], &named["users"][0]["firstName"]), (&json!(1), &json!("Grace")));
    assert_eq!(ask("limit=2").status, 422);
    assert_eq!(ask("companyId=other").status, 403);
    assert_eq!(ask(&format!("companyId={COMPANY}&page=1")).status, 422);
}

#[test]
fn a_custom_field_is_created_and_read() {
    let world = World::new();
    let path = format!("/locations/{LOCATION}/customFields");
    let send = |method, path: &str, body: &Value| {
        RawClient::new(world.url()).send_request(method, path, body)
    };
    let made = send("POST", &path, &json!({"name": "Shoe size", "dataType": "NUMERICAL"}));
    let field = &made.body["customField"];
    assert_eq!((made.status, &field["fieldKey"]), (201, &json!("contact.shoe_size")));
    let one = send("GET", &format!("{path}/{}", text(&field["id"])), &Value::Null);
    assert_eq!(&one.body["customField"], field);
    assert!(list_rows(&world, &path, "customFields").contains(field));
    assert_eq!(send("POST", &path, &json!({"name": "Shoe size", "dataType": "TEXT"})).status, 400);
    assert_eq!(send("POST", &path, &json!({"name": "x", "dataType": "NUMBER"})).status, 422);
    assert_eq!(send("POST", &path, &json!({"name": "x", "dataType": "TEXT", "y": 1})).status, 422);
    assert_eq!(send("GET", &format!("{path}/nothing"), &Value::Null).status, 404);
}

#[test]
fn a_tag_is_created_in_lower_case_and_once() {
    let world = World::new();
    let path = format!("/locations/{LOCATION}/tags");
    let send = |body: &Value| RawClient::new(world.url()).send_request("POST", &path, body);
    let made = send(&json!({"name": "Brand-New"}));
    assert_eq!((made.status, &made.body["tag"]["name"]), (201, &json!("brand-new")));
    assert!(list_rows(&world, &path, "tags").contains(&made.body["tag"]));
    assert_eq!(send(&json!({"name": "BRAND-NEW"})).status, 400);
    assert_eq!(send(&json!({"name": ""})).status, 422);
}

#[test]
fn a_custom_value_is_taken_under_each_name_of_the_version() {
    let world = World::new();
    let state = world.get_control("state");
    let id = text(&state["contacts"][0]["contact"]["id"]);
    let put = |version, key: &str| {
        let caller = RawClient { version, ..RawClient::new(world.url()) };
        let body = json!({"customFields": [{"key": "nickname", key: format!("{version} {key}")}]});
        let answer = caller.send_request("PUT", &format!("/contacts/{id}"), &body);
        let values = answer.body["contact"]["customFields"].as_array().cloned().unwrap_or_default();
        let kept = values.iter().any(|value| value["value"] == format!("{version} {key}"));
        (answer.status, kept)
    };
    assert_eq!(put("2021-07-28", "value"), (200, true));
    assert_eq!(put("2021-07-28", "field_value"), (200, true));
    assert_eq!(put("2021-07-28", "fieldValue"), (422, false));
    assert_eq!(put("v3", "value"), (200, true));
    assert_eq!(put("v3", "fieldValue"), (200, true));
}
