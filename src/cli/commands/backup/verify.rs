//! `ghl-bulk backup verify`: proves that snapshots can be read.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::drill::{self, DrillReport, drill_lines};
use super::live_check::{LiveCheck, live_lines};
use super::open_repository::{IdentityArg, RepositoryArg, RepositoryRef, select_locations};
use crate::backup::{self, ReadPart, VerifyReport, VerifyRequest};
use crate::cli::args::time_arg::parse_duration;
use crate::cli::commands::several_locations::emit_summary;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::text_format::format_bytes;
use crate::cli::settings::Settings;
use crate::id::LocationId;
use crate::inspect::LiveReport;
use crate::repository::SnapshotChoice;
use crate::text::{escape_for_terminal, format_count, format_plural};

/// Prove that the snapshots can be read
///
/// Checks every manifest, chain and file size, and the hashes of the newest snapshot and of a seventh of the rest, another
/// one each day. None of this needs the key. Ends with 12 if anything is damaged, and says which snapshots can be used.
#[derive(Debug, clap::Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    repository: RepositoryArg,

    /// Read this part of all files and compare their hashes: `1/7`, `10%` or `all`
    #[arg(long, value_name = "PART", value_parser = parse_part)]
    read: Option<ReadPart>,

    /// Read no further file after this time; the next check goes on there
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    max_duration: Option<Duration>,

    /// Also merge a snapshot's chain and compare its state, which takes the key of an encrypted repository [default without
    /// ID: latest]
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "latest", value_parser = str::parse::<SnapshotChoice>)]
    replay: Option<SnapshotChoice>,

    /// Also restore a snapshot into the embedded sandbox by the real engine, and compare field by field; the account is not
    /// asked [default without ID: latest]
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "latest", value_parser = str::parse::<SnapshotChoice>)]
    drill: Option<SnapshotChoice>,

    /// Also compare N contacts, with their notes and tasks, with the account: each is equal, changed since, gone, or differs
    /// without a reason, which ends with 12. Takes a token, two requests a contact, and the key of an encrypted repository
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    live: Option<u32>,

    /// Choose the same contacts as the `--live` that named this number
    #[arg(long, value_name = "NUMBER", requires = "live", hide_short_help = true)]
    seed: Option<u64>,

    #[command(flatten)]
    identity: IdentityArg,
}

fn parse_part(text: &str) -> Result<ReadPart, String> {
    let wrong = || "expected `1/7`, `10%` or `all`".to_owned();
    if text == "all" {
        return Ok(ReadPart::All);
    }
    if let Some(percent) = text.strip_suffix('%') {
        let percent: u64 = percent.parse().map_err(|_| wrong())?;
        return match percent {
            1..=99 => Ok(ReadPart::OneIn((100 / percent).max(1))),
            100 => Ok(ReadPart::All),
            _ => Err(wrong()),
        };
    }
    let parts =
        text.strip_prefix("1/").and_then(|parts| parts.parse().ok()).filter(|parts| *parts > 0);
    parts.map(ReadPart::OneIn).ok_or_else(wrong)
}

/// Checks the snapshots.
pub(super) fn run(args: &VerifyArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let place = RepositoryRef::resolve(args.repository.from.as_deref(), settings)?;
    let repository = place.open()?;
    let identities = place.identities(&args.identity)?;
    let screen = CliReporter::new(settings.output_style);
    let mut live = LiveCheck::prepare(args.live, args.seed, args.replay.as_ref(), settings)?;
    let (mut reports, mut drills) = (Vec::new(), BTreeMap::new());
    for location in select_locations(&repository, settings)? {
        let list = repository.list_snapshots(&location)?;
        let replay = args.replay.as_ref().map(|choice| list.choose(choice));
        let replay = replay.transpose()?.map(|snapshot| snapshot.id().clone());
        let request = VerifyRequest {
            read: args.read.unwrap_or(ReadPart::Usual),
            max_duration: args.max_duration,
            replay: replay.into_iter().collect(),
            identities: identities.clone(),
        };
        let now = Timestamp::now();
        let report = backup::verify_location(&repository, &location, &request, now)?;
        if let Err(error) = repository.record_verification(&location, &report.to_record(now)) {
            // A user who may only read the repository can check it all the same.
            screen.print_note(&format!("the repository cannot remember this check: {error}"));
        }
        let is_whole = report.damaged.is_empty();
        // Of a damaged chain a drill would only say the same once more.
        if let Some(choice) = args.drill.as_ref().filter(|_| is_whole) {
            let chain = repository.open_chain(&list, list.choose(choice)?, identities.clone())?;
            let drill = drill::run_drill(&chain, settings, &screen)?;
            if let Err(error) = repository.record_drill(&location, &drill.record) {
                screen.print_note(&format!("the repository cannot remember this drill: {error}"));
            }
            drills.insert(location.clone(), drill);
        }
        reports.push((location.clone(), report));
        if let Some(live) = live.as_mut().filter(|_| is_whole) {
            live.compare(&repository, &location, identities.clone(), settings, &screen)?;
        }
    }
    let live = live.map(|live| live.reports).unwrap_or_default();
    finish(&VerifyOutcome { reports, live, drills }, settings, &screen)
}

/// What the checks came to, by location.
struct VerifyOutcome {
    reports: Vec<(LocationId, VerifyReport)>,
    live: BTreeMap<LocationId, LiveReport>,
    drills: BTreeMap<LocationId, DrillReport>,
}

impl VerifyOutcome {
    fn is_damaged(&self) -> bool {
        self.reports.iter().any(|(_, report)| !report.damaged.is_empty())
    }

    fn differs(&self) -> bool {
        self.live.values().any(|report| !report.differing.is_empty())
    }

    fn drill_failed(&self) -> bool {
        self.drills.values().any(|drill| drill.record.differences > 0)
    }

    fn to_json(&self) -> Value {
        let fields = |(location, report): &(LocationId, VerifyReport)| {
            let mut fields = json!(report);
            if let Some(live) = self.live.get(location) {
                fields["live"] = json!(live);
            }
            if let Some(drill) = self.drills.get(location) {
                fields["drill"] = json!(drill);
            }
            (location.to_string(), fields)
        };
        Value::Object(self.reports.iter().map(fields).collect())
    }
}

fn finish(
    outcome: &VerifyOutcome,
    settings: &Settings,
    screen: &CliReporter,
) -> Result<CliExitCode, CliError> {
    let (is_damaged, differs) = (outcome.is_damaged(), outcome.differs());
    let has_failed = is_damaged || differs || outcome.drill_failed();
    let code = if has_failed { CliExitCode::Damaged } else { CliExitCode::Done };
    if settings.json {
        let word = if has_failed { "failed" } else { "complete" };
        let summary =
            json!({"outcome": word, "kind": "backup_verify", "locations": outcome.to_json()});
        emit_summary(screen, code, summary);
        return Ok(code);
    }
    for (location, report) in &outcome.reports {
        let live = outcome.live.get(location).map(live_lines).unwrap_or_default();
        let drill = outcome.drills.get(location).map(drill_lines).unwrap_or_default();
        for line in report_lines(location, report).into_iter().chain(live).chain(drill) {
            screen.print_note(&line);
        }
    }
    if outcome.reports.is_empty() {
        screen.print_note("the repository has no snapshots");
    }
    if outcome.drill_failed() && !is_damaged {
        let message = "the drill found differences that no restore names (see above)";
        return Err(CliError::new(CliExitCode::Damaged, message).with_hint(
            "the snapshot itself is whole; this is a fault of ghl-bulk: please report it",
        ));
    }
    if is_damaged {
        return Err(CliError::new(CliExitCode::Damaged, "the repository is damaged (see above)").with_hint(
            "restore the damaged files from a copy of the repository; nothing is deleted, and the next backup is a full one",
        ));
    }
    if differs {
        let message = "the snapshot differs from the account, and nothing says that the account has changed (see above)";
        return Err(CliError::new(CliExitCode::Damaged, message).with_hint(
            "compare one with `ghl-bulk show ID`; the next backup reads everything again",
        ));
    }
    Ok(code)
}

fn report_lines(location: &LocationId, report: &VerifyReport) -> Vec<String> {
    let location = escape_for_terminal(location.as_str()).into_owned();
    let files =
        format!("{} read ({})", format_plural(report.files, "file"), format_bytes(report.bytes));
    let snapshots = format_plural(report.snapshots, "snapshot");
    let mut lines = vec![format!("{location}: {snapshots}, {files}")];
    for id in &report.replayed {
        let records = format_count(report.records);
        lines.push(format!("  snapshot {id} was merged: {records} records"));
    }
    if report.orphans > 0 {
        let orphans = format_plural(report.orphans, "note or task");
        lines.push(format!("  {orphans} whose contact is not in the snapshot"));
    }
    for damage in &report.damaged {
        lines.push(format!("  damaged: {}", damage.why));
        let unusable: Vec<_> = damage.snapshots.iter().map(ToString::to_string).collect();
        if !unusable.is_empty() {
            lines.push(format!("    cannot be read: {}", unusable.join(", ")));
        }
    }
    if !report.damaged.is_empty() {
        let usable: Vec<_> = report.usable.iter().map(ToString::to_string).collect();
        let usable = if usable.is_empty() { "none".to_owned() } else { usable.join(", ") };
        lines.push(format!("  can be read: {usable}"));
    }
    if report.next.is_some() {
        lines.push("  the time is up; the next check goes on here".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_in_every_form_the_help_names() {
        assert_eq!(parse_part("1/7"), Ok(ReadPart::OneIn(7)));
        assert_eq!(parse_part("10%"), Ok(ReadPart::OneIn(10)));
        assert_eq!(parse_part("all"), Ok(ReadPart::All));
        assert_eq!(parse_part("100%"), Ok(ReadPart::All));
        for text in ["", "0%", "101%", "1/0", "2/7", "some"] {
            assert!(parse_part(text).is_err(), "{text}");
        }
    }
}
