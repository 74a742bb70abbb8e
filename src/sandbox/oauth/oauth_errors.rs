//! How these routes refuse: in three envelopes, unlike the rest of the API.
//!
//! The token endpoint says `error` and `error_description` beside the usual members (under `v3` the
//! usual members alone), and the new listing wraps everything in `error`.

use serde_json::{Value, json};

use super::super::http::response::{EndpointError, SandboxResponse};

/// A request that is not granted.
#[derive(Debug)]
pub(super) enum OauthEndpointError {
    /// As every other route refuses.
    Plain(EndpointError),
    /// An error of RFC 6749: its code and a sentence.
    OAuth { code: &'static str, message: String },
    /// The same under `v3`, whose specification shows no code.
    Bare { message: String },
    /// The envelope of the newest routes.
    Wrapped { status: u16, code: &'static str, message: String, details: Value },
}

impl OauthEndpointError {
    pub(super) fn oauth_error(code: &'static str, message: impl Into<String>) -> Self {
        Self::OAuth { code, message: message.into() }
    }

    pub(super) fn wrapped_error(
        status: u16,
        code: &'static str,
        message: String,
        details: Value,
    ) -> Self {
        Self::Wrapped { status, code, message, details }
    }

    /// The same refusal as `v3` words it.
    pub(super) fn for_v3(self) -> Self {
        match self {
            Self::OAuth { message, .. } => Self::Bare { message },
            other => other,
        }
    }

    pub(super) fn into_response(self, trace: &str) -> SandboxResponse {
        match self {
            Self::Plain(refusal) => refusal.into_response(trace),
            Self::Bare { message } => SandboxResponse::json(
                400,
                &json!({ "statusCode": 400, "message": message, "traceId": trace }),
            ),
            Self::OAuth { code, message } => {
                let body = json!({
                    "statusCode": 400, "message": message, "error": code,
                    "error_description": message, "traceId": trace,
                });
                SandboxResponse::json(400, &body)
            }
            Self::Wrapped { status, code, message, details } => {
                let resolution = "Correct the request and send it again.";
                let error = json!({
                    "code": code, "message": message, "details": details, "resolution": resolution,
                });
                SandboxResponse::json(status, &json!({ "error": error }))
            }
        }
    }
}

impl From<EndpointError> for OauthEndpointError {
    fn from(refusal: EndpointError) -> Self {
        Self::Plain(refusal)
    }
}
