//! The answers of faults to requests that never reach their endpoint.

use bytes::Bytes;

use super::action::{FaultAction, FirewallPage};
use super::fault_options::{FaultOptions, RetryAfter};
use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{ContentKind, EndpointError, SandboxResponse};

/// A firewall's page, as the service's shows it.
const FIREWALL_PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Attention Required! | Cloudflare\
    </title></head><body><h1>Sorry, you have been blocked</h1>\
    <p>You are unable to access leadconnectorhq.com</p></body></html>\n";

/// The login page of a network that has not admitted its user yet.
const PORTAL_PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Guest Wi-Fi login</title></head>\
    <body><form action=\"/login\">Please log in to use the network</form></body></html>\n";

/// The answer of an action to a request that it does not let pass.
pub(super) fn replacement_response(
    action: &FaultAction,
    options: &FaultOptions,
    request: &SandboxRequest,
) -> Option<SandboxResponse> {
    let refused = |error: EndpointError| Some(error.into_response(&request.trace));
    match action {
        FaultAction::Status(status) => Some(status_response(*status, options, &request.trace)),
        FaultAction::Expired => refused(EndpointError::unauthorized("Invalid JWT")),
        FaultAction::Forbidden => refused(EndpointError::forbidden("Forbidden resource")),
        FaultAction::ScopeMissing(status) => {
            let message = "The token is not authorized for this scope.";
            refused(EndpointError::with_status(*status, message))
        }
        FaultAction::RouteAbsent => {
            refused(EndpointError::unknown_route(&request.method, &request.target))
        }
        FaultAction::Firewall(FirewallPage::Text) => {
            let text = SandboxResponse::new(403, "error code: 1015\n");
            Some(SandboxResponse { kind: ContentKind::Text, ..text })
        }
        FaultAction::Firewall(FirewallPage::Html) => {
            Some(SandboxResponse::html_page(403, FIREWALL_PAGE))
        }
        FaultAction::Portal => Some(SandboxResponse::html_page(200, PORTAL_PAGE)),
        FaultAction::DropBefore | FaultAction::Stall(_) => {
            Some(SandboxResponse::new(503, Bytes::new()))
        }
        _ => None,
    }
}

/// A status with the body that the options name.
pub(super) fn status_response(status: u16, options: &FaultOptions, trace: &str) -> SandboxResponse {
    let mut answer = match &options.body {
        Some(body) => SandboxResponse::new(status, body.clone()),
        None if options.html => SandboxResponse::gateway_page(status),
        None if status == 204 => SandboxResponse::new(status, Bytes::new()),
        None => EndpointError::bare_status(status).into_response(trace),
    };
    if options.html {
        answer.kind = ContentKind::Html;
    }
    if let Some(RetryAfter::Seconds(seconds)) = options.retry_after {
        answer.retry_after = Some(seconds);
    }
    answer
}
