//! Token refreshes whose answer never comes, that are refused, or that meet a server that is down.

use std::net::TcpListener;

use ghl_bulk::api::{ApiErrorKind, TokenProvider as _};
use ghl_bulk::sandbox::{CLIENT_SECRET, LOCATION};
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::login_fixture::{
    DUE, ENDED, FRESH, assert_counts, keep_location, kept, save, source, text, world,
};
use crate::raw_http::RawClient;
use crate::world::World;

fn faults(world: &World, faults: &[&str]) {
    world.control_request("POST", "faults", &json!(faults));
}

/// Whether the API takes the token.
fn works(world: &World, token: &ghl_bulk::api::BearerToken) -> bool {
    let path = format!("/locations/{LOCATION}/tags");
    RawClient::new(world.url())
        .with_token(&text(token))
        .send_request("GET", &path, &Value::Null)
        .status
        == 200
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_server_honoured_it_is_made_good() {
    for lost in ["drop=after", "applied=502", "truncate", "blank"] {
        let world = world(|_| {});
        keep_location(&world, ENDED);
        faults(&world, &[&format!("POST /oauth/token {lost} times=1")]);
        let token = source(&world).current_token().await.unwrap();
        assert!(works(&world, &token), "{lost}");
        assert_counts(&world, 1, 1, 1);
        assert_eq!(kept(&world).grant.access, token);
    }
}

#[tokio::test]
async fn a_request_that_the_server_never_took_is_sent_again() {
    for lost in ["drop=before", "status=503", "status=429 retry-after=0"] {
        let world = world(|_| {});
        keep_location(&world, ENDED);
        faults(&world, &[&format!("POST /oauth/token {lost} times=1")]);
        assert!(works(&world, &source(&world).current_token().await.unwrap()), "{lost}");
        assert_counts(&world, 1, 0, 0);
    }
}

#[tokio::test]
async fn while_the_old_token_lives_a_renewal_that_fails_is_no_error() {
    let world = world(|_| {});
    let old = keep_location(&world, DUE);
    faults(&world, &["POST /oauth/token status=503"]);
    let source = source(&world);
    for _ in 0..5 {
        assert_eq!(source.current_token().await.unwrap(), old.grant.access);
    }
    let log = world.get_control("log")["entries"].clone();
    let asked = log.as_array().unwrap().iter().filter(|one| one["path"] == "/oauth/token");
    assert_eq!(asked.count(), 1, "it is not tried again at once: {log}");
    let refused = source.replace_rejected_token(&old.grant.access).await.unwrap_err();
    assert_eq!(refused.kind, ApiErrorKind::Unreachable, "{refused}");
    world.control_request("DELETE", "faults", &Value::Null);
    assert!(works(
        &world,
        &source.replace_rejected_token(&old.grant.access).await.unwrap().unwrap()
    ));
}

#[tokio::test]
async fn without_an_answer_an_unexpired_token_is_used_and_an_expired_one_is_unreachable() {
    let world = world(|_| {});
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut login = keep_location(&world, DUE);
    login.api_url = gone.clone();
    save(&world, &login);
    assert_eq!(source(&world).current_token().await.unwrap(), login.grant.access);
    let mut login = keep_location(&world, ENDED);
    login.api_url = gone;
    save(&world, &login);
    let denied = source(&world).current_token().await.unwrap_err();
    assert_eq!(denied.kind, ApiErrorKind::Unreachable);
    assert!(denied.message.contains("cannot be refreshed"), "{denied}");
}

#[tokio::test]
async fn a_login_that_is_over_says_how_to_log_in_again_and_no_secret() {
    let world = world(|_| {});
    let login = keep_location(&world, ENDED);
    world.control_request("POST", "oauth/revoke", &Value::Null);
    world.control_request("POST", "settings", &json!({"not_installed": [LOCATION]}));
    let denied = source(&world).current_token().await.unwrap_err();
    assert_eq!(denied.kind, ApiErrorKind::Token);
    assert!(denied.message.contains("`ghl-bulk login --profile default`"), "{denied}");
    assert!(denied.message.contains("refresh token is invalid"), "{denied}");
    let refresh = login.grant.refresh.as_ref().unwrap().expose_secret();
    let access = text(&login.grant.access);
    for secret in [refresh, &access, CLIENT_SECRET] {
        assert!(!format!("{denied:?}").contains(secret), "{denied:?}");
    }
    let new = {
        world.control_request("POST", "settings", &json!({"not_installed": []}));
        keep_location(&world, FRESH)
    };
    assert_eq!(source(&world).current_token().await.unwrap(), new.grant.access);
}

#[tokio::test]
async fn a_revoked_refresh_token_is_replaced_by_a_new_authorisation() {
    let world = world(|_| {});
    keep_location(&world, ENDED);
    world.control_request("POST", "oauth/revoke", &Value::Null);
    let token = source(&world).current_token().await.unwrap();
    assert!(works(&world, &token));
    assert_counts(&world, 0, 1, 1);
}

#[tokio::test]
async fn clocks_that_are_an_hour_apart_change_nothing() {
    for ahead in [3600, -3600] {
        let world = world(|settings| settings.clock_ahead = SignedDuration::from_secs(ahead));
        keep_location(&world, ENDED);
        let first = source(&world).current_token().await.unwrap();
        assert!(works(&world, &first));
        assert_eq!(source(&world).current_token().await.unwrap(), first, "it is not renewed again");
        let rest = kept(&world).grant.expires.duration_since(jiff::Timestamp::now());
        assert!((86_000..86_400).contains(&rest.as_secs()), "{rest}");
        assert_counts(&world, 1, 0, 0);
    }
}

#[tokio::test]
async fn a_clock_that_was_set_right_costs_one_renewal() {
    let world = world(|_| {});
    let mut login = keep_location(&world, FRESH);
    let hours = SignedDuration::from_hours(30);
    login.grant.obtained += hours;
    login.grant.expires += hours;
    save(&world, &login);
    let token = source(&world).current_token().await.unwrap();
    assert_ne!(token, login.grant.access, "nobody knows how long the old one lives");
    assert_eq!(source(&world).current_token().await.unwrap(), token);
    assert_counts(&world, 1, 0, 0);
}
