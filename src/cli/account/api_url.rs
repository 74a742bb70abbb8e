//! The API's address: one that a token may be sent to.

use crate::api::is_loopback_url;
use crate::cli::output::error::CliError;

/// HighLevel's address (api.md §1.1).
pub(in crate::cli) const URL: &str = "https://services.leadconnectorhq.com";

/// An address that a token may be sent to: https, or http to this machine unless more is allowed.
pub(in crate::cli) fn validate_api_url(url: String, allow_http: bool) -> Result<String, CliError> {
    let wrong = |why: &str| Err(CliError::usage(format!("`--api-url`: {why}")));
    let Ok(parsed) = reqwest::Url::parse(&url) else {
        return wrong("it is not an address such as `https://services.leadconnectorhq.com`");
    };
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return wrong("it holds a user name or password; the token goes into `GHL_TOKEN`");
    }
    match parsed.scheme() {
        "https" => Ok(url),
        "http" if is_loopback_url(&url) || allow_http => Ok(url),
        "http" => wrong(
            "plain http would show the token to the network; use https, or `--allow-http` where the \
             network is yours",
        ),
        _ => wrong("it is neither https nor http"),
    }
}
