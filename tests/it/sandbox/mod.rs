//! The sandbox: the command that serves it, and the answers it owes. Pairs of request and answer
//! that hold for the real service as far as it has been observed.

mod access_tokens;
mod faults;
mod newer_routes;
mod note_records;
mod notes_search;
mod oauth;
mod oauth_agency;
mod oauth_client;
mod oauth_v3;
mod odd_records;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use ghl_bulk::sandbox::{
    CLIENT_ID, CLIENT_SECRET, LOCATION, SandboxSettings, TOKEN, UniqueIdentifier,
};
use serde_json::{Value, json};

use crate::raw_http::{RawClient, RawResponse};
use crate::running_command::RunningCommand;
use crate::world::World;

/// A request to a fresh sandbox, and the status and message of its answer.
#[track_caller]
fn check(method: &str, path: &str, body: &Value, status: u16, message: &Value) -> RawResponse {
    let world = World::new();
    let answer = RawClient::new(world.url()).send_request(method, path, body);
    assert_eq!((answer.status, &answer.body["message"]), (status, message), "{}", answer.body);
    answer
}

/// A body for this location.
fn with(mut body: Value) -> Value {
    body["locationId"] = LOCATION.into();
    body
}

fn first_contact(world: &World) -> Value {
    world.get_control("state")["contacts"][0]["contact"].clone()
}

#[test]
fn the_command_prints_the_environment_that_reaches_it() {
    let world = World::new();
    let mut sandbox =
        world.start_command("sandbox --port 0 --contacts 7 --limit none --serve mine");
    let mut line = String::new();
    let mut app = String::new();
    let mut out = BufReader::new(sandbox.stdout.as_mut().unwrap());
    out.read_line(&mut line).unwrap();
    out.read_line(&mut app).unwrap();
    drop(out);
    assert!(app.starts_with('#') && app.contains(CLIENT_ID) && app.contains(CLIENT_SECRET));
    let sandbox = RunningCommand::from_child(sandbox);
    let pairs = line.strip_prefix("export ").unwrap().trim_end().split(' ');
    let world = pairs
        .filter_map(|pair| pair.split_once('='))
        .fold(world, |world, (key, value)| world.with_env(key, value));
    world.run_command("export --format jsonl --with none --out out").exits(0);
    assert_eq!(world.read_rows("out/contacts.jsonl").len(), 7);
    assert_eq!(world.read_json("out/manifest.json")["location"], "mine");
    assert!(line.contains(TOKEN));
    sandbox.send_signal("INT");
    sandbox.wait_for_exit().exits(0);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let world = World::new();
    let port = world.url().rsplit(':').next().unwrap();
    world
        .run_command(&format!("sandbox --port {port}"))
        .exits(2)
        .says(&format!("error: port {port}: "));
}

#[test]
fn an_invalid_fault_is_refused() {
    let done = World::new().run_command("sandbox --fault 'GET /contacts/ explode'").exits(2);
    done.says("`GET /contacts/ explode` is not a fault: there is no action or option `explode`");
}

#[test]
fn equal_seeds_serve_equal_accounts() {
    let state = |seed| {
        let world = World::with_settings(|settings| settings.seed = seed);
        world.get_control("state")
    };
    assert_eq!(state(5), state(5));
    assert_ne!(state(5), state(6));
}

#[test]
fn an_unknown_property_refuses_the_whole_body() {
    let wrong = json!(["property pagelimit should not exist"]);
    check("POST", "/contacts/search", &with(json!({"pagelimit": 1})), 422, &wrong);
    let wrong = json!(["property shoeSize should not exist"]);
    let body = with(json!({"firstName": "Ada", "shoeSize": 44}));
    let answer = check("POST", "/contacts/", &body, 422, &wrong);
    assert_eq!(answer.body["error"], "Unprocessable Entity");
}

#[test]
fn a_search_needs_a_page_size_of_500_at_most() {
    check(
        "POST",
        "/contacts/search",
        &with(json!({})),
        422,
        &json!("pageLimit can't be undefined"),
    );
    let wrong = json!(["pageLimit must not be greater than 500"]);
    check("POST", "/contacts/search", &with(json!({"pageLimit": 501})), 422, &wrong);
}

#[test]
fn page_numbers_reach_ten_thousand_records_and_cursors_all() {
    let body = with(json!({"pageLimit": 500, "page": 21}));
    let wrong =
        "Result window is too large, page * pageLimit must be less than or equal to: [10000]";
    check("POST", "/contacts/search", &body, 400, &json!(wrong));
    let body = with(json!({"pageLimit": 5, "page": 1, "searchAfter": [1, "a"]}));
    let wrong = "`page` parameter can't be used with `searchAfter`";
    check("POST", "/contacts/search", &body, 400, &json!(wrong));
}

#[test]
fn a_token_without_a_scope_is_answered_401() {
    let world = World::new();
    let caller = RawClient::new(world.url()).with_token("pit-sandbox-without:contacts.readonly");
    let answer = caller.send_request("POST", "/contacts/search", &with(json!({"pageLimit": 1})));
    let said = (answer.status, &answer.body["message"]);
    assert_eq!(said, (401, &json!("The token is not authorized for this scope.")));
    assert_eq!(
        caller.send_request("GET", &format!("/users/?locationId={LOCATION}"), &Value::Null).status,
        200
    );
}

#[test]
fn an_unknown_token_is_answered_401() {
    let world = World::new();
    let ask = |token| {
        let path = format!("/users/?locationId={LOCATION}");
        let answer =
            RawClient::new(world.url()).with_token(token).send_request("GET", &path, &Value::Null);
        (answer.status, answer.body["message"].clone())
    };
    assert_eq!(ask("pit-unknown"), (401, json!("Invalid Private Integration token")));
    assert_eq!(ask("eyJhbGciOi"), (401, json!("Invalid token: access token is invalid")));
}

#[test]
fn a_location_out_of_reach_is_answered_403() {
    let wrong = json!("The token does not have access to this location.");
    check("GET", "/users/?locationId=elsewhere", &Value::Null, 403, &wrong);
    check("GET", "/users/", &Value::Null, 403, &wrong);
}

#[test]
fn every_answer_says_what_is_left_of_the_limit() {
    let world = World::with_settings(|settings| {
        (settings.limit, settings.daily_used) = ("5/10s/100".parse().unwrap(), 40);
    });
    let answer = RawClient::new(world.url()).send_request(
        "GET",
        &format!("/locations/{LOCATION}"),
        &Value::Null,
    );
    let header = |name: &str| answer.headers[name].parse::<u64>().unwrap();
    let told = [
        "x-ratelimit-max",
        "x-ratelimit-remaining",
        "x-ratelimit-interval-milliseconds",
        "x-ratelimit-limit-daily",
        "x-ratelimit-daily-remaining",
    ];
    assert_eq!(told.map(header), [5, 4, 10_000, 100, 59]);
}

#[test]
fn one_request_too_many_is_answered_429() {
    let world = World::with_settings(|settings| settings.limit = "3/60s".parse().unwrap());
    let path = format!("/locations/{LOCATION}");
    let ask = || RawClient::new(world.url()).send_request("GET", &path, &Value::Null);
    let statuses = [ask(), ask(), ask(), ask()].map(|answer| answer.status);
    assert_eq!(statuses, [200, 200, 200, 429]);
    let refused = ask();
    assert_eq!(refused.headers["x-ratelimit-remaining"], "0");
    assert!(refused.headers["retry-after"].parse::<u64>().unwrap() <= 60);
}

#[test]
fn a_duplicate_is_refused_with_the_contact_it_duplicates() {
    let world = World::new();
    let there = first_contact(&world);
    let body = with(json!({"email": there["email"].as_str().unwrap().to_uppercase()}));
    let answer = RawClient::new(world.url()).send_request("POST", "/contacts/", &body);
    assert_eq!(answer.status, 400);
    let meta = json!({"contactId": there["id"], "contactName": there["contactName"], "matchingField": "email"});
    assert_eq!(answer.body["meta"], meta);
}

#[test]
fn tags_are_stored_once_and_in_lower_case() {
    let world = World::new();
    let id = first_contact(&world)["id"].as_str().unwrap().to_owned();
    let body = json!({"tags": ["Brand-New", "brand-new", " BRAND-NEW "]});
    let answer =
        RawClient::new(world.url()).send_request("POST", &format!("/contacts/{id}/tags"), &body);
    assert_eq!((answer.status, &answer.body["tagsAdded"]), (201, &json!(["brand-new"])));
    let tags = crate::raw_http::list_rows(&world, &format!("/locations/{LOCATION}/tags"), "tags");
    assert!(tags.iter().any(|tag| tag["name"] == "brand-new"), "the location learns the tag");
}

#[test]
fn a_contact_that_was_created_is_read_back() {
    let world = World::new();
    let caller = RawClient::new(world.url());
    let body = with(json!({"firstName": "Ada", "lastName": "New", "email": "Ada.New@example.com"}));
    let made = caller.send_request("POST", "/contacts/", &body);
    assert_eq!(made.status, 201, "{}", made.body);
    let id = made.body["contact"]["id"].as_str().unwrap();
    let read = caller.send_request("GET", &format!("/contacts/{id}"), &Value::Null);
    assert_eq!(read.body["contact"]["lastName"], "New");
    assert_eq!(caller.send_request("DELETE", &format!("/contacts/{id}"), &Value::Null).status, 200);
    let gone = caller.send_request("GET", &format!("/contacts/{id}"), &Value::Null);
    assert_eq!(
        (gone.status, &gone.body["message"]),
        (400, &json!(format!("Contact not found for id:{id}")))
    );
}

#[test]
fn an_upsert_finds_the_contact_with_the_address() {
    let world = World::new();
    let there = first_contact(&world);
    let body = with(json!({"email": there["email"], "companyName": "New Ltd"}));
    let answer = RawClient::new(world.url()).send_request("POST", "/contacts/upsert", &body);
    assert_eq!((answer.status, &answer.body["new"]), (200, &json!(false)));
    assert_eq!(answer.body["contact"]["id"], there["id"]);
    assert_eq!(first_contact(&world)["companyName"], "New Ltd");
}

#[test]
fn an_unknown_path_is_answered_404() {
    check("GET", "/contracts/1", &Value::Null, 404, &json!("Cannot GET /contracts/1"));
}

#[test]
fn a_search_finds_the_seeded_contacts_page_by_page() {
    let world = World::new();
    let rows = crate::raw_http::search_contacts(&world, &json!([]));
    let state = world.get_control("state");
    assert_eq!(rows.len(), state["contacts"].as_array().unwrap().len());
    let caller = RawClient::new(world.url());
    let page = caller
        .send_request("POST", "/contacts/search", &with(json!({"pageLimit": 7, "page": 2})))
        .body;
    assert_eq!((page["contacts"].as_array().unwrap().len(), &page["total"]), (7, &json!(60)));
    let cursor = &rows[3]["searchAfter"];
    assert_eq!(cursor[1], rows[3]["id"]);
}

#[test]
fn by_default_it_holds_a_thousand_contacts_and_the_documented_limits() {
    let settings = SandboxSettings::default();
    assert_eq!((settings.contacts, settings.limit.to_string().as_str()), (1000, "100/10s"));
    assert_eq!(settings.limit.daily, 200_000);
}

#[test]
fn a_write_is_applied_though_its_client_has_given_up() {
    let world = World::with_settings(|settings| settings.contacts = 0);
    world.control_request("POST", "faults", &json!(["POST /contacts/ hold"]));
    let host = world.url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let body = with(json!({"email": "late@example.com"})).to_string();
    write!(
        stream,
        "POST /contacts/ HTTP/1.1\r\nHost: {host}\r\nVersion: 2021-07-28\r\n\
         Authorization: Bearer {TOKEN}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    world.get_control("held?at_least=1");
    drop(stream);
    assert_eq!(world.get_control("state")["contacts"], json!([]));
    world.control_request("POST", "release", &Value::Null);
    world.get_control("wait?requests=1");
    assert_eq!(first_contact(&world)["email"], "late@example.com");
}

#[test]
fn a_create_that_is_answered_422_may_have_been_applied() {
    let world = World::with_settings(|settings| settings.contacts = 0);
    world.control_request("POST", "faults", &json!(["POST /contacts/ applied=422 times=1"]));
    let caller = RawClient::new(world.url());
    let body = with(json!({"email": "made@example.com"}));
    assert_eq!(caller.send_request("POST", "/contacts/", &body).status, 422);
    let path = format!("/contacts/search/duplicate?locationId={LOCATION}&email=made%40example.com");
    let found = caller.send_request("GET", &path, &Value::Null);
    assert_eq!(found.body["contact"]["email"], "made@example.com");
}

#[test]
fn a_field_can_be_ignored() {
    let world = World::new();
    let id = first_contact(&world)["id"].as_str().unwrap().to_owned();
    world.control_request("POST", "faults", &json!(["PUT /contacts/* ignore=city"]));
    let body = json!({"city": "Elsewhere", "state": "XY"});
    let answer = RawClient::new(world.url()).send_request("PUT", &format!("/contacts/{id}"), &body);
    assert_eq!((answer.status, &answer.body["contact"]["state"]), (200, &json!("XY")));
    assert_ne!(answer.body["contact"]["city"], "Elsewhere");
}

#[test]
fn another_client_can_edit_a_contact_and_its_children() {
    let world = World::new();
    let id = first_contact(&world)["id"].as_str().unwrap().to_owned();
    let edit =
        json!({"city": "There", "tags": ["theirs"], "__notes": [{"body": "hello"}], "__tasks": []});
    world.control_request("PUT", &format!("contacts/{id}"), &edit);
    let there = world.get_control("state")["contacts"][0].clone();
    assert_eq!(there["contact"]["tags"], json!(["theirs"]));
    assert_eq!((&there["notes"][0]["body"], &there["tasks"]), (&json!("hello"), &json!([])));
    let notes = crate::raw_http::list_rows(&world, &format!("/contacts/{id}/notes"), "notes");
    assert_eq!(notes[0]["contactId"], id.as_str());
}

#[test]
fn accounts_that_hold_the_same_are_equal_but_for_ids_and_dates() {
    let build = |names: [&str; 2]| {
        let world = World::with_settings(|settings| settings.contacts = 0);
        let caller = RawClient::new(world.url());
        for name in names {
            let body = with(json!({"firstName": name, "tags": [name, "all"]}));
            let made = caller.send_request("POST", "/contacts/", &body).body;
            let id = made["contact"]["id"].as_str().unwrap();
            let note = json!({"body": name});
            assert_eq!(
                caller.send_request("POST", &format!("/contacts/{id}/notes"), &note).status,
                201
            );
        }
        world.get_control("state?plain")["contacts"].clone()
    };
    assert_eq!(build(["Ada", "Bob"]), build(["Bob", "Ada"]));
    assert_ne!(build(["Ada", "Bob"]), build(["Ada", "Ada"]));
}

#[test]
fn a_company_can_be_changed_and_every_time_zone_be_set() {
    let world = World::new();
    let id = first_contact(&world)["id"].as_str().unwrap().to_owned();
    let put = |body: &Value| {
        RawClient::new(world.url()).send_request("PUT", &format!("/contacts/{id}"), body).status
    };
    assert_eq!(put(&json!({"companyName": "New Ltd", "timezone": "America/Phoenix"})), 200);
    assert_eq!(put(&json!({"timezone": "America/Atlantis"})), 422);
    assert_eq!(put(&json!({"gender": "female"})), 422);
    assert_eq!(put(&with(json!({"firstName": "Ada"}))), 422);
}

#[test]
fn a_location_says_what_makes_a_duplicate() {
    let world = World::with_settings(|settings| settings.unique = vec![UniqueIdentifier::Phone]);
    let answer = RawClient::new(world.url()).send_request(
        "GET",
        &format!("/locations/{LOCATION}"),
        &Value::Null,
    );
    let settings = &answer.body["location"]["settings"];
    assert_eq!(settings["allowDuplicateContact"], false);
    assert_eq!(settings["contactUniqueIdentifiers"], json!(["phone"]));
    assert!(answer.body["location"]["country"].is_string());
}
