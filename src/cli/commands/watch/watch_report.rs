//! What a watch came to.

use serde_json::json;

use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::text::format_plural;
use crate::watch::DeliveryResult;

/// What a watch came to.
pub(super) struct WatchReport {
    /// What became of each sink.
    pub(super) results: Vec<DeliveryResult>,
    /// The sinks that started again, because the mirror was lost.
    pub(super) restarted: Vec<String>,
    /// Whether it was to go on until it is stopped.
    pub(super) is_service: bool,
}

impl WatchReport {
    /// Shows it, and gives the exit code.
    pub(super) fn show(&self, settings: &Settings, screen: &CliReporter) -> CliExitCode {
        let results = &self.results;
        let waiting: u64 = results.iter().map(|result| result.waiting).sum();
        let is_gone = results.iter().any(|result| result.is_gone);
        // A service that is stopped comes back to what waits.
        let is_complete = waiting == 0 || (self.is_service && !is_gone);
        let code = if is_complete { CliExitCode::Done } else { CliExitCode::Partial };
        if settings.json {
            self.emit_summary(code, is_complete, screen);
            return code;
        }
        for result in results {
            screen.print_note(&self.result_line(result));
        }
        if self.is_service {
            screen.print_note(
                "edits of old notes and tasks become events when everything is read again (`--walk-every`)",
            );
        }
        code
    }

    fn was_restarted(&self, result: &DeliveryResult) -> bool {
        self.restarted.contains(&result.sink)
    }

    fn emit_summary(&self, code: CliExitCode, is_complete: bool, screen: &CliReporter) {
        let sinks = self.results.iter().map(|result| {
            json!({
                "sink": result.sink, "delivered": result.delivered, "waiting": result.waiting,
                "gone": result.is_gone, "restarted": self.was_restarted(result),
            })
        });
        screen.emit_event(&json!({
            "event": "summary", "exit_code": code as u8,
            "outcome": if is_complete { "complete" } else { "partial" },
            "kind": "watch", "sinks": sinks.collect::<Vec<_>>(),
        }));
    }

    fn result_line(&self, result: &DeliveryResult) -> String {
        let delivered = format_plural(result.delivered, "event");
        let kept = match result.waiting {
            0 => String::new(),
            waiting => format!("; {} kept for the next time", format_plural(waiting, "event")),
        };
        let restarted = if self.was_restarted(result) {
            "; it started again, because the local copy was lost"
        } else {
            ""
        };
        format!("{}: {delivered} delivered{kept}{restarted}", result.sink)
    }
}
