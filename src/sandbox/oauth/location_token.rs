//! `POST /oauth/locationToken`: an agency's token for one of a location.

use super::super::http::request::Ask;
use super::super::http::response::{Answer, Refusal};
use super::super::store::state::State;
use super::form_fields::Fields;
use super::token_endpoint::{Terms, issue, render};
use super::token_store::{Holder, Origin, Permission};
use super::{Reply, agency_only, client_app, scope};

/// The location's token has the agency's scopes and these two, asked for or not.
const ADDED: [&str; 2] = [scope::OAUTH_READ, scope::OAUTH_WRITE];

/// Answers both spellings; only `v3` brings a refresh token.
pub(super) fn token(state: &mut State, ask: &Ask) -> Reply {
    agency_only(state, ask, scope::OAUTH_WRITE)?;
    let fields = Fields::read(ask, &["companyId", "locationId"])?;
    let (company, location) = (fields.require("companyId")?, fields.require("locationId")?);
    if company != client_app::COMPANY {
        return Err(Refusal::forbidden("The token does not have access to this company.").into());
    }
    if !state.settings.locations.iter().any(|one| one == location) {
        return Err(Refusal::bad_request(format!("Location with id {location} not found")).into());
    }
    if !state.installed().any(|one| one == location) {
        return Err(Refusal::bad_request("The app is not installed for this location").into());
    }
    let mut scopes = state.grant(ask)?.scopes();
    for added in ADDED {
        if !scopes.iter().any(|own| own == added) {
            scopes.push(added.to_owned());
        }
    }
    let permission = Permission { holder: Holder::Location(location.to_owned()), scopes };
    let v3 = ask.is_v3();
    let terms = Terms { origin: Origin::Agency, renewable: v3, life: None };
    let tokens = issue(state, permission, terms);
    Ok(Answer::json(201, &render(state, &tokens, v3, &ask.trace)))
}
