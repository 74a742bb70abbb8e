//! A URL that events are posted to, as webhooks.

use std::time::Duration;

use reqwest::{StatusCode, Url};
use tokio::time::Instant;

use super::signature::WebhookSecret;
use super::{SinkError, short_digest};
use crate::api::{HttpOptions, HttpSetupError, is_loopback_url};
use crate::mirror::NewEvent;

/// The least time between two requests: thirty a second.
const SPACING: Duration = Duration::from_millis(34);
/// How long a request may take.
const LIMIT: Duration = Duration::from_secs(30);
/// The longest time for which a sink may ask to wait.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Why a URL cannot be posted to.
#[derive(Debug, thiserror::Error)]
pub enum PostUrlError {
    /// It is not a URL.
    #[error("it is not a URL such as `https://example.com/hook`")]
    NotAUrl,
    /// It is not encrypted and leaves this machine.
    #[error(
        "it must begin with `https://`: events hold customer data, and http can be read on the way"
    )]
    NotEncrypted,
    /// It has a user name or password.
    #[error("it has a user name or password, which would be visible to every user of this machine")]
    HasPassword,
    /// The HTTP client cannot be set up.
    #[error(transparent)]
    Http(#[from] HttpSetupError),
}

/// A URL.
#[derive(Debug)]
pub struct PostSink {
    pub(super) name: String,
    pub(super) label: String,
    url: Url,
    secret: Option<WebhookSecret>,
    client: reqwest::Client,
    next: Instant,
}

impl PostSink {
    /// A sink for a URL. With a secret, its requests are signed.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub fn new(
        url: &str,
        secret: Option<WebhookSecret>,
        http: &HttpOptions,
    ) -> Result<Self, PostUrlError> {
        let parsed = Url::parse(url).map_err(|_| PostUrlError::NotAUrl)?;
        if parsed.host_str().is_none() {
            return Err(PostUrlError::NotAUrl);
        }
        if parsed.scheme() != "https" && !(parsed.scheme() == "http" && is_loopback_url(url)) {
            return Err(PostUrlError::NotEncrypted);
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(PostUrlError::HasPassword);
        }
        let client = HttpOptions { allow_http: false, ..http.clone() }.build_client(url)?;
        // The path of a webhook often is its password.
        let origin = parsed.origin().ascii_serialization();
        let name = format!("post:{origin}:{}", short_digest(url));
        Ok(Self {
            name,
            label: format!("`{origin}`"),
            url: parsed,
            secret,
            client,
            next: Instant::now(),
        })
    }

    pub(super) async fn post_event(&mut self, event: &NewEvent) -> Result<(), SinkError> {
        tokio::time::sleep_until(self.next).await;
        self.next = Instant::now() + SPACING;
        let time = jiff::Timestamp::now().as_second().to_string();
        let mut request = self
            .client
            .post(self.url.clone())
            .timeout(LIMIT)
            .header("content-type", "application/json")
            .header("webhook-id", &event.id)
            .header("webhook-timestamp", &time);
        if let Some(secret) = &self.secret {
            request =
                request.header("webhook-signature", secret.sign(&event.id, &time, &event.body));
        }
        let response = request.body(event.body.clone()).send().await.map_err(|error| {
            // The library's message has the URL, whose path may be a secret.
            SinkError::failed(crate::api::root_cause(&error.without_url()))
        })?;
        let status = response.status();
        match status {
            _ if status.is_success() => Ok(()),
            StatusCode::GONE => Err(SinkError::Gone("it answered 410: it is gone".to_owned())),
            _ if status.is_redirection() => Err(SinkError::failed(format!(
                "it answered {} with another address, which is not followed",
                status.as_u16()
            ))),
            _ => {
                let header = response.headers().get("retry-after").and_then(|it| it.to_str().ok());
                let seconds =
                    header.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
                Err(SinkError::Failed {
                    message: format!("it answered {}", status.as_u16()),
                    retry_after: seconds.map(|time| time.min(LONGEST_WAIT)),
                })
            }
        }
    }
}
