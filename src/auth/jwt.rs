//! A token's own claims, unverified: for display only.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::api::BearerToken;
use crate::id::{CompanyId, LocationId};

/// The claims of an access token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JwtClaims {
    /// When it expires, by the server's clock.
    pub expires: Option<Timestamp>,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// The location it is valid for.
    pub location: Option<LocationId>,
    /// The company it is valid for.
    pub company: Option<CompanyId>,
}

/// The claims of a token if it is a JSON Web Token; private integration tokens are not. They are
/// unverified: show them, but base no decision on them.
#[must_use]
pub fn decode_unverified_claims(token: &BearerToken) -> Option<JwtClaims> {
    let mut parts = token.secret().expose_secret().split('.');
    let (Some(_), Some(payload), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&bytes).ok()?;
    claims.is_object().then(|| parse_claims(&claims))
}

fn parse_claims(claims: &Value) -> JwtClaims {
    let id = claims["authClassId"].as_str().or(claims["primaryAuthClassId"].as_str());
    let class = claims["authClass"].as_str().unwrap_or_default();
    let of = |name: &str| id.filter(|_| class.eq_ignore_ascii_case(name));
    JwtClaims {
        expires: claims["exp"].as_i64().and_then(|second| Timestamp::from_second(second).ok()),
        scopes: parse_scopes(claims),
        location: of("Location").and_then(|id| id.parse().ok()),
        company: of("Company").or(of("Agency")).and_then(|id| id.parse().ok()),
    }
}

fn parse_scopes(claims: &Value) -> Vec<String> {
    let found = [&claims["oauthMeta"]["scopes"], &claims["scopes"], &claims["scope"]];
    let found = found.into_iter().find(|value| !value.is_null());
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    match found {
        Some(Value::String(text)) => words(text),
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).flat_map(words).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> BearerToken {
        let payload = BASE64_URL_SAFE_NO_PAD.encode(payload);
        BearerToken::new(&format!("eyJhbGciOiJSUzI1NiJ9.{payload}.c2ln")).unwrap()
    }

    #[test]
    fn a_token_tells_its_end_its_scopes_and_its_location() {
        let claims = decode_unverified_claims(&token(
            r#"{"authClass":"Location","authClassId":"here","exp":1800000000,
                "oauthMeta":{"scopes":["contacts.readonly","users.readonly"]}}"#,
        ));
        let claims = claims.unwrap();
        assert_eq!(claims.location.unwrap().as_str(), "here");
        assert_eq!(claims.company, None);
        assert_eq!(claims.expires.unwrap().as_second(), 1_800_000_000);
        assert_eq!(claims.scopes, ["contacts.readonly", "users.readonly"]);
    }

    #[test]
    fn what_is_no_web_token_tells_nothing() {
        for text in ["pit-0c2d", "a.b", "a.b.c", "a.b.c.d", "a.W10.c"] {
            assert_eq!(decode_unverified_claims(&BearerToken::new(text).unwrap()), None, "{text}");
        }
        assert_eq!(decode_unverified_claims(&token("{}")), Some(JwtClaims::default()));
    }
}
