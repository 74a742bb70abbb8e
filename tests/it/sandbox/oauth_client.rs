//! An app that requests tokens from the sandbox over a plain socket.

use ghl_bulk::sandbox::{CLIENT_ID, CLIENT_SECRET};
use serde_json::{Value, json};

use crate::raw_http::{RawClient, RawResponse, send_raw_request};
use crate::world::World;

/// The app's redirect URL; no server listens there.
pub(super) const REDIRECT: &str = "http://localhost:9/callback";

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// Asks for authorisation with these parameters in addition to the usual ones.
pub(super) fn authorize(world: &World, more: &str) -> RawResponse {
    let path = format!(
        "/oauth/chooselocation?response_type=code&client_id={CLIENT_ID}\
         &redirect_uri=http%3A%2F%2Flocalhost%3A9%2Fcallback\
         &scope=contacts.readonly%20oauth.readonly%20oauth.write{more}"
    );
    send_raw_request(world.url(), "GET", &path, &[], "")
}

/// The code in a redirect's address.
pub(super) fn code(answer: &RawResponse) -> String {
    assert_eq!(answer.status, 302, "{}", answer.body);
    let address = answer.headers["location"].strip_prefix(REDIRECT).unwrap();
    let (_, code) = address.split_once("code=").unwrap();
    code.split('&').next().unwrap().to_owned()
}

/// A form sent to the token endpoint, without a version.
pub(super) fn exchange(world: &World, form: &str) -> RawResponse {
    send_raw_request(world.url(), "POST", "/oauth/token", &[FORM], form)
}

/// The form of the registered app with these fields in addition to its own.
pub(super) fn form(more: &str) -> String {
    format!("client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}&{more}")
}

/// What exchanging a code brings.
pub(super) fn exchange_code(world: &World, code: &str) -> RawResponse {
    let more = format!(
        "grant_type=authorization_code&code={code}&redirect_uri=http%3A%2F%2Flocalhost%3A9%2Fcallback"
    );
    exchange(world, &form(&more))
}

/// What exchanging a refresh token brings.
pub(super) fn refresh(world: &World, token: &str) -> RawResponse {
    exchange(world, &form(&format!("grant_type=refresh_token&refresh_token={token}")))
}

/// Tokens without the way to them.
pub(super) fn grant(world: &World, wanted: &Value) -> Value {
    world.control_request("POST", "oauth/grant", wanted)
}

/// The agency's access token.
pub(super) fn agency(world: &World) -> String {
    text(&grant(world, &json!({"userType": "Company"}))["access_token"])
}

/// A form sent with a token.
pub(super) fn post_form(caller: RawClient<'_>, path: &str, form: &str) -> RawResponse {
    let bearer = format!("Bearer {}", caller.token);
    let headers = [FORM, ("Version", caller.version), ("Authorization", &bearer)];
    send_raw_request(caller.url, "POST", path, &headers, form)
}

/// The text in a value that is one.
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// Status and message of an answer.
pub(super) fn said(answer: &RawResponse) -> (u16, &str) {
    (answer.status, answer.body["message"].as_str().unwrap_or_default())
}
