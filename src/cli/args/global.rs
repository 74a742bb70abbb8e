//! The options that every command has, as they were typed.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::time_arg;
use crate::api::QuotaReserve;
use crate::cli::output::progress::ProgressArg;
use crate::id::LocationId;

/// Options of every command, without any side effect; `Settings` is what they resolve to.
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
    #[arg(long, global = true, value_name = "NAME", env = "GHL_BULK_PROFILE")]
    pub(crate) profile: Option<String>,

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
