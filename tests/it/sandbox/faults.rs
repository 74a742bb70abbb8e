//! The faults that a test can inject: what each does to which answer.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use ghl_bulk::sandbox::{LOCATION, TOKEN};
use serde_json::{Value, json};

use crate::raw_http::{RawClient, RawResponse};
use crate::world::World;

fn get(world: &World, path: &str) -> RawResponse {
    RawClient::new(world.url()).send_request("GET", path, &Value::Null)
}

fn post(world: &World, path: &str, body: &Value) -> RawResponse {
    let mut body = body.clone();
    body["locationId"] = LOCATION.into();
    RawClient { version: "v3", ..RawClient::new(world.url()) }.send_request("POST", path, &body)
}

/// A page of the contact search.
fn contacts(world: &World, body: &Value) -> Value {
    let mut body = body.clone();
    body["pageLimit"] = body.get("pageLimit").cloned().unwrap_or(json!(10));
    body["sort"] = json!([{"field": "dateAdded", "direction": "asc"}]);
    post(world, "/contacts/search", &body).body
}

/// All pages of the contact search, led on by the last row of each.
fn walk(world: &World) -> Vec<Value> {
    let (mut rows, mut body) = (Vec::new(), json!({}));
    loop {
        let page = contacts(world, &body);
        let page = page["contacts"].as_array().unwrap();
        assert!(page.len() <= 10, "no page is larger than asked for");
        let Some(last) = page.last() else { return rows };
        body["searchAfter"] = last["searchAfter"].clone();
        rows.extend(page.iter().cloned());
    }
}

fn ids(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn unique(rows: &[Value]) -> BTreeSet<String> {
    ids(rows).into_iter().collect()
}

fn first_id(world: &World) -> String {
    world.get_control("state")["contacts"][0]["contact"]["id"].as_str().unwrap().to_owned()
}

/// The bytes of an answer to a GET, without its head.
fn read_bytes(world: &World, path: &str) -> Vec<u8> {
    let host = world.url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nVersion: 2021-07-28\r\n\
         Authorization: Bearer {TOKEN}\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
    answer.split_off(end + 4)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_total_is_capped_wrong_or_absent() {
    let total = |fault| contacts(&World::with_faults(&[fault]), &json!({}))["total"].clone();
    assert_eq!(total("POST /contacts/search total-cap=20"), 20);
    assert_eq!(total("POST /contacts/search total-cap=100"), 60);
    assert_eq!(total("POST /contacts/search total=0"), 0);
    assert_eq!(total("POST /contacts/search total=none"), Value::Null);
    let world = World::with_faults(&["GET /contacts total-cap=7"]);
    let list = get(&world, &format!("/contacts/?locationId={LOCATION}")).body;
    assert_eq!((&list["count"], &list["meta"]["total"]), (&json!(7), &json!(7)));
}

#[test]
fn a_page_is_short_or_blank_although_more_follows() {
    let world = World::with_faults(&["POST /contacts/search total=none rows=3 times=1"]);
    let first = contacts(&world, &json!({}));
    assert_eq!((first["contacts"].as_array().unwrap().len(), &first["total"]), (3, &Value::Null));
    assert_eq!(contacts(&world, &json!({}))["contacts"].as_array().unwrap().len(), 10);
    let always = World::with_faults(&["POST /contacts/search rows=4"]);
    assert_eq!(ids(&walk(&always)), ids(&walk(&World::new())));
    let blank = World::with_faults(&["POST /contacts/search rows=0 times=2"]);
    let sizes =
        [(); 3].map(|()| contacts(&blank, &json!({}))["contacts"].as_array().unwrap().len());
    assert_eq!(sizes, [0, 0, 10]);
}

#[test]
fn a_page_size_is_clamped() {
    let world = World::with_faults(&["POST /** page-size=5"]);
    assert_eq!(contacts(&world, &json!({}))["contacts"].as_array().unwrap().len(), 5);
    let second = contacts(&world, &json!({"page": 2}))["contacts"].clone();
    assert_eq!(ids(second.as_array().unwrap()), ids(&walk(&World::new())[5..10]));
    let tasks = format!("/locations/{LOCATION}/tasks/search");
    let page = RawClient::new(world.url()).send_request("POST", &tasks, &json!({"limit": 500}));
    assert_eq!(page.body["tasks"].as_array().unwrap().len(), 5);
    let notes = post(&world, "/notes/search", &json!({"limit": 3})).body;
    assert_eq!(notes["notes"].as_array().unwrap().len(), 3);
}

#[test]
fn a_list_without_pages_can_come_in_pages() {
    let world = World::with_faults(&["GET /contacts/*/notes paged=2", "GET /users paged=2"]);
    let id = first_id(&world);
    let notes = json!({"__notes": [{"id": "a"}, {"id": "b"}, {"id": "c"}]});
    world.control_request("PUT", &format!("contacts/{id}"), &notes);
    let page = |query: &str| get(&world, &format!("/contacts/{id}/notes{query}")).body;
    let first = page("");
    assert_eq!((&first["total"], &first["nextPage"]), (&json!(3), &json!(2)));
    assert_eq!(ids(first["notes"].as_array().unwrap()), ["a", "b"]);
    let last = page("?page=2");
    assert_eq!(
        (ids(last["notes"].as_array().unwrap()), &last["nextPage"]),
        (vec!["c".to_owned()], &Value::Null)
    );
    let users = get(&world, &format!("/users/?locationId={LOCATION}&page=2")).body;
    assert_eq!(users["users"].as_array().unwrap().len(), 2);
}

#[test]
fn a_record_has_bytes_that_are_not_utf_8() {
    let cases: [(&str, &[u8]); 3] =
        [("latin1", b"\xe9"), ("cut", b"\xe2\x82\""), ("cesu8", b"\xed\xa0\xbd\xed\xb8\x80")];
    for (kind, bytes) in cases {
        let world = World::with_faults(&[&format!("GET /** bytes={kind}")]);
        let id = first_id(&world);
        for path in [
            format!("/contacts/{id}"),
            format!("/users/?locationId={LOCATION}"),
            format!("/locations/{LOCATION}/tags"),
            format!("/locations/{LOCATION}/customFields"),
        ] {
            let body = read_bytes(&world, &path);
            assert!(contains(&body, bytes) && std::str::from_utf8(&body).is_err(), "{kind} {path}");
        }
    }
}

#[test]
fn one_row_can_be_chosen_by_its_id() {
    let world = World::new();
    let third = ids(&walk(&world))[2].clone();
    world.control_request(
        "POST",
        "faults",
        &json!([format!("POST /contacts/search set=city:\"There\" row={third} times=1")]),
    );
    let cities = |page: Value| {
        let rows = page["contacts"].as_array().unwrap().clone();
        let there = rows.iter().filter(|row| row["city"] == "There").map(|row| row["id"].clone());
        there.collect::<Vec<_>>()
    };
    assert_eq!(cities(contacts(&world, &json!({"page": 2}))), [""; 0], "not on this page");
    assert_eq!(cities(contacts(&world, &json!({}))), [third.as_str()]);
    assert_eq!(cities(contacts(&world, &json!({}))), [""; 0], "once");
}

#[test]
fn a_byte_order_mark_and_spaces_surround_the_json() {
    let world = World::with_faults(&["GET /users pretty bom"]);
    let body = read_bytes(&world, &format!("/users/?locationId={LOCATION}"));
    let text = String::from_utf8(body).unwrap();
    assert!(text.starts_with('\u{feff}') && text.contains("{\n  \"traceId\""), "{text}");
}

#[test]
fn a_request_is_refused_in_the_words_of_each_part_of_the_way() {
    let world = World::new();
    let id = first_id(&world);
    let path = format!("/contacts/{id}/notes");
    let ask = |fault: &str| {
        world.control_request("DELETE", "faults", &Value::Null);
        world.control_request("POST", "faults", &json!([format!("GET /contacts/*/notes {fault}")]));
        let answer = get(&world, &path);
        let kind = answer.headers["content-type"].split(';').next().unwrap().to_owned();
        (answer.status, answer.body["message"].clone(), kind)
    };
    let json = |status, message: &str| (status, json!(message), "application/json".to_owned());
    assert_eq!(ask("forbidden"), json(403, "Forbidden resource"));
    assert_eq!(ask("no-scope"), json(401, "The token is not authorized for this scope."));
    assert_eq!(ask("no-scope=403"), json(403, "The token is not authorized for this scope."));
    assert_eq!(ask("no-route"), json(404, &format!("Cannot GET {path}")));
    assert_eq!(ask("applied=200 body={\"message\": \"ok\"}"), json(200, "ok"));
    let page = |status, kind: &str| (status, Value::Null, kind.to_owned());
    assert_eq!(ask("firewall"), page(403, "text/html"));
    assert_eq!(ask("firewall=text"), page(403, "text/plain"));
    assert_eq!(ask("portal"), page(200, "text/html"));
    assert_eq!(ask("applied=204"), page(204, "application/json"));
    assert_eq!(ask("blank"), page(200, "application/json"));
}

#[test]
fn a_portal_applies_nothing() {
    let world = World::with_settings(|settings| settings.contacts = 0);
    world.control_request("POST", "faults", &json!(["POST /contacts/ portal"]));
    let answer = post(&world, "/contacts/", &json!({"email": "a@example.com"}));
    assert_eq!((answer.status, &answer.body), (200, &Value::Null));
    assert_eq!(world.get_control("state")["contacts"], json!([]));
}

#[test]
fn a_route_changes_its_shape() {
    let users = |shape| {
        let world = World::with_faults(&[&format!("GET /users shape={shape}")]);
        get(&world, &format!("/users/?locationId={LOCATION}")).body
    };
    assert!(users("bare").as_array().unwrap().len() > 2);
    assert!(users("wrapped")["data"]["users"].is_array());
    let null = users("null");
    assert!(null["users"].is_null() && null["traceId"].is_string());
}

#[test]
fn headers_are_absurd_absent_or_dates() {
    let headers = |fault: &str| {
        let world = World::with_faults(&[&format!("GET /users {fault}")]);
        get(&world, &format!("/users/?locationId={LOCATION}")).headers
    };
    assert_eq!(headers("header=X-RateLimit-Max:1000000000")["x-ratelimit-max"], "1000000000");
    let bare = headers("status=429 no-headers");
    assert!(!bare.keys().any(|name| name.starts_with("x-ratelimit")), "{bare:?}");
    assert_eq!(headers("status=429 retry-after=36000")["retry-after"], "36000");
    let date = &headers("status=503 retry-after=date+30")["retry-after"];
    assert!(date.ends_with(" GMT"), "{date}");
    assert_eq!(headers("header=Retry-After:in%20a%20while")["retry-after"], "in a while");
}

#[test]
fn an_option_of_a_request_can_be_refused() {
    let world = World::new();
    let ask = |fault: &str, body: Value| {
        world.control_request("DELETE", "faults", &Value::Null);
        world.control_request("POST", "faults", &json!([format!("POST /** {fault}")]));
        contacts(&world, &body)
    };
    let wrong = ask("refuse=searchAfter", json!({"searchAfter": [1, "a"]}));
    assert_eq!(wrong["message"], json!(["property searchAfter should not exist"]));
    assert!(ask("refuse=searchAfter", json!({}))["contacts"].is_array());
    let wrong = ask("refuse=pageLimit>100", json!({"pageLimit": 101}));
    assert_eq!(wrong["message"], json!(["pageLimit must not be greater than 100"]));
    assert!(ask("refuse=pageLimit>100", json!({"pageLimit": 100}))["contacts"].is_array());
    let range = |value: Value| {
        let inner = json!([{"field": "dateAdded", "operator": "range", "value": {"gte": value}}]);
        json!({"filters": [{"group": "AND", "filters": inner}]})
    };
    let wrong = ask("refuse=range-ms", range(json!(5)));
    assert_eq!(wrong["message"], "Invalid value for 'range' operator for 'dateAdded' field");
    assert!(ask("refuse=range-ms", range(json!("2020-01-01")))["contacts"].is_array());
    let wrong = ask("refuse=pageLimit>100:400", json!({"pageLimit": 101}));
    assert_eq!((&wrong["statusCode"], &wrong["message"]), (&json!(400), &json!("Bad Request")));
    assert!(ask("refuse=pageLimit>100:400", json!({"pageLimit": 100}))["contacts"].is_array());
}

#[test]
fn rows_come_twice_over_the_border_of_pages() {
    let exact = walk(&World::new());
    let world = World::with_faults(&["POST /contacts/search repeat=later"]);
    let rows = walk(&world);
    assert_eq!(unique(&rows), unique(&exact), "no row is lost");
    assert!(rows.len() > exact.len());
    assert_eq!(rows[9]["id"], rows[10]["id"]);
    assert_ne!(rows[9]["dateAdded"], rows[10]["dateAdded"]);
    let lossy = walk(&World::with_faults(&["POST /contacts/search lose"]));
    assert_eq!((lossy.len(), &lossy[10]["id"]), (exact.len(), &exact[9]["id"]));
    assert!(!unique(&lossy).contains(exact[10]["id"].as_str().unwrap()));
}

#[test]
fn rows_come_twice_where_pages_count_rows() {
    let pages = |world: &World| {
        let page = |skip| post(world, "/notes/search", &json!({"limit": 10, "skip": skip})).body;
        let rows = [0, 10, 20].map(|skip| page(skip)["notes"].as_array().unwrap().clone());
        ids(&rows.concat())
    };
    let exact = pages(&World::new());
    let repeated = pages(&World::with_faults(&["POST /notes/search repeat"]));
    assert_eq!(repeated[..10], exact[..10]);
    assert_eq!(repeated[10..20], exact[9..19]);
    let lossy = pages(&World::with_faults(&["POST /notes/search lose"]));
    assert_eq!((&lossy[10], &lossy[11..20]), (&exact[9], &exact[11..20]));
}

#[test]
fn fields_of_rows_are_renamed_removed_and_reshaped() {
    let row = |fault: &str| {
        let world = World::with_faults(&[&format!("POST /contacts/search {fault}")]);
        let rows = walk_first(&world);
        rows.into_iter().find(|row| row["companyName"] != "none").unwrap()
    };
    let renamed = row("rename=id:_id");
    assert!(renamed["id"].is_null() && renamed["_id"].is_string());
    assert!(!row("unset=tags").as_object().unwrap().contains_key("tags"));
    assert!(row("set=customFields:null")["customFields"].is_null());
    assert!(row("custom-fields=map")["customFields"].is_object());
    let first = row("custom-fields=v1");
    assert!(first["customField"].is_array() && first["customFields"].is_null());
    let reversed = walk_first(&World::with_faults(&["POST /contacts/search reverse"]));
    let mut straight = walk_first(&World::new());
    straight.reverse();
    assert_eq!(reversed, straight);
}

fn walk_first(world: &World) -> Vec<Value> {
    contacts(world, &json!({}))["contacts"].as_array().unwrap().clone()
}

#[test]
fn a_write_can_be_kept_in_part_or_not_at_all() {
    let world = World::new();
    let id = first_id(&world);
    let caller = RawClient::new(world.url());
    let arm = |fault: &str| {
        world.control_request("DELETE", "faults", &Value::Null);
        world.control_request("POST", "faults", &json!([fault]));
    };
    arm("POST /contacts/*/notes shorten=body:5");
    let made =
        caller.send_request("POST", &format!("/contacts/{id}/notes"), &json!({"body": "too long"}));
    assert_eq!((made.status, &made.body["note"]["body"]), (201, &json!("too l")));
    arm("GET /contacts/*/notes shorten=body:3");
    assert_eq!(get(&world, &format!("/contacts/{id}/notes")).body["notes"][0]["body"], "too");
    arm("PUT /contacts/* ignore=*");
    let body = json!({"city": "Elsewhere"});
    let answer = caller.send_request("PUT", &format!("/contacts/{id}"), &body);
    assert_eq!((answer.status, &answer.body["succeded"]), (200, &json!(true)));
    assert_ne!(answer.body["contact"]["city"], "Elsewhere");
    arm("PUT /contacts/* status=200 body={\"succeded\": false}");
    let answer = caller.send_request("PUT", &format!("/contacts/{id}"), &body);
    assert_eq!((answer.status, &answer.body), (200, &json!({"succeded": false})));
    assert_ne!(get(&world, &format!("/contacts/{id}")).body["contact"]["city"], "Elsewhere");
}

#[test]
fn several_alterations_and_faults_apply_to_one_request() {
    let world = World::with_faults(&[
        "POST /contacts/search rows=2 total=9",
        "POST /contacts/search unset=email header=X-Extra:1",
    ]);
    let answer = post(&world, "/contacts/search", &json!({"pageLimit": 10}));
    let rows = answer.body["contacts"].as_array().unwrap();
    assert_eq!(
        (rows.len(), &answer.body["total"], &rows[0]["email"]),
        (2, &json!(9), &Value::Null)
    );
    assert_eq!(answer.headers["x-extra"], "1");
}
