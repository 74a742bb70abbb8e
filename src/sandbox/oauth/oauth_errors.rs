//! The errors of these routes: in three envelopes, unlike the rest of the API.
//!
//! The token endpoint adds `error` and `error_description` to the usual members (under `v3` it has
//! only the usual members), and the new listing wraps everything in `error`.

use serde_json::{Value, json};

use super::super::http::response::{EndpointError, SandboxResponse};

/// A refused request.
#[derive(Debug)]
pub(super) enum OauthEndpointError {
    /// The usual error of all other routes.
    Plain(EndpointError),
    /// An RFC 6749 error: its code and a sentence.
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

    /// The same error in `v3` form.
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
