//! Signatures of webhooks, as <https://www.standardwebhooks.com> defines them.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretSlice};

/// What secrets begin with.
const PREFIX: &str = "whsec_";
/// The allowed lengths of a secret, in bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret that a webhook's receiver has, too.
#[derive(Debug, Clone)]
pub struct WebhookSecret(SecretSlice<u8>);

impl WebhookSecret {
    /// The header `webhook-signature` of a request.
    pub(super) fn sign(&self, id: &str, time: &str, body: &str) -> String {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, self.0.expose_secret());
        let tag = ring::hmac::sign(&key, format!("{id}.{time}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(tag))
    }
}

/// `whsec_` and 24 to 64 bytes in Base64. The error does not show the text.
impl FromStr for WebhookSecret {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let bytes = STANDARD.decode(text.strip_prefix(PREFIX).unwrap_or(text));
        match bytes {
            Ok(bytes) if LENGTHS.contains(&bytes.len()) => Ok(Self(bytes.into())),
            _ => Err("a webhook secret is `whsec_` and 24 to 64 bytes in Base64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_standard() {
        // The example of the specification's reference implementations.
        let secret: WebhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".parse().unwrap();
        let signed =
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_of_another_form_is_refused_and_not_shown() {
        for text in ["", "whsec_", "whsec_short", "whsec_%%%", "MfKQ9r8G"] {
            let refused = text.parse::<WebhookSecret>().unwrap_err();
            assert!(text.is_empty() || text == "whsec_" || !refused.contains(text), "{refused}");
        }
    }
}
