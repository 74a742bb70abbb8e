//! What a watch came to.

use serde_json::json;

use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::text::format_plural;
use crate::watch::DeliveryResult;

/// Reports how a watch ended. `is_service` is whether it was to go on until it is stopped.
pub(super) fn report_watch(
    results: &[DeliveryResult],
    settings: &Settings,
    screen: &CliReporter,
    is_service: bool,
) -> CliExitCode {
    let waiting: u64 = results.iter().map(|result| result.waiting).sum();
    // A service that is stopped comes back to what waits.
    let is_complete = waiting == 0 || (is_service && !results.iter().any(|result| result.is_gone));
    let code = if is_complete { CliExitCode::Done } else { CliExitCode::Partial };
    if settings.json {
        let outcome = if is_complete { "complete" } else { "partial" };
        let sinks: Vec<_> = results
            .iter()
            .map(|result| {
                json!({
                    "sink": result.sink, "delivered": result.delivered,
                    "waiting": result.waiting, "gone": result.is_gone,
                })
            })
            .collect();
        screen.emit_event(&json!({
            "event": "summary", "exit_code": code as u8, "outcome": outcome, "kind": "watch",
            "sinks": sinks,
        }));
        return code;
    }
    for result in results {
        let delivered = format_plural(result.delivered, "event");
        let kept = match result.waiting {
            0 => String::new(),
            waiting => format!("; {} kept for the next time", format_plural(waiting, "event")),
        };
        screen.print_note(&format!("{}: {delivered} delivered{kept}", result.sink));
    }
    if is_service {
        screen.print_note(
            "edits of old notes and tasks become events when everything is read again (`--walk-every`)",
        );
    }
    code
}
