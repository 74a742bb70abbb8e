//! The arguments of `ghl-bulk login`.

use std::collections::BTreeSet;
use std::env;
use std::time::Duration;

use reqwest::Url;

use crate::api::{ApiEndpoint, is_loopback_url};
use crate::auth::CredentialStoreKind;
use crate::cli::args::choice_arg::choice_parser;
use crate::cli::args::time_arg;
use crate::cli::output::error::CliError;

/// The default redirect URL.
const REDIRECT: &str = "http://localhost:8765/callback";
/// HighLevel's page (api.md §9).
const PAGE: &str = "https://marketplace.gohighlevel.com/v2/oauth/chooselocation";
/// The page's path on a sandbox.
const SANDBOX_PAGE: &str = "/oauth/chooselocation";
/// The scopes that a company's token needs to find its locations and to get their tokens (api.md §9).
const AGENCY_SCOPES: [&str; 2] = ["oauth.readonly", "oauth.write"];

/// Log in: check a token and store it for all other commands
///
/// Asks for a Private Integration Token (Settings > Private Integrations) without showing it, or reads it
/// from stdin. With `--oauth` it opens the browser instead, for an app of your own, and later refreshes the
/// token automatically. The token is stored in the platform's keyring or, if there is no keyring, in a file
/// that only you can read.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct LoginArgs {
    /// Where to store the token [default: the profile's `store`, or the keyring if there is one]
    #[arg(long, value_name = "WHERE", value_parser = choice_parser::<CredentialStoreKind>())]
    pub(super) store: Option<CredentialStoreKind>,

    /// Encrypt for this recipient instead of with a passphrase; repeat for more (with `--store age`)
    #[arg(long, value_name = "age1…")]
    pub(super) recipient: Vec<String>,

    /// Read the token from stdin; the default if stdin is not a terminal
    #[arg(long, conflicts_with = "oauth")]
    pub(super) stdin: bool,

    /// Store the token without checking it with the API
    #[arg(long)]
    pub(super) no_check: bool,

    #[command(flatten)]
    pub(super) app: OauthAppArgs,
}

const AFTER_HELP: &str = "\
Examples:
  ghl-bulk login --location ve9EPM428h8vShlRW1KT           ask for the token, without showing it
  pass show highlevel | ghl-bulk login --profile clinic    a second account, from a password manager
  ghl-bulk login --oauth --client-id ID                    your own app, in the browser
  ghl-bulk login --oauth --client-id ID --agency --paste   all locations of an agency, on a server

Environment:
  GHL_CLIENT_ID, GHL_CLIENT_SECRET   the app, instead of `--client-id` and a prompt
  GHL_CLIENT_SECRET_FILE             a file that holds the secret
  GHL_AUTHORIZE_URL                  the page, instead of `--authorize-url`
  GHL_BULK_PASSPHRASE                the passphrase of `--store age` (or GHL_BULK_PASSPHRASE_FILE)
  GHL_BULK_AGE_IDENTITY              a file with the key of `--recipient`";

/// An app, and how its owner is asked.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "OAuth options (for an app of your own)")]
pub(super) struct OauthAppArgs {
    /// Log in with the browser (OAuth), with an app created at marketplace.gohighlevel.com
    #[arg(long)]
    pub(super) oauth: bool,

    /// The app's client id [env: `GHL_CLIENT_ID`]
    // Not clap's `env`: the variable is allowed without `--oauth`.
    #[arg(long, value_name = "ID", requires = "oauth")]
    client_id: Option<String>,

    /// Log in for the agency (company), and get a token for each of its locations
    #[arg(long, requires = "oauth")]
    pub(super) agency: bool,

    /// The scopes to request, comma-separated [default: all that ghl-bulk uses]
    #[arg(long, value_name = "SCOPE", value_delimiter = ',', requires = "oauth")]
    scope: Vec<String>,

    /// The redirect URI, exactly as it is registered for the app
    #[arg(long, value_name = "URL", requires = "oauth", default_value = REDIRECT)]
    // Text, as it is compared letter by letter.
    redirect_uri: String,

    /// The authorization page, such as a white label's [env: `GHL_AUTHORIZE_URL`]
    #[arg(long, value_name = "URL", requires = "oauth")]
    authorize_url: Option<Url>,

    /// Only print the address, to be opened on this machine
    #[arg(long, requires = "oauth", conflicts_with = "paste")]
    pub(super) no_browser: bool,

    /// Print the address, and read from stdin the address at which the browser ends, or the code in it;
    /// works without a browser on this machine
    #[arg(long, requires = "oauth")]
    pub(super) paste: bool,

    /// Seconds to wait for the response
    #[arg(long, value_name = "SECONDS", requires = "oauth", default_value = "300", value_parser = time_arg::parse_seconds)]
    pub(super) answer_within: Duration,
}

impl OauthAppArgs {
    /// The app's public name.
    pub(super) fn client_id(&self) -> Result<String, CliError> {
        let given = self.client_id.clone().or_else(|| env::var("GHL_CLIENT_ID").ok());
        given.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).ok_or_else(|| {
            CliError::usage("no client id was given").with_hint(
                "give `--client-id ID` or set `GHL_CLIENT_ID`: find it next to the secret of your \
                 app, under marketplace.gohighlevel.com > My Apps > Auth",
            )
        })
    }

    /// The scopes, with blanks between them.
    pub(super) fn requested_scopes(&self) -> String {
        if !self.scope.is_empty() {
            return self.scope.join(" ");
        }
        let mut all: BTreeSet<_> =
            ApiEndpoint::ALL.iter().map(|route| route.required_scope()).collect();
        all.retain(|scope| !AGENCY_SCOPES.contains(scope));
        if self.agency {
            all.extend(AGENCY_SCOPES);
        }
        all.into_iter().collect::<Vec<_>>().join(" ")
    }

    /// The redirect URL, as the app has registered it.
    pub(super) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// The redirect URL. With `--paste` no process on this machine has to listen there.
    pub(super) fn validated_redirect_url(&self) -> Result<Url, CliError> {
        let wrong = |why: &str| CliError::usage(format!("`--redirect-uri`: {why}"));
        let url: Url = self.redirect_uri.parse().map_err(|_| wrong("it is not an address"))?;
        let this_machine = is_loopback_url(url.as_str());
        match url.scheme() {
            "https" if self.paste => Ok(url),
            "http" if this_machine => Ok(url),
            _ if !this_machine && !self.paste => Err(wrong("it does not point to this machine")
                .with_hint("`--paste` takes the address at which the browser ends")),
            "https" => Err(wrong("this machine cannot answer https; register one with http")),
            _ => Err(wrong("the code would be sent unencrypted; use https")),
        }
    }

    /// The page that asks the person, of the API at this address.
    pub(super) fn authorization_page(&self, api: &str) -> Result<Url, CliError> {
        let named = env::var("GHL_AUTHORIZE_URL").ok().filter(|text| !text.is_empty());
        let url = match (&self.authorize_url, named) {
            (Some(url), _) => url.clone(),
            (None, Some(text)) => text.parse().map_err(|error| {
                CliError::usage(format!("`GHL_AUTHORIZE_URL` is not an address: {error}"))
            })?,
            (None, None) if is_loopback_url(api) => {
                let page = format!("{}{SANDBOX_PAGE}", api.trim_end_matches('/'));
                page.parse().expect("the API's address was checked")
            }
            (None, None) => PAGE.parse().expect("the page's address is one"),
        };
        if url.scheme() == "https" || is_loopback_url(url.as_str()) {
            return Ok(url);
        }
        Err(CliError::usage(format!("`--authorize-url`: `{url}` is not https")))
    }
}
