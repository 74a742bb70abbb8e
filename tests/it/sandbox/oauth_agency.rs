//! An agency's tokens: its locations, location tokens, and what they may not access.

use ghl_bulk::sandbox::{CLIENT_ID, COMPANY};
use serde_json::{Value, json};

use super::oauth_client::{agency, grant, post_form, said, text};
use crate::raw_http::{RawClient, RawResponse};
use crate::world::World;

fn three() -> World {
    World::with_settings(|settings| {
        settings.locations = vec!["first".to_owned(), "second".to_owned(), "third".to_owned()];
        settings.not_installed = vec!["third".to_owned()];
    })
}

fn installed(world: &World, token: &str, more: &str) -> RawResponse {
    let app = CLIENT_ID.split('-').next().unwrap();
    let path = format!("/oauth/installedLocations?companyId={COMPANY}&appId={app}{more}");
    RawClient::new(world.url()).with_token(token).send_request("GET", &path, &Value::Null)
}

fn location_token(world: &World, token: &str, location: &str) -> RawResponse {
    let form = format!("companyId={COMPANY}&locationId={location}");
    post_form(RawClient::new(world.url()).with_token(token), "/oauth/locationToken", &form)
}

fn ids(answer: &RawResponse) -> Vec<&str> {
    let rows = answer.body["locations"].as_array().unwrap_or_else(|| panic!("{}", answer.body));
    rows.iter().map(|row| row["_id"].as_str().unwrap()).collect()
}

#[test]
fn a_token_for_a_location_reaches_that_location_alone() {
    let world = three();
    let answer = location_token(&world, &agency(&world), "second");
    assert_eq!(answer.status, 201, "{}", answer.body);
    let tokens = answer.body;
    assert_eq!(
        (&tokens["locationId"], &tokens["userType"]),
        (&json!("second"), &json!("Location"))
    );
    assert_eq!(tokens["refresh_token"], Value::Null, "the older dialect brings none");
    let token = text(&tokens["access_token"]);
    let users = |location: &str| {
        let path = format!("/users/?locationId={location}");
        RawClient::new(world.url()).with_token(&token).send_request("GET", &path, &Value::Null)
    };
    assert_eq!(users("second").status, 200);
    let wrong = "The token does not have access to this location.";
    assert_eq!(said(&users("first")), (403, wrong));
    assert_eq!(world.get_control("oauth")["location_tokens"], 1);
}

#[test]
fn a_token_for_a_location_gains_the_agencys_scopes() {
    let world = three();
    let wanted = json!({"userType": "Company", "scope": "oauth.write contacts.readonly"});
    let token = text(&grant(&world, &wanted)["access_token"]);
    let answer = location_token(&world, &token, "first");
    assert_eq!(answer.body["scope"], "oauth.write contacts.readonly oauth.readonly");
    let own = text(&answer.body["access_token"]);
    let refused = location_token(&world, &own, "first");
    assert_eq!(said(&refused), (401, "This token's user type is not yet supported!"));
}

#[test]
fn no_token_is_given_for_what_is_not_installed_not_there_or_not_the_agencys() {
    let world = three();
    let token = agency(&world);
    let missing = location_token(&world, &token, "third");
    assert_eq!(said(&missing), (400, "The app is not installed for this location"));
    let unknown = location_token(&world, &token, "fourth");
    assert_eq!(said(&unknown), (400, "Location with id fourth not found"));
    world.control_request("POST", "settings", &json!({"not_installed": ["first"]}));
    assert_eq!(location_token(&world, &token, "first").status, 400);
    assert_eq!(location_token(&world, &token, "third").status, 201);
    let caller = RawClient::new(world.url()).with_token(&token);
    let ask = |form: &str| post_form(caller, "/oauth/locationToken", form);
    assert_eq!(ask("companyId=other&locationId=first").status, 403);
    assert_eq!(ask("locationId=first").status, 422);
    assert_eq!(ask("companyId=a&locationId=first&force=1").status, 422);
}

#[test]
fn installed_locations_are_found_by_name_and_by_page() {
    let world = three();
    let token = agency(&world);
    let all = installed(&world, &token, "");
    assert_eq!(ids(&all), ["first", "second", "third"]);
    assert_eq!(all.body["count"], 3);
    assert_eq!(all.body["locations"][0]["isInstalled"], true);
    assert_eq!(all.body["locations"][2]["isInstalled"], false);
    assert_eq!(ids(&installed(&world, &token, "&isInstalled=true")), ["first", "second"]);
    assert_eq!(ids(&installed(&world, &token, "&query=LOCATION%202")), ["second"]);
    assert_eq!(ids(&installed(&world, &token, "&skip=1&limit=1")), ["second"]);
    assert_eq!(ids(&installed(&world, &token, "&locationId=first")), ["first"]);
    assert_eq!(installed(&world, &token, "&page=2").status, 422);
    assert_eq!(installed(&world, &token, "&isInstalled=maybe").status, 422);
    let bare = RawClient::new(world.url()).with_token(&token);
    assert_eq!(bare.send_request("GET", "/oauth/installedLocations", &Value::Null).status, 422);
}

#[test]
fn an_agencys_routes_need_its_scopes_and_a_version() {
    let world = three();
    let wanted = json!({"userType": "Company", "scope": "contacts.readonly"});
    let token = text(&grant(&world, &wanted)["access_token"]);
    let refused = (401, "The token is not authorized for this scope.");
    assert_eq!(said(&installed(&world, &token, "")), refused);
    assert_eq!(said(&location_token(&world, &token, "first")), refused);
    let caller =
        RawClient { version: "1999-01-01", ..RawClient::new(world.url()).with_token(&token) };
    let answer = caller.send_request("GET", "/oauth/installedLocations", &Value::Null);
    assert_eq!(said(&answer), (401, "version header is invalid"));
}

#[test]
fn an_agencys_token_reads_a_location_and_nothing_in_it() {
    let world = three();
    let token = agency(&world);
    let caller = RawClient::new(world.url()).with_token(&token);
    assert_eq!(caller.send_request("GET", "/locations/first", &Value::Null).status, 200);
    let wrong = "This authClass type is not allowed to access this scope. \
                 Please verify your IAM configuration if this is not the case.";
    for path in ["/users/?locationId=first", "/locations/first/tags", "/contacts/?locationId=first"]
    {
        assert_eq!(said(&caller.send_request("GET", path, &Value::Null)), (401, wrong), "{path}");
    }
}

#[test]
fn an_agencys_private_integration_reads_a_location_and_mints_nothing() {
    let world = three();
    let caller = RawClient::new(world.url()).with_token("pit-sandbox-company");
    let ask = |path: &str| caller.send_request("GET", path, &Value::Null);
    assert_eq!(ask("/locations/first").status, 200);
    let scope = (401, "The token is not authorized for this scope.");
    assert_eq!(said(&ask("/contacts/?locationId=first")), scope);
    assert_eq!(said(&ask("/calendars/?locationId=first")), scope);
    assert_eq!(said(&ask("/users/?locationId=first")), (401, "Token's user type mismatch!"));
    assert_eq!(said(&installed(&world, "pit-sandbox-company", "")), scope);
    assert_eq!(said(&location_token(&world, "pit-sandbox-company", "first")), scope);
}
