//! Access tokens: their claims, their lifetime, and the scope that each endpoint requires.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ghl_bulk::sandbox::{CLIENT_ID, COMPANY, LOCATION};
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::{Value, json};

use super::oauth_client::{grant, said, text};
use crate::raw_http::{RawClient, RawResponse};
use crate::world::World;

fn claims(token: &str) -> Value {
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3);
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap()
}

fn location(world: &World, token: &str) -> RawResponse {
    let path = format!("/locations/{LOCATION}");
    RawClient::new(world.url()).with_token(token).send_request("GET", &path, &Value::Null)
}

fn access(tokens: &Value) -> String {
    text(&tokens["access_token"])
}

#[test]
fn a_token_holds_its_owner_its_scopes_and_its_expiry() {
    let world = World::new();
    let wanted = json!({"scope": "contacts.readonly users.readonly", "life": 60});
    let own = claims(&access(&grant(&world, &wanted)));
    assert_eq!((&own["authClass"], &own["authClassId"]), (&json!("Location"), &json!(LOCATION)));
    assert_eq!(own["oauthMeta"]["scopes"], json!(["contacts.readonly", "users.readonly"]));
    assert_eq!(own["sourceId"], CLIENT_ID);
    let (since, until) = (own["iat"].as_i64().unwrap(), own["exp"].as_i64().unwrap());
    assert_eq!(until - since, 60);
    let agency = claims(&access(&grant(&world, &json!({"userType": "Company"}))));
    assert_eq!(
        (&agency["authClass"], &agency["authClassId"]),
        (&json!("Company"), &json!(COMPANY))
    );
}

#[test]
fn a_token_lives_as_long_as_the_settings_say() {
    let world =
        World::with_settings(|settings| settings.token_life = std::time::Duration::from_secs(90));
    let tokens = grant(&world, &json!({}));
    assert_eq!(tokens["expires_in"], 90);
    let token = access(&tokens);
    assert_eq!(location(&world, &token).status, 200);
    world.control_request("POST", "settings", &json!({"clock_ahead": 91, "token_life": 30}));
    assert_eq!(said(&location(&world, &token)), (401, "Invalid JWT"));
    assert_eq!(grant(&world, &json!({}))["expires_in"], 30);
}

#[test]
fn expiring_ends_the_tokens_given_so_far() {
    let world = World::new();
    let old = access(&grant(&world, &json!({})));
    world.control_request("POST", "oauth/expire", &Value::Null);
    assert_eq!(said(&location(&world, &old)), (401, "Invalid JWT"));
    let new = access(&grant(&world, &json!({})));
    assert_eq!(location(&world, &new).status, 200);
    assert_eq!(said(&location(&world, "a.b.c")), (401, "Invalid JWT"));
}

#[test]
fn the_date_of_every_answer_follows_the_clock() {
    let world = World::with_settings(|settings| {
        settings.clock_ahead = jiff::SignedDuration::from_hours(-1);
    });
    let ahead = |answer: &RawResponse| {
        let date = rfc2822::parse(&answer.headers["date"]).unwrap().timestamp();
        (date.as_second() - Timestamp::now().as_second() + 30).div_euclid(60)
    };
    assert_eq!(ahead(&location(&world, "pit-sandbox-full")), -60);
    world.control_request("POST", "settings", &json!({"clock_ahead": 7200}));
    assert_eq!(ahead(&location(&world, "nobody")), 120);
}

#[test]
fn a_control_route_grants_nothing_that_is_spelt_wrongly() {
    let world = World::new();
    for wrong in [json!({"usertype": "Company"}), json!({"userType": "X"}), json!({"life": "x"})] {
        let caller = RawClient::new(world.url());
        assert_eq!(
            caller.send_request("POST", "/__sandbox/oauth/grant", &wrong).status,
            422,
            "{wrong}"
        );
    }
}

#[test]
fn each_route_asks_for_its_scope_and_no_other() {
    let world = World::new();
    let contact = text(&world.get_control("state")["contacts"][0]["contact"]["id"]);
    let here = format!("locationId={LOCATION}");
    let routes = [
        ("contacts.readonly", "POST", "/contacts/search".to_owned()),
        ("contacts.readonly", "GET", format!("/contacts/{contact}")),
        ("contacts.readonly", "GET", format!("/contacts/{contact}/notes")),
        ("contacts.readonly", "GET", format!("/contacts/{contact}/tasks")),
        ("contacts.readonly", "GET", format!("/contacts/{contact}/appointments")),
        ("contacts.readonly", "GET", format!("/contacts/search/duplicate?{here}&email=a")),
        ("contacts.readonly", "GET", format!("/contacts/business/nobody?{here}")),
        ("contacts.write", "PUT", format!("/contacts/{contact}")),
        ("contacts.write", "POST", format!("/contacts/{contact}/tags")),
        ("contacts.write", "POST", "/contacts/upsert".to_owned()),
        ("locations.readonly", "GET", format!("/locations/{LOCATION}")),
        ("locations.readonly", "GET", format!("/locations/{LOCATION}/timezones")),
        ("locations/tags.readonly", "GET", format!("/locations/{LOCATION}/tags")),
        ("locations/customFields.readonly", "GET", format!("/locations/{LOCATION}/customFields")),
        ("locations/tasks.readonly", "POST", format!("/locations/{LOCATION}/tasks/search")),
        ("users.readonly", "GET", format!("/users/?{here}")),
        ("businesses.readonly", "GET", format!("/businesses/?{here}")),
        ("calendars.readonly", "GET", format!("/calendars/?{here}")),
        ("calendars/events.readonly", "GET", format!("/calendars/events?{here}")),
    ];
    for (scope, method, path) in routes {
        let refused = |token: &str| {
            let body = if method == "GET" { Value::Null } else { json!({}) };
            let answer =
                RawClient::new(world.url()).with_token(token).send_request(method, &path, &body);
            said(&answer) == (401, "The token is not authorized for this scope.")
        };
        assert!(refused(&format!("pit-sandbox-without:{scope}")), "{method} {path}");
        assert!(!refused(&format!("pit-sandbox-only:{scope}")), "{method} {path}");
        let own = access(&grant(&world, &json!({ "scope": scope })));
        assert!(!refused(&own), "{method} {path}");
        let other = access(&grant(&world, &json!({ "scope": "oauth.readonly" })));
        assert!(refused(&other), "{method} {path}");
    }
}
