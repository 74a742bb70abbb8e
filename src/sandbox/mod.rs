//! The sandbox: a simulator of the HighLevel API that listens on loopback.
//!
//! It behaves as the real service is known to behave, including its dialects and traps, and serves
//! seeded data with many edge cases; two starts with the same seed serve the same bytes. Request
//! bodies are validated, and anything unknown is refused, as the service does. Faults are
//! configured by texts (see [`FaultRule`]), and the routes below `/__sandbox/` let a test look
//! inside.
//!
//! It shares no type with the client: a wrong field name there must fail here, not agree with
//! itself. It knows nothing of the rest of the crate and stores nothing on disk.

mod control;
mod endpoints;
mod faults;
mod http;
mod live_edits;
mod notes_search_behavior;
mod oauth;
mod sandbox_settings;
mod seed;
mod store;
mod text;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use tokio::sync::oneshot;

pub use faults::fault::{FaultParseError, FaultRule};
pub use http::rate_limit::{BurstWindow, LocationRateLimit, RateLimitParseError};
pub use notes_search_behavior::{
    AcceptedRelations, ContactIdUse, NotesIndexLag, NotesSearchBehavior, NotesSearchParseError,
    PageBorder, RelationJoin, RequestTolerance, ServedOrder, TotalName,
};
pub use oauth::{CLIENT_ID, CLIENT_SECRET, COMPANY};
pub use sandbox_settings::{
    ContactLookupAccess, LocationLists, SandboxSettings, ServiceQuirk, UniqueIdentifier,
};

/// A token with all permissions in every location.
pub const TOKEN: &str = "pit-sandbox-full";

/// The location that is served by default.
pub const LOCATION: &str = "sandboxLocation00001";

/// A location of a sandbox with many, counted from 1: the first is [`LOCATION`].
#[must_use]
pub fn numbered_location(number: u16) -> String {
    format!("sandboxLocation{number:05}")
}

/// Serves the API on `listener` until `shutdown` completes; requests in progress are answered.
///
/// The caller owns the port and the shutdown. Waiting requests (held, stalled, delayed) end with
/// it.
pub async fn serve(
    listener: tokio::net::TcpListener,
    settings: SandboxSettings,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let app = Arc::new(http::app::SandboxApp::new(settings));
    let closing = Arc::clone(&app);
    let _live = live_edits::start(&app);
    let service = Router::new()
        .fallback(http::server::handle_request)
        .with_state(app)
        .into_make_service_with_connect_info::<http::connection::ConnectionAborter>();
    axum::serve(http::connection::AbortableListener::new(listener), service)
        .with_graceful_shutdown(async move {
            shutdown.await;
            closing.close_barrier();
        })
        .await
}

/// A sandbox on a thread of its own; dropping it stops it at once.
#[derive(Debug)]
pub struct RunningSandbox {
    url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl RunningSandbox {
    /// Its base URL, such as `http://127.0.0.1:40123`, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for RunningSandbox {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic on that thread was already reported by the panic hook.
            let _ = thread.join();
        }
    }
}

/// Starts a sandbox on a free port of the loopback interface, on its own thread and runtime.
pub fn start(settings: SandboxSettings) -> io::Result<RunningSandbox> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}", listener.local_addr()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = std::thread::Builder::new().name("sandbox".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
            // Not a graceful shutdown: dropping a `RunningSandbox` must not wait for clients that
            // hang.
            tokio::select! {
                _ = serve(listener, settings, std::future::pending()) => {}
                _ = stopped => {}
            }
        });
    })?;
    Ok(RunningSandbox { url, stop: Some(stop), thread: Some(thread) })
}
