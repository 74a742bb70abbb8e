//! `GET /oauth/chooselocation`: stands in for the marketplace's page, where a person would choose.
//!
//! Nobody is asked. The first location is chosen, or the one that the parameter `location_id` names,
//! or the whole agency with `user_type=Company`; both parameters exist only here.

use reqwest::Url;

use super::super::http::request::Ask;
use super::super::http::response::{Answer, Refusal};
use super::super::sandbox_settings::Quirk;
use super::super::store::state::State;
use super::oauth_errors::Refused;
use super::token_store::{Code, Holder, Permission};
use super::{Reply, client_app};

/// How long a code can be exchanged.
pub(super) const CODE_LIFE: i64 = 15 * 60 * 1000;

const PARAMETERS: [&str; 8] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "loginWindowOpenMode",
    "location_id",
    "user_type",
];

/// Sends whoever asks back to the redirect address with a code.
pub(super) fn choose(state: &mut State, ask: &Ask) -> Reply {
    ask.only_parameters(&PARAMETERS)?;
    if ask.parameter("response_type") != Some("code") {
        let message = "Unsupported response type: `response_type` is not supported";
        return Err(Refused::oauth("unsupported_response_type", message));
    }
    if ask.parameter("client_id") != Some(client_app::CLIENT_ID) {
        return Err(Refused::oauth("invalid_client", "Invalid client: client is invalid"));
    }
    let mut address = redirect(ask.parameter("redirect_uri"))?;
    let scopes = client_app::scopes(ask.parameter("scope").unwrap_or_default())?;
    let holder = holder(state, ask)?;
    let bulk = holder == Holder::Company;
    let sent_to = ask.parameter("redirect_uri").map(str::to_owned);
    let code = issue(state, Permission { holder, scopes }, sent_to);
    address.query_pairs_mut().append_pair("code", &code);
    let forgets = bulk && state.settings.has(Quirk::StateDropped);
    if let Some(back) = ask.parameter("state").filter(|_| !forgets) {
        address.query_pairs_mut().append_pair("state", back);
    }
    Ok(Answer::redirect(address.into()))
}

/// A new code for what was allowed.
pub(super) fn issue(state: &mut State, permission: Permission, redirect: Option<String>) -> String {
    let text = state.mint_secret();
    let until = state.clock() + CODE_LIFE;
    state.oauth.add_code(text.clone(), Code { permission, redirect, until });
    text
}

/// The address to return to, which must be on this machine.
fn redirect(text: Option<&str>) -> Result<Url, Refused> {
    let wrong = || Refused::oauth("invalid_request", "Invalid request: `redirect_uri` is invalid");
    let url = Url::parse(text.unwrap_or_default()).map_err(|_| wrong())?;
    let host = url.host_str().unwrap_or_default();
    let here = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    if !here || !["http", "https"].contains(&url.scheme()) || url.fragment().is_some() {
        return Err(wrong());
    }
    Ok(url)
}

fn holder(state: &State, ask: &Ask) -> Result<Holder, Refused> {
    match ask.parameter("user_type").unwrap_or("Location") {
        "Company" => return Ok(Holder::Company),
        "Location" => {}
        _ => return Err(Refusal::bad_request("Invalid parameter: user_type").into()),
    }
    let first = || state.settings.locations.first().map_or("", String::as_str);
    let wanted = ask.parameter("location_id").unwrap_or_else(first);
    if !state.settings.locations.iter().any(|one| one == wanted) {
        return Err(Refusal::bad_request(format!("Location with id {wanted} not found")).into());
    }
    Ok(Holder::Location(wanted.to_owned()))
}
