//! `ghl-bulk backup forget`, `remember`, `hold` and `release`: which snapshots stay.

use std::time::Duration;

use serde_json::{Value, json};

use super::open_repository::{
    RepositoryArg, RepositoryRef, select_locations, select_only_location,
};
use crate::backup::{self, ForgetPlan, LocationLock};
use crate::choice::Choice as _;
use crate::cli::commands::several_locations::emit_summary;
use crate::cli::commands::sync::parse_long_duration;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::question::{QuestionAnswer, ask_question, can_ask};
use crate::cli::output::stdout::print_stdout;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::plan::snapshot_retention::SnapshotRules;
use crate::repository::{Hold, Repository, SnapshotChoice, SnapshotId};
use crate::text::{escape_for_terminal, format_plural};

/// Forget old snapshots by rules; `prune` deletes their files later
///
/// Each rule keeps the newest snapshot of each of the newest N days (weeks, …) that have one, by UTC, for each location by
/// itself. The newest snapshot and held ones always stay. `backup remember` takes it back as long as nothing was pruned.
#[derive(Debug, clap::Args)]
pub(super) struct ForgetArgs {
    #[command(flatten)]
    repository: RepositoryArg,

    /// These snapshots, instead of rules: ids, or `latest~N`
    #[arg(value_name = "ID", value_parser = str::parse::<SnapshotChoice>, conflicts_with_all = ["keep_last", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly", "keep_within", "keep_none"])]
    snapshots: Vec<SnapshotChoice>,

    /// Keep the newest N snapshots
    #[arg(long, value_name = "N")]
    keep_last: Option<u32>,

    /// Keep the newest snapshot of each of N days
    #[arg(long, value_name = "N")]
    keep_daily: Option<u32>,

    /// Keep the newest snapshot of each of N weeks, which begin on Monday
    #[arg(long, value_name = "N")]
    keep_weekly: Option<u32>,

    /// Keep the newest snapshot of each of N months
    #[arg(long, value_name = "N")]
    keep_monthly: Option<u32>,

    /// Keep the newest snapshot of each of N years
    #[arg(long, value_name = "N")]
    keep_yearly: Option<u32>,

    /// Keep everything that is at most so much older than the newest, such as `30d`
    #[arg(long, value_name = "DURATION", value_parser = parse_long_duration)]
    keep_within: Option<Duration>,

    /// Keep no snapshot at all
    #[arg(long)]
    keep_none: bool,

    /// Only show what would be forgotten
    #[arg(long)]
    dry_run: bool,

    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

impl ForgetArgs {
    fn rules(&self) -> SnapshotRules {
        SnapshotRules {
            last: self.keep_last.unwrap_or(0),
            daily: self.keep_daily.unwrap_or(0),
            weekly: self.keep_weekly.unwrap_or(0),
            monthly: self.keep_monthly.unwrap_or(0),
            yearly: self.keep_yearly.unwrap_or(0),
            within: self.keep_within,
        }
    }

    fn build_plans(
        &self,
        repository: &Repository,
        settings: &Settings,
    ) -> Result<Vec<ForgetPlan>, CliError> {
        if !self.snapshots.is_empty() {
            let (location, list) = select_only_location(repository, settings, "backup forget ID")?;
            let named = self.snapshots.iter().map(|choice| Ok(list.choose(choice)?.id().clone()));
            let named = named.collect::<Result<Vec<_>, CliError>>()?;
            if let Some(held) = named.iter().find(|id| list.holds.contains_key(id)) {
                return Err(CliError::usage(format!("snapshot `{held}` is held"))
                    .with_hint(format!("`ghl-bulk backup release {held}` lets it go")));
            }
            return Ok(vec![ForgetPlan::by_name(&location, &list, &named)]);
        }
        let rules = self.rules();
        if rules.is_empty() && !self.keep_none {
            return Err(CliError::usage("no rule says what to keep")
                .with_hint("for example `--keep-daily 14 --keep-weekly 8 --keep-monthly 24`"));
        }
        let mut plans = Vec::new();
        for location in select_locations(repository, settings)? {
            let list = repository.list_snapshots(&location)?;
            plans.push(if self.keep_none {
                let all: Vec<_> = list.snapshots.iter().map(|it| it.id().clone()).collect();
                ForgetPlan::by_name(&location, &list, &all)
            } else {
                ForgetPlan::by_rules(&location, &list, &rules)
            });
        }
        Ok(plans)
    }
}

/// Forgets snapshots.
pub(super) fn run(args: &ForgetArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let repository = RepositoryRef::resolve(args.repository.from.as_deref(), settings)?.open()?;
    let plans = args.build_plans(&repository, settings)?;
    if let Some(plan) = plans.iter().find(|plan| plan.leaves_nothing() && !args.keep_none) {
        return Err(CliError::new(
            CliExitCode::Refused,
            format!("location `{}` would have no snapshot left", plan.location),
        )
        .with_hint("make a new snapshot first, or say so with `--keep-none`"));
    }
    let screen = CliReporter::new(settings.output_style);
    let count: usize = plans.iter().map(|plan| plan.forgotten().count()).sum();
    if !settings.json {
        print_stdout(plan_text(&plans))?;
    }
    if !args.dry_run && count > 0 && !args.yes {
        confirm(count, settings, &screen)?;
    }
    if !args.dry_run {
        for plan in &plans {
            backup::forget_snapshots(&repository, plan)?;
        }
    }
    if settings.json {
        let summary = json!({"outcome": "complete", "kind": "backup_forget", "dry_run": args.dry_run,
            "forgotten": count, "snapshots": plans.iter().flat_map(plan_json).collect::<Vec<_>>()});
        emit_summary(&screen, CliExitCode::Done, summary);
        return Ok(CliExitCode::Done);
    }
    let would = if args.dry_run {
        "would be forgotten"
    } else {
        "forgotten; `ghl-bulk backup prune` deletes their files later"
    };
    let snapshots = format_plural(count as u64, "snapshot");
    screen.print_note(&if count == 0 {
        "nothing to forget".to_owned()
    } else {
        format!("{snapshots} {would}")
    });
    Ok(CliExitCode::Done)
}

fn plan_text(plans: &[ForgetPlan]) -> String {
    let mut lines = Vec::new();
    for plan in plans {
        lines.push(escape_for_terminal(plan.location.as_str()).into_owned());
        for (snapshot, reasons) in &plan.snapshots {
            let reasons: Vec<_> = reasons.iter().map(|reason| reason.word()).collect();
            let what = match reasons.as_slice() {
                [] => "forget".to_owned(),
                reasons => format!("keep    {}", reasons.join(", ")),
            };
            lines.push(format!("  {}  {what}", snapshot.id()));
        }
    }
    lines.into_iter().flat_map(|line| [line, "\n".to_owned()]).collect()
}

fn plan_json(plan: &ForgetPlan) -> impl Iterator<Item = Value> {
    plan.snapshots.iter().map(|(snapshot, reasons)| {
        let reasons: Vec<_> = reasons.iter().map(|reason| reason.word()).collect();
        json!({"location": plan.location, "snapshot": snapshot.id(), "kept": !reasons.is_empty(), "reasons": reasons})
    })
}

fn confirm(count: usize, settings: &Settings, screen: &CliReporter) -> Result<(), CliError> {
    if !can_ask() {
        return Err(CliError::usage("there is no terminal to ask on")
            .with_hint("`--yes` forgets them without asking, `--dry-run` only shows them"));
    }
    let question = format!("forget {}? [y/N] ", format_plural(count as u64, "snapshot"));
    let agreed = signals::block_on(settings.deadline, screen, |stop| async move {
        let answer = ask_question(&question, &stop, screen).await;
        Ok(
            matches!(answer, QuestionAnswer::Line(line) if matches!(line.as_str(), "y" | "Y" | "yes")),
        )
    })?;
    if agreed { Ok(()) } else { Err(CliError::usage("nothing was forgotten")) }
}

/// The snapshot that is meant.
#[derive(Debug, clap::Args)]
pub(super) struct OneSnapshotArgs {
    #[command(flatten)]
    repository: RepositoryArg,

    /// The snapshot: its id, its beginning or its last four characters, or `latest~N`
    #[arg(value_name = "ID", value_parser = str::parse::<SnapshotChoice>)]
    snapshot: SnapshotChoice,
}

/// Takes back that a snapshot was forgotten.
pub(super) fn remember(
    args: &OneSnapshotArgs,
    settings: &Settings,
) -> Result<CliExitCode, CliError> {
    let repository = RepositoryRef::resolve(args.repository.from.as_deref(), settings)?.open()?;
    let (location, list) = select_only_location(&repository, settings, "backup remember")?;
    let id = list.choose_forgotten(&args.snapshot)?.id().clone();
    backup::remember_snapshot(&repository, &location, &id, jiff::Timestamp::now())?;
    Ok(report(&format!("snapshot {id} is back"), "backup_remember", &id, settings))
}

/// Keeps a snapshot until it is released.
pub(super) fn hold(args: &OneSnapshotArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let repository = RepositoryRef::resolve(args.repository.from.as_deref(), settings)?.open()?;
    let (location, list) = select_only_location(&repository, settings, "backup hold")?;
    let id = list.choose(&args.snapshot)?.id().clone();
    let hold = Hold {
        snapshot: id.clone(),
        placed: jiff::Timestamp::now(),
        reason: "by hand".to_owned(),
        because_of: None,
    };
    let lock = LocationLock::acquire(&repository, &location)?;
    repository.place_hold(&location, &hold)?;
    drop(lock);
    Ok(report(&format!("snapshot {id} is held"), "backup_hold", &id, settings))
}

/// Lets a snapshot go that was held.
pub(super) fn release(
    args: &OneSnapshotArgs,
    settings: &Settings,
) -> Result<CliExitCode, CliError> {
    let repository = RepositoryRef::resolve(args.repository.from.as_deref(), settings)?.open()?;
    let (location, list) = select_only_location(&repository, settings, "backup release")?;
    let id = list.choose(&args.snapshot)?.id().clone();
    if !repository.release_hold(&location, &id)? {
        return Err(CliError::usage(format!("snapshot `{id}` is not held")));
    }
    Ok(report(&format!("snapshot {id} is no longer held"), "backup_release", &id, settings))
}

fn report(line: &str, kind: &str, id: &SnapshotId, settings: &Settings) -> CliExitCode {
    let screen = CliReporter::new(settings.output_style);
    if settings.json {
        let summary = json!({"outcome": "complete", "kind": kind, "snapshot": id});
        emit_summary(&screen, CliExitCode::Done, summary);
    } else {
        screen.print_note(line);
    }
    CliExitCode::Done
}
