//! The newer version of the OAuth API: both spellings, JSON, pages.

use ghl_bulk::sandbox::{CLIENT_ID, CLIENT_SECRET, COMPANY, ServiceQuirk};
use serde_json::{Value, json};

use super::oauth_client::{agency, authorize, code, grant, post_form, said, text};
use crate::raw_http::{RawClient, RawResponse, send_raw_request};
use crate::world::World;

fn v3(world: &World) -> RawClient<'_> {
    RawClient { version: "v3", ..RawClient::new(world.url()) }
}

fn three() -> World {
    World::with_settings(|settings| {
        settings.locations = vec!["first".to_owned(), "second".to_owned(), "third".to_owned()];
        settings.not_installed = vec!["third".to_owned()];
    })
}

fn exchange(world: &World, mut body: Value) -> RawResponse {
    body["clientId"] = CLIENT_ID.into();
    body["clientSecret"] = CLIENT_SECRET.into();
    let headers = [("Content-Type", "application/json"), ("Version", "v3")];
    send_raw_request(world.url(), "POST", "/oauth/token", &headers, &body.to_string())
}

fn pages(world: &World, token: &str, more: &str) -> RawResponse {
    let app = CLIENT_ID.split('-').next().unwrap();
    let path = format!("/oauth/installed-locations?companyId={COMPANY}&appId={app}{more}");
    v3(world).with_token(token).send_request("GET", &path, &Value::Null)
}

#[test]
fn a_code_is_exchanged_and_renewed_as_json() {
    let world = World::new();
    let code = code(&authorize(&world, ""));
    let redirect = super::oauth_client::REDIRECT;
    let wanted = json!({"grantType": "authorization_code", "code": code, "redirectUri": redirect});
    let tokens = exchange(&world, wanted).body;
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(86_399)));
    assert!(tokens["access_token"].is_string() && tokens["accessToken"].is_null());
    let wanted = json!({"grantType": "refresh_token", "refreshToken": tokens["refresh_token"]});
    assert_eq!(exchange(&world, wanted.clone()).status, 200);
    let again = exchange(&world, wanted);
    assert_eq!(said(&again), (400, "Invalid grant: refresh token is invalid"));
    assert_eq!(again.body["error"], Value::Null, "its specification shows no code");
}

#[test]
fn a_form_is_taken_in_both_spellings() {
    let world = World::new();
    let ask = |form: String| {
        let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Version", "v3")];
        send_raw_request(world.url(), "POST", "/oauth/token", &headers, &form)
    };
    let token = || text(&grant(&world, &json!({}))["refresh_token"]);
    let snake = format!(
        "client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}&grant_type=refresh_token\
         &refresh_token={}&user_type=Location",
        token()
    );
    assert!(ask(snake).body["access_token"].is_string());
    let camel = format!(
        "clientId={CLIENT_ID}&clientSecret={CLIENT_SECRET}&grantType=refresh_token\
         &refreshToken={}&userType=Location",
        token()
    );
    assert!(ask(camel.clone()).body["access_token"].is_string());
    assert_eq!(
        ask(format!("{camel}&scope=all")).body["message"][0],
        "property scope should not exist"
    );
}

#[test]
fn a_locations_token_can_be_renewed() {
    let world = three();
    let token = agency(&world);
    let caller = v3(&world).with_token(&token);
    for form in [
        format!("companyId={COMPANY}&locationId=second"),
        format!("company_id={COMPANY}&location_id=second"),
    ] {
        let answer = post_form(caller, "/oauth/location-token", &form);
        assert_eq!((answer.status, &answer.body["locationId"]), (201, &json!("second")));
        let renewal = &answer.body["refresh_token"];
        let wanted = json!({"grantType": "refresh_token", "refreshToken": renewal});
        assert_eq!(exchange(&world, wanted).body["locationId"], "second");
    }
}

#[test]
fn answers_can_be_in_camel_case_as_they_once_were() {
    let world = World::with_settings(|settings| {
        settings.quirks = vec![ServiceQuirk::CamelCaseTokens];
    });
    let token = text(&grant(&world, &json!({}))["refresh_token"]);
    let wanted = json!({"grantType": "refresh_token", "refreshToken": token});
    let tokens = exchange(&world, wanted).body;
    assert!(tokens["accessToken"].is_string() && tokens["access_token"].is_null());
}

#[test]
fn the_new_paths_are_served_under_the_new_version_only() {
    let world = three();
    let token = agency(&world);
    let old = RawClient::new(world.url()).with_token(&token);
    let answer = post_form(old, "/oauth/location-token", "");
    assert_eq!(said(&answer), (404, "Cannot POST /oauth/location-token"));
    assert_eq!(old.send_request("GET", "/oauth/installed-locations", &Value::Null).status, 404);
    assert_eq!(pages(&world, &token, "").status, 200);
}

#[test]
fn locations_come_in_pages_that_lead_on() {
    let world = three();
    let token = agency(&world);
    let first = pages(&world, &token, "&pageSize=2").body;
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let about = &first["pagination"];
    assert_eq!((&about["totalRecords"], &about["hasNextPage"]), (&json!(3), &json!(true)));
    let next = text(&about["nextPageToken"]);
    let last = pages(&world, &token, &format!("&pageSize=2&pageToken={next}")).body;
    assert_eq!(last["items"][0]["_id"], "third");
    assert_eq!(last["items"][0]["isInstalled"], false);
    assert_eq!(last["pagination"]["hasNextPage"], false);
    assert!(last["pagination"]["prevPageToken"].is_string());
}

#[test]
fn wrong_pages_are_refused_in_the_new_envelope() {
    let world = three();
    let token = agency(&world);
    for more in ["&pageSize=0", "&pageSize=101", "&pageSize=x", "&pageToken=%21"] {
        let answer = pages(&world, &token, more);
        assert_eq!(
            (answer.status, &answer.body["error"]["code"]),
            (400, &json!("INVALID_ARGUMENT")),
            "{more}"
        );
        assert!(answer.body["error"]["resolution"].is_string());
    }
    let path = format!("/oauth/installed-locations?companyId={COMPANY}&appId=other");
    let answer = v3(&world).with_token(&token).send_request("GET", &path, &Value::Null);
    assert_eq!((answer.status, &answer.body["error"]["code"]), (404, &json!("RESOURCE_NOT_FOUND")));
}
