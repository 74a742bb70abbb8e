//! Access tokens as they look: three parts, of which a client may read the second.
//!
//! The claims are those of the service's tokens as far as anybody has published one. The signature
//! is made up; whether a token is good is looked up in the book.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use super::super::store::state::State;
use super::client_app;
use super::token_store::{Holder, Issued};

const HEADER: &str = r#"{"alg":"RS256","typ":"JWT"}"#;

/// Writes the token that stands for `issued`; no two are equal.
pub(super) fn write(state: &mut State, issued: &Issued) -> String {
    let (class, id) = match &issued.holder {
        Holder::Company => ("Company", client_app::COMPANY),
        Holder::Location(location) => ("Location", location.as_str()),
    };
    let claims = json!({
        "authClass": class,
        "authClassId": id,
        "source": "INTEGRATION",
        "sourceId": client_app::CLIENT_ID,
        "channel": "OAUTH",
        "primaryAuthClassId": id,
        "oauthMeta": {
            "scopes": issued.scopes, "client": client_app::id(), "versionId": client_app::id(),
            "clientKey": client_app::CLIENT_ID,
        },
        "iat": issued.since / 1000,
        "exp": issued.until / 1000,
        "jti": state.mint(),
    });
    let signature: String = (0..4).map(|_| state.mint_secret()).collect();
    let parts = [HEADER, &claims.to_string(), &signature];
    parts.map(|part| BASE64_URL_SAFE_NO_PAD.encode(part)).join(".")
}
