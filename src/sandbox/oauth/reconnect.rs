//! `POST /oauth/reconnect`: a new code for an app whose refresh token was lost.
//!
//! The code was sent to no address, so its exchange names none.

use serde_json::json;

use super::super::http::request::Ask;
use super::super::http::response::{Answer, Refusal};
use super::super::store::state::State;
use super::super::text::iso;
use super::consent_page::{self, CODE_LIFE};
use super::form_fields::Fields;
use super::token_store::{Holder, Permission};
use super::{Reply, client_app};

/// Answers with a code for the location or the agency that is named.
pub(super) fn reconnect(state: &mut State, ask: &Ask) -> Reply {
    let fields = Fields::read(ask, &["clientKey", "clientSecret", "locationId", "companyId"])?;
    client_app::check(fields.require("clientKey")?, fields.require("clientSecret")?)?;
    let holder = match (fields.get("locationId"), fields.get("companyId")) {
        (Some(location), _) if state.installed().any(|one| one == location) => {
            Holder::Location(location.to_owned())
        }
        (None, Some(client_app::COMPANY)) => Holder::Company,
        (None, None) => {
            let message = "Pass at least one of locationId, companyId";
            return Err(Refusal::bad_request(message).into());
        }
        _ => return Err(Refusal::bad_request("No installation found for this app").into()),
    };
    let until = state.clock() + CODE_LIFE;
    let permission = Permission { holder, scopes: client_app::all_scopes() };
    let code = consent_page::issue(state, permission, None);
    state.oauth.reconnected();
    let body = json!({ "authorizationCode": code, "expiresAt": iso(until), "traceId": ask.trace });
    Ok(Answer::json(200, &body))
}
