//! The response of an endpoint: a body, or an error in one of the service's shapes.
//!
//! Defines statuses, envelopes and headers, not the reasons of an error.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use axum::http::{Response, StatusCode};
use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::rate_limit::QuotaStatus;

/// The result of an endpoint.
pub(crate) type EndpointResult = Result<SandboxResponse, EndpointError>;

/// A page as gateways send it when the service behind them is down.
const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Bad gateway</title></head>\
    <body><h1>Bad gateway</h1><p>cloudflare</p></body></html>\n";

/// A status and a body, without the rate-limit headers.
#[derive(Debug, Clone)]
pub(crate) struct SandboxResponse {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    pub(crate) kind: ContentKind,
    pub(crate) retry_after: Option<u64>,
    /// The target of a redirect.
    pub(crate) location: Option<String>,
    /// Headers that are added or replaced, their names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// Whether the headers about the rate limit are left out.
    pub(crate) no_quota: bool,
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContentKind {
    Json,
    Html,
    Text,
}

impl SandboxResponse {
    pub(crate) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            body: body.into(),
            kind: ContentKind::Json,
            retry_after: None,
            location: None,
            headers: Vec::new(),
            no_quota: false,
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, body.to_string())
    }

    pub(crate) fn html_page(status: u16, page: &'static str) -> Self {
        Self { kind: ContentKind::Html, ..Self::new(status, page) }
    }

    /// The page of a gateway.
    pub(crate) fn gateway_page(status: u16) -> Self {
        Self::html_page(status, PAGE)
    }

    pub(crate) fn redirect_to(location: String) -> Self {
        Self { location: Some(location), ..Self::new(302, Bytes::new()) }
    }

    pub(crate) fn into_http_response(self, quota: Option<QuotaStatus>) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let kind = match self.kind {
            ContentKind::Json => "application/json; charset=utf-8",
            ContentKind::Html => "text/html; charset=UTF-8",
            ContentKind::Text => "text/plain; charset=UTF-8",
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(location) = self.location.and_then(|to| HeaderValue::try_from(to).ok()) {
            headers.insert(LOCATION, location);
        }
        if let Some(quota) = quota.filter(|_| !self.no_quota) {
            for (name, value) in quota.header_values() {
                headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
            }
        }
        for (name, value) in self.headers {
            let pair = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
            if let Some((name, value)) = pair {
                headers.insert(name, value);
            }
        }
        response
    }
}

impl QuotaStatus {
    fn header_values(&self) -> [(&'static str, u64); 6] {
        let milliseconds =
            |duration: std::time::Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        [
            ("x-ratelimit-limit-daily", self.limit.daily),
            ("x-ratelimit-daily-remaining", self.daily_remaining),
            ("x-ratelimit-daily-reset", milliseconds(self.daily_reset)),
            ("x-ratelimit-interval-milliseconds", milliseconds(self.limit.interval)),
            ("x-ratelimit-max", u64::from(self.limit.requests)),
            ("x-ratelimit-remaining", u64::from(self.remaining)),
        ]
    }
}

/// A refused request.
#[derive(Debug, Clone)]
pub(crate) struct EndpointError {
    status: u16,
    message: Value,
    error: Option<&'static str>,
    meta: Option<Value>,
}

impl EndpointError {
    fn new(status: u16, message: impl Into<Value>, error: &'static str) -> Self {
        Self { status, message: message.into(), error: Some(error), meta: None }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, message.into(), "Bad Request")
    }

    pub(crate) fn unauthorized(message: &str) -> Self {
        Self::new(401, message, "Unauthorized")
    }

    pub(crate) fn forbidden(message: &str) -> Self {
        Self::new(403, message, "Forbidden")
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, message.into(), "Not Found")
    }

    /// A body that breaks rules; the service lists all of them.
    pub(crate) fn validation_failed(messages: Vec<String>) -> Self {
        Self::new(422, messages, "Unprocessable Entity")
    }

    /// A body that breaks one rule; some routes return a string instead of a list.
    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(422, message.into(), "Unprocessable Entity")
    }

    pub(crate) fn unknown_property(name: &str) -> Self {
        Self::validation_failed(vec![format!("property {name} should not exist")])
    }

    pub(crate) fn too_many_requests() -> Self {
        Self::new(429, "Too Many Requests", "Too Many Requests")
    }

    pub(crate) fn duplicate_contact(contact: &str, name: &Value, field: &str) -> Self {
        Self {
            status: 400,
            message: "This location does not allow duplicated contacts.".into(),
            error: None,
            meta: Some(
                json!({ "contactId": contact, "contactName": name, "matchingField": field }),
            ),
        }
    }

    /// A path that leads nowhere, as the service's framework answers it.
    pub(crate) fn unknown_route(method: &str, target: &str) -> Self {
        let path = target.split('?').next().unwrap_or_default();
        Self::not_found(format!("Cannot {method} {path}"))
    }

    /// A message with any status, for faults.
    pub(crate) fn with_status(status: u16, message: &str) -> Self {
        Self { message: message.into(), ..Self::bare_status(status) }
    }

    /// A bare status, for faults.
    pub(crate) fn bare_status(status: u16) -> Self {
        let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        Self { status, message: reason.unwrap_or("Error").into(), error: None, meta: None }
    }

    pub(crate) fn into_response(self, trace: &str) -> SandboxResponse {
        let mut body = Map::new();
        body.insert("statusCode".to_owned(), self.status.into());
        body.insert("message".to_owned(), self.message);
        if let Some(error) = self.error {
            body.insert("error".to_owned(), error.into());
        }
        if let Some(meta) = self.meta {
            body.insert("meta".to_owned(), meta);
        }
        body.insert("traceId".to_owned(), trace.into());
        SandboxResponse::json(self.status, &Value::Object(body))
    }
}
