//! The texts of a body, sent as a form or as JSON.

use serde_json::Value;

use super::super::http::request::{Ask, Content};
use super::super::http::response::Refusal;
use super::oauth_errors::Refused;

/// The fields of one body, in the order in which they were sent.
#[derive(Debug)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads the fields; any beside `allowed` is refused, as is a value that is no text.
    pub(super) fn read(ask: &Ask, allowed: &[&str]) -> Result<Self, Refused> {
        let pairs = match &ask.content {
            Content::Form(pairs) => pairs.clone(),
            _ => ask.object()?.into_iter().map(text).collect::<Result<_, _>>()?,
        };
        match pairs.iter().find(|(name, _)| !allowed.contains(&name.as_str())) {
            Some((name, _)) => Err(Refusal::unknown_property(name).into()),
            None => Ok(Self(pairs)),
        }
    }

    /// The first field of that name, unless it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(own, _)| own == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// A field that must be there.
    pub(super) fn need(&self, name: &str) -> Result<&str, Refused> {
        self.get(name)
            .ok_or_else(|| Refused::oauth("invalid_request", format!("Missing parameter: {name}")))
    }

    /// A field whose absence is a broken rule, as the routes beside the token endpoint say it.
    pub(super) fn require(&self, name: &str) -> Result<&str, Refused> {
        let wrong = || Refusal::invalid(vec![format!("{name} must be a string")]);
        Ok(self.get(name).ok_or_else(wrong)?)
    }
}

fn text((name, value): (String, Value)) -> Result<(String, String), Refusal> {
    match value {
        Value::String(value) => Ok((name, value)),
        _ => Err(Refusal::invalid(vec![format!("{name} must be a string")])),
    }
}
