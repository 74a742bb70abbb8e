//! Failures of an import as people read them.

use std::collections::BTreeMap;

use super::error::CliError;
use super::exit_code::CliExitCode;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::import::ImportError;
use crate::plan::restore::{MissingName, MissingNames, NameKind};
use crate::plan::validate::{UnknownOptionCell, UnresolvedName};
use crate::text::format_plural;

/// Lines of a list that are shown.
const SHOWN: usize = 20;

impl From<ImportError> for CliError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Api(error) => error.into(),
            ImportError::Run(error) => error.into(),
            ImportError::Sheet(refusal) => (*refusal).into(),
            ImportError::Mapping { name, problems } => mapping_error(&name, &problems),
            ImportError::Unfit { ref fitting, .. } => {
                Self::new(CliExitCode::Refused, error.to_string()).with_hint(fitting_presets_hint(fitting))
            }
            ImportError::NoPreset { ref near, .. } => {
                let near = near.as_ref().map(|near| format!("did you mean `{near}`? "));
                let near = near.unwrap_or_default();
                Self::usage(error.to_string())
                    .with_hint(format!("{near}`ghl-bulk map --list-presets` lists all presets"))
            }
            ImportError::ExportOnly { .. } => Self::usage(error.to_string()).with_hint("nothing was sent"),
            ImportError::Ambiguous(ref presets) => {
                let each: Vec<_> = presets.iter().map(|name| format!("`--preset {name}`")).collect();
                Self::new(CliExitCode::Refused, error.to_string())
                    .with_hint(format!("nothing was sent; choose {}", each.join(" or ")))
            }
            ImportError::Undecided { ref columns } => {
                let lines: Vec<_> = columns.iter().map(undecided_line).collect();
                let said = message_with_code(&error.to_string(), DiagnosticCode::E_COLUMN_UNDECIDED);
                Self::new(CliExitCode::Refused, said).with_lines(truncate_lines(&lines)).with_hint(
                    "nothing was sent; `ghl-bulk map FILE -o MAP.toml` proposes a mapping to review; then import with \
                     `--map MAP.toml`. Or decide here: `--map COLUMN=target`, `--ignore-column COLUMN`",
                )
            }
            ImportError::Unmapped { .. } => Self::new(CliExitCode::Refused, error.to_string())
                .with_hint("map them, or list them under `ignore`; `--ignore-column` ignores them for this import only"),
            ImportError::UnknownNames(names) => {
                let lines: Vec<_> = names.iter().map(unknown_name_line).collect();
                let said = "the sheet uses names that the location does not have";
                Self::new(CliExitCode::Refused, said).with_lines(truncate_lines(&lines))
                    .with_hint("nothing was sent; fix the sheet, translate the names in the mapping's `values`, or leave the column out with `--ignore-column`")
            }
            ImportError::UnknownOptions(cells) => unknown_options_error(&cells),
            ImportError::LackingNames(ref names) => lacking_names_error(names),
            ImportError::Repository(error) => error.into(),
            ImportError::Identityless(_) => Self::new(CliExitCode::Refused, format!("{error}; a request whose answer is lost could create them twice"))
                .with_hint("`--marker-field NAME` marks them, `--no-identity skip` rejects them, `--no-identity at-most-once` sends each once without retrying"),
            ImportError::Stale { ref which, .. } => {
                Self::new(CliExitCode::Stale, error.to_string()).with_lines(truncate_lines(which))
                    .with_hint("nothing was sent; run the import or undo command again to make a new plan")
            }
            ImportError::Unsettled { ref run, .. } => {
                let hint = "nothing was sent; resume the import, which resolves them, then undo it";
                Self::new(CliExitCode::Refused, error.to_string()).with_hint(hint).with_resume(run.clone())
            }
            ImportError::NewFields(ref columns) => new_fields_error(&error, columns),
            ImportError::FieldRefused { .. } => Self::usage(error.to_string())
                .with_hint("no contact was written; create the field in HighLevel, then run the import again without `--create-fields` for it"),
            ImportError::MaxErrors(_) => Self::new(CliExitCode::TooManyErrors, error.to_string())
                .with_hint("the file of the rejected rows says why; `ghl-bulk resume` continues with the rest"),
            ImportError::Answer(_) => Self::usage(error.to_string()).with_hint("`-v` logs the responses"),
            ImportError::File { .. } => Self::usage(error.to_string()).with_hint("check permissions, free space and the limit of open files"),
            ImportError::Request(message) => Self::new(CliExitCode::Usage, message),
            ImportError::Bug(_) => Self::new(CliExitCode::Bug, error.to_string())
                .with_hint("this is a bug; nothing more was sent. Please report it"),
        }
    }
}

/// The error for names that the target of a restore lacks, each in a line.
fn lacking_names_error(names: &MissingNames) -> CliError {
    let line = |(name, count): (&MissingName, &u64)| {
        let kind = name.kind.singular_name();
        let detail = match name.detail.as_str() {
            "" => String::new(),
            detail => format!(" of type {detail}"),
        };
        format!("{kind} `{}`{detail}: {}", name.name, format_plural(*count, "value"))
    };
    let lines: Vec<String> = names.0.iter().map(line).collect();
    let has = |kind| names.0.keys().any(|name| name.kind == kind);
    let hints = [
        (NameKind::CustomField, "create the fields in HighLevel, or `--skip-missing-fields`"),
        (NameKind::User, "`--user-map FILE`, `--unassigned USER` or `--skip-missing-users`"),
        (
            NameKind::Business,
            "create the businesses (a snapshot has their names with `backup --with businesses`), or \
             `--skip-missing-businesses`",
        ),
    ];
    let hints: Vec<&str> =
        hints.into_iter().filter(|(kind, _)| has(*kind)).map(|(_, hint)| hint).collect();
    let said = "the location lacks names that the snapshot has";
    CliError::new(CliExitCode::Refused, said)
        .with_lines(truncate_lines(&lines))
        .with_hint(format!("nothing was sent; {}", hints.join("; ")))
}

/// The error for columns that cannot become custom fields, each in a line.
fn new_fields_error(error: &ImportError, columns: &[Diagnostic]) -> CliError {
    let code = DiagnosticCode::E_NEW_FIELD;
    let lines: Vec<_> = columns.iter().map(|column| column.list_line(code)).collect();
    CliError::new(CliExitCode::Refused, message_with_code(&error.to_string(), code))
        .with_lines(truncate_lines(&lines))
        .with_hint("nothing was sent")
}

/// The error for a mapping with problems, each in a line.
fn mapping_error(name: &str, problems: &[Diagnostic]) -> CliError {
    let lines = crate::import::problem_lines(problems);
    let message = format!("the mapping `{name}` has errors");
    let message = message_with_code(&message, DiagnosticCode::E_MAPPING);
    CliError::new(CliExitCode::Refused, message)
        .with_lines(truncate_lines(&lines))
        .with_hint("nothing was sent; fix it, or create a new one with `ghl-bulk map`")
}

/// The hint for a preset that does not fit.
fn fitting_presets_hint(fitting: &[String]) -> String {
    match fitting {
        [] => "no preset matches it; `ghl-bulk map FILE -o MAP.toml` proposes a mapping".to_owned(),
        fitting => format!("`--preset {}` fits it", fitting.join("` or `--preset ")),
    }
}

/// A message with its stable name.
fn message_with_code(message: &str, code: DiagnosticCode) -> String {
    format!("{message} ({code})")
}

/// A column that must be decided about; its code only where the heading has another one.
fn undecided_line(column: &Diagnostic) -> String {
    let message = column.full_message();
    match column.code {
        DiagnosticCode::E_COLUMN_UNDECIDED => message,
        code => message_with_code(&message, code),
    }
}

impl From<Diagnostic> for CliError {
    fn from(refusal: Diagnostic) -> Self {
        let code = match refusal.code {
            DiagnosticCode::E_IO => CliExitCode::Usage,
            DiagnosticCode::E_CHANGED => CliExitCode::Stale,
            _ => CliExitCode::Refused,
        };
        let failure = Self::new(code, message_with_code(&refusal.message, refusal.code));
        match refusal.hint {
            Some(hint) => failure.with_hint(format!("nothing was sent; {hint}")),
            None => failure.with_hint("nothing was sent"),
        }
    }
}

fn unknown_name_line(name: &UnresolvedName) -> String {
    let rows = format_plural(name.rows, "row");
    let near = match name.candidates.as_slice() {
        [] => String::new(),
        near => format!("; did you mean `{}`?", near.join("` or `")),
    };
    format!("`{}` in column `{}` ({rows}): {}{near}", name.value, name.field, name.message)
}

/// The error for values that are not options of their pick lists: all of them, with how to map them.
fn unknown_options_error(cells: &[UnknownOptionCell]) -> CliError {
    let mut rows: BTreeMap<(&str, &str, &str), (u64, Option<&str>)> = BTreeMap::new();
    for cell in cells {
        for (value, nearest) in &cell.values {
            let option = rows.entry((&cell.field, &cell.target, value)).or_default();
            *option = (option.0 + cell.rows, nearest.as_deref());
        }
    }
    let mut lines: Vec<_> = rows
        .into_iter()
        .map(|((field, target, value), (rows, nearest))| {
            let near = nearest.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            let rows = format_plural(rows, "row");
            format!("`{value}` in column `{field}` ({rows}) is not an option of `{target}`{near}")
        })
        .collect();
    let others = cells.iter().filter(|cell| cell.values.is_empty());
    lines.extend(others.map(|cell| {
        let rows = format_plural(cell.rows, "more row");
        format!(
            "column `{}`: further values in {rows} are not options of `{}`",
            cell.field, cell.target
        )
    }));
    CliError::new(
        CliExitCode::Refused,
        "the sheet has values that are not options of their pick list",
    )
    .with_lines(lines)
    .with_hint(
        "nothing was sent; map them in the mapping's `values` (`values = { \"old\" = \"Option\" }`, or `\"old\" = \"\"` \
         to leave one out), or create the options in HighLevel. `--unknown-option drop-value` leaves such values out, \
         `reject` rejects their rows",
    )
}

/// The lines that are shown of a list.
fn truncate_lines(lines: &[String]) -> Vec<String> {
    let mut shown: Vec<_> = lines.iter().take(SHOWN).cloned().collect();
    if lines.len() > SHOWN {
        shown.push(format!("and {} more", lines.len() - SHOWN));
    }
    shown
}
