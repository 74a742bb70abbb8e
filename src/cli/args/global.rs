//! The options that every command knows.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::command_line::ConfigLayers;
use super::time_arg;
use crate::api::{HttpOptions, QuotaPolicy, QuotaReserve};
use crate::cli::config::Profile;
use crate::cli::output::error::CliError;
use crate::cli::output::progress::{OutputStyle, ProgressArg};
use crate::id::{InvalidId, LocationId};

/// How long making a connection may take.
const CONNECT: Duration = Duration::from_secs(15);

/// Options of every command.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct GlobalArgs {
    /// The location (sub-account); several with commas, each exported into a directory of its own
    /// [env: `GHL_LOCATION_ID`]
    // Not clap's `env`, to which a variable beside `--locations` is a conflict.
    #[arg(long, global = true, value_name = "LOCATION", value_delimiter = ',')]
    pub(crate) location: Vec<LocationId>,

    /// The profile of `config.toml` to use: its location, its token and its defaults of flags
    #[arg(long = "profile", global = true, value_name = "NAME", env = "GHL_BULK_PROFILE")]
    named_profile: Option<String>,

    /// The profile that was chosen, by the flag, the environment or as the default of `config.toml`.
    #[arg(skip)]
    pub(crate) profile: Option<Profile>,

    /// What was put together with the arguments.
    #[arg(skip)]
    pub(crate) sources: ConfigLayers,

    /// The API's address
    #[arg(long, global = true, value_name = "URL", env = "GHL_API_URL")]
    pub(crate) api_url: Option<String>,

    /// Run against an embedded stand-in for the API with made-up data
    #[arg(long, global = true)]
    pub(crate) sandbox: bool,

    /// Requests in flight at most; how fast they go is decided by the API's limit
    #[arg(long, global = true, value_name = "N", default_value = "32")]
    pub(crate) concurrency: NonZeroUsize,

    /// Requests of the daily budget to leave for others: a number, or a share such as `10%`
    #[arg(long, global = true, value_name = "N|N%", default_value = "0")]
    pub(crate) daily_reserve: QuotaReserve,

    /// When the daily budget is used up, sleep until there is more instead of stopping
    #[arg(long, global = true)]
    pub(crate) wait: bool,

    /// Stop in time: a moment (`2026-11-21T06:00:00Z`, `06:00`) or a duration (`2h30m`)
    #[arg(long, global = true, value_name = "TIME|DURATION", value_parser = time_arg::parse_deadline)]
    pub(crate) deadline: Option<jiff::Timestamp>,

    /// How many seconds a connection may be silent before the request is sent again
    #[arg(long, global = true, value_name = "SECONDS", default_value = "30", value_parser = time_arg::parse_seconds)]
    pub(crate) timeout: Duration,

    /// Trust the certificates of this file (PEM), too, such as those of a company's proxy
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,

    /// Let plain http leave this machine; whoever listens sees the token
    #[arg(long, global = true)]
    pub(crate) allow_http: bool,

    /// Events as JSON Lines on stdout; `ghl-bulk schema events` describes them
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// How progress is shown on stderr
    #[arg(long, global = true, value_enum, value_name = "HOW", default_value = "auto")]
    pub(crate) progress: ProgressArg,

    /// Show nothing but errors and warnings
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// Tell on stderr what is sent and answered, never with secrets; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

impl GlobalArgs {
    /// How events are shown.
    pub(crate) fn output_style(&self) -> OutputStyle {
        // The log goes to stderr line by line and would tear the bars.
        let logged = self.verbose > 0 && self.progress == ProgressArg::Auto;
        let progress = if logged { ProgressArg::Plain } else { self.progress };
        OutputStyle::from_flags(self.json, progress, self.quiet)
    }

    /// The locations of the flag, or else of the environment, or else of the profile, each once.
    pub(crate) fn resolve_locations(&self) -> Result<Vec<LocationId>, CliError> {
        let text = std::env::var("GHL_LOCATION_ID").unwrap_or_default();
        let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
        let mut all = self.location.clone();
        if all.is_empty() {
            let wrong = |error: InvalidId| CliError::usage(format!("`GHL_LOCATION_ID`: {error}"));
            all = ids.map(str::parse).collect::<Result<_, _>>().map_err(wrong)?;
        }
        if all.is_empty() {
            let profile = self.profile.as_ref().and_then(|profile| profile.location.as_ref());
            all.extend(profile.map(|location| location.value.clone()));
        }
        let mut seen = BTreeSet::new();
        all.retain(|location| seen.insert(location.clone()));
        Ok(all)
    }

    /// The name of the profile that was chosen.
    pub(crate) fn profile_name(&self) -> Option<&str> {
        self.profile.as_ref().map(|profile| profile.name.as_str())
    }

    /// The profile that the flag or the environment names. An empty variable names none.
    pub(crate) fn requested_profile(&self) -> Option<&str> {
        self.named_profile.as_deref().filter(|name| !name.is_empty())
    }

    /// The API's address of the flag, the environment or the profile.
    pub(crate) fn resolved_api_url(&self) -> Option<String> {
        let profile = || Some(self.profile.as_ref()?.api_url.as_ref()?.value.clone());
        self.api_url.clone().or_else(profile)
    }

    /// How connections are made.
    pub(crate) fn transport(&self) -> HttpOptions {
        HttpOptions {
            patience: self.timeout,
            connect: CONNECT,
            ca_file: self.ca_file.clone(),
            allow_http: self.allow_http,
        }
    }

    pub(crate) fn quota_policy(&self) -> QuotaPolicy {
        QuotaPolicy { reserve: self.daily_reserve, wait: self.wait }
    }
}

/// Begins the log on stderr, as far as `-v` asks for one.
pub(crate) fn init_logging(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => "ghl_bulk=debug",
        _ => "ghl_bulk=trace,hyper_util=debug,reqwest=debug",
    };
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_env_filter(tracing_subscriber::EnvFilter::new(level))
        .init();
}
