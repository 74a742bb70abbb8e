//! The bearer token.

use std::fmt;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::text::encode_hex;

/// A bearer token. It is never shown: `Debug` prints `Token(…)`, and there is no `Display`.
#[derive(Clone)]
pub struct BearerToken {
    secret: SecretString,
    /// The header as it is sent. Built once, because every request clones it.
    header: HeaderValue,
}

/// Why a text is not a token. The message never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// Nothing but whitespace.
    #[error("it is empty")]
    Empty,
    /// Characters that are not allowed in an HTTP header.
    #[error(
        "it contains a character that is not allowed in an HTTP header (was something else pasted?)"
    )]
    Character,
}

impl BearerToken {
    /// Parses a token as pasted or read from a file, ignoring whitespace around it.
    pub fn new(text: &str) -> Result<Self, InvalidToken> {
        let text = text.trim();
        if text.is_empty() {
            return Err(InvalidToken::Empty);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidToken::Character);
        }
        let mut header = HeaderValue::from_str(&format!("Bearer {text}"))
            .map_err(|_| InvalidToken::Character)?;
        header.set_sensitive(true);
        Ok(Self { secret: SecretString::from(text.to_owned()), header })
    }

    /// The token itself, for storing it.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// A digest that tells tokens apart and does not reveal them.
    pub(super) fn fingerprint(&self) -> String {
        encode_hex(&Sha256::digest(self.secret.expose_secret().as_bytes()))
    }

    /// The `Authorization` header.
    pub(super) fn authorization_header(&self) -> HeaderValue {
        self.header.clone()
    }
}

/// Whether two tokens are equal. Not constant-time: no attacker can trigger or time the comparison.
impl PartialEq for BearerToken {
    fn eq(&self, other: &Self) -> bool {
        self.secret.expose_secret() == other.secret.expose_secret()
    }
}

impl Eq for BearerToken {}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_shows_itself_nowhere() {
        let token = BearerToken::new(" pit-secret\n").unwrap();
        assert_eq!(format!("{token:?}"), "Token(…)");
        assert_eq!(format!("{:?}", token.authorization_header()), "Sensitive");
    }

    #[test]
    fn what_cannot_be_sent_is_refused_without_being_repeated() {
        let refused = BearerToken::new("pit secret").unwrap_err();
        assert!(!refused.to_string().contains("secret"));
        assert_eq!(BearerToken::new(" \n").unwrap_err(), InvalidToken::Empty);
    }
}
