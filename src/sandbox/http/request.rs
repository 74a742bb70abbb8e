//! One request, fully read: path, query, headers, body.
//!
//! Distinguishes the service's versions; authorization is checked elsewhere.

use axum::extract::Query;
use axum::http::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::Url;
use serde_json::{Map, Value};

use super::response::EndpointError;

/// The dialects of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestVersion {
    /// `2021-04-15`, `2021-07-28` and `2023-02-21`.
    V2,
    /// `v3`.
    V3,
}

/// The content of a request body.
#[derive(Debug, Clone)]
pub(crate) enum ParsedBody {
    Nothing,
    Json(Value),
    /// A form; only the OAuth routes receive any.
    Form(Vec<(String, String)>),
    /// Bytes that are not JSON, and what is wrong with them.
    Unreadable(String),
}

/// Parameters that contain secrets, should a client ever put them into a URL.
const SECRETS: [&str; 10] = [
    "client_secret",
    "clientSecret",
    "refresh_token",
    "refreshToken",
    "access_token",
    "accessToken",
    "code",
    "token",
    "key",
    "clientKey",
];

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct SandboxRequest {
    pub(crate) method: String,
    /// Path and query as sent.
    pub(crate) target: String,
    pub(crate) segments: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) version: Option<String>,
    pub(crate) token: Option<String>,
    form: bool,
    pub(crate) content: ParsedBody,
    pub(crate) trace: String,
}

impl SandboxRequest {
    /// Reads everything but the body.
    pub(crate) fn new<B>(request: &Request<B>, number: u64) -> Self {
        let header = |name: &str| {
            request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let uri = request.uri();
        let query = match uri.query() {
            Some(_) => Query::try_from_uri(uri).map_or_else(|_| Vec::new(), |Query(pairs)| pairs),
            None => Vec::new(),
        };
        Self {
            method: request.method().as_str().to_owned(),
            target: uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
            segments: split_path(uri.path()),
            query,
            version: header("version"),
            token: header(AUTHORIZATION.as_str())
                .and_then(|value| value.strip_prefix("Bearer ").map(str::to_owned)),
            form: header(CONTENT_TYPE.as_str())
                .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")),
            content: ParsedBody::Nothing,
            trace: format!("00000000-0000-4000-8000-{number:012x}"),
        }
    }

    pub(crate) fn set_body(&mut self, bytes: &[u8]) {
        self.content = match serde_json::from_slice(bytes) {
            _ if bytes.is_empty() => ParsedBody::Nothing,
            _ if self.form && self.is_oauth() => ParsedBody::Form(parse_form(bytes)),
            Ok(value) => ParsedBody::Json(value),
            Err(error) => ParsedBody::Unreadable(error.to_string()),
        };
    }

    pub(crate) fn is_control(&self) -> bool {
        self.segments.first().is_some_and(|first| first == "__sandbox")
    }

    /// Whether it is an OAuth request, which does not count against a location's limit.
    pub(crate) fn is_oauth(&self) -> bool {
        let path: Vec<&str> = self.segments.iter().take(2).map(String::as_str).collect();
        matches!(path.as_slice(), ["oauth", ..] | ["v2", "oauth"])
    }

    /// Path and query with the values of secret parameters removed.
    pub(crate) fn redacted_target(&self) -> String {
        let secret = |(name, _): &(String, String)| SECRETS.contains(&name.as_str());
        if !self.query.iter().any(secret) {
            return self.target.clone();
        }
        let path = self.target.split('?').next().unwrap_or_default();
        let names: Vec<&str> = self.query.iter().map(|(name, _)| name.as_str()).collect();
        format!("{path}?{}", names.join("&"))
    }

    /// Whether it changes something; a search does not, whatever its method.
    pub(crate) fn is_write(&self) -> bool {
        self.method != "GET" && self.segments.last().is_none_or(|last| last != "search")
    }

    /// The requested version; an absent or unknown one is refused.
    pub(crate) fn parse_version(&self) -> Result<RequestVersion, EndpointError> {
        match self.version.as_deref() {
            Some("v3") => Ok(RequestVersion::V3),
            Some("2021-04-15" | "2021-07-28" | "2023-02-21") => Ok(RequestVersion::V2),
            Some(_) => Err(EndpointError::unauthorized("version header is invalid")),
            None => Err(EndpointError::unauthorized("version header was not found.")),
        }
    }

    /// Whether the request uses `v3`; an invalid version was refused before any route asks.
    pub(crate) fn is_v3(&self) -> bool {
        self.version.as_deref() == Some("v3")
    }

    /// The path segment at `index`; routes ask only for segments that they matched.
    pub(crate) fn path_segment(&self, index: usize) -> &str {
        self.segments.get(index).map_or("", String::as_str)
    }

    pub(crate) fn query_parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// An integer from the query; 422 for anything else.
    pub(crate) fn integer_parameter(&self, name: &str) -> Result<Option<i64>, EndpointError> {
        let Some(text) = self.query_parameter(name) else { return Ok(None) };
        let number = text.parse().map_err(|_| {
            EndpointError::validation_failed(vec![format!(
                "{name} must be a number conforming to the specified constraints"
            )])
        })?;
        Ok(Some(number))
    }

    /// Refuses parameters other than `allowed`.
    pub(crate) fn reject_unknown_parameters(&self, allowed: &[&str]) -> Result<(), EndpointError> {
        match self.query.iter().find(|(key, _)| !allowed.contains(&key.as_str())) {
            Some((key, _)) => Err(EndpointError::unknown_property(key)),
            None => Ok(()),
        }
    }

    /// The body as an object; an absent one is empty.
    pub(crate) fn body_object(&self) -> Result<Map<String, Value>, EndpointError> {
        match &self.content {
            ParsedBody::Nothing => Ok(Map::new()),
            ParsedBody::Json(Value::Object(map)) => Ok(map.clone()),
            ParsedBody::Json(_) | ParsedBody::Form(_) => {
                Err(EndpointError::bad_request("Unexpected body, expected an object"))
            }
            ParsedBody::Unreadable(error) => Err(EndpointError::bad_request(error.clone())),
        }
    }

    /// The location that the request names, wherever it does so.
    pub(crate) fn named_location(&self) -> Option<&str> {
        if self.path_segment(0) == "locations" {
            return self.segments.get(1).map(String::as_str);
        }
        let body = match &self.content {
            ParsedBody::Json(Value::Object(map)) => map.get("locationId").and_then(Value::as_str),
            _ => None,
        };
        self.query_parameter("locationId").or(body)
    }
}

/// The pairs of a form.
fn parse_form(bytes: &[u8]) -> Vec<(String, String)> {
    let mut url = Url::parse("http://form/").expect("this is an address");
    url.set_query(Some(&String::from_utf8_lossy(bytes)));
    url.query_pairs().into_owned().collect()
}

/// Splits a path at its slashes and decodes the parts; a trailing slash adds none.
pub(crate) fn split_path(path: &str) -> Vec<String> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() { Vec::new() } else { path.split('/').map(decode_percent).collect() }
}

/// Decodes percent encoding.
pub(crate) fn decode_percent(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
