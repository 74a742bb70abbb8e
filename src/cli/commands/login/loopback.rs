//! The loopback listener: where the browser brings the answer (RFC 8252 §7.3).
//!
//! It listens before the browser opens, on this machine only, answers everything but the one path with
//! 404, and its page repeats nothing that it was sent. It takes one answer with the state of this login and closes:
//! any page of this machine can send others, so those get 400 and end nothing. Whether an answer is valid is decided
//! by [`AuthorizationResponse`]; this file does not know what it is used for.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures::future::join_all;
use reqwest::Url;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::authorize::{AuthorizationResponse, OauthState};
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::event::{CancelCause, CancelSignal};

/// How long the browser has to take the page once the answer is here.
const FAREWELL: Duration = Duration::from_secs(1);

const TAKEN: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>ghl-bulk</title>\
    <p>ghl-bulk has the answer and goes on in the terminal. You can close this page.";
const NOT_TAKEN: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>ghl-bulk</title>\
    <p>ghl-bulk cannot use this answer; the terminal says why. You can close this page.";
const IGNORED: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>ghl-bulk</title>\
    <p>This answer does not have the <code>state</code> of this login, so ghl-bulk ignores it and keeps waiting. If it is \
    the answer to your own login, press Ctrl-C in the terminal and log in with <code>--paste</code>.";

/// Listeners on one port of this machine.
#[derive(Debug)]
pub(super) struct LoopbackListener {
    listeners: Vec<TcpListener>,
    path: String,
}

impl LoopbackListener {
    /// Listens at an address such as `http://localhost:8765/callback`.
    pub(super) async fn bind(redirect: &Url) -> Result<Self, CliError> {
        let port = redirect.port_or_known_default().unwrap_or(80);
        let mut listeners = Vec::new();
        let mut missing = None;
        for place in loopback_addresses(redirect, port)? {
            match TcpListener::bind(place).await {
                Ok(listener) => listeners.push(listener),
                // The process that listens there would get the code.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    return Err(CliError::usage(format!("port {port} of this machine is taken")).with_hint(
                        "end what listens there, or give another `--redirect-uri` that the app has \
                         registered; `--paste` does not need a port",
                    ));
                }
                // A machine without IPv6, or without IPv4.
                Err(error) => missing = Some(error),
            }
        }
        match missing {
            Some(error) if listeners.is_empty() => {
                Err(CliError::usage(format!("port {port} of this machine: {error}"))
                    .with_hint("`--paste` does not need a port"))
            }
            _ => Ok(Self { listeners, path: redirect.path().to_owned() }),
        }
    }

    /// Waits for the answer.
    pub(super) async fn wait_for_response(
        self,
        state: OauthState,
        limit: Duration,
        stop: &CancelSignal,
    ) -> Result<AuthorizationResponse, CliError> {
        let (sender, mut receiver) = mpsc::channel(1);
        let desk = Arc::new(CallbackState { path: self.path, state, sender });
        let app = Router::new().fallback(handle_callback).with_state(desk);
        let closing = CancellationToken::new();
        let serve = |listener| {
            let shutdown = closing.clone().cancelled_owned();
            axum::serve(listener, app.clone()).with_graceful_shutdown(shutdown).into_future()
        };
        let mut serving = join_all(self.listeners.into_iter().map(serve));
        let answer = tokio::select! {
            Some(answer) = receiver.recv() => Ok(answer),
            _ = &mut serving => Err(CliError::usage("the listener for the browser has ended")),
            () = tokio::time::sleep(limit) => Err(timeout_error(limit)),
            () = stop.wait_for_cancel() => return Err(interrupted_error(stop)),
        };
        closing.cancel();
        // A browser keeps spare connections open; closing them loses nothing.
        let _ = tokio::time::timeout(FAREWELL, serving).await;
        answer
    }
}

/// The addresses that a redirect to this machine can mean.
fn loopback_addresses(redirect: &Url, port: u16) -> Result<Vec<SocketAddr>, CliError> {
    let v4: SocketAddr = (Ipv4Addr::LOCALHOST, port).into();
    let v6: SocketAddr = (Ipv6Addr::LOCALHOST, port).into();
    match redirect.host_str() {
        // Browsers try both, in an order of their own.
        Some("localhost") => Ok(vec![v4, v6]),
        Some("127.0.0.1") => Ok(vec![v4]),
        Some("[::1]") => Ok(vec![v6]),
        _ => Err(CliError::usage(format!(
            "`--redirect-uri`: `{redirect}` does not lead to this machine"
        ))
        .with_hint("`--paste` takes the address that the browser ends at")),
    }
}

fn timeout_error(limit: Duration) -> CliError {
    let time = crate::cli::output::text_format::format_duration(limit);
    CliError::new(CliExitCode::Access, format!("no response from the browser within {time}")).with_hint(
        "nothing was stored; run the command again, with `--paste` where the browser cannot reach \
         this machine",
    )
}

/// Of a login that a signal or the deadline ends.
pub(super) fn interrupted_error(stop: &CancelSignal) -> CliError {
    match stop.cause() {
        Some(CancelCause::Terminate) => {
            CliError::new(CliExitCode::Terminated, "terminated by SIGTERM; nothing was stored")
        }
        Some(CancelCause::Hangup) => {
            CliError::new(CliExitCode::HungUp, "the terminal was closed; nothing was stored")
        }
        Some(CancelCause::Deadline) => {
            CliError::new(CliExitCode::Paused, "the deadline is reached; nothing was stored")
        }
        _ => CliError::new(CliExitCode::Interrupted, "interrupted; nothing was stored"),
    }
}

/// The state that all connections share.
struct CallbackState {
    path: String,
    state: OauthState,
    sender: mpsc::Sender<AuthorizationResponse>,
}

async fn handle_callback(
    axum::extract::State(desk): axum::extract::State<Arc<CallbackState>>,
    method: Method,
    uri: Uri,
) -> Response {
    if method != Method::GET || uri.path() != desk.path {
        return (StatusCode::NOT_FOUND, [(CONNECTION, "close")]).into_response();
    }
    let query = uri.query().unwrap_or_default();
    let (status, page) = if desk.state.is_in_query(query) {
        let answer = AuthorizationResponse::from_query(query, &desk.state);
        let is_code = matches!(answer, AuthorizationResponse::Code(_));
        // Full: another answer came first, and decides.
        let _ = desk.sender.try_send(answer);
        if is_code { (StatusCode::OK, TAKEN) } else { (StatusCode::BAD_REQUEST, NOT_TAKEN) }
    } else {
        (StatusCode::BAD_REQUEST, IGNORED)
    };
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (CONNECTION, "close"),
    ];
    (status, headers, page).into_response()
}
