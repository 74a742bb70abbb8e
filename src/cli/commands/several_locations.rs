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
use crate::event::CancelSignal;
use crate::id::LocationId;
use crate::text::{escape_for_terminal, format_count, format_plural};

/// Of more locations with the same error, it is printed once.
const MOST_ALIKE: usize = 3;

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

    /// How to go on with locations that were stopped.
    const GO_ON: &str = "start the same command again";
}

/// How locations are worked on.
pub(crate) struct WorkPlan<'a> {
    /// All of them.
    pub(crate) accounts: &'a [LocationAccount],
    /// In the order in which they begin.
    pub(crate) order: Vec<&'a LocationAccount>,
    /// The most at a time, as far as the system has open files for.
    pub(crate) at_once: NonZeroUsize,
    /// Once it is cancelled, no location begins.
    pub(crate) stop: &'a CancelSignal,
    /// What shows how many are done.
    pub(crate) screen: &'a CliReporter,
}

/// Works on locations. The results are in the order of the accounts.
pub(crate) async fn work_on_locations<'a, T, F>(
    plan: WorkPlan<'a>,
    work: impl Fn(&'a LocationAccount) -> F,
) -> Vec<LocationResult<T>>
where
    F: Future<Output = LocationResult<T>>,
{
    let WorkPlan { accounts, order, at_once, stop, screen } = plan;
    let at_once = machine_limits::limit_locations(at_once);
    let are_several = accounts.len() > 1;
    let counter = are_several.then(|| screen.count_locations(accounts.len()));
    let (counter, work) = (counter.as_ref(), &work);
    let one = |account: &'a LocationAccount| async move {
        // The only location says itself what a stop means for it.
        if let Some(cause) = stop.cause().filter(|_| are_several) {
            return (account.location.clone(), Err(CliError::of_unstarted_location(cause)));
        }
        counter.inspect(|counter| counter.begin());
        let ended = work(account).await;
        counter.inspect(|counter| counter.end(ended.1.is_ok()));
        ended
    };
    let mut ended = concurrency::run_within_task(order, at_once, one).await;
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
        if let Ok(report) = end
            && let Some(line) = report.summary_line()
        {
            screen.print_note(&format!("{}: {line}", escape_for_terminal(location.as_str())));
        }
    }
    // Below the others, where they are seen.
    print_location_errors(ended, T::GO_ON);
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

/// Prints the errors of locations, those with the same message once if there are many.
fn print_location_errors<T>(ended: &[LocationResult<T>], go_on: &str) {
    let failed = ended.iter().filter_map(|(location, end)| Some((location, end.as_ref().err()?)));
    let mut by_message: Vec<(&str, Vec<(&LocationId, &CliError)>)> = Vec::new();
    let mut places = HashMap::new();
    for (location, error) in failed {
        let place = *places.entry(error.message.as_str()).or_insert_with(|| {
            by_message.push((&error.message, Vec::new()));
            by_message.len() - 1
        });
        by_message[place].1.push((location, error));
    }
    for (message, of_message) in by_message {
        if of_message.len() > MOST_ALIKE {
            print_common_error(message, &of_message, go_on);
            continue;
        }
        for (location, error) in of_message {
            print_location_error(&escape_for_terminal(location.as_str()), error);
        }
    }
}

/// Prints the error that many locations have in common.
fn print_common_error(message: &str, of_message: &[(&LocationId, &CliError)], go_on: &str) {
    let named = of_message.iter().take(MOST_ALIKE);
    let named = named.map(|(location, _)| escape_for_terminal(location.as_str()));
    let named = named.collect::<Vec<_>>().join(", ");
    let count = of_message.len();
    let (all, more) = (format_count(count as u64), format_count((count - MOST_ALIKE) as u64));
    let mut err = io::stderr().lock();
    // When stderr is closed there is nothing to report to.
    let _ = writeln!(
        err,
        "error: {all} locations ({named} and {more} more): {}",
        escape_for_terminal(message)
    );
    let hint = of_message.iter().find_map(|(_, error)| error.hint.as_deref());
    let was_stopped = of_message.iter().any(|(_, error)| error.next.is_some());
    let go_on = was_stopped.then(|| format!("{go_on}, or see `ghl-bulk runs`"));
    for hint in hint.map(str::to_owned).into_iter().chain(go_on) {
        let _ = writeln!(err, "  hint: {}", escape_for_terminal(&hint));
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
