//! The bodies of token requests: forms, or JSON where the API requires it.

use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox, SecretString};
use serde_json::Value;

use crate::text::percent_encode;

/// A request body, and the secrets in it, so that errors can remove them.
pub(super) struct OauthRequestBody {
    pub(super) kind: &'static str,
    pub(super) text: SecretBox<String>,
    pub(super) secrets: Vec<SecretString>,
}

impl OauthRequestBody {
    /// An empty form.
    pub(super) fn empty_form() -> Self {
        let kind = "application/x-www-form-urlencoded";
        Self { kind, text: SecretBox::default(), secrets: Vec::new() }
    }

    /// A JSON object that contains the secret.
    pub(super) fn from_json(object: &Value, secret: &SecretString) -> Self {
        let text = SecretBox::new(Box::new(object.to_string()));
        Self { kind: "application/json", text, secrets: vec![secret.clone()] }
    }

    /// Adds a field to the form.
    pub(super) fn with_field(mut self, name: &str, value: &str) -> Self {
        let text = self.text.expose_secret_mut();
        let separator = if text.is_empty() { "" } else { "&" };
        text.extend([separator, name, "=", &percent_encode(value)]);
        self
    }

    /// Adds a field to the form whose value must not appear in errors.
    pub(super) fn with_secret(mut self, name: &str, value: &SecretString) -> Self {
        self.secrets.push(value.clone());
        self.with_field(name, value.expose_secret())
    }
}
