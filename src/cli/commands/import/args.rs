//! The flags of `ghl-bulk import` that say how a file is read and what its rows mean.

use std::collections::BTreeMap;

use clap::ValueEnum;
use serde_json::Value;

use crate::sheet::{HiddenRowPolicy, SheetReadOptions};

/// How the file is read.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "How the file is read (found out, unless given)")]
pub(crate) struct SheetArgs {
    /// The sheet of a spreadsheet, by name
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,

    /// The line or row that holds the column names, counted from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    header_row: Option<u32>,

    /// The encoding of a text file, such as `windows-1252`
    #[arg(long, value_name = "LABEL")]
    encoding: Option<String>,

    /// What separates the cells of a text file: one character, or `tab`
    #[arg(long, value_name = "CHAR", value_parser = parse_delimiter)]
    delimiter: Option<char>,

    /// What becomes of hidden rows of a spreadsheet
    #[arg(long, value_enum, value_name = "WHAT", default_value = "refuse")]
    hidden: HiddenArg,
}

/// What a sheet leaves open. Each flag is an option of mappings, too.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "What rows mean (a mapping's [options] can say it, too)")]
pub(crate) struct PolicyArgs {
    /// Know contacts by a custom field instead of id, e-mail and phone: `custom:NAME`
    #[arg(long, value_name = "custom:NAME", value_parser = parse_key_field)]
    key: Option<String>,
    /// Rows of the file that are the same contact [default: reject]
    #[arg(long, value_name = "WHAT", value_parser = ["reject", "first", "last", "merge"])]
    on_duplicate: Option<String>,
    /// With `--mode create`: rows whose contact exists [default: skip]
    #[arg(long, value_name = "WHAT", value_parser = ["skip", "update", "reject"])]
    on_existing: Option<String>,
    /// Whether tags are added to those that are there, or take their place [default: add]
    #[arg(long, value_name = "HOW", value_parser = ["add", "replace"])]
    tags: Option<String>,
    /// Rows without anything that keeps them from being created twice [default: stop]
    #[arg(long, value_name = "WHAT", value_parser = ["stop", "skip", "at-most-once"])]
    no_identity: Option<String>,
    /// A text custom field in which created contacts are marked, so that they can be found again
    #[arg(long, value_name = "NAME")]
    marker_field: Option<String>,
    /// What empty cells mean: nothing, that the field is to be empty (with `--allow-clear`), or a mistake [default: leave]
    #[arg(long, value_name = "WHAT", value_parser = ["leave", "clear", "error"])]
    blank: Option<String>,
    /// Empty cells of columns with `blank = "clear"`, or of all with `--blank clear`, really clear
    #[arg(long)]
    allow_clear: bool,
    /// Let the file lift do-not-disturb
    #[arg(long)]
    allow_resubscribe: bool,
    /// Take rows that have a name and nothing to know the contact by
    #[arg(long)]
    allow_name_only: bool,
    /// Reject rows whose fields would otherwise be dropped with a warning
    #[arg(long)]
    strict: bool,
    /// The country of phone numbers without one, such as `US` [default: the location's]
    #[arg(long, value_name = "CC")]
    default_country: Option<String>,
    /// The decimal sign of numbers
    #[arg(long, value_name = "SIGN", value_parser = ["comma", "point"])]
    decimal: Option<String>,
    /// The order of day, month and year in dates [default: what the column itself proves]
    #[arg(long, visible_alias = "date-format", value_name = "ORDER", ignore_case = true, value_parser = ["DMY", "MDY", "YMD"])]
    date_order: Option<String>,
    /// The language of month names beside English
    #[arg(long, value_name = "LANG", value_parser = ["fr", "de", "es", "it", "pt", "nl"])]
    date_locale: Option<String>,
    /// The time zone of times without one, such as `Europe/Berlin` [default: the location's]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// Texts that mean nothing, with commas: `N/A,-,none`
    #[arg(long, value_name = "TEXTS")]
    empty_values: Option<String>,
    /// Rows with a phone number that is none [default: reject]
    #[arg(long, value_name = "WHAT", value_parser = ["reject", "drop"])]
    on_invalid_phone: Option<String>,
    /// Write a note's original date into its text, as the API cannot set it [default: ignore]
    #[arg(long, value_name = "HOW", value_parser = ["ignore", "prefix"])]
    note_date: Option<String>,
    /// Keep a task's priority as a line of its text, as the API has none [default: line]
    #[arg(long, value_name = "HOW", value_parser = ["line", "drop"])]
    task_priority: Option<String>,
    /// When tasks without a date are due, from today: `7d`
    #[arg(long, value_name = "DAYS")]
    default_due: Option<String>,
    /// Cut notes longer than so many characters
    #[arg(long, value_name = "N", conflicts_with = "split_notes")]
    truncate_notes: Option<usize>,
    /// Split long notes into several
    #[arg(long)]
    split_notes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnmappedArg {
    /// They are left out, and named
    Ignore,
    /// They stop the import
    Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum HiddenArg {
    /// A file with some is refused
    Refuse,
    /// They are passed over
    Skip,
    /// They are read like others
    Include,
}

fn parse_key_field(text: &str) -> Result<String, String> {
    match text.strip_prefix("custom:") {
        Some(name) if !name.is_empty() => Ok(name.to_owned()),
        _ => Err("`custom:NAME` is expected, with the key or name of a custom field".to_owned()),
    }
}

fn parse_delimiter(text: &str) -> Result<char, String> {
    let mut letters = text.chars();
    match (text, letters.next(), letters.next()) {
        ("tab" | "\\t", ..) => Ok('\t'),
        (_, Some(letter), None) if letter.is_ascii() => Ok(letter),
        _ => Err("one character is expected, such as `;`, or `tab`".to_owned()),
    }
}

impl SheetArgs {
    pub(crate) fn reading_options(&self) -> SheetReadOptions {
        SheetReadOptions {
            encoding: self.encoding.clone(),
            delimiter: self.delimiter,
            sheet: self.sheet.clone(),
            header_row: self.header_row,
            hidden: match self.hidden {
                HiddenArg::Refuse => HiddenRowPolicy::Refuse,
                HiddenArg::Skip => HiddenRowPolicy::Skip,
                HiddenArg::Include => HiddenRowPolicy::Include,
            },
        }
    }
}

impl PolicyArgs {
    /// The flags that were given, by their names in mappings.
    pub(crate) fn mapping_options(&self, mode: Option<&String>) -> BTreeMap<String, Value> {
        let flag = |given: bool| given.then_some(Value::Bool(true));
        let text = |text: &Option<String>| text.clone().map(Value::String);
        let all = [
            ("mode", mode.cloned().map(Value::String)),
            ("key", text(&self.key)),
            ("on_duplicate", text(&self.on_duplicate)),
            ("on_existing", text(&self.on_existing)),
            ("tags", text(&self.tags)),
            ("no_identity", text(&self.no_identity)),
            ("marker", text(&self.marker_field)),
            ("blank", text(&self.blank)),
            ("allow_clear", flag(self.allow_clear)),
            ("allow_resubscribe", flag(self.allow_resubscribe)),
            ("allow_name_only", flag(self.allow_name_only)),
            ("strict", flag(self.strict)),
            ("default_country", text(&self.default_country)),
            ("decimal", text(&self.decimal)),
            ("date_order", text(&self.date_order)),
            ("date_locale", text(&self.date_locale)),
            ("timezone", text(&self.timezone)),
            ("empty_values", text(&self.empty_values)),
            ("on_invalid_phone", text(&self.on_invalid_phone)),
            ("note_date", text(&self.note_date)),
            ("task_priority", text(&self.task_priority)),
            ("default_due", text(&self.default_due)),
            ("truncate_notes", self.truncate_notes.map(Value::from)),
            ("split_notes", flag(self.split_notes)),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}
