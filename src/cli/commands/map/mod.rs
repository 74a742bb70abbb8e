//! `ghl-bulk map`.

mod list_targets;
pub(super) mod presets;

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::import::args::SheetArgs;
use crate::api::ApiClient;
use crate::cli::account::{ClientPurpose, LocationAccounts};
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::stdout::print_stdout;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::event::CancelSignal;
use crate::import::{self, PresetLibrary, ProposalReport, ProposalRequest};
use crate::text::{escape_for_terminal, format_plural, quote_path_for_shell};

/// Propose a mapping for a spreadsheet: where each column goes, and why
///
/// Clear columns are mapped; likely ones are proposed and marked `# CHECK`; the rest are left for you to
/// decide. Review the file, then import with `--map`. With a location, its custom fields are proposed too;
/// without one, nothing is sent.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "ghl-bulk map <FILE> [OPTIONS]\n       ghl-bulk map --list-targets | --list-presets | --show-preset <NAME>"
)]
#[command(after_help = AFTER_HELP)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct MapArgs {
    /// The spreadsheet
    #[arg(required_unless_present_any = ["list_presets", "show_preset", "list_targets"])]
    file: Option<PathBuf>,

    /// The file to write the mapping to; an existing file is not overwritten [default: stdout]
    #[arg(short, long, value_name = "MAP.toml")]
    out: Option<PathBuf>,

    /// Overwrite an existing mapping or preset
    #[arg(long)]
    force: bool,

    /// Do not read the custom fields of the location
    #[arg(long)]
    offline: bool,

    /// Start from this preset instead of detecting one
    #[arg(long, value_name = "NAME")]
    preset: Option<String>,

    /// Accept likely targets from this confidence on, from 0 to 1, instead of asking about them
    #[arg(long, value_name = "CONFIDENCE", value_parser = parse_confidence)]
    accept: Option<f64>,

    /// Save the proposal as a preset, which recognizes files with the same columns
    #[arg(long, value_name = "NAME", conflicts_with = "out")]
    save_preset: Option<String>,

    /// List the presets: the kinds of files that are recognized
    #[arg(long, conflicts_with_all = ["file", "show_preset"])]
    list_presets: bool,

    /// Print a preset, as a mapping to start from
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    show_preset: Option<String>,

    /// List what a column can be mapped to: fields, tags, notes, tasks, and the location's custom
    /// fields with their types and options
    #[arg(long, conflicts_with_all = ["file", "list_presets", "show_preset"])]
    list_targets: bool,

    #[command(flatten)]
    sheet: SheetArgs,
}

/// A confidence from 0 to 1.
fn parse_confidence(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (0.0..=1.0).contains(number));
    number.ok_or_else(|| "it must be a number from 0 to 1, such as `0.7`".to_owned())
}

const NO_ACCOUNT: &str = "no account is given, so the location's custom fields are unknown";

const AFTER_HELP: &str = "\
Examples:
  ghl-bulk map leads.xlsx -o leads.toml     propose a mapping
  ghl-bulk map leads.csv                    print it
  ghl-bulk map leads.csv --offline          without reading the custom fields of the location
  ghl-bulk map leads.csv --accept 0.7       accept likely targets, too
  ghl-bulk map leads.csv --save-preset crm  save it for all files of this kind
  ghl-bulk map --list-presets               the kinds of files that are recognized
  ghl-bulk map --list-targets               what a column can be mapped to

A mapping is a TOML file with one table for each column:
  [[column]]
  from = \"Mobile\"          the column, by name, by letter (\"C\", \"[C]\") or by a pattern with `*`;
                           a list of columns is joined
  to = \"phone\"             a field: firstName, email, tags, note, task.title, customFields.NAME, …;
                           \"ignore\" leaves the column out
  create = \"TEXT\"          in place of `to`: a custom field, created if the location lacks it, with
                           the column's name or that of `name`; or LARGE_TEXT, NUMERICAL,
                           MONETORY, PHONE, DATE
and, where needed:
  convert = \"date\"         text, line, phone, email, date, date_time, number, money, boolean,
                           country, timezone, list, url [default: depends on the field]
  blank = \"leave\"          what an empty cell means: leave, clear (with --allow-clear), error
  values = { Oui = \"yes\" } values to replace
  prefix, strip_prefix     text to add to, or remove from, the start of each value
  split = [\";\"]            what separates several values in a cell
  part = \"2 of 5\"          the second of the five values of a cell, for cells like whole addresses
  join = \", \"              what separates the values of joined columns
  template = \"{A}[ ({B})]\" a text made of columns; a part in brackets is left out if its columns are empty
  tags = \"add\"             whether tags are added, or replace existing ones
  when = { column = \"Type\", is = [\"note\"] }   only in these rows; or in = […] (the same),
                           not = […], contains = [\"call back\"] (a part of the text),
                           matches = \"^no answer\" (a regular expression),
                           filled = true|false, id = true|false (whether it looks like a
                           contact id); case does not matter
  fallback = true          only if no other rule gives a value
  named_by = \"Label\"       with to = \"customFields.*\": the column that names the custom field
A table [[constant]] with `to` and `value` gives every row the same value, or the rows of
its `when` (with `file = [\"old_*\"]` only in files with such names); [options] takes the
flags of `ghl-bulk import`, with `_` for `-`.

A preset may also have a table [template]: then `ghl-bulk export --template NAME` writes such
files. An empty table writes the mapping's columns in reverse, to a file named after the preset.
It takes system, file, columns, delimiter, encoding, bom, quote, line_end, list, date, time,
require, unique, max_rows and upload (a file for the system's importer: no `'` before formulas unless
`--csv-safe` is given), and for a column that differs a [[template.column]] with name, fill, join,
split, values, unless_phone, guard, longest.
A preset with direction = \"export\" is only exported. With entity = \"appointments\" or \"businesses\",
which are not imported, its columns have fill = \"appointment.NAME\" (calendar, title, start, end,
status, address, notes, assignedTo, id) or \"business.NAME\" (id, name, phone, email, website,
address, city, state, postalCode, country).";

/// Runs the command.
pub(crate) fn run(args: &MapArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let dir = dirs::presets_dir();
    if args.list_targets {
        return list_targets(args, settings);
    }
    let Some(file) = &args.file else {
        let presets = PresetLibrary::load(dir.as_deref())?;
        return match &args.show_preset {
            Some(name) => presets::print_preset(&presets, name),
            None => presets::print_list(&presets, settings),
        };
    };
    super::import::input_files::ensure_file_exists(file)?;
    let place = MappingDestination::from_args(args, dir.as_deref())?;
    let wish = ProposalRequest {
        file: file.clone(),
        reading: args.sheet.reading_options(),
        preset: args.preset.clone(),
        presets: PresetLibrary::load(dir.as_deref())?,
        title: args.save_preset.clone(),
        accept: args.accept,
    };
    let screen = CliReporter::new(settings.output_style);
    let accounts = find_account(args, settings)?;
    let (accounts, screen, place) = (&accounts, &screen, &place);
    signals::block_on(settings.deadline, screen, |stop| async move {
        let client = build_client(accounts.as_ref(), settings, screen, &stop)?;
        let proposed = import::propose_mapping(client.as_ref(), wish).await;
        screen.finish();
        let proposed = proposed.map_err(|error| CliError::from_import_halt(error.into(), &stop))?;
        if client.is_none() && !args.offline {
            screen.print_note(NO_ACCOUNT);
        }
        if let (true, MappingDestination::Stdout) = (settings.json, place) {
            screen.emit_event(&summary_event(&proposed, place));
            return Ok(CliExitCode::Done);
        }
        place.write(&proposed.text)?;
        report_proposal(&proposed, file, place, screen);
        screen.emit_event(&summary_event(&proposed, place));
        Ok(CliExitCode::Done)
    })
}

/// Lists what a column can be mapped to.
fn list_targets(args: &MapArgs, settings: &Settings) -> Result<CliExitCode, CliError> {
    let screen = CliReporter::new(settings.output_style);
    let accounts = find_account(args, settings)?;
    let (accounts, screen) = (&accounts, &screen);
    signals::block_on(settings.deadline, screen, |stop| async move {
        let client = build_client(accounts.as_ref(), settings, screen, &stop)?;
        let fields = match &client {
            Some(client) => Some(import::fetch_custom_fields(client).await),
            None => None,
        };
        screen.finish();
        let fields = fields.transpose();
        let fields = fields.map_err(|error| CliError::from_import_halt(error.into(), &stop))?;
        let code = list_targets::print_targets(fields.as_deref(), settings)?;
        if fields.is_none() {
            screen.print_note(NO_ACCOUNT);
        }
        Ok(code)
    })
}

/// The account whose custom fields are read, if there is one: a mapping can be made without.
fn find_account(args: &MapArgs, settings: &Settings) -> Result<Option<LocationAccounts>, CliError> {
    match LocationAccounts::resolve(settings, None) {
        _ if args.offline => Ok(None),
        Ok(accounts) => Ok(Some(accounts)),
        Err(_) if !settings.sandbox => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn build_client(
    accounts: Option<&LocationAccounts>,
    settings: &Settings,
    screen: &CliReporter,
    stop: &CancelSignal,
) -> Result<Option<ApiClient>, CliError> {
    let Some(accounts) = accounts else { return Ok(None) };
    let observer = screen.location_observer(None);
    let purpose = ClientPurpose::Interactive("map");
    let account = &accounts.all[0];
    account.build_client(&accounts.url, settings, purpose, stop, &observer).map(Some)
}

/// The same for programs; the mapping is in it when it is written nowhere else.
fn summary_event(proposed: &ProposalReport, place: &MappingDestination) -> Value {
    let mapping = place.path().is_none().then_some(&proposed.text);
    let warnings: Vec<Value> = proposed
        .warnings
        .iter()
        .map(|it| json!({ "code": it.code, "message": it.message }))
        .collect();
    json!({
        "event": "summary", "exit_code": CliExitCode::Done as u8, "outcome": "proposed",
        "preset": proposed.preset, "ambiguous": proposed.ambiguous, "mapped": proposed.accepted,
        "to_check": proposed.to_check, "to_decide": proposed.to_decide, "ignored": proposed.ignored,
        "warnings": warnings, "mapping": mapping, "paths": place.path().into_iter().collect::<Vec<_>>(),
    })
}

/// Reports the proposal, and what to do with it.
fn report_proposal(
    proposed: &ProposalReport,
    file: &Path,
    place: &MappingDestination,
    screen: &CliReporter,
) {
    for warning in &proposed.warnings {
        screen.print_note(&format!("note: {}", warning.message));
    }
    if let Some(preset) = &proposed.preset {
        screen.print_note(&format!(
            "the sheet is one that the preset `{}` knows",
            escape_for_terminal(preset)
        ));
    }
    if !proposed.ambiguous.is_empty() {
        let names = proposed.ambiguous.join("` and `");
        screen.print_note(&format!(
            "the presets `{}` fit alike; `--preset` decides",
            escape_for_terminal(&names)
        ));
    }
    screen.print_note(&format!(
        "{} mapped, {} to check, {} to decide, {} ignored",
        format_plural(proposed.accepted, "column"),
        proposed.to_check,
        proposed.to_decide,
        proposed.ignored
    ));
    let Some(path) = place.path() else { return };
    let (shown, file) = (path.display().to_string(), file.display().to_string());
    let (shown, file) = (quote_path_for_shell(&shown), quote_path_for_shell(&file));
    let open = proposed.to_check + proposed.to_decide;
    let first = if open > 0 {
        format!(
            "decide what is \"?\" in {}, and then:\n  ",
            escape_for_terminal(&path.display().to_string())
        )
    } else {
        "next:\n  ".to_owned()
    };
    screen.print_note(&match place {
        MappingDestination::Preset(_) => format!("{first}ghl-bulk import {file} --dry-run"),
        _ => format!("{first}ghl-bulk import {file} --map {shown} --dry-run"),
    });
}

/// Where the proposal goes.
enum MappingDestination {
    Stdout,
    File(PathBuf),
    Preset(PathBuf),
}

impl MappingDestination {
    /// Refuses to overwrite a file without `--force`.
    fn from_args(args: &MapArgs, presets: Option<&Path>) -> Result<Self, CliError> {
        let place = match (&args.out, &args.save_preset) {
            (_, Some(name)) => Self::Preset(presets::preset_path(presets, name)?),
            (Some(path), None) if path == Path::new("-") => Self::Stdout,
            (Some(path), None) => Self::File(path.clone()),
            (None, None) => Self::Stdout,
        };
        let taken =
            args.save_preset.as_ref().filter(|name| presets::is_built_in(name) && !args.force);
        if let Some(name) = taken {
            let failure = CliError::usage(format!("`{name}` is a preset of the program's"));
            return Err(failure.with_hint(
                "choose another name, or give `--force` to use yours in place of it from then on",
            ));
        }
        match place.path() {
            Some(path) if path.exists() && !args.force => {
                let failure = CliError::usage(format!("`{}` exists", path.display()));
                Err(failure.with_hint("give `--force` to overwrite it"))
            }
            _ => Ok(place),
        }
    }

    fn path(&self) -> Option<&Path> {
        match self {
            Self::Stdout => None,
            Self::File(path) | Self::Preset(path) => Some(path),
        }
    }

    fn write(&self, text: &str) -> Result<(), CliError> {
        let Some(path) = self.path() else { return print_stdout(text) };
        let fail = |error: io::Error| CliError::usage(format!("`{}`: {error}", path.display()));
        if let (Self::Preset(_), Some(dir)) = (self, path.parent()) {
            std::fs::create_dir_all(dir).map_err(fail)?;
        }
        std::fs::write(path, text).map_err(fail)
    }
}
