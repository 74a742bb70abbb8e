//! The browser: opened on an address, without a shell and without our secrets.

use std::process::{Command, Stdio};

use reqwest::Url;

/// Variables that other programs must not see.
const SECRETS: [&str; 3] = ["GHL_TOKEN", "GHL_CLIENT_SECRET", "GHL_BULK_PASSPHRASE"];

/// Opens the browser, if there is one. Whether it shows the page cannot be known.
pub(super) fn open_url(url: &Url) -> bool {
    open::commands(url.as_str()).iter_mut().any(spawn_without_secrets)
}

fn spawn_without_secrets(command: &mut Command) -> bool {
    for name in SECRETS {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().is_ok()
}
