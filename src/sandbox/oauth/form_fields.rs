//! The string fields of a body, sent as a form or as JSON.

use serde_json::Value;

use super::super::http::request::{ParsedBody, SandboxRequest};
use super::super::http::response::EndpointError;
use super::oauth_errors::OauthEndpointError;

/// The fields of one body, in the order in which they were sent.
#[derive(Debug)]
pub(super) struct OauthBodyFields(Vec<(String, String)>);

impl OauthBodyFields {
    /// Parses the fields; a field other than `allowed` or a value that is not a string is refused.
    pub(super) fn parse(
        request: &SandboxRequest,
        allowed: &[&str],
    ) -> Result<Self, OauthEndpointError> {
        let pairs = match &request.content {
            ParsedBody::Form(pairs) => pairs.clone(),
            _ => request
                .body_object()?
                .into_iter()
                .map(require_text_value)
                .collect::<Result<_, _>>()?,
        };
        match pairs.iter().find(|(name, _)| !allowed.contains(&name.as_str())) {
            Some((name, _)) => Err(EndpointError::unknown_property(name).into()),
            None => Ok(Self(pairs)),
        }
    }

    /// The same fields under their usual names; each pair is a usual name and another one.
    pub(super) fn with_names(mut self, spellings: &[(&str, &str)]) -> Self {
        for (name, _) in &mut self.0 {
            if let Some((usual, _)) = spellings.iter().find(|(_, other)| other == name) {
                (*usual).clone_into(name);
            }
        }
        self
    }

    /// The first field of that name, unless it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A required field.
    pub(super) fn require_parameter(&self, name: &str) -> Result<&str, OauthEndpointError> {
        self.get(name).ok_or_else(|| {
            OauthEndpointError::oauth_error("invalid_request", format!("Missing parameter: {name}"))
        })
    }

    /// A required field whose absence is a validation error, as on the routes other than the token
    /// endpoint.
    pub(super) fn require_string(&self, name: &str) -> Result<&str, OauthEndpointError> {
        let wrong = || EndpointError::validation_failed(vec![format!("{name} must be a string")]);
        Ok(self.get(name).ok_or_else(wrong)?)
    }
}

fn require_text_value((name, value): (String, Value)) -> Result<(String, String), EndpointError> {
    match value {
        Value::String(value) => Ok((name, value)),
        _ => Err(EndpointError::validation_failed(vec![format!("{name} must be a string")])),
    }
}
