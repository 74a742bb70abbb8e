//! One sheet into several locations: one after the other, each a run of its own.
//!
//! What fails in one location does not stop the next; a signal or the deadline does. What is told of a
//! location says which one it is.

use serde_json::{Map, Value, json};

use crate::cli::account::{Account, Accounts};
use crate::cli::args::global::Global;
use crate::cli::commands::export::export_report::tell_failure;
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;
use crate::cli::output::progress::Screen;
use crate::cli::output::text_format::{plural, safe};
use crate::event::Stop;

/// The codes from the worst to none: the program ends with the worst that a location had.
const RANKS: [Code; 15] = [
    Code::Interrupted,
    Code::Terminated,
    Code::Bug,
    Code::Damaged,
    Code::InDoubt,
    Code::Access,
    Code::Usage,
    Code::Refused,
    Code::Stale,
    Code::TooManyErrors,
    Code::Locked,
    Code::Missing,
    Code::Paused,
    Code::Partial,
    Code::Changes,
];

/// Does the work for each location, and tells how all ended.
pub(crate) async fn each(
    accounts: &Accounts,
    global: &Global,
    screen: &Screen,
    stop: &Stop,
    work: impl AsyncFn(&Account, &Screen) -> Result<Code, Failure>,
) -> Result<Code, Failure> {
    let mut ended: Vec<(&Account, Result<Code, Failure>)> = Vec::new();
    for account in &accounts.all {
        if stop.closed() {
            break;
        }
        let id = account.location.to_string();
        screen.line(&format!("location {}:", called(account)));
        let result = work(account, &screen.of_location(&id)).await;
        screen.finish();
        if let (Err(failure), false) = (&result, global.json) {
            tell_failure(&safe(&id), failure);
        }
        ended.push((account, result));
    }
    let code = worst(&ended);
    let left = accounts.all.len() - ended.len();
    if global.json {
        screen.emit(&summary(&ended, left, code));
        return Ok(code);
    }
    let failed = ended.iter().filter(|(_, result)| result.is_err()).count();
    let done = plural((ended.len() - failed) as u64, "location");
    let failed = if failed > 0 { format!(", {failed} failed (see above)") } else { String::new() };
    let left = if left > 0 { format!(", {left} not begun") } else { String::new() };
    screen.line(&format!("{done} done{failed}{left}"));
    Ok(code)
}

fn called(account: &Account) -> String {
    let id = safe(account.location.as_str());
    account.name.as_deref().map_or_else(|| id.to_string(), |name| format!("{} ({id})", safe(name)))
}

fn worst(ended: &[(&Account, Result<Code, Failure>)]) -> Code {
    let code = |result: &Result<Code, Failure>| match result {
        Ok(code) => *code,
        Err(failure) => failure.code,
    };
    let codes: Vec<_> = ended.iter().map(|(_, result)| code(result)).collect();
    RANKS.into_iter().find(|rank| codes.contains(rank)).unwrap_or(Code::Done)
}

fn summary(
    ended: &[(&Account, Result<Code, Failure>)],
    left: usize,
    code: Code,
) -> Map<String, Value> {
    let one = |(account, result): &(&Account, Result<Code, Failure>)| {
        let mut fields = match result {
            Ok(code) => Map::from_iter([("exit_code".to_owned(), (*code as u8).into())]),
            Err(failure) => {
                let mut fields = failure.fields();
                fields.insert("exit_code".to_owned(), (failure.code as u8).into());
                fields
            }
        };
        fields.insert("location_name".to_owned(), json!(account.name));
        (account.location.to_string(), Value::Object(fields))
    };
    let outcome = if code == Code::Done { "complete" } else { "partial" };
    let fields = json!({
        "event": "summary", "exit_code": code as u8, "outcome": outcome, "not_begun": left,
        "locations": ended.iter().map(one).collect::<Map<_, _>>(),
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
