//! `ghl-bulk watch`.

mod sinks;
mod watch_loop;
mod watch_report;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::account::{LocationAccounts, MultiLocationArgs};
use crate::cli::args::time_arg;
use crate::cli::commands::export::export_templates::select_templates;
use crate::cli::commands::sync::{SyncOptionArgs, repeat};
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::export::TemplateSnapshot;
use crate::watch::{EventFilter, FeedOptions, SinkStart, UnknownEventName};

use watch_loop::WatchJob;

/// How often the account is read if nothing else is said.
const EVERY: Duration = Duration::from_mins(5);
/// The same for the embedded sandbox, which a newcomer looks at.
const EVERY_IN_SANDBOX: Duration = Duration::from_secs(2);
/// How often a minute the embedded sandbox changes something.
const SANDBOX_EDITS: NonZeroU32 = NonZeroU32::new(60).expect("it is not zero");

/// Send what changes in a location to other systems
///
/// Keeps the local copy up to date as `sync` does, and turns every change into an event: to standard output, a file, a
/// command or a URL. Each event arrives at least once, with the same id if it comes again; events about one record stay
/// in order. A sink that fails keeps its events and holds up no other one. The first run sends nothing, because nothing
/// has changed yet. Edits of old notes and tasks are seen when everything is read (`--walk-every`).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ghl-bulk watch --sandbox                                 see it on made-up data, no account needed
  ghl-bulk watch --post https://example.com/hook           as signed webhooks, every five minutes
  ghl-bulk watch --once --jsonl events.jsonl               from cron: what is new since the last time
  ghl-bulk watch --events 'contact.*' --exec notify-crm    a command for each event, on its input

Webhooks are signed (https://www.standardwebhooks.com) if `GHL_BULK_WEBHOOK_SECRET` has a secret,
or the file in `GHL_BULK_WEBHOOK_SECRET_FILE` does. Under systemd use `Type=notify`.")]
pub(crate) struct WatchArgs {
    /// How often the account is read, at least `30s` apart [default: 5m]
    #[arg(long, value_name = "DURATION", value_parser = time_arg::parse_duration)]
    every: Option<Duration>,

    /// Read and deliver once, then exit
    #[arg(long, conflicts_with = "every")]
    once: bool,

    /// Add events to a file as JSON Lines; `-` is standard output [default: `-`]
    #[arg(long, value_name = "FILE")]
    jsonl: Vec<PathBuf>,

    /// Post events to a URL; repeat for more
    #[arg(long, value_name = "URL")]
    post: Vec<String>,

    /// Run a command for each event, without a shell; its arguments end at `;` or with the line
    #[arg(long, value_name = "COMMAND", num_args = 1.., value_terminator = ";", allow_hyphen_values = true)]
    exec: Vec<String>,

    /// How long the command may take for an event
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = time_arg::parse_duration, hide_short_help = true)]
    exec_timeout: Duration,

    /// Which events, such as `contact.created,task.*` [default: all]
    #[arg(long, value_name = "NAMES", value_parser = parse_events)]
    events: Option<EventFilter>,

    /// Remind of open tasks this long before they are due, as `task.due`
    #[arg(long, value_name = "DURATION", value_parser = time_arg::parse_duration)]
    due: Option<Duration>,

    /// Write events in the words of a system, such as `dub-partners`; `ghl-bulk schema templates` lists them
    #[arg(long, value_name = "SYSTEM")]
    layout: Option<String>,

    /// Also send what this program's own imports have changed
    #[arg(long)]
    include_own: bool,

    /// Send a sink that is new everything that the local copy knows, from the beginning
    #[arg(long)]
    replay: bool,

    #[command(flatten)]
    how: SyncOptionArgs,
}

fn parse_events(text: &str) -> Result<EventFilter, UnknownEventName> {
    text.parse()
}

impl WatchArgs {
    /// The time between two syncs; `None` for a single one.
    fn interval(&self, url: &str, sandbox: bool) -> Result<Option<Duration>, CliError> {
        if self.once {
            return Ok(None);
        }
        let usual = if sandbox { EVERY_IN_SANDBOX } else { EVERY };
        repeat::check_interval(self.every.unwrap_or(usual), url, sandbox).map(Some)
    }

    fn feed_options(&self, screen: &CliReporter) -> Result<FeedOptions, CliError> {
        let layout = match &self.layout {
            Some(system) => {
                let selected = select_templates(std::slice::from_ref(system), None)?;
                selected
                    .chosen
                    .iter()
                    .map(TemplateSnapshot::parse_template)
                    .collect::<Result<_, _>>()?
            }
            None => Vec::new(),
        };
        let home = dirs::runs_home()?;
        let options = FeedOptions {
            events: self.events.clone().unwrap_or_default(),
            layout,
            leave_out_own: (!self.include_own).then_some(home),
        };
        let missing = options.tables_without_layout();
        if let (Some(system), false) = (&self.layout, missing.is_empty()) {
            let missing = missing.join(" and ");
            screen.print_note(&format!(
                "`{system}` has no layout for {missing}: no events about them are sent"
            ));
        }
        Ok(options)
    }

    fn sink_start(&self) -> SinkStart {
        if self.replay { SinkStart::Beginning } else { SinkStart::Now }
    }
}

/// Runs the command.
pub(crate) fn run(args: &WatchArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let sinks = sinks::open_sinks(args, settings)?;
    let accounts = if settings.sandbox {
        LocationAccounts::start_live_sandbox(settings, SANDBOX_EDITS)?
    } else {
        LocationAccounts::resolve_selected(settings, &MultiLocationArgs::default())?
    };
    let every = args.interval(&accounts.url, settings.sandbox)?;
    let home = dirs::runs_home()?;
    let location = &accounts.only("watch")?.location;
    let _lock = home.lock_watch(location, settings.sandbox)?;
    let screen = CliReporter::new(repeat::calm_style(settings.output_style));
    let feed = args.feed_options(&screen)?;
    let (accounts, screen) = (&accounts, &screen);
    signals::block_on(settings.deadline, screen, |stop| async move {
        let job = WatchJob { args, feed, settings, accounts, screen, stop, every };
        Box::pin(job.run(sinks)).await
    })
}
