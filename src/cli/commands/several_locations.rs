//! A command that works on several locations: a few at a time, and each with a result of its own.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::num::NonZeroUsize;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::cli::account::LocationAccount;
use crate::cli::config::dirs::shorten_run_id;
use crate::cli::machine_limits;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::concurrency;
use crate::id::LocationId;
use crate::text::{escape_for_terminal, format_plural};

/// The result of one location.
pub(crate) type LocationResult<T> = (LocationId, Result<T, CliError>);

/// What became of a location, for the report of several.
pub(crate) trait LocationReport {
    /// The exit code of a command that is about this location alone.
    fn exit_code(&self) -> CliExitCode;

    /// The fields of a summary.
    fn to_json(&self) -> Value;

    /// A line for people, if there is something to say.
    fn summary_line(&self) -> Option<String>;
}

/// Works on locations, at most `at_once` at a time and as far as the system has open files for, and begins in the order
/// given. The results are in the order of `accounts`.
pub(crate) async fn work_on_locations<'a, T, F>(
    accounts: &[LocationAccount],
    order: Vec<&'a LocationAccount>,
    at_once: NonZeroUsize,
    work: impl Fn(&'a LocationAccount) -> F,
) -> Vec<LocationResult<T>>
where
    F: Future<Output = LocationResult<T>>,
{
    let at_once = machine_limits::limit_locations(at_once);
    let mut ended = concurrency::run_within_task(order, at_once, work).await;
    let places: HashMap<_, _> =
        accounts.iter().enumerate().map(|(n, account)| (&account.location, n)).collect();
    ended.sort_by_key(|(location, _)| places.get(location).copied());
    ended
}

/// The fields of the summary of a report that is serialized as it is.
pub(crate) fn report_fields(code: CliExitCode, kind: &str, report: &impl Serialize) -> Value {
    let mut fields = json!({ "outcome": outcome_name(code), "kind": kind });
    if let (Value::Object(fields), Value::Object(report)) = (&mut fields, json!(report)) {
        fields.extend(report);
    }
    fields
}

/// Reports what became of the only location, with the `lines` for people, and gives the exit code.
pub(crate) fn report_only_location<T: LocationReport>(
    report: &T,
    lines: impl FnOnce(&T) -> Vec<String>,
    settings: &Settings,
    screen: &CliReporter,
) -> CliExitCode {
    let code = report.exit_code();
    if settings.json {
        emit_summary(screen, code, report.to_json());
        return code;
    }
    for line in lines(report) {
        screen.print_note(&line);
    }
    code
}

/// Reports what became of each location, and gives the exit code. `done` is the participle of what was done; `facts` are
/// more fields of the summary.
pub(crate) fn report_locations<T: LocationReport>(
    ended: &[LocationResult<T>],
    done: &str,
    facts: Value,
    settings: &Settings,
    screen: &CliReporter,
) -> CliExitCode {
    let code = combined_exit_code(ended);
    if settings.json {
        let locations: Map<_, _> =
            ended.iter().map(|(id, end)| (id.to_string(), result_json(end))).collect();
        let mut summary = json!({ "outcome": outcome_name(code), "locations": locations });
        if let (Value::Object(summary), Value::Object(facts)) = (&mut summary, facts) {
            summary.extend(facts);
        }
        emit_summary(screen, code, summary);
        return code;
    }
    for (location, end) in ended {
        let location = escape_for_terminal(location.as_str()).into_owned();
        match end {
            Ok(report) => {
                if let Some(line) = report.summary_line() {
                    screen.print_note(&format!("{location}: {line}"));
                }
            }
            Err(failure) => print_location_error(&location, failure),
        }
    }
    let failed = ended.iter().filter(|(_, end)| end.is_err()).count();
    let succeeded = format_plural((ended.len() - failed) as u64, "location");
    let failed = if failed == 0 { String::new() } else { format!(", {failed} failed (see above)") };
    screen.print_note(&format!("{succeeded} {done}{failed}"));
    code
}

/// One code for several locations: the failure's own where they all ended alike, else 3.
pub(crate) fn combined_exit_code<T: LocationReport>(ended: &[LocationResult<T>]) -> CliExitCode {
    let codes: Vec<CliExitCode> = ended
        .iter()
        .map(|(_, end)| match end {
            Ok(report) => report.exit_code(),
            Err(failure) => failure.code,
        })
        .collect();
    match codes.split_first() {
        Some((first, rest)) if rest.iter().all(|code| code == first) => *first,
        _ if codes.contains(&CliExitCode::Interrupted) => CliExitCode::Interrupted,
        _ if codes.contains(&CliExitCode::Terminated) => CliExitCode::Terminated,
        _ => CliExitCode::Partial,
    }
}

/// Failures are printed even with `--quiet`.
pub(crate) fn print_location_error(location: &str, failure: &CliError) {
    let mut err = io::stderr().lock();
    // When stderr is closed there is nothing to report to.
    let _ = writeln!(err, "error: {location}: {}", escape_for_terminal(&failure.message));
    if let Some(hint) = &failure.hint {
        let _ = writeln!(err, "  hint: {}", escape_for_terminal(hint));
    }
    if let Some(next) = &failure.next {
        let _ = writeln!(err, "  next: {}", next.command_line(&shorten_run_id(&next.run)));
    }
}

/// The word for an exit code in a summary.
pub(crate) fn outcome_name(code: CliExitCode) -> &'static str {
    match code {
        CliExitCode::Done => "complete",
        CliExitCode::Partial => "partial",
        _ => "failed",
    }
}

/// What a summary says of a location.
pub(crate) fn result_json<T: LocationReport>(end: &Result<T, CliError>) -> Value {
    match end {
        Ok(report) => report.to_json(),
        Err(failure) => {
            let mut fields = failure.summary_fields();
            fields.insert("exit_code".to_owned(), (failure.code as u8).into());
            Value::Object(fields)
        }
    }
}

/// Emits the last event of a command.
pub(crate) fn emit_summary(screen: &CliReporter, code: CliExitCode, rest: Value) {
    let mut line = Map::new();
    line.insert("event".to_owned(), "summary".into());
    line.insert("exit_code".to_owned(), (code as u8).into());
    if let Value::Object(rest) = rest {
        line.extend(rest);
    }
    screen.emit_event(&line);
}
