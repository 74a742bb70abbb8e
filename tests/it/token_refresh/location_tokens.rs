//! An agency's login: its locations, and a token for each.

use futures::future::try_join_all;
use ghl_bulk::api::ApiErrorKind;
use ghl_bulk::id::LocationId;
use ghl_bulk::sandbox::SandboxSettings;
use serde_json::{Value, json};

use super::login_fixture::{
    DUE, ENDED, FRESH, agency, assert_counts, count, keep, keep_agency, kept, text, world,
};
use crate::raw_http::RawClient;
use crate::world::World;

fn three(settings: &mut SandboxSettings) {
    settings.locations = ["first", "second", "third"].map(str::to_owned).to_vec();
    settings.not_installed = vec!["third".to_owned()];
}

fn id(name: &str) -> LocationId {
    name.parse().unwrap()
}

fn works(world: &World, token: &ghl_bulk::api::BearerToken, location: &str) -> bool {
    let path = format!("/locations/{location}/tags");
    RawClient::new(world.url())
        .with_token(&text(token))
        .send_request("GET", &path, &Value::Null)
        .status
        == 200
}

#[tokio::test]
async fn all_installed_locations_are_found_page_by_page() {
    let world = world(|settings| {
        settings.locations = (0..230).map(|n| format!("location{n}")).collect();
    });
    keep_agency(&world, ENDED);
    let found = agency(&world).installed_locations().await.unwrap();
    assert_eq!(found.len(), 230);
    assert!(found.iter().all(|one| one.installed && !one.name.is_empty()));
    assert_counts(&world, 1, 0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_who_need_the_tokens_of_two_locations_have_each_made_once() {
    let world = world(three);
    keep_agency(&world, ENDED);
    let ten: Vec<_> = (0..10).map(|_| agency(&world)).collect();
    let sources: Vec<_> = ten
        .iter()
        .flat_map(|agency| {
            ["first", "second"].map(|name| agency.location_token_provider(&id(name)))
        })
        .collect();
    let tokens = try_join_all(sources.iter().map(|source| source.current_token())).await.unwrap();
    assert!(works(&world, &tokens[0], "first") && works(&world, &tokens[1], "second"));
    assert!(!works(&world, &tokens[0], "second"));
    assert_eq!(count(&world, "location_tokens"), 2);
    assert_counts(&world, 1, 0, 0);
    assert_eq!(kept(&world).locations.len(), 2);
    let later = agency(&world).location_token_provider(&id("first")).current_token().await.unwrap();
    assert_eq!(later, tokens[0]);
    assert_eq!(count(&world, "location_tokens"), 2, "it was kept");
}

#[tokio::test]
async fn a_refused_location_token_is_replaced_even_when_the_agencys_has_expired() {
    let world = world(three);
    keep_agency(&world, FRESH);
    let source = agency(&world).location_token_provider(&id("first"));
    let old = source.current_token().await.unwrap();
    world.control_request("POST", "oauth/expire", &Value::Null);
    let new = source.replace_rejected_token(&old).await.unwrap().unwrap();
    assert!(works(&world, &new, "first"));
    assert_counts(&world, 1, 0, 0);
    assert_eq!(count(&world, "location_tokens"), 2);
}

#[tokio::test]
async fn a_location_without_the_app_is_not_reached() {
    let world = world(three);
    keep_agency(&world, FRESH);
    let found = agency(&world).installed_locations().await.unwrap();
    assert_eq!(found.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["first", "second"]);
    let denied =
        agency(&world).location_token_provider(&id("third")).current_token().await.unwrap_err();
    assert_eq!(denied.kind, ApiErrorKind::Location, "{denied}");
    assert!(denied.message.contains("`third`"), "{denied}");
    assert_counts(&world, 0, 0, 0);
}

#[tokio::test]
async fn a_missing_scope_is_reported_and_renews_nothing() {
    let world = world(three);
    let scopes = json!({"userType": "Company", "scope": "contacts.readonly"});
    keep(&world, &scopes, FRESH);
    let agency = agency(&world);
    assert_eq!(agency.installed_locations().await.unwrap_err().kind, ApiErrorKind::Scope);
    let denied = agency.location_token_provider(&id("first")).current_token().await.unwrap_err();
    assert_eq!(denied.kind, ApiErrorKind::Scope);
    assert_counts(&world, 0, 0, 0);
}

#[tokio::test]
async fn an_agencys_token_that_still_lives_makes_tokens_though_its_renewal_fails() {
    let world = world(three);
    keep_agency(&world, DUE);
    world.control_request("POST", "faults", &json!(["POST /oauth/token status=503"]));
    let token =
        agency(&world).location_token_provider(&id("second")).current_token().await.unwrap();
    assert!(works(&world, &token, "second"));
}
