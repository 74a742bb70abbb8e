//! The sandbox: a stand-in for the HighLevel API that answers on loopback.
//!
//! It behaves as the real service is known to behave, its dialects and traps included, and serves
//! seeded data that is awkward on purpose; two starts with one seed serve the same bytes. Request
//! bodies are checked, and anything unknown is refused, as the service does. Faults are switched on
//! by texts (see [`FaultRule`]) and the routes below `/__sandbox/` let a test look inside.
//!
//! It shares no type with the client: a field name that is wrong there must fail here, not agree
//! with itself. It knows nothing of the rest of the crate and keeps nothing on disk.

mod control;
mod endpoints;
mod faults;
mod http;
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
pub use oauth::{CLIENT_ID, CLIENT_SECRET, COMPANY};
pub use sandbox_settings::{SandboxSettings, ServiceQuirk, UniqueIdentifier};

/// A token that may do everything in every location.
pub const TOKEN: &str = "pit-sandbox-full";

/// The location that is served unless the settings say otherwise.
pub const LOCATION: &str = "sandboxLocation00001";

/// Serves the API on `listener` until `shutdown` completes; requests under way are answered.
///
/// The caller owns the port and the end. Waiting requests (held, stalled, delayed) end with it.
pub async fn serve(
    listener: tokio::net::TcpListener,
    settings: SandboxSettings,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let app = Arc::new(http::app::SandboxApp::new(settings));
    let closing = Arc::clone(&app);
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
    /// Where it listens, such as `http://127.0.0.1:40123`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for RunningSandbox {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic on that thread has been reported by its hook; there is nobody else to tell.
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
            // Not the graceful way: whoever drops a `Running` does not wait for clients that hang.
            tokio::select! {
                _ = serve(listener, settings, std::future::pending()) => {}
                _ = stopped => {}
            }
        });
    })?;
    Ok(RunningSandbox { url, stop: Some(stop), thread: Some(thread) })
}
