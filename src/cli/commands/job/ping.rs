//! A URL that learns when a job begins and ends, as healthchecks.io and its like take it.
//!
//! `URL/start` at the beginning, and at the end the URL itself or, after a failure, `URL/fail`, with the summary as the
//! body. Whoever does not hear from a job in time raises the alarm: also when this machine is off. The URL is a secret; a
//! ping that fails is a warning.

use std::time::Duration;

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::args::JobOptionArgs;
use crate::api::{HttpOptions, is_loopback_url, root_cause};
use crate::child_process::capture_output;
use crate::cli::account::secret_source;
use crate::cli::output::error::CliError;
use crate::id::RunId;
use crate::text::encode_hex;

/// How often a ping is tried.
const TRIES: u32 = 3;
/// How long one may take.
const LIMIT: Duration = Duration::from_secs(10);
/// How long the command may take that prints the URL.
const COMMAND_LIMIT: Duration = Duration::from_mins(1);
/// The most that is read of what it prints, in bytes.
const MOST: u64 = 64 << 10;

/// A URL, and the run that its pings are about.
pub(super) struct Ping {
    url: Url,
    client: reqwest::Client,
    run: String,
}

impl Ping {
    /// The URL that the options name, if they do.
    pub(super) async fn from_options(
        options: &JobOptionArgs,
        http: &HttpOptions,
        run: &RunId,
    ) -> Result<Option<Self>, CliError> {
        let text = match (&options.ping_file, &options.ping_command) {
            (Some(file), _) => secret_source::from_secret_file(file, "ping")?,
            (None, Some(command)) => print_url(&mut command.0.build_process()).await?,
            (None, None) => return Ok(None),
        };
        let first = text.expose_secret().lines().next().unwrap_or_default().trim();
        let url = check_url(first).map_err(|why| {
            CliError::usage(format!("the URL to ping: {why}")).with_hint(
                "`ping_file` or `ping_command` must give a line such as `https://hc-ping.com/…`",
            )
        })?;
        let client = HttpOptions { allow_http: false, ..http.clone() }.build_client(url.as_str());
        let client = client.map_err(|error| CliError::usage(error.to_string()))?;
        Ok(Some(Self { url, client, run: run_uuid(run) }))
    }

    /// Says that the job begins.
    pub(super) async fn send_start(&self) -> Result<(), String> {
        self.send("start", None).await
    }

    /// Says how the job has ended, with a summary that names no one.
    pub(super) async fn send_end(&self, success: bool, summary: &Value) -> Result<(), String> {
        self.send(if success { "" } else { "fail" }, Some(summary)).await
    }

    async fn send(&self, what: &str, body: Option<&Value>) -> Result<(), String> {
        let mut url = self.url.clone();
        if !what.is_empty() {
            // Of an https URL it cannot fail.
            if let Ok(mut path) = url.path_segments_mut() {
                path.pop_if_empty().push(what);
            }
        }
        url.query_pairs_mut().append_pair("rid", &self.run);
        let mut last = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_secs(u64::from(attempt))).await;
            }
            let request = match body {
                Some(body) => self
                    .client
                    .post(url.clone())
                    .header("content-type", "application/json")
                    .body(body.to_string()),
                None => self.client.get(url.clone()),
            };
            match request.timeout(LIMIT).send().await {
                Ok(response) if response.status().is_success() => return Ok(()),
                Ok(response) => last = format!("it answered {}", response.status().as_u16()),
                // The library's message has the URL.
                Err(error) => last = root_cause(&error.without_url()),
            }
        }
        let origin = self.url.origin().ascii_serialization();
        Err(format!("`{origin}` was pinged {TRIES} times without success: {last}"))
    }
}

async fn print_url(command: &mut tokio::process::Command) -> Result<SecretString, CliError> {
    let captured = capture_output(command, COMMAND_LIMIT, MOST).await;
    let failed = |why: String| CliError::usage(format!("the ping command: {why}"));
    let captured = captured.map_err(|error| failed(error.to_string()))?;
    if !captured.status.success() {
        return Err(failed(format!("it ended with {}", captured.status)));
    }
    Ok(captured.output)
}

fn check_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "it is no URL")?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback_url(text) => Ok(url),
        "http" => Err("it must begin with `https://`, since it is a secret"),
        _ => Err("it is no URL"),
    }
}

/// The run as a UUID, which healthchecks.io wants, to match a start with its end.
fn run_uuid(run: &RunId) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, run.as_str().as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    // Version 8 (made in a way of one's own) and the variant of RFC 9562.
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = encode_hex(&bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_one_uuid() {
        let run = "20261129-020304-k3f9".parse().unwrap();
        let uuid = run_uuid(&run);
        assert_eq!(uuid, run_uuid(&run));
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'8');
        assert!(b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
    }

    #[test]
    fn a_secret_url_is_encrypted_unless_it_stays_here() {
        assert!(check_url("https://hc-ping.com/uuid").is_ok());
        assert!(check_url("http://127.0.0.1:8000/uuid").is_ok());
        for wrong in ["", "hc-ping.com/x", "http://hc-ping.com/x", "ftp://hc-ping.com/x"] {
            assert!(check_url(wrong).is_err(), "{wrong}");
        }
    }
}
