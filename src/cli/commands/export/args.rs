//! The arguments of `ghl-bulk export`, and the request that they make.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::export_templates::{RequestedTemplates, select_templates};
use super::from_snapshot_args::FromSnapshotArgs;
use super::incremental_args::IncrementalArgs;
use super::stdout_table::StdoutTable;
use crate::cli::account::{LocationAccount, MultiLocationArgs};
use crate::cli::args::at_once_arg::parse_at_once;
use crate::cli::args::choice_arg::choice_parser;
use crate::cli::args::task_filter_arg::{TaskFilterArg, build_child_request, parse_task_filter};
use crate::cli::args::time_arg;
use crate::cli::args::with_table_arg::WithTableArg;
use crate::cli::commands::continue_run::ContinueArgs;
use crate::cli::commands::import::input_files::ensure_file_exists;
use crate::cli::output::error::CliError;
use crate::export::{
    ChildRequest, ContactListFile, ExportFilters, ExportRequest, ExportTables, NoteReading,
    SinceTime,
};
use crate::publish::{FileMode, MaskPreset, MaskRule, MaskRules};
use crate::table::{FORMATS, FormulaGuardMode, JsonLinesShape};

/// Export contacts, with their tasks, notes and appointments, into files
///
/// Writes `contacts`, `tasks`, `notes`, `custom_fields`, `users` and `tags`, and finally `manifest.json`.
/// A finished export atomically replaces an older one in the same directory; an unfinished export leaves
/// it untouched and continues with `ghl-bulk resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct ExportArgs {
    /// The output directory, or `-` for stdout; with several locations, each gets a subdirectory
    #[arg(long, value_name = "DIR", default_value = "ghl-export")]
    pub(super) out: PathBuf,

    #[command(flatten)]
    pub(super) shape: OutputFormatArgs,

    /// With `--out -`: the table that is written [default: contacts]
    #[arg(long, value_name = "TABLE", conflicts_with_all = ["with", "template", "locations", "all_locations", "location_name", "estimate"])]
    table: Option<String>,

    #[command(flatten)]
    pub(super) start: ContinueArgs,

    /// What to export in addition to contacts; `none` for contacts only [default: tasks,notes, or what the
    /// templates need; for a system without its appointments]
    #[arg(long, value_enum, value_name = "WHAT", value_delimiter = ',')]
    with: Vec<WithTableArg>,

    /// How notes are read
    #[arg(long, value_name = "HOW", value_parser = choice_parser::<NoteReading>(), default_value = "auto")]
    notes_by: NoteReading,

    /// Keep a local copy of the location up to date (see `ghl-bulk sync`), and write its files only if something has
    /// changed; with several locations, a copy and a directory for each
    #[arg(
        long,
        conflicts_with_all = ["contacts", "estimate", "continue_run", "table", "tag", "updated_since", "added_since", "business", "query", "filter", "tasks", "children_since", "notes_by"]
    )]
    pub(super) incremental: bool,

    #[command(flatten)]
    pub(super) how_incremental: IncrementalArgs,

    /// Mask a column, of one table or of all: `email=hash`, `contacts.phone=last4`; repeat for more
    ///
    /// `hash` (HMAC-SHA-256 with a key of this machine: the same value has the same hash in all tables and every night),
    /// `last4` (of a text), `domain` (of an e-mail address), `year` (of a date), or `drop`. As soon as anything is masked,
    /// `extra` and all columns with JSON are dropped unless they are named, too. The run and the local copy in
    /// `GHL_BULK_HOME` keep the values, and so does a text that quotes one: `notes.body=drop`.
    #[arg(long, value_name = "COLUMN=METHOD", conflicts_with = "template")]
    mask: Vec<MaskRule>,

    /// Mask what is usual; `--mask` changes or adds to it
    #[arg(long, value_name = "PRESET", value_parser = choice_parser::<MaskPreset>(), conflicts_with = "template")]
    mask_preset: Option<MaskPreset>,

    /// Only estimate the cost: requests, time, share of the daily request quota
    #[arg(long)]
    pub(super) estimate: bool,

    /// How many locations are exported at a time, as far as the system has open files for; each has its own rate limit
    #[arg(long, value_name = "N", default_value = "64", value_parser = parse_at_once)]
    pub(super) at_once: NonZeroUsize,

    /// Only the contacts listed in this file: a list or sheet of ids, e-mail addresses or phone numbers
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["locations", "all_locations", "location_name", "tag", "updated_since", "added_since", "business", "query", "filter"]
    )]
    pub(super) contacts: Option<PathBuf>,

    #[command(flatten)]
    pub(super) several: MultiLocationArgs,

    #[command(flatten)]
    pub(super) from_snapshot: FromSnapshotArgs,

    // Last, because its heading applies to everything after it.
    #[command(flatten)]
    which: ContactFilterArgs,
}

const AFTER_HELP: &str = "\
Examples:
  ghl-bulk export --sandbox --out demo                     made-up data, no account needed
  ghl-bulk export --out backup --format parquet,csv        everything, in two formats
  ghl-bulk export --with none --updated-since 7d           contacts changed in the last week
  ghl-bulk export --tag vip --tag 2026 --with notes        contacts with both tags, and their notes
  ghl-bulk export --template dialpad --out for-dialpad     the files that Dialpad imports
  ghl-bulk export --contacts list.csv --with notes         only the contacts listed in a file
  ghl-bulk export --incremental --out lake                 read only what has changed
  ghl-bulk export --from /backup/ghl --at 2026-11-01       as it was then, from a backup
  ghl-bulk export --mask-preset analytics --out shared     without names, addresses and texts
  ghl-bulk export --estimate                               what it would cost
  ghl-bulk export --locations clients.csv --out nightly    many locations, each into nightly/<id>/
  ghl-bulk export --location-name 'Acme *' --out nightly   locations of an agency, by name";

/// How the files are written.
#[derive(Debug, clap::Args)]
pub(crate) struct OutputFormatArgs {
    /// The file format, or several, comma-separated or repeated [default: parquet, or none with `--template`]
    #[arg(long, value_name = "FORMAT", value_delimiter = ',', value_parser = format_parser())]
    format: Vec<String>,

    /// Write files for another system: a system (`dub`, `docsend`, `dialpad`, `dashclicks`, `dext`), or a
    /// preset that `ghl-bulk map --list-presets` lists with a template
    #[arg(long, alias = "layout", value_name = "NAME", value_delimiter = ',')]
    pub(crate) template: Vec<String>,

    /// Which CSV cells get a leading `'`, so that a spreadsheet does not execute or change them [default: formulas, but
    /// off in files for another system's importer]
    #[arg(long, value_name = "HOW", value_parser = choice_parser::<FormulaGuardMode>())]
    pub(crate) csv_safe: Option<FormulaGuardMode>,

    /// Whether CSV files begin with a byte order mark, by which Excel recognizes UTF-8 [default: only with
    /// `--csv-safe excel`]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", hide_possible_values = true)]
    pub(crate) csv_bom: Option<bool>,

    /// How JSON Lines represent lists and JSON
    #[arg(long, value_name = "SHAPE", value_parser = choice_parser::<JsonLinesShape>(), default_value = "nested")]
    pub(crate) jsonl: JsonLinesShape,

    /// The access rights of the files, as on Unix [default: 0600, only you]
    #[arg(long, value_name = "MODE")]
    pub(crate) file_mode: Option<FileMode>,

    /// Replace whatever is in the output directory, also an export of another location, with other filters
    /// or other tables
    #[arg(long)]
    pub(crate) replace: bool,
}

/// Which contacts.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Filters (applied by the server; all must match)")]
struct ContactFilterArgs {
    /// Contacts with this tag; repeat for contacts with all of the tags
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,

    /// Contacts updated since a time: a time, a date (UTC) or a duration such as `7d`
    #[arg(long, value_name = "TIME", value_parser = time_arg::parse_since)]
    updated_since: Option<SinceTime>,

    /// Contacts added since a time: a time, a date (UTC) or a duration such as `7d`
    #[arg(long, value_name = "TIME", value_parser = time_arg::parse_since)]
    added_since: Option<SinceTime>,

    /// Contacts of this business, by name or id
    #[arg(long, value_name = "BUSINESS")]
    business: Option<String>,

    /// Full-text search in name, e-mail and phone, at most 75 characters
    #[arg(long, value_name = "TEXT", value_parser = parse_query)]
    query: Option<String>,

    /// A filter, or a list of filters, in the API's own grammar
    #[arg(long, value_name = "JSON", value_parser = parse_filter)]
    filter: Vec<Value>,

    /// Tasks that are `open`, `completed`, `overdue`, or due by a time: `due:7d`, `due:2026-12-24`; all of several
    #[arg(long, value_name = "WHICH", value_delimiter = ',', value_parser = parse_task_filter, help_heading = CHILD_FILTERS)]
    tasks: Vec<TaskFilterArg>,

    /// Notes, tasks and appointments added since a time: a time, a date (UTC) or a duration such as `7d`
    #[arg(long, value_name = "TIME", value_parser = time_arg::parse_since, help_heading = CHILD_FILTERS)]
    children_since: Option<SinceTime>,
}

/// The heading of the filters of what is attached to contacts.
const CHILD_FILTERS: &str = "Filters of notes and tasks (of all exported contacts)";

fn format_parser() -> clap::builder::PossibleValuesParser {
    FORMATS
        .iter()
        .map(|format| clap::builder::PossibleValue::new(format.name).help(format.doc))
        .into()
}

fn parse_query(text: &str) -> Result<String, String> {
    // api.md §2.3.
    if text.chars().count() <= 75 {
        Ok(text.to_owned())
    } else {
        Err("more than 75 characters".to_owned())
    }
}

fn parse_filter(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let filters = value.as_array().map_or(std::slice::from_ref(&value), Vec::as_slice);
    let is_filter = |filter: &Value| filter.get("field").is_some() || filter.get("group").is_some();
    if filters.iter().all(is_filter) {
        return Ok(value);
    }
    Err("a filter is an object with `field` and `operator`, or with `group` and `filters`"
        .to_owned())
}

impl ExportArgs {
    /// The value of `--with`, if it is given.
    fn with_tables(&self) -> Result<Option<ExportTables>, CliError> {
        if self.with.contains(&WithTableArg::None) && self.with.len() > 1 {
            return Err(CliError::usage("`--with none` cannot be combined with other tables"));
        }
        let with = |with| self.with.contains(&with);
        let tables = ExportTables {
            tasks: with(WithTableArg::Tasks),
            notes: with(WithTableArg::Notes),
            appointments: with(WithTableArg::Appointments),
            businesses: with(WithTableArg::Businesses),
        };
        Ok((!self.with.is_empty()).then_some(tables))
    }

    /// The templates, and what is exported in addition to the contacts.
    pub(super) fn templates_and_tables(
        &self,
    ) -> Result<(RequestedTemplates, ExportTables), CliError> {
        if let Some(stdout) = self.stdout_table()? {
            let none = select_templates(&[], Some(stdout.tables()))?;
            return Ok((none, stdout.tables()));
        }
        let usual = ExportTables { tasks: true, notes: true, ..ExportTables::NONE };
        let with = self.with_tables()?;
        let templates = select_templates(&self.shape.template, with)?;
        let tables = match (with, templates.tables) {
            (Some(with), _) => with,
            (None, Some(needed)) if self.shape.format.is_empty() => needed,
            (None, Some(needed)) => usual.union(needed),
            (None, None) => usual,
        };
        Ok((templates, tables))
    }

    /// The table that goes to stdout, if one does.
    pub(super) fn stdout_table(&self) -> Result<Option<StdoutTable>, CliError> {
        if !StdoutTable::is_stdout(&self.out) {
            return match &self.table {
                Some(_) => Err(CliError::usage("`--table` goes with `--out -`")
                    .with_hint("a directory gets all tables; `--with` chooses more of them")),
                None => Ok(None),
            };
        }
        if !self.with.is_empty() || !self.shape.template.is_empty() {
            return Err(CliError::usage("`--out -` writes one table; choose it with `--table`"));
        }
        StdoutTable::from_args(self.table.as_deref(), &self.shape.format).map(Some)
    }

    /// Which columns are masked.
    pub(super) fn mask_rules(&self) -> Result<MaskRules, CliError> {
        let rules = MaskRules { columns: self.mask.clone(), preset: self.mask_preset };
        rules.check_standard_columns()?;
        Ok(rules)
    }

    /// The file that names the contacts.
    pub(super) fn resolve_contact_list(&self) -> Result<Option<ContactListFile>, CliError> {
        let Some(file) = &self.contacts else { return Ok(None) };
        ensure_file_exists(file)?;
        let file = std::path::absolute(file)
            .map_err(|error| CliError::usage(format!("`--contacts`: {error}")))?;
        Ok(Some(ContactListFile::new(file)))
    }

    /// Which notes, tasks and appointments.
    fn child_request(&self, tables: ExportTables) -> Result<ChildRequest, CliError> {
        let (tasks, since) = (&self.which.tasks, self.which.children_since.as_ref());
        if !tasks.is_empty() && !tables.tasks {
            return Err(CliError::usage(
                "`--tasks` chooses among the tasks, which are not exported",
            )
            .with_hint("add `--with tasks`"));
        }
        if since.is_some() && !(tables.tasks || tables.notes || tables.appointments) {
            let message = "`--children-since` chooses among notes, tasks and appointments, none of which are exported";
            return Err(CliError::usage(message).with_hint("add `--with tasks,notes`"));
        }
        build_child_request(tasks, since)
            .map_err(|why| CliError::usage(format!("`--tasks`: {why}")))
    }

    pub(super) fn build_request(
        &self,
        account: &LocationAccount,
        url: &str,
        out: &Path,
        sandbox: bool,
    ) -> Result<ExportRequest, CliError> {
        Ok(ExportRequest {
            url: url.to_owned(),
            token_variable: account.variable.clone(),
            profile: account.profile.clone(),
            ..self.build_snapshot_request(out, sandbox)?
        })
    }

    /// The request of an export that sends none.
    pub(super) fn build_snapshot_request(
        &self,
        out: &Path,
        sandbox: bool,
    ) -> Result<ExportRequest, CliError> {
        let (templates, tables) = self.templates_and_tables()?;
        let (which, stdout) = (&self.which, self.stdout_table()?);
        let lists = which.filter.iter().map(|filter| match filter {
            Value::Array(filters) => filters.clone(),
            filter => vec![filter.clone()],
        });
        Ok(ExportRequest {
            out: std::path::absolute(out)
                .map_err(|error| CliError::usage(format!("`--out`: {error}")))?,
            formats: match &stdout {
                Some(stdout) => stdout.formats(),
                None => self.shape.selected_formats(),
            },
            stdout_table: stdout.map(|stdout| stdout.table),
            csv_safe: self.shape.csv_safe.unwrap_or_default(),
            guard_uploads: self.shape.csv_safe.is_some(),
            csv_bom: self.shape.csv_bom,
            jsonl: self.shape.jsonl,
            templates: templates.chosen,
            tables,
            filters: ExportFilters {
                tags: which.tag.clone(),
                updated_since: which.updated_since.clone(),
                added_since: which.added_since.clone(),
                business: which.business.clone(),
                business_id: None,
                query: which.query.clone(),
                raw: lists.flatten().collect(),
            },
            children: self.child_request(tables)?,
            contacts: self.resolve_contact_list()?,
            url: String::new(),
            token_variable: None,
            profile: None,
            sandbox,
            file_mode: self.shape.file_mode.unwrap_or_default(),
            notes_by: self.notes_by,
            replace: self.shape.replace,
            masks: self.mask_rules()?,
            command_started: None,
        })
    }
}

impl OutputFormatArgs {
    /// The formats, each once, in the order given; Parquet without formats and templates.
    pub(crate) fn selected_formats(&self) -> Vec<String> {
        if self.format.is_empty() && self.template.is_empty() {
            return vec![FORMATS[0].name.to_owned()];
        }
        let mut seen = BTreeSet::new();
        self.format.iter().filter(|format| seen.insert(*format)).cloned().collect()
    }
}
