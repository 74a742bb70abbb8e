//! Access tokens in their real format: three parts, the second readable by a client.
//!
//! The claims are those of the service's tokens, as far as published. The signature is fake;
//! whether a token is valid is looked up in the token store.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use super::super::store::state::SandboxState;
use super::client_app;
use super::token_store::{IssuedToken, TokenPrincipal};

const HEADER: &str = r#"{"alg":"RS256","typ":"JWT"}"#;

/// Encodes a token for `issued`; no two are equal.
pub(super) fn encode_token(state: &mut SandboxState, issued: &IssuedToken) -> String {
    let (class, id) = match &issued.holder {
        TokenPrincipal::Company => ("Company", client_app::COMPANY),
        TokenPrincipal::Location(location) => ("Location", location.as_str()),
    };
    let claims = json!({
        "authClass": class,
        "authClassId": id,
        "source": "INTEGRATION",
        "sourceId": client_app::CLIENT_ID,
        "channel": "OAUTH",
        "primaryAuthClassId": id,
        "oauthMeta": {
            "scopes": issued.scopes, "client": client_app::app_id(), "versionId": client_app::app_id(),
            "clientKey": client_app::CLIENT_ID,
        },
        "iat": issued.since / 1000,
        "exp": issued.until / 1000,
        "jti": state.generate_id(),
    });
    let signature: String = (0..4).map(|_| state.generate_secret()).collect();
    let parts = [HEADER, &claims.to_string(), &signature];
    parts.map(|part| BASE64_URL_SAFE_NO_PAD.encode(part)).join(".")
}
