//! OAuth 2.0 as the service speaks it: authorisation, tokens, and an agency's locations.
//!
//! | route | asks for | answers |
//! | --- | --- | --- |
//! | `GET /oauth/chooselocation`, also below `/v2` | nobody's token | a redirect with a code |
//! | `POST /oauth/token` | the app's secret | an access and a refresh token |
//! | `POST /oauth/locationToken`, v3 `/oauth/location-token` | an agency's token | one for a location |
//! | `GET /oauth/installedLocations`, v3 `/oauth/installed-locations` | an agency's token | locations |
//! | `POST /oauth/reconnect` | the app's secret | a new code, when the refresh token was lost |
//!
//! One app is registered. Whoever asks for authorisation gets it, at once: there is nobody to click.
//! Codes and refresh tokens work once. None of these calls counts against a location's limit.

mod app;
mod authorize;
mod book;
pub(super) mod control;
mod fields;
mod installed;
mod jwt;
mod location;
mod reconnect;
mod refused;
mod token;

pub use app::{CLIENT_ID, CLIENT_SECRET, COMPANY};
pub(super) use book::{Book, Holder, Issued};

use super::answer::{Answer, Outcome};
use super::ask::{Ask, Version};
use super::auth::{Audience, scope};
use super::state::State;
use refused::Refused;

/// What a route of this module comes to.
type Reply = Result<Answer, Refused>;

/// Answers a request when it is one of these; the version of some of them is optional.
pub(super) fn run(state: &mut State, ask: &Ask) -> Option<Outcome> {
    let path: Vec<&str> = ask.segments.iter().map(String::as_str).collect();
    let v3 = ask.is_v3();
    let reply = match (ask.method.as_str(), path.as_slice()) {
        ("GET", ["oauth", "chooselocation"] | ["v2", "oauth", "chooselocation"]) => {
            authorize::choose(state, ask)
        }
        ("POST", ["oauth", "token"]) => token::exchange(state, ask),
        ("POST", ["oauth", "reconnect"]) => reconnect::reconnect(state, ask),
        ("POST", ["oauth", "locationToken"]) => location::token(state, ask),
        ("POST", ["oauth", "location-token"]) if v3 => location::token(state, ask),
        ("GET", ["oauth", "installedLocations"]) => installed::list(state, ask),
        ("GET", ["oauth", "installed-locations"]) if v3 => installed::pages(state, ask),
        _ => return None,
    };
    Some(Ok(reply.unwrap_or_else(|refused| refused.into_answer(&ask.trace))))
}

/// Lets an agency's access token with this scope pass, and nobody else.
fn agency_only(state: &State, ask: &Ask, scope: &str) -> Result<(), Refused> {
    ask.version()?;
    Ok(state.grant(ask)?.may(scope, Audience::Agency)?)
}

/// The version, where leaving it out means the older dialect.
fn lenient_version(ask: &Ask) -> Result<Version, Refused> {
    if ask.version.is_none() { Ok(Version::V2) } else { Ok(ask.version()?) }
}
