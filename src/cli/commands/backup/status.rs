//! `ghl-bulk backup status`: whether the backups are as new as they should be. Reads manifests only.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::open_repository::{RepositoryArg, RepositoryRef, select_locations};
use crate::cli::commands::sync::parse_long_duration;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::stdout::print_stdout;
use crate::cli::output::text_format::format_duration;
use crate::cli::settings::Settings;
use crate::id::LocationId;
use crate::repository::{Repository, SnapshotId};
use crate::text::{escape_for_terminal, escape_json_line, format_count};

/// Say whether the backups are as new as they should be
///
/// One line for each location. Ends with 0 or, if a bound is not kept, with 5. Reads manifests only: no token, no key and no
/// lock is needed, so it can run where the repository is stored.
#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    repository: RepositoryArg,

    /// How old the newest snapshot may be, such as `26h`
    #[arg(long, value_name = "DURATION", value_parser = parse_long_duration)]
    max_age: Option<Duration>,

    /// How old the oldest reading of a contact's notes may be, such as `8d`
    #[arg(long, value_name = "DURATION", value_parser = parse_long_duration)]
    max_note_age: Option<Duration>,

    /// How long ago the snapshots may have been checked (`backup verify`), such as `8d`
    #[arg(long, value_name = "DURATION", value_parser = parse_long_duration)]
    min_verified: Option<Duration>,

    /// One line in the form of Nagios plugins, and its exit codes: 0 OK, 2 CRITICAL, 3 UNKNOWN
    #[arg(long, conflicts_with = "json")]
    nagios: bool,
}

/// The state of a location's backups.
struct BackupStatus {
    location: LocationId,
    name: Option<String>,
    newest: Option<SnapshotId>,
    snapshots: usize,
    bytes: u64,
    age: Option<Duration>,
    note_age: Option<Duration>,
    /// The share of contacts whose notes were read within the bound, from 0 to 1.
    notes_within_bound: Option<f64>,
    verified: Option<Duration>,
    alerts: usize,
    is_complete: bool,
    /// What is wrong.
    problems: Vec<String>,
}

/// Shows the state.
pub(super) fn run(args: &StatusArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let opened = || {
        let place = RepositoryRef::resolve(args.repository.from.as_deref(), settings)?;
        let repository = place.open()?;
        let now = Timestamp::now();
        let locations = select_locations(&repository, settings)?.into_iter();
        let all = locations.map(|location| args.read_status(&repository, location, now));
        all.collect::<Result<Vec<_>, CliError>>()
    };
    let all = match opened() {
        Ok(all) => all,
        Err(error) if args.nagios => {
            print_stdout(format!("BACKUP UNKNOWN - {}\n", escape_for_terminal(&error.message)))?;
            // 3 is UNKNOWN there.
            return Ok(CliExitCode::Partial);
        }
        Err(error) => return Err(error),
    };
    let is_stale = all.is_empty() || all.iter().any(|status| !status.problems.is_empty());
    if args.nagios {
        print_stdout(nagios_line(&all))?;
        // 2 is CRITICAL there.
        return Ok(if is_stale { CliExitCode::Usage } else { CliExitCode::Done });
    }
    if settings.json {
        let all: Vec<Value> = all.iter().map(BackupStatus::to_json).collect();
        print_stdout(escape_json_line(Value::Array(all).to_string()) + "\n")?;
    } else if all.is_empty() {
        print_stdout("the repository has no snapshots\n")?;
    } else {
        let lines = all.iter().map(|status| status.line() + "\n");
        print_stdout(lines.collect::<String>())?;
    }
    Ok(if is_stale { CliExitCode::Stale } else { CliExitCode::Done })
}

impl StatusArgs {
    fn read_status(
        &self,
        repository: &Repository,
        location: LocationId,
        now: Timestamp,
    ) -> Result<BackupStatus, CliError> {
        let list = repository.list_snapshots(&location)?;
        let age = |since: Timestamp| {
            let age = now.duration_since(since);
            if age.is_negative() { Duration::ZERO } else { age.unsigned_abs() }
        };
        let manifest = list.newest().map(|newest| &newest.manifest);
        let oldest_note = manifest.and_then(|it| {
            it.coverage.as_ref()?.get("notes")?.get("oldest")?.as_str()?.parse().ok()
        });
        let within_bound = manifest
            .and_then(|it| it.coverage.as_ref()?.get("notes")?.get("within_bound")?.as_f64());
        let verified = repository.last_verification(&location)?;
        let verified = verified.filter(|record| record.damaged == 0);
        let mut status = BackupStatus {
            name: manifest.and_then(|manifest| manifest.location.name.clone()),
            newest: manifest.map(|manifest| manifest.snapshot.clone()),
            snapshots: list.snapshots.len(),
            bytes: list.objects.iter().map(|object| object.bytes).sum(),
            age: manifest.map(|manifest| age(manifest.as_of)),
            note_age: oldest_note.map(age),
            notes_within_bound: within_bound,
            verified: verified.map(|record| age(record.at)),
            alerts: list.snapshots.iter().filter(|it| !it.manifest.alerts.is_empty()).count(),
            is_complete: manifest.is_some_and(|manifest| manifest.is_complete),
            problems: Vec::new(),
            location,
        };
        status.add_problem("the newest snapshot", status.age, self.max_age);
        status.add_problem("the oldest reading of notes", status.note_age, self.max_note_age);
        status.add_problem("the last check", status.verified, self.min_verified);
        if let Some(damaged) = list.damaged.first() {
            status.problems.push(damaged.why.clone());
        }
        Ok(status)
    }
}

impl BackupStatus {
    fn add_problem(&mut self, what: &str, age: Option<Duration>, most: Option<Duration>) {
        let Some(most) = most else { return };
        match age {
            None => self.problems.push(format!("{what}: none")),
            Some(age) if age > most => {
                let (age, most) = (format_duration(age), format_duration(most));
                self.problems.push(format!("{what} is {age} old, more than {most}"));
            }
            Some(_) => {}
        }
    }

    fn line(&self) -> String {
        let name = self.name.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
        let age = self.age.map_or_else(
            || "no snapshot".to_owned(),
            |age| format!("newest snapshot {} old", format_duration(age)),
        );
        let mut text = format!(
            "{}{name}: {age}, {} in all",
            self.location,
            format_count(self.snapshots as u64)
        );
        if !self.problems.is_empty() {
            text = format!("STALE {text}; {}", self.problems.join("; "));
        }
        escape_for_terminal(&text).into_owned()
    }

    fn to_json(&self) -> Value {
        json!({
            "location": self.location,
            "name": self.name,
            "newest": self.newest,
            "snapshots": self.snapshots,
            "bytes": self.bytes,
            "age_s": self.age.map(|age| age.as_secs()),
            "note_age_s": self.note_age.map(|age| age.as_secs()),
            "notes_within_bound": self.notes_within_bound,
            "verified_age_s": self.verified.map(|age| age.as_secs()),
            "snapshots_with_alerts": self.alerts,
            "complete": self.is_complete,
            "ok": self.problems.is_empty(),
            "problems": self.problems,
        })
    }
}

/// One line, with the oldest age as performance data.
fn nagios_line(all: &[BackupStatus]) -> String {
    let stale: Vec<_> = all.iter().filter(|status| !status.problems.is_empty()).collect();
    let oldest = all.iter().filter_map(|status| status.age).max().unwrap_or_default().as_secs();
    let snapshots: usize = all.iter().map(|status| status.snapshots).sum();
    let data = format!("age={oldest}s snapshots={snapshots}");
    // A pipe begins the performance data.
    let plain = |text: &str| escape_for_terminal(text).replace('|', "/");
    if all.is_empty() {
        return format!("BACKUP CRITICAL - the repository has no snapshots | {data}\n");
    }
    match stale.first() {
        None => format!("BACKUP OK - {} locations | {data}\n", all.len()),
        Some(first) => {
            let problem = plain(&first.problems.join("; "));
            let location = plain(first.location.as_str());
            format!(
                "BACKUP CRITICAL - {} of {} locations: {location}: {problem} | {data}\n",
                stale.len(),
                all.len()
            )
        }
    }
}
