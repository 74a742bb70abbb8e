//! The flags of `ghl-bulk import` that say how a file is read and what its rows mean.

use crate::cli::args::choice_arg::choice_parser;
use crate::mapping::{
    COUNTRY_OPTION, DUE_OPTION, EMPTY_VALUES_OPTION, EXTRA_VALUES_OPTION, PolicyOptions,
    TIMEZONE_OPTION,
};
use crate::model::{
    BlankRule, DateLocale, DecimalSign, DuplicateRule, ExistingRule, ExtraValuesRule, IdentityKey,
    ImportMode, InvalidPhoneRule, MissingContactRule, NoIdentityRule, NoteDateRule,
    SharedValueRule, TagRule, TaskPriorityRule, UnknownOptionRule,
};
use crate::sheet::{HiddenRowPolicy, SheetReadOptions};
use crate::value::DateOrder;

/// How the file is read.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "File options (auto-detected by default)")]
pub(crate) struct SheetArgs {
    /// The sheet of a workbook to read, by name
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,

    /// The line or row that holds the column names, counted from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    header_row: Option<u32>,

    /// The encoding of a text file, such as `windows-1252`
    #[arg(long, value_name = "LABEL")]
    encoding: Option<String>,

    /// The delimiter of a text file: one character, or `tab`
    #[arg(long, value_name = "CHAR", value_parser = parse_delimiter)]
    delimiter: Option<char>,

    /// What to do with hidden rows of a workbook
    #[arg(long, value_name = "WHAT", default_value = "refuse", value_parser = choice_parser::<HiddenRowPolicy>())]
    hidden: HiddenRowPolicy,

    /// Skip the first N rows below the header
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    skip_rows: u64,

    /// Read at most N rows, behind those that `--skip-rows` skips
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
}

/// Choices that a sheet leaves open. Each flag is an option of mappings, too.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Import options (also settable in a mapping's [options])")]
pub(crate) struct PolicyArgs {
    /// Match contacts by a custom field (`custom:NAME`) or by their full name (`name`) instead of id, e-mail and phone
    #[arg(long, value_name = "KEY", value_parser = parse_key_field)]
    key: Option<IdentityKey>,
    /// What to do with rows of the file that are the same contact [default: reject]
    #[arg(long, value_name = "WHAT", value_parser = choice_parser::<DuplicateRule>())]
    on_duplicate: Option<DuplicateRule>,
    /// What to do with different people in the file who have the same e-mail address [default: reject]
    #[arg(long, value_name = "WHAT", value_parser = choice_parser::<SharedValueRule>())]
    on_shared_email: Option<SharedValueRule>,
    /// What to do with different people in the file who have the same phone number [default: reject]
    #[arg(long, value_name = "WHAT", value_parser = choice_parser::<SharedValueRule>())]
    on_shared_phone: Option<SharedValueRule>,
    /// With `--mode create`: what to do with rows whose contact exists [default: skip]
    #[arg(long, value_name = "WHAT", value_parser = choice_parser::<ExistingRule>())]
    on_existing: Option<ExistingRule>,
    /// Whether tags are added to the contact's tags or replace them [default: add]
    #[arg(long, value_name = "HOW", value_parser = choice_parser::<TagRule>())]
    tags: Option<TagRule>,
    /// What to do with further e-mail addresses and phone numbers, since the API takes one of each: `note` writes them
    /// into a note, `custom:NAME` into a text field, `drop` leaves them out, `warn` does so with a warning [default: warn]
    #[arg(long, value_name = "WHAT", value_parser = |text: &str| EXTRA_VALUES_OPTION.parse_text(text))]
    extra_values: Option<ExtraValuesRule>,
    /// What to do with rows that could be created twice because nothing identifies them [default: stop]
    #[arg(long, value_name = "WHAT", value_parser = choice_parser::<NoIdentityRule>())]
    no_identity: Option<NoIdentityRule>,
    /// A custom field (text) that marks created contacts, so that a retry can find them
    #[arg(long, value_name = "NAME")]
    marker_field: Option<String>,
    /// What empty cells mean [default: leave]
    #[arg(long, value_name = "WHAT", value_parser = choice_parser::<BlankRule>())]
    blank: Option<BlankRule>,
    /// Let empty cells clear fields: in columns with `blank = "clear"`, or in all with `--blank clear`
    #[arg(long)]
    allow_clear: bool,
    /// Let the file lift do-not-disturb
    #[arg(long)]
    allow_resubscribe: bool,
    /// Accept rows that have only a name (no id, e-mail or phone)
    #[arg(long)]
    allow_name_only: bool,
    /// Reject rows with a field that would otherwise be dropped with a warning
    #[arg(long)]
    strict: bool,
    /// The country of phone numbers without a country code, such as `US` [default: the location's]
    #[arg(long, value_name = "CC", value_parser = |text: &str| COUNTRY_OPTION.parse_text(text))]
    default_country: Option<String>,
    /// The decimal sign of numbers
    #[arg(long, value_name = "SIGN", value_parser = choice_parser::<DecimalSign>())]
    decimal: Option<DecimalSign>,
    /// The order of day, month and year in dates [default: detected in each column]
    #[arg(long, visible_alias = "date-format", value_name = "ORDER", ignore_case = true, value_parser = choice_parser::<DateOrder>())]
    date_order: Option<DateOrder>,
    /// The language of month names, in addition to English
    #[arg(long, value_name = "LANG", value_parser = choice_parser::<DateLocale>())]
    date_locale: Option<DateLocale>,
    /// The time zone of times without one, such as `Europe/Berlin` [default: the location's]
    #[arg(long, value_name = "ZONE", value_parser = |text: &str| TIMEZONE_OPTION.parse_text(text))]
    timezone: Option<String>,
    /// Values to treat as empty, comma-separated and with exact case: `N/A,-,NULL`
    // One value, because clap would turn the parser's result into a list.
    #[arg(long, value_name = "TEXTS")]
    empty_values: Option<String>,
    /// Ignore the case of `--empty-values`, so that `null` also empties `Null`, which may be a name
    #[arg(long)]
    empty_values_ignore_case: bool,
    /// What to do with rows with an invalid phone number [default: reject]
    #[arg(long, value_name = "WHAT", value_parser = choice_parser::<InvalidPhoneRule>())]
    on_invalid_phone: Option<InvalidPhoneRule>,
    /// What to do with values that are not options of a pick list [default: reject]
    #[arg(long, value_name = "WHAT", value_parser = choice_parser::<UnknownOptionRule>())]
    unknown_option: Option<UnknownOptionRule>,
    /// What to do with rows of notes or tasks alone whose contact does not exist [default: reject]
    #[arg(long, value_name = "WHAT", value_parser = choice_parser::<MissingContactRule>())]
    missing_contact: Option<MissingContactRule>,
    /// What to do with a note's original date, which the API cannot set [default: ignore]
    #[arg(long, value_name = "HOW", value_parser = choice_parser::<NoteDateRule>())]
    note_date: Option<NoteDateRule>,
    /// What to do with a task's priority, which the API does not have [default: line]
    #[arg(long, value_name = "HOW", value_parser = choice_parser::<TaskPriorityRule>())]
    task_priority: Option<TaskPriorityRule>,
    /// When tasks without a due date are due, in days from today: `7d`
    #[arg(long, value_name = "DAYS", value_parser = |text: &str| DUE_OPTION.parse_text(text))]
    default_due: Option<u32>,
    /// Cut notes longer than N characters
    #[arg(long, value_name = "N", conflicts_with = "split_notes")]
    truncate_notes: Option<usize>,
    /// Split long notes into several
    #[arg(long)]
    split_notes: bool,
}

fn parse_key_field(text: &str) -> Result<IdentityKey, String> {
    match text.strip_prefix("custom:") {
        None if text == "name" => Ok(IdentityKey::Name),
        Some(name) if !name.is_empty() => Ok(IdentityKey::Custom(name.to_owned())),
        _ => {
            Err("expected `name`, or `custom:NAME` with the key or name of a custom field"
                .to_owned())
        }
    }
}

fn parse_delimiter(text: &str) -> Result<char, String> {
    let mut letters = text.chars();
    match (text, letters.next(), letters.next()) {
        ("tab" | "\\t", ..) => Ok('\t'),
        (_, Some(letter), None) if letter.is_ascii() => Ok(letter),
        _ => Err("expected one character, such as `;`, or `tab`".to_owned()),
    }
}

impl SheetArgs {
    pub(crate) fn reading_options(&self) -> SheetReadOptions {
        SheetReadOptions {
            encoding: self.encoding.clone(),
            delimiter: self.delimiter,
            sheet: self.sheet.clone(),
            header_row: self.header_row,
            hidden: self.hidden,
            skip_rows: self.skip_rows,
            limit: self.limit,
        }
    }
}

impl PolicyArgs {
    /// The flags that were given.
    pub(crate) fn policy_options(&self, mode: Option<ImportMode>) -> PolicyOptions {
        let given = |flag: bool| flag.then_some(true);
        PolicyOptions {
            mode,
            key: self.key.clone(),
            on_duplicate: self.on_duplicate,
            on_shared_email: self.on_shared_email,
            on_shared_phone: self.on_shared_phone,
            on_existing: self.on_existing,
            tags: self.tags,
            extra_values: self.extra_values.clone(),
            no_identity: self.no_identity,
            marker: self.marker_field.clone(),
            blank: self.blank,
            allow_clear: given(self.allow_clear),
            allow_resubscribe: given(self.allow_resubscribe),
            allow_name_only: given(self.allow_name_only),
            default_country: self.default_country.clone(),
            decimal: self.decimal,
            date_order: self.date_order,
            // Only presets have a use for it.
            usual_date_order: None,
            date_locale: self.date_locale,
            timezone: self.timezone.clone(),
            empty_values: self.empty_values(),
            empty_values_ignore_case: given(self.empty_values_ignore_case),
            on_invalid_phone: self.on_invalid_phone,
            unknown_option: self.unknown_option,
            strict: given(self.strict),
            missing_contact: self.missing_contact,
            note_date: self.note_date,
            task_priority: self.task_priority,
            default_due: self.default_due,
            truncate_notes: self.truncate_notes,
            split_notes: given(self.split_notes),
        }
    }

    fn empty_values(&self) -> Option<Vec<String>> {
        let text = self.empty_values.as_deref()?;
        Some(EMPTY_VALUES_OPTION.parse_text(text).expect("every text is a list of texts"))
    }
}
