//! `ghl-bulk sandbox`.

use std::io::Write as _;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::cli::args::time_arg;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::id::LocationId;
use crate::sandbox::{self, FaultRule, LocationRateLimit, NotesSearchBehavior, SandboxSettings};

/// Run an API simulator on localhost until stopped
///
/// It behaves like the real API, including its limits and pitfalls, with made-up data that is awkward on
/// purpose. The same seed gives the same data. It prints the environment variables that make `ghl-bulk`
/// use it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk sandbox                                        1,000 contacts, the real limits
  ghl-bulk sandbox --contacts 100000 --limit none         a large account without rate limit
  ghl-bulk sandbox --live 30                              an account that changes, for `watch`
  ghl-bulk sandbox --location-count 300 --contacts 50     many locations, for `export --locations`
  ghl-bulk sandbox --fault 'GET /contacts/*/notes status=502 every=10'

Faults: METHOD PATH [ACTION] [ALTERATION]... [OPTION]...
`*` matches one segment of the path, `**` the rest. All alterations apply, and the first action.
  actions      status=CODE, applied=CODE, token-expired, forbidden, no-scope, no-route,
               firewall[=text], portal, drop=before|after, truncate, not-json, blank, latency=MS,
               stall, hold, hide[=ID], huge=BYTES, deep=N, delete-after-page, limit=N/TIME
  alterations  ignore=FIELD, page-size=N, refuse=FIELD[>N][:400], refuse=range-ms[:400],
               shorten=FIELD:N, total=N|none, total-cap=N, rows=N, paged=N, shape=bare|wrapped|null,
               repeat[=later], lose, reverse, shuffle, set=FIELD:JSON, unset=FIELD,
               rename=FIELD:NAME, custom-fields=map|v1, bytes=latin1|cut|cesu8[:FIELD], bom, pretty
  options      times=N, after=N, every=N, row=ID, html, header=NAME:VALUE, no-headers,
               retry-after=SECONDS|date+SECONDS, hide-total, body=TEXT (last)

Keys of --notes-search: limit, over-limit, default-limit, window, over-window, relations,
wrong-relations, most-relations, join, contact-id, total, total-when, total-cap, total-add,
shape, status, versions, order, borders, missing-before, longest-body, lag.")]
pub(crate) struct SandboxArgs {
    /// The port; 0 picks a free one
    #[arg(long, value_name = "N", default_value = "8642")]
    port: u16,

    /// The number of contacts in the first location, or in each of `--location-count`
    #[arg(long, value_name = "N", default_value = "1000")]
    contacts: usize,

    /// Also serve what real accounts have: values that do not fit the type of their custom field, notes of
    /// several contacts, tasks without a contact
    #[arg(long)]
    awkward: bool,

    /// The seed of the data
    #[arg(long, value_name = "N", default_value = "1")]
    seed: u64,

    /// The rate limit, such as `100/10s`, or `none`
    #[arg(long, value_name = "N/TIME", default_value = "100/10s")]
    limit: LocationRateLimit,

    /// Requests of the daily quota that are already used
    #[arg(long, value_name = "N", default_value = "0")]
    daily_used: u64,

    /// Seconds that the search lags behind a write
    #[arg(long, value_name = "SECONDS", value_parser = time_arg::parse_seconds)]
    lag: Option<Duration>,

    /// Seconds until an OAuth access token expires
    #[arg(long, value_name = "SECONDS", value_parser = time_arg::parse_seconds)]
    token_life: Option<Duration>,

    /// A fault to inject; repeat for more
    #[arg(long, value_name = "FAULT")]
    fault: Vec<FaultRule>,

    /// How the search of notes behaves where the real API is unknown, such as `limit=100,relations=ids`
    ///
    /// Pairs of KEY=VALUE, separated by commas.
    #[arg(long, value_name = "KEY=VALUE,...", default_value = "", hide_default_value = true)]
    notes_search: NotesSearchBehavior,

    /// Random changes a minute to contacts, notes and tasks, as the account's users would make them
    #[arg(long, value_name = "N")]
    live: Option<NonZeroU32>,

    /// A location to serve; repeat for more [default: `sandboxLocation00001`]
    #[arg(long = "serve", value_name = "LOCATION")]
    serve: Vec<LocationId>,

    /// The number of locations to serve, each with contacts of its own: `sandboxLocation00001`,
    /// `sandboxLocation00002` and so on
    #[arg(long, value_name = "N", conflicts_with = "serve", value_parser = clap::value_parser!(u16).range(1..))]
    location_count: Option<u16>,
}

impl SandboxArgs {
    fn sandbox_settings(&self) -> SandboxSettings {
        let mut settings = SandboxSettings {
            contacts: self.contacts,
            awkward: self.awkward,
            odd_records: self.awkward,
            seed: self.seed,
            limit: self.limit,
            daily_used: self.daily_used,
            lag: self.lag.unwrap_or_default(),
            faults: self.fault.clone(),
            notes_search: self.notes_search.clone(),
            live: self.live,
            ..SandboxSettings::default()
        };
        if let Some(life) = self.token_life {
            settings.token_life = life;
        }
        if !self.serve.is_empty() {
            settings.locations = self.serve.iter().map(ToString::to_string).collect();
        }
        if let Some(count) = self.location_count {
            settings.locations = (1..=count).map(sandbox::numbered_location).collect();
            settings.contacts_elsewhere = self.contacts;
        }
        settings
    }
}

/// Runs the command.
pub(crate) fn run(args: &SandboxArgs) -> Result<CliExitCode, CliError> {
    let settings = args.sandbox_settings();
    let location = settings.locations.first().cloned().unwrap_or_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let fail = |error: std::io::Error| CliError::usage(format!("port {}: {error}", args.port));
    runtime.map_err(fail)?.block_on(async {
        let listener =
            tokio::net::TcpListener::bind(("127.0.0.1", args.port)).await.map_err(fail)?;
        let address = listener.local_addr().map_err(fail)?;
        // Listens from now on: the reader of the address may send a signal at once.
        let mut stop = Box::pin(crate::cli::signals::wait_for_signal());
        let _ = futures::poll!(&mut stop);
        let mut out = std::io::stdout().lock();
        // A closed pipe: the caller knows the port.
        let _ = writeln!(
            out,
            "export GHL_API_URL=http://{address} GHL_TOKEN={} GHL_LOCATION_ID={location}",
            sandbox::TOKEN
        );
        let _ = writeln!(
            out,
            "# the app for `login --oauth`: client id {}, secret {}",
            sandbox::CLIENT_ID,
            sandbox::CLIENT_SECRET
        );
        let _ = out.flush();
        drop(out);
        sandbox::serve(listener, settings, stop).await.map_err(fail)
    })?;
    Ok(CliExitCode::Done)
}
