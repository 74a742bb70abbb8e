//! The control routes of OAuth: what a test makes, ends and counts without asking as a client.

use std::time::Duration;

use serde_json::Value;

use super::super::http::request::Ask;
use super::super::http::response::{Answer, Outcome, Refusal};
use super::super::store::state::State;
use super::client_app;
use super::token_endpoint::{self, Terms};
use super::token_store::{Holder, Origin, Permission};

/// Answers a control route below `oauth`; none of this name is nothing.
pub(in super::super) fn run(
    state: &mut State,
    method: &str,
    path: &[&str],
    ask: &Ask,
) -> Option<Outcome> {
    match (method, path) {
        ("GET", []) => {}
        ("POST", ["expire"]) => {
            let now = state.clock();
            state.oauth.expire(now);
        }
        ("POST", ["revoke"]) => state.oauth.revoke(),
        ("POST", ["grant"]) => return Some(grant(state, ask)),
        _ => return None,
    }
    Some(Ok(Answer::json(200, &state.oauth.report())))
}

/// `{userType, locationId?, scope?, life?}`: the answer that an exchange would have brought.
fn grant(state: &mut State, ask: &Ask) -> Outcome {
    let wanted = ask.object()?;
    let known = ["userType", "locationId", "scope", "life"];
    if let Some(name) = wanted.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(Refusal::unknown_property(name));
    }
    let text = |name: &str| wanted.get(name).and_then(Value::as_str);
    let first = || state.settings.locations.first().map_or("", String::as_str);
    let holder = match text("userType").unwrap_or("Location") {
        "Company" => Holder::Company,
        "Location" => Holder::Location(text("locationId").unwrap_or_else(first).to_owned()),
        _ => return Err(Refusal::unprocessable("`userType` is `Company` or `Location`")),
    };
    let scopes = text("scope").map_or_else(client_app::all_scopes, |scope| {
        scope.split_whitespace().map(str::to_owned).collect()
    });
    let life = match wanted.get("life").map(Value::as_u64) {
        None => None,
        Some(Some(seconds)) => Some(Duration::from_secs(seconds)),
        Some(None) => return Err(Refusal::unprocessable("`life` needs a number of seconds")),
    };
    let terms = Terms { origin: Origin::Control, renewable: true, life };
    let tokens = token_endpoint::issue(state, Permission { holder, scopes }, terms);
    Ok(Answer::json(200, &token_endpoint::render(state, &tokens, ask.is_v3(), &ask.trace)))
}
