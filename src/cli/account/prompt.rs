//! Prompts: typed secrets, which are not shown, and pasted text.

use std::io::{self, BufRead as _, Read as _, Write as _};

use secrecy::{ExposeSecret as _, SecretString};

use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;

/// Asks for a secret. The terminal is as before afterwards, also after Ctrl-C.
pub(in crate::cli) fn prompt_secret(prompt: &str) -> Result<SecretString, CliError> {
    let _handler = InterruptGuard::install_handler()?;
    // Before the prompt: what is pasted at once would be shown before the prompt has hidden it.
    let _silence = EchoGuard::disable_echo();
    match rpassword::prompt_password(prompt) {
        Ok(text) => Ok(text.into()),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            Err(CliError::new(CliExitCode::Interrupted, "interrupted; nothing was stored"))
        }
        Err(error) => Err(CliError::usage(format!("the terminal cannot be read: {error}"))),
    }
}

/// Asks for a secret twice, because it is not shown while it is typed.
pub(in crate::cli) fn prompt_secret_twice(prompt: &str) -> Result<SecretString, CliError> {
    let first = prompt_secret(prompt)?;
    if first.expose_secret().is_empty() {
        return Err(CliError::usage("nothing was typed"));
    }
    if prompt_secret("Once more: ")?.expose_secret() != first.expose_secret() {
        return Err(CliError::usage("the two differ; nothing was stored"));
    }
    Ok(first)
}

/// The longest line that is taken, in bytes.
const LONGEST: u64 = 64 << 10;

/// Asks for a line, which is shown; without a terminal, takes the first line of stdin.
pub(in crate::cli) fn prompt_line(prompt: &str) -> Result<String, CliError> {
    let fail = |error: io::Error| CliError::usage(format!("stdin cannot be read: {error}"));
    let mut err = io::stderr().lock();
    // With stderr closed, the answer may come all the same.
    let _ = write!(err, "{prompt}").and_then(|()| err.flush());
    drop(err);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(fail)?;
    let read = || {
        let mut line = String::new();
        io::stdin().lock().take(LONGEST).read_line(&mut line).map(|_| line)
    };
    let ended = runtime.block_on(async {
        tokio::select! {
            line = tokio::task::spawn_blocking(read) => Some(line),
            () = crate::cli::signals::wait_for_signal() => None,
        }
    });
    // The thread that reads would be waited for, and it ends when the key is pressed.
    runtime.shutdown_background();
    match ended {
        Some(line) => line.map_err(io::Error::other).and_then(|line| line).map_err(fail),
        None => Err(CliError::new(CliExitCode::Interrupted, "interrupted; nothing was stored")),
    }
}

/// Turns the terminal's echo off, until it is dropped.
#[cfg(unix)]
struct EchoGuard(rustix::termios::Termios);

#[cfg(unix)]
impl EchoGuard {
    fn disable_echo() -> Option<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(io::stdin()).ok()?;
        let mut silent = before.clone();
        // All that the prompt itself turns off: a Ctrl-C that comes early is for it, too.
        let shown = LocalModes::ECHO | LocalModes::ECHONL;
        silent.local_modes.remove(shown | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(io::stdin(), OptionalActions::Now, &silent).ok()?;
        Some(Self(before))
    }
}

#[cfg(unix)]
impl Drop for EchoGuard {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        // A closed terminal shows nothing.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(not(unix))]
struct EchoGuard;

#[cfg(not(unix))]
impl EchoGuard {
    fn disable_echo() -> Self {
        Self
    }
}

/// Keeps Ctrl-C from ending the program while the terminal does not echo: the prompt raises it again, and
/// must come back to put the terminal right.
#[cfg(unix)]
struct InterruptGuard {
    _runtime: tokio::runtime::Runtime,
    _signal: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl InterruptGuard {
    fn install_handler() -> Result<Self, CliError> {
        use tokio::signal::unix::{SignalKind, signal};
        let fail =
            |error: io::Error| CliError::usage(format!("signals cannot be handled: {error}"));
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(fail)?;
        let entered = runtime.enter();
        let signal = signal(SignalKind::interrupt()).map_err(fail)?;
        drop(entered);
        Ok(Self { _runtime: runtime, _signal: signal })
    }
}

#[cfg(not(unix))]
struct InterruptGuard;

#[cfg(not(unix))]
impl InterruptGuard {
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere catching can fail")]
    fn install_handler() -> Result<Self, CliError> {
        Ok(Self)
    }
}
