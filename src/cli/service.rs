//! Messages to systemd about a service with `Type=notify`: that it is ready, alive, and about to stop.
//!
//! The protocol is a datagram to the socket in `NOTIFY_SOCKET` (`sd_notify`). Without systemd nothing is sent.

use std::time::Duration;

use crate::concurrency;

/// The service manager that has started this process, if there is one.
#[derive(Debug, Clone)]
pub(in crate::cli) struct ServiceManager {
    socket: Option<String>,
    watchdog: Option<Duration>,
}

impl ServiceManager {
    pub(in crate::cli) fn from_env() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|text: &String| !text.is_empty());
        let is_ours = variable("WATCHDOG_PID")
            .and_then(|text| text.parse().ok())
            .is_none_or(|pid: u32| pid == std::process::id());
        let watchdog = variable("WATCHDOG_USEC").and_then(|text| text.parse().ok());
        let watchdog = watchdog.filter(|_| is_ours).map(Duration::from_micros);
        Self { socket: variable("NOTIFY_SOCKET"), watchdog }
    }

    pub(in crate::cli) fn notify_ready(&self) {
        self.send("READY=1\nSTATUS=watching");
    }

    pub(in crate::cli) fn notify_stopping(&self) {
        self.send("STOPPING=1");
    }

    /// Says that the process is alive, for as long as its event loop turns and the guard lives.
    pub(in crate::cli) fn start_watchdog(&self) -> Option<concurrency::RepeatedTask> {
        let interval = self.watchdog.filter(|_| self.socket.is_some())? / 2;
        let manager = self.clone();
        Some(concurrency::repeat_in_task(interval, move || manager.send("WATCHDOG=1")))
    }

    #[cfg(unix)]
    fn send(&self, message: &str) {
        let Some(name) = &self.socket else { return };
        let Ok(socket) = std::os::unix::net::UnixDatagram::unbound() else { return };
        // The manager may be gone; the work goes on without it.
        let _ = socket_address(name).and_then(|to| socket.send_to_addr(message.as_bytes(), &to));
    }

    #[cfg(not(unix))]
    fn send(&self, _: &str) {}
}

/// The address of a socket: a path, or on Linux a name that begins with `@`.
#[cfg(unix)]
fn socket_address(name: &str) -> std::io::Result<std::os::unix::net::SocketAddr> {
    use std::os::unix::net::SocketAddr;
    #[cfg(target_os = "linux")]
    if let Some(name) = name.strip_prefix('@') {
        return <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name);
    }
    SocketAddr::from_pathname(name)
}
