//! Many tasks and processes that need the same token at the same time.

use std::sync::Arc;

use futures::future::{join_all, try_join_all};
use ghl_bulk::api::TokenProvider;
use secrecy::ExposeSecret as _;

use super::login_fixture::{
    DUE, ENDED, FRESH, assert_counts, keep_location, kept, source, text, world,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_who_come_with_an_ended_token_renew_it_once() {
    let world = world(|_| {});
    let old = keep_location(&world, ENDED);
    let ten: Vec<_> = (0..10).map(|_| source(&world)).collect();
    let tokens = try_join_all(ten.iter().map(TokenProvider::current_token)).await.unwrap();
    assert!(tokens.iter().all(|token| *token == tokens[0] && *token != old.grant.access));
    assert_counts(&world, 1, 0, 0);
    let new = kept(&world);
    assert_eq!(new.grant.access, tokens[0]);
    let refresh = |login: &ghl_bulk::auth::OauthLogin| {
        login.grant.refresh.as_ref().unwrap().expose_secret().to_owned()
    };
    assert_ne!(refresh(&new), refresh(&old));
    assert_eq!(new.begun, None);
    assert_eq!(new.grant.location, old.grant.location);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_requests_whose_token_is_refused_share_one_renewal() {
    let world = world(|_| {});
    let old = keep_location(&world, FRESH);
    let source = Arc::new(source(&world));
    let token = source.current_token().await.unwrap();
    assert_eq!(token, old.grant.access);
    let renewed =
        try_join_all((0..100).map(|_| source.replace_rejected_token(&token))).await.unwrap();
    assert!(renewed.iter().all(|other| *other == renewed[0] && *other != Some(token.clone())));
    assert_counts(&world, 1, 0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_token_is_renewed_before_it_expires_and_no_request_waits_for_it() {
    let world = world(|_| {});
    let old = keep_location(&world, DUE);
    world.control_request("POST", "faults", &serde_json::json!(["POST /oauth/token hold times=1"]));
    let source = Arc::new(source(&world));
    let renewing = tokio::spawn({
        let source = Arc::clone(&source);
        async move { source.current_token().await }
    });
    world.get_control("held?at_least=1");
    for token in join_all((0..10).map(|_| source.current_token())).await {
        assert_eq!(token.unwrap(), old.grant.access, "it still lives");
    }
    world.control_request("POST", "release", &serde_json::Value::Null);
    let new = renewing.await.unwrap().unwrap();
    assert_ne!(new, old.grant.access);
    assert_eq!(source.current_token().await.unwrap(), new);
    assert_counts(&world, 1, 0, 0);
}

#[tokio::test]
async fn what_another_process_has_renewed_is_used_without_a_request() {
    let world = world(|_| {});
    keep_location(&world, ENDED);
    let late = source(&world);
    let new = keep_location(&world, FRESH);
    assert_eq!(late.current_token().await.unwrap(), new.grant.access);
    let other = keep_location(&world, FRESH);
    let renewed = late.replace_rejected_token(&new.grant.access).await.unwrap().unwrap();
    assert_eq!(text(&renewed), text(&other.grant.access));
    assert_counts(&world, 0, 0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_goes_on_when_no_request_waits_for_it_any_more() {
    let world = world(|_| {});
    let old = keep_location(&world, ENDED);
    world.control_request(
        "POST",
        "faults",
        &serde_json::json!(["POST /oauth/token hold=after times=1"]),
    );
    let source = Arc::new(source(&world));
    let waiting = tokio::spawn({
        let source = Arc::clone(&source);
        async move { source.current_token().await }
    });
    world.get_control("held?at_least=1");
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
    world.control_request("POST", "release", &serde_json::Value::Null);
    assert_ne!(source.current_token().await.unwrap(), old.grant.access);
    assert_counts(&world, 1, 0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_waited_for_a_renewal_that_failed_do_not_try_it_again() {
    let world = world(|settings| {
        settings.faults = vec!["POST /oauth/token status=503".parse().unwrap()];
    });
    keep_location(&world, ENDED);
    let source = Arc::new(source(&world));
    let all = join_all((0..50).map(|_| source.current_token())).await;
    assert!(all.iter().all(Result::is_err));
    assert_eq!(world.get_control("log")["requests"], 3);
}
