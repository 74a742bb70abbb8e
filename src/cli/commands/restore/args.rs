//! The arguments of `ghl-bulk restore`.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::cli::account::protected::ConfirmLocationArgs;
use crate::cli::args::choice_arg::choice_parser;
use crate::cli::args::output_dir_arg::parse_output_dir;
use crate::cli::commands::backup::snapshot_arg::SnapshotArg;
use crate::cli::output::error::CliError;
use crate::id::LocationId;
use crate::import::{
    AddressTakenRule, ContactSelection, LackingNamesRule, MaxErrors, RestoreOrder, RestoreScope,
};
use crate::repository::SnapshotChoice;

/// Restore contacts, notes and tasks from a backup
///
/// Compares a snapshot with the account, shows what it would do, and asks. A deleted contact is recreated, under a new id,
/// with its notes and tasks; what cannot come back is in losses.csv before anything is sent. A restore is a run like an
/// import: it can be resumed, and `ghl-bulk undo` takes it back.
#[derive(Debug, clap::Args)]
#[command(override_usage = "ghl-bulk restore [WHAT] [OPTIONS]")]
#[command(after_help = AFTER_HELP)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct RestoreArgs {
    /// The repository: a directory, or a name from `[repositories.NAME]` in config.toml [default: `GHL_BULK_REPOSITORY`,
    /// `default_repository`, or the only one that is named]
    #[arg(long, value_name = "REPO")]
    pub(super) from: Option<String>,

    #[command(flatten)]
    pub(super) snapshot: SnapshotArg,

    #[command(flatten)]
    pub(super) what: WhatArgs,

    /// The location that is restored into, if it is another than the one that was backed up
    #[arg(long, value_name = "LOCATION")]
    pub(super) to: Option<LocationId>,

    /// What to do with a contact whose e-mail address or phone number another one has by now
    #[arg(long, value_name = "WHAT", default_value = "reject", value_parser = choice_parser::<AddressTakenRule>())]
    pub(super) on_existing: AddressTakenRule,

    /// Go on without custom fields that the location lacks; their values are in losses.csv
    #[arg(long)]
    skip_missing_fields: bool,

    /// Go on without users that the location lacks: their contacts and tasks stay unassigned
    #[arg(long)]
    skip_missing_users: bool,

    /// Go on without businesses that the location lacks
    #[arg(long)]
    skip_missing_businesses: bool,

    /// A CSV file with the users that stand in for others: the former id or e-mail address, and a user of the location
    #[arg(long, value_name = "FILE")]
    user_map: Option<PathBuf>,

    /// The user who gets what belonged to users that the location lacks
    #[arg(long, value_name = "USER", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(super) unassigned: Option<String>,

    /// A tag for contacts that are recreated, in the request that creates them, so that workflows can leave them out
    #[arg(long, value_name = "TAG", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(super) tag: Option<String>,

    /// Which contacts come first
    #[arg(long, value_name = "ORDER", default_value = "oldest", value_parser = choice_parser::<RestoreOrder>())]
    pub(super) order: RestoreOrder,

    /// Replace people by made-up ones, for a location that is shown to others (with `--to`)
    #[arg(long, requires = "to")]
    pub(super) anonymise: bool,

    /// Restore about N contacts and stop; `ghl-bulk resume` restores the rest
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) sample: Option<u64>,

    /// Stop if more contacts than this fail: a number, or a share such as `5%`
    #[arg(long, value_name = "N|N%")]
    pub(super) max_errors: Option<MaxErrors>,

    /// Plan only, without changing anything; `ghl-bulk apply RUN` applies the plan
    #[arg(long)]
    pub(super) dry_run: bool,

    /// With `--dry-run`: exit with 20 if something would change
    #[arg(long, requires = "dry_run")]
    pub(super) detailed_exit_code: bool,

    /// Do not ask before applying
    #[arg(short, long)]
    pub(super) yes: bool,

    /// The directory of the result files [default: ghl-import/RUN]
    #[arg(long, value_name = "DIR", value_parser = parse_output_dir)]
    pub(super) out: Option<PathBuf>,

    #[command(flatten)]
    pub(super) confirm: ConfirmLocationArgs,
}

const AFTER_HELP: &str = "\
Examples:
  ghl-bulk restore --missing --dry-run                  whom the account has lost since, with notes and tasks
  ghl-bulk restore --missing --tag restored             bring them back, with a tag
  ghl-bulk restore --contacts people.csv --at 2026-11-01
  ghl-bulk restore --children                           notes and tasks of contacts restored in HighLevel
  ghl-bulk restore --fields tags,assigned_to,custom.budget --contacts people.csv
  ghl-bulk restore --undo latest~1..latest --fields tags   take back a bulk edit
  ghl-bulk restore --all --to OTHER_LOCATION            move a client's people to another location

Result files: as of `ghl-bulk import`, with losses.csv (what cannot come back) and idmap.csv (the new ids).";

/// What is restored.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct WhatArgs {
    /// Contacts that the account no longer has, with their notes and tasks (the default)
    #[arg(long, conflicts_with_all = ["children", "fields", "all", "undo", "contacts"])]
    missing: bool,

    /// These contacts: ids, e-mail addresses or phone numbers, one on each line or in a CSV file (such as rows of `backup
    /// diff --csv`). Recreated if they are gone, else given the notes and tasks that they have lost. With another of these
    /// options: only these
    #[arg(long, value_name = "FILE")]
    contacts: Option<PathBuf>,

    /// Notes and tasks that contacts have lost; contacts that are gone are left alone
    #[arg(long, conflicts_with_all = ["fields", "all", "undo"])]
    children: bool,

    /// These fields back to the snapshot's values: columns such as `email,tags,assigned_to,custom.budget`
    #[arg(long, value_name = "FIELDS", value_delimiter = ',', conflicts_with = "all")]
    pub(super) fields: Vec<String>,

    /// What changed between two snapshots back to A, where the account still has what B has
    #[arg(long, value_name = "A..B", value_parser = parse_range, conflicts_with_all = ["all", "at", "snapshot", "to"])]
    pub(super) undo: Option<SnapshotRange>,

    /// Everybody, into another location (`--to`)
    #[arg(long, requires = "to")]
    all: bool,
}

/// Two snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SnapshotRange {
    pub(super) before: SnapshotChoice,
    pub(super) after: SnapshotChoice,
}

fn parse_range(text: &str) -> Result<SnapshotRange, String> {
    let (before, after) = text
        .split_once("..")
        .ok_or_else(|| "expected two snapshots such as `latest~1..latest`".to_owned())?;
    let after = if after.is_empty() { "latest" } else { after };
    Ok(SnapshotRange { before: before.parse()?, after: after.parse()? })
}

impl RestoreArgs {
    /// What is restored.
    pub(super) fn scope(&self) -> Result<RestoreScope, CliError> {
        let what = &self.what;
        let scope = match what {
            WhatArgs { undo: Some(_), .. } => RestoreScope::Undo,
            WhatArgs { fields, .. } if !fields.is_empty() => RestoreScope::Fields,
            WhatArgs { children: true, .. } => RestoreScope::Children,
            WhatArgs { all: true, .. } => RestoreScope::All,
            WhatArgs { contacts: Some(_), .. } => RestoreScope::Chosen,
            _ => RestoreScope::Missing,
        };
        let is_elsewhere = matches!(scope, RestoreScope::All | RestoreScope::Chosen);
        if self.to.is_some() && !is_elsewhere {
            return Err(CliError::usage("`--to` goes with `--all` or `--contacts FILE`").with_hint(
                "in another location contacts have other ids, so only whole contacts can be restored there",
            ));
        }
        if self.tag.is_some() && !scope.recreates() {
            return Err(CliError::usage(
                "`--tag` is for contacts that are recreated, and this makes none",
            ));
        }
        Ok(scope)
    }

    /// What the location may lack.
    pub(super) fn may_lack(&self) -> LackingNamesRule {
        LackingNamesRule {
            fields: self.skip_missing_fields,
            users: self.skip_missing_users,
            businesses: self.skip_missing_businesses,
        }
    }

    /// The chosen contacts.
    pub(super) fn selection(&self) -> Result<Option<ContactSelection>, CliError> {
        let Some(path) = &self.what.contacts else { return Ok(None) };
        let file = open_file(path)?;
        let selection = ContactSelection::read(file);
        let wrong = |why| CliError::usage(format!("`{}`: {why}", path.display()));
        selection.map(Some).map_err(wrong)
    }

    /// Which users stand in for others.
    pub(super) fn read_user_map(&self) -> Result<Vec<(String, String)>, CliError> {
        let Some(path) = &self.user_map else { return Ok(Vec::new()) };
        let wrong = |line: usize, why: &str| {
            CliError::usage(format!("`{}`, line {line}: {why}", path.display()))
        };
        let file = open_file(path)?;
        let mut lines =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
        let mut users = Vec::new();
        for (at, record) in lines.records().enumerate() {
            let record = record.map_err(|error| wrong(at + 1, &error.to_string()))?;
            let cell = |at: usize| record.get(at).map(str::trim).unwrap_or_default().to_owned();
            let (from, to) = (cell(0), cell(1));
            let is_header = at == 0 && !from.contains('@') && to.eq_ignore_ascii_case("to");
            if is_header || (from.is_empty() && to.is_empty()) {
                continue;
            }
            if from.is_empty() || to.is_empty() {
                return Err(wrong(at + 1, "expected a former user and a user of the location"));
            }
            users.push((from, to));
        }
        Ok(users)
    }
}

fn open_file(path: &Path) -> Result<File, CliError> {
    File::open(path).map_err(|error| CliError::usage(format!("`{}`: {error}", path.display())))
}
