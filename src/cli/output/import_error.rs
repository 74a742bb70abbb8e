//! Failures of an import as people read them.

use super::error::Failure;
use super::exit_code::Code;
use super::text_format::plural;
use crate::import::Error;
use crate::mapping::propose::Undecided;
use crate::plan::validate::Unknown;
use crate::sheet::Refusal;

/// Lines of a list that are shown.
const SHOWN: usize = 20;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Api(error) => error.into(),
            Error::Run(error) => error.into(),
            Error::Sheet(refusal) => of_sheet(refusal),
            Error::Mapping { name, problems } => {
                let lines = crate::import::problem_lines(&problems);
                Self::new(Code::Refused, format!("the mapping `{name}` is wrong")).lines(listed(&lines))
                    .hint("nothing was sent; repair it, or make a new one with `ghl-bulk map`")
            }
            Error::Unfit { ref fitting, .. } => {
                Self::new(Code::Refused, error.to_string()).hint(fitting_presets(fitting))
            }
            Error::NoPreset { ref near, .. } => {
                let near = near.as_ref().map(|near| format!("did you mean `{near}`? "));
                let near = near.unwrap_or_default();
                Self::usage(error.to_string())
                    .hint(format!("{near}`ghl-bulk map --list-presets` lists the presets there are"))
            }
            Error::Ambiguous(ref presets) => {
                let each: Vec<_> = presets.iter().map(|name| format!("`--preset {name}`")).collect();
                Self::new(Code::Refused, error.to_string())
                    .hint(format!("nothing was sent; choose {}", each.join(" or ")))
            }
            Error::Undecided { ref columns } => {
                let line = |column: &Undecided| coded(&column.to_string(), column.code);
                let lines: Vec<_> = columns.iter().map(line).collect();
                Self::new(Code::Refused, error.to_string()).lines(listed(&lines)).hint(
                    "nothing was sent; `ghl-bulk map FILE -o MAP.toml` proposes a mapping to look over; then import with \
                     `--map MAP.toml`. Or decide here: `--map COLUMN=target`, `--ignore-column COLUMN`",
                )
            }
            Error::Unmapped { .. } => Self::new(Code::Refused, error.to_string())
                .hint("map them, or list them under `ignore`; `--ignore-column` does so for once"),
            Error::UnknownNames(names) => {
                let lines: Vec<_> = names.iter().map(unknown_name).collect();
                let said = "the sheet names what the location does not have";
                Self::new(Code::Refused, said).lines(listed(&lines))
                    .hint("nothing was sent; repair the sheet, say what is meant in the mapping's `values`, or leave the column out: `--ignore-column`")
            }
            Error::Identityless(_) => Self::new(Code::Refused, format!("{error}; a request whose answer is lost could create them twice"))
                .hint("`--marker-field NAME` marks them, `--no-identity skip` leaves them out, `--no-identity at-most-once` sends each once and never again"),
            Error::Stale { ref which, .. } => {
                Self::new(Code::Stale, error.to_string()).lines(listed(which))
                    .hint("nothing was sent; make a new plan: give the import or undo command again")
            }
            Error::Unsettled { ref run, .. } => {
                let hint = format!(
                    "nothing was sent; `ghl-bulk resume {run}` finds out and goes on, then undo it"
                );
                Self::new(Code::Refused, error.to_string()).hint(hint)
            }
            Error::MaxErrors(_) => Self::new(Code::TooManyErrors, error.to_string())
                .hint("rejected.csv says why; `ghl-bulk resume` goes on with the rest"),
            Error::Answer(_) => Self::usage(error.to_string()).hint("`-v` shows what was answered"),
            Error::File { .. } => Self::usage(error.to_string()).hint("check the rights and the free space there"),
            Error::Request(message) => Self::new(Code::Usage, message),
            Error::Bug(_) => Self::new(Code::Bug, error.to_string())
                .hint("this should never happen; nothing further was sent. Please report it"),
        }
    }
}

/// What to do about a preset that does not fit.
fn fitting_presets(fitting: &[String]) -> String {
    match fitting {
        [] => "no preset fits it; `ghl-bulk map FILE -o MAP.toml` proposes a mapping".to_owned(),
        fitting => format!("`--preset {}` fits it", fitting.join("` or `--preset ")),
    }
}

/// A message with its stable name, if it has one.
fn coded(message: &str, code: Option<&str>) -> String {
    code.map_or_else(|| message.to_owned(), |code| format!("{message} ({code})"))
}

pub(crate) fn of_sheet(refusal: Refusal) -> Failure {
    let code = match refusal.code {
        "E_IO" => Code::Usage,
        "E_CHANGED" => Code::Stale,
        _ => Code::Refused,
    };
    let failure = Failure::new(code, coded(&refusal.message, Some(refusal.code)));
    match refusal.hint {
        Some(hint) => failure.hint(format!("nothing was sent; {hint}")),
        None => failure.hint("nothing was sent"),
    }
}

fn unknown_name(name: &Unknown) -> String {
    let rows = plural(name.rows, "row");
    let near = match name.candidates.as_slice() {
        [] => String::new(),
        near => format!("; did you mean `{}`?", near.join("` or `")),
    };
    format!("`{}` in column `{}` ({rows}): {}{near}", name.value, name.field, name.message)
}

/// The lines that are shown of a list.
fn listed(lines: &[String]) -> Vec<String> {
    let mut shown: Vec<_> = lines.iter().take(SHOWN).cloned().collect();
    if lines.len() > SHOWN {
        shown.push(format!("and {} more", lines.len() - SHOWN));
    }
    shown
}
