//! The bearer token.

use std::fmt;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

/// A bearer token. It is shown nowhere: `Debug` prints `Token(…)`, and there is no `Display`.
#[derive(Clone)]
pub struct BearerToken {
    secret: SecretString,
    /// As it is sent. Made once: requests clone it.
    header: HeaderValue,
}

/// Why a text is no token. It never repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidToken {
    /// Nothing but white space.
    #[error("it is empty")]
    Empty,
    /// Characters that cannot stand in an HTTP header.
    #[error("it holds a character that cannot stand in a header (was something else pasted?)")]
    Character,
}

impl BearerToken {
    /// Takes a token as pasted or read from a file: white space around it is no part of it.
    ///
    /// # Errors
    /// When nothing is left or what is left cannot be sent.
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

    /// The token itself, for whoever keeps it.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.secret
    }

    /// The `Authorization` header.
    pub(super) fn authorization_header(&self) -> HeaderValue {
        self.header.clone()
    }
}

/// Whether two tokens are the same. Nobody who could measure how long that takes gets to ask.
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
