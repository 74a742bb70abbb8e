//! One sheet into several locations: one after the other, each a run of its own.
//!
//! A failure in one location does not stop the next; a signal or the deadline does. What is reported about a
//! location says which one it is.

use serde_json::{Map, Value, json};

use crate::cli::account::{LocationAccount, LocationAccounts};
use crate::cli::commands::several_locations::print_location_error;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::event::CancelSignal;
use crate::text::{escape_for_terminal, format_plural};

/// The codes from the worst to none: the program ends with the worst that a location had.
const RANKS: [CliExitCode; 15] = [
    CliExitCode::Interrupted,
    CliExitCode::Terminated,
    CliExitCode::Bug,
    CliExitCode::Damaged,
    CliExitCode::InDoubt,
    CliExitCode::Access,
    CliExitCode::Usage,
    CliExitCode::Refused,
    CliExitCode::Stale,
    CliExitCode::TooManyErrors,
    CliExitCode::Locked,
    CliExitCode::Missing,
    CliExitCode::Paused,
    CliExitCode::Partial,
    CliExitCode::Changes,
];

/// Does the work for each location, and tells how all ended.
pub(crate) async fn for_each_location(
    accounts: &LocationAccounts,
    settings: &Settings,
    screen: &CliReporter,
    stop: &CancelSignal,
    work: impl AsyncFn(&LocationAccount, &CliReporter) -> Result<CliExitCode, CliError>,
) -> Result<CliExitCode, CliError> {
    let mut ended: Vec<(&LocationAccount, Result<CliExitCode, CliError>)> = Vec::new();
    for account in &accounts.all {
        if stop.is_cancelled() {
            break;
        }
        let id = account.location.to_string();
        screen.print_note(&format!("location {}:", location_label(account)));
        let result = work(account, &screen.for_location(&id)).await;
        screen.finish();
        if let (Err(failure), false) = (&result, settings.json) {
            print_location_error(&escape_for_terminal(&id), failure);
        }
        ended.push((account, result));
    }
    let code = worst_exit_code(&ended);
    let left = accounts.all.len() - ended.len();
    if settings.json {
        screen.emit_event(&summary_event(&ended, left, code));
        return Ok(code);
    }
    let failed = ended.iter().filter(|(_, result)| result.is_err()).count();
    let done = format_plural((ended.len() - failed) as u64, "location");
    let failed = if failed > 0 { format!(", {failed} failed (see above)") } else { String::new() };
    let left = if left > 0 { format!(", {left} not begun") } else { String::new() };
    screen.print_note(&format!("{done} done{failed}{left}"));
    Ok(code)
}

fn location_label(account: &LocationAccount) -> String {
    let id = escape_for_terminal(account.location.as_str());
    account
        .name
        .as_deref()
        .map_or_else(|| id.to_string(), |name| format!("{} ({id})", escape_for_terminal(name)))
}

fn worst_exit_code(ended: &[(&LocationAccount, Result<CliExitCode, CliError>)]) -> CliExitCode {
    let code = |result: &Result<CliExitCode, CliError>| match result {
        Ok(code) => *code,
        Err(failure) => failure.code,
    };
    worst_of(&ended.iter().map(|(_, result)| code(result)).collect::<Vec<_>>())
}

/// The worst of some exit codes.
pub(super) fn worst_of(codes: &[CliExitCode]) -> CliExitCode {
    RANKS.into_iter().find(|rank| codes.contains(rank)).unwrap_or(CliExitCode::Done)
}

fn summary_event(
    ended: &[(&LocationAccount, Result<CliExitCode, CliError>)],
    left: usize,
    code: CliExitCode,
) -> Map<String, Value> {
    let one = |(account, result): &(&LocationAccount, Result<CliExitCode, CliError>)| {
        let mut fields = match result {
            Ok(code) => Map::from_iter([("exit_code".to_owned(), (*code as u8).into())]),
            Err(failure) => {
                let mut fields = failure.summary_fields();
                fields.insert("exit_code".to_owned(), (failure.code as u8).into());
                fields
            }
        };
        fields.insert("location_name".to_owned(), json!(account.name));
        (account.location.to_string(), Value::Object(fields))
    };
    let outcome = if code == CliExitCode::Done { "complete" } else { "partial" };
    let fields = json!({
        "event": "summary", "exit_code": code as u8, "outcome": outcome, "not_begun": left,
        "locations": ended.iter().map(one).collect::<Map<_, _>>(),
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
