//! Authorization, code exchange and refresh in the older version of the OAuth API.

use ghl_bulk::sandbox::{CLIENT_ID, CLIENT_SECRET, COMPANY, LOCATION, ServiceQuirk};
use serde_json::{Value, json};

use super::oauth_client::{
    authorize, code, exchange, exchange_code, form, grant, refresh, said, text,
};
use crate::raw_http::{RawClient, send_raw_request};
use crate::world::World;

fn status_of(world: &World, token: &str) -> (u16, String) {
    let path = format!("/contacts/search/duplicate?locationId={LOCATION}&email=a%40example.com");
    let answer =
        RawClient::new(world.url()).with_token(token).send_request("GET", &path, &Value::Null);
    (answer.status, answer.body["message"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn a_code_comes_back_with_the_state_and_is_exchanged_for_tokens() {
    let world = World::new();
    let sent = authorize(&world, "&state=a%20b%26c");
    assert!(sent.headers["location"].ends_with("&state=a+b%26c"), "{:?}", sent.headers);
    let tokens = exchange_code(&world, &code(&sent));
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let tokens = tokens.body;
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 86_399);
    assert_eq!(tokens["scope"], "contacts.readonly oauth.readonly oauth.write");
    assert_eq!(tokens["userType"], "Location");
    assert_eq!((&tokens["locationId"], &tokens["companyId"]), (&json!(LOCATION), &json!(COMPANY)));
    assert!(tokens["refreshTokenId"].is_string());
    assert_eq!(status_of(&world, &text(&tokens["access_token"])).0, 200);
}

#[test]
fn the_address_below_v2_is_the_same_page() {
    let world = World::new();
    let path = format!(
        "/v2/oauth/chooselocation?response_type=code&client_id={CLIENT_ID}\
         &redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2F%3Fa%3Db&scope=contacts.readonly"
    );
    let sent = send_raw_request(world.url(), "GET", &path, &[], "");
    let address = &sent.headers["location"];
    assert!(address.starts_with("http://127.0.0.1:1/?a=b&code="), "{address}");
    assert!(!address.contains("state="), "{address}");
}

#[test]
fn an_authorisation_that_asks_wrongly_is_refused_and_sent_nowhere() {
    let world = World::new();
    let ask = |query: &str| {
        let answer = send_raw_request(
            world.url(),
            "GET",
            &format!("/oauth/chooselocation?{query}"),
            &[],
            "",
        );
        assert!(!answer.headers.contains_key("location"));
        (answer.status, text(&answer.body["error"]))
    };
    let refused = |error: &str| (400, error.to_owned());
    let redirect = "redirect_uri=http%3A%2F%2Flocalhost";
    let client = format!("response_type=code&client_id={CLIENT_ID}");
    assert_eq!(ask("scope=a"), refused("unsupported_response_type"));
    assert_eq!(ask("response_type=code&client_id=other"), refused("invalid_client"));
    assert_eq!(ask(&client), refused("invalid_request"));
    let elsewhere = format!("{client}&redirect_uri=https%3A%2F%2Fexample.com%2F&scope=a");
    assert_eq!(ask(&elsewhere), refused("invalid_request"));
    assert_eq!(ask(&format!("{client}&{redirect}")), refused("invalid_scope"));
    assert_eq!(ask(&format!("{client}&{redirect}&scope=everything")), refused("invalid_scope"));
}

#[test]
fn a_location_or_the_whole_agency_can_be_chosen() {
    let world = World::with_settings(|settings| {
        settings.locations = vec!["first".to_owned(), "second".to_owned(), "third".to_owned()];
        settings.not_installed = vec!["third".to_owned()];
    });
    let tokens = |more: &str| exchange_code(&world, &code(&authorize(&world, more))).body;
    assert_eq!(tokens("&location_id=second")["locationId"], "second");
    let agency = tokens("&user_type=Company");
    assert_eq!(agency["userType"], "Company");
    assert_eq!(agency["locationId"], Value::Null);
    assert_eq!(agency["approvedLocations"], json!(["first", "second"]));
    assert_eq!(agency["approveAllLocations"], false);
    assert_eq!(said(&authorize(&world, "&location_id=x")), (400, "Location with id x not found"));
}

#[test]
fn an_agencys_authorisation_can_lose_its_state() {
    let world = World::with_settings(|settings| settings.quirks = vec![ServiceQuirk::StateDropped]);
    let address = |more: &str| authorize(&world, more).headers["location"].clone();
    assert!(!address("&state=mine&user_type=Company").contains("state"));
    assert!(address("&state=mine").contains("state=mine"));
}

#[test]
fn a_code_works_once() {
    let world = World::new();
    let code = code(&authorize(&world, ""));
    assert_eq!(exchange_code(&world, &code).status, 200);
    let again = exchange_code(&world, &code);
    assert_eq!(said(&again), (400, "Invalid grant: authorization code is invalid"));
    assert_eq!(again.body["error"], "invalid_grant");
    assert_eq!(again.body["error_description"], again.body["message"]);
}

#[test]
fn a_code_is_bound_to_its_address_and_its_app() {
    let world = World::new();
    let code = code(&authorize(&world, ""));
    let other = format!("grant_type=authorization_code&code={code}&redirect_uri=http://localhost/");
    let wrong = exchange(&world, &form(&other));
    assert_eq!(said(&wrong), (400, "Invalid request: `redirect_uri` is invalid"));
    let stranger = format!(
        "client_id=other&client_secret={CLIENT_SECRET}&grant_type=authorization_code&code={code}"
    );
    assert_eq!(exchange(&world, &stranger).body["error"], "invalid_client");
    assert_eq!(exchange_code(&world, &code).status, 200, "a wrong attempt uses nothing up");
}

#[test]
fn a_code_that_waited_too_long_is_refused() {
    let world = World::new();
    let code = code(&authorize(&world, ""));
    world.control_request("POST", "settings", &json!({"clock_ahead": 901}));
    let late = exchange_code(&world, &code);
    assert_eq!(said(&late), (400, "Invalid grant: authorization code has expired"));
}

#[test]
fn a_refresh_token_works_once_and_brings_the_next() {
    let world = World::new();
    let first = text(&grant(&world, &json!({}))["refresh_token"]);
    let renewed = refresh(&world, &first);
    assert_eq!(renewed.status, 200, "{}", renewed.body);
    let second = text(&renewed.body["refresh_token"]);
    assert_ne!(first, second);
    assert_eq!(renewed.body["locationId"], LOCATION);
    let again = refresh(&world, &first);
    assert_eq!(said(&again), (400, "Invalid grant: refresh token is invalid"));
    assert_eq!(again.body["error"], "invalid_grant");
    assert_eq!(refresh(&world, &second).status, 200);
    let counts = world.get_control("oauth");
    assert_eq!(counts["issued"]["refresh_token"], 2);
    assert_eq!(
        (&counts["refreshes_honoured"], &counts["refreshes_refused"]),
        (&json!(2), &json!(1))
    );
}

#[test]
fn a_lost_answer_uses_the_refresh_token_up() {
    let world = World::new();
    let token = text(&grant(&world, &json!({}))["refresh_token"]);
    world.control_request("POST", "faults", &json!(["POST /oauth/token applied=502 times=1"]));
    assert_eq!(refresh(&world, &token).status, 502);
    assert_eq!(refresh(&world, &token).body["error"], "invalid_grant");
    assert_eq!(world.get_control("oauth")["refreshes_honoured"], 1);
}

#[test]
fn a_token_refresh_can_be_delayed_before_and_after_it_is_applied() {
    for (hold, honoured) in [("hold", 0), ("hold=after", 1)] {
        let world = World::new();
        let token = text(&grant(&world, &json!({}))["refresh_token"]);
        world.control_request(
            "POST",
            "faults",
            &json!([format!("POST /oauth/token {hold} times=1")]),
        );
        let status = std::thread::scope(|scope| {
            let renewal = scope.spawn(|| refresh(&world, &token).status);
            world.get_control("held?at_least=1");
            assert_eq!(world.get_control("oauth")["refreshes_honoured"], honoured, "{hold}");
            world.control_request("POST", "release", &Value::Null);
            renewal.join().unwrap()
        });
        assert_eq!(status, 200);
    }
}

#[test]
fn faults_strike_the_token_endpoint() {
    let world = World::new();
    let token = text(&grant(&world, &json!({}))["refresh_token"]);
    let faults = json!(["POST /oauth/token status=500 times=1"]);
    world.control_request("POST", "faults", &faults);
    assert_eq!(refresh(&world, &token).status, 500);
    assert_eq!(refresh(&world, &token).status, 200, "it was not applied");
}

#[test]
fn nothing_is_granted_for_the_apps_secret_alone() {
    let world = World::new();
    let alone = exchange(&world, &form("grant_type=client_credentials"));
    assert_eq!((alone.status, &alone.body["error"]), (400, &json!("unauthorized_client")));
    let other = exchange(&world, &form("grant_type=password"));
    assert_eq!(said(&other), (400, "Invalid parameter: grant_type"));
}

#[test]
fn the_token_endpoint_takes_forms_of_known_fields_only() {
    let world = World::new();
    let unknown = exchange(&world, &form("grant_type=refresh_token&refreshToken=a"));
    assert_eq!(
        (unknown.status, &unknown.body["message"][0]),
        (422, &json!("property refreshToken should not exist"))
    );
    let missing = exchange(&world, &format!("client_id={CLIENT_ID}"));
    assert_eq!(said(&missing), (400, "Missing parameter: client_secret"));
    let body = json!({"client_id": CLIENT_ID}).to_string();
    let headers = [("Content-Type", "application/json")];
    let json = send_raw_request(world.url(), "POST", "/oauth/token", &headers, &body);
    assert_eq!((json.status, &json.body["error"]), (400, &json!("invalid_request")));
    let headers =
        [("Content-Type", "application/x-www-form-urlencoded"), ("Version", "2020-01-01")];
    let version = send_raw_request(
        world.url(),
        "POST",
        "/oauth/token",
        &headers,
        &form("grant_type=refresh_token"),
    );
    assert_eq!(said(&version), (401, "version header is invalid"));
}

#[test]
fn revoking_ends_every_refresh_token() {
    let world = World::new();
    let tokens = grant(&world, &json!({}));
    world.control_request("POST", "oauth/revoke", &Value::Null);
    assert_eq!(refresh(&world, &text(&tokens["refresh_token"])).body["error"], "invalid_grant");
    assert_eq!(status_of(&world, &text(&tokens["access_token"])).0, 200);
}

#[test]
fn a_lost_refresh_token_is_replaced_by_a_reconnection() {
    let world = World::new();
    let ask = |body: Value| {
        let headers = [("Content-Type", "application/json")];
        send_raw_request(world.url(), "POST", "/oauth/reconnect", &headers, &body.to_string())
    };
    let app = |more: Value| {
        let mut body = json!({"clientKey": CLIENT_ID, "clientSecret": CLIENT_SECRET});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let answer = ask(app(json!({"locationId": LOCATION})));
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body["expiresAt"].is_string());
    let code = text(&answer.body["authorizationCode"]);
    let tokens = exchange(&world, &form(&format!("grant_type=authorization_code&code={code}")));
    assert_eq!((tokens.status, &tokens.body["locationId"]), (200, &json!(LOCATION)));
    assert_eq!(ask(app(json!({"companyId": COMPANY}))).status, 200);
    assert_eq!(ask(app(json!({"locationId": "elsewhere"}))).status, 400);
    assert_eq!(ask(app(json!({}))).status, 400);
    assert_eq!(
        ask(json!({"clientKey": CLIENT_ID, "clientSecret": "no", "companyId": COMPANY})).status,
        400
    );
    assert_eq!(world.get_control("oauth")["reconnects"], 2);
}

#[test]
fn calls_for_tokens_are_in_the_journal_without_secrets_and_count_for_no_location() {
    let world = World::with_settings(|settings| settings.limit = "1/60s".parse().unwrap());
    let code = code(&authorize(&world, ""));
    let tokens = exchange_code(&world, &code).body;
    refresh(&world, &text(&tokens["refresh_token"]));
    let leaky = format!("/oauth/token?client_secret={CLIENT_SECRET}&code={code}");
    let answer = send_raw_request(world.url(), "POST", &leaky, &[], "");
    assert!(!answer.headers.contains_key("x-ratelimit-remaining"));
    assert_eq!(status_of(&world, &text(&tokens["access_token"])).0, 200);
    let journal = world.get_control("log");
    assert_eq!((&journal["requests"], &journal["most_in_window"]), (&json!(5), &json!(1)));
    assert!(text(&journal["entries"][0]["path"]).contains("redirect_uri=http"));
    assert_eq!(journal["entries"][1]["path"], "/oauth/token");
    assert_eq!(journal["entries"][3]["path"], "/oauth/token?client_secret&code");
    let written = journal.to_string();
    for secret in ["access_token", "refresh_token"].map(|name| text(&tokens[name])) {
        assert!(!written.contains(&secret));
    }
    assert!(!written.contains(CLIENT_SECRET) && !written.contains(&code));
}
