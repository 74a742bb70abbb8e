//! The options that every command has, as they were typed.

use std::fs::{File, OpenOptions};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use clap::Args;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::time_arg;
use crate::api::QuotaReserve;
use crate::cli::output::error::CliError;
use crate::cli::output::progress::ProgressArg;
use crate::id::LocationId;
use crate::text::format_count;

/// The most concurrent requests: far more than the API's rate limit has a use for.
const MAX_CONCURRENCY: usize = 1_000;

/// Options of every command, without any side effect; `Settings` is what they resolve to.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalArgs {
    /// The location (sub-account), or several separated by commas, each with its own output directory
    /// [env: `GHL_LOCATION_ID`]
    // Not clap's `env`: the variable would conflict with `--locations`.
    #[arg(long, global = true, value_name = "LOCATION", value_delimiter = ',')]
    pub(crate) location: Vec<LocationId>,

    /// The profile in `config.toml` to use: its location, token and flag defaults
    #[arg(long, global = true, value_name = "NAME", env = "GHL_BULK_PROFILE")]
    pub(crate) profile: Option<String>,

    /// The API's address
    #[arg(long, global = true, value_name = "URL", env = "GHL_API_URL", hide_short_help = true)]
    pub(crate) api_url: Option<String>,

    /// Run against an embedded API simulator with made-up data
    #[arg(long, global = true)]
    pub(crate) sandbox: bool,

    /// Maximum number of concurrent requests to a location, fewer for each of many; the API's rate limit sets the pace
    #[arg(long, global = true, value_name = "N", default_value = "32", value_parser = parse_concurrency, hide_short_help = true)]
    pub(crate) concurrency: NonZeroUsize,

    /// Requests of the daily quota to leave for other programs: a number, or a share such as `10%`
    #[arg(long, global = true, value_name = "N|N%", default_value = "0", hide_short_help = true)]
    pub(crate) daily_reserve: QuotaReserve,

    /// When the daily request quota is used up or the API asks for a long wait, sleep instead of stopping
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) wait: bool,

    /// Stop at a time (`2026-11-21T06:00:00Z`, `06:00`) or after a duration (`2h30m`)
    #[arg(long, global = true, value_name = "TIME|DURATION", value_parser = time_arg::parse_deadline, hide_short_help = true)]
    pub(crate) deadline: Option<jiff::Timestamp>,

    /// Seconds without data before a request is retried
    #[arg(long, global = true, value_name = "SECONDS", default_value = "30", value_parser = time_arg::parse_seconds, hide_short_help = true)]
    pub(crate) timeout: Duration,

    /// How long a run keeps trying to reach the API: `10m`, or `0s` to fail at once
    #[arg(long, global = true, value_name = "DURATION", env = "GHL_BULK_RETRY_FOR", default_value = "3m", value_parser = time_arg::parse_duration, hide_short_help = true)]
    pub(crate) retry_for: Duration,

    /// Also trust the certificates in this file (PEM), such as a company proxy's
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) ca_file: Option<PathBuf>,

    /// Allow unencrypted http to other hosts (exposes the token)
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) allow_http: bool,

    /// Print events as JSON Lines on stdout; `ghl-bulk schema events` describes them
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// How to show progress on stderr
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "HOW",
        default_value = "auto",
        hide_short_help = true
    )]
    pub(crate) progress: ProgressArg,

    /// Show only errors and new warnings
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,

    /// Log each request to stderr in one line, without secrets; repeat for the lines of the HTTP library
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Append the log of requests to a file, whether or not it is shown with `-v`
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub(crate) log: Option<PathBuf>,
}

/// Parses a number of concurrent requests.
fn parse_concurrency(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse::<NonZeroUsize>().ok().filter(|number| number.get() <= MAX_CONCURRENCY);
    number.ok_or_else(|| {
        format!("expected a number from 1 to {}", format_count(MAX_CONCURRENCY as u64))
    })
}

/// Starts the logs that were asked for: on stderr with `-v`, and in a file, which is private and is appended to.
pub(crate) fn init_logging(verbose: u8, file: Option<&Path>) -> Result<(), CliError> {
    let file = file.map(open_log_file).transpose()?;
    if verbose == 0 && file.is_none() {
        return Ok(());
    }
    let program = |level| Targets::new().with_target("ghl_bulk", level);
    let levels = match verbose {
        0 | 1 => program(LevelFilter::DEBUG),
        _ => program(LevelFilter::TRACE)
            .with_target("hyper_util", LevelFilter::DEBUG)
            .with_target("reqwest", LevelFilter::DEBUG),
    };
    let mut layers = Vec::new();
    if verbose > 0 {
        let shown = tracing_subscriber::fmt::layer().with_target(verbose > 1).with_ansi(false);
        layers.push(shown.with_writer(std::io::stderr).with_filter(levels.clone()).boxed());
    }
    if let Some(file) = file {
        let kept = tracing_subscriber::fmt::layer().with_target(verbose > 1).with_ansi(false);
        // A full disk must not fill the terminal with complaints about the log.
        let kept = kept.log_internal_errors(false).with_writer(Mutex::new(file));
        layers.push(kept.with_filter(levels).boxed());
    }
    tracing_subscriber::registry().with(layers).init();
    Ok(())
}

fn open_log_file(path: &Path) -> Result<File, CliError> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| {
        CliError::usage(format!("the log file `{}` cannot be opened: {error}", path.display()))
            .with_hint("choose another one with `--log FILE`")
    })
}
