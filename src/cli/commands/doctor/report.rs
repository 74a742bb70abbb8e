//! The doctor's page: each check as a line, or all of them as one object.

use std::io::{IsTerminal as _, Write as _};

use serde_json::json;

use super::{
    CliExitCode, CliReporter, DoctorCheck, DoctorFailureKind, LocationId, Settings, format_plural,
};
use crate::cli::output::stdout_failure;
use crate::doctor::DoctorStatus;
use crate::text::escape_for_terminal;

/// The results of the checks, and how they are shown.
pub(super) struct DoctorOutput {
    checks: Vec<DoctorCheck>,
    how: DoctorOutputMode,
    /// The location whose checks were shown last.
    shown: Option<LocationId>,
    /// Checks that were skipped one after the other for one reason: they share a line.
    skipped: Vec<DoctorCheck>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum DoctorOutputMode {
    /// All at once, at the end.
    Json,
    /// Problems alone.
    Problems { color: bool },
    /// Everything.
    All { color: bool },
}

impl DoctorOutput {
    pub(super) fn new(settings: &Settings) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let color = !plain && std::io::stdout().is_terminal();
        let how = match (settings.json, settings.quiet) {
            (true, _) => DoctorOutputMode::Json,
            (_, true) => DoctorOutputMode::Problems { color },
            _ => DoctorOutputMode::All { color },
        };
        Self { checks: Vec::new(), how, shown: None, skipped: Vec::new() }
    }

    /// Takes a check, and shows it at once unless all are shown together.
    pub(super) fn add_check(&mut self, check: DoctorCheck) {
        match (self.how, check.status) {
            (DoctorOutputMode::Json, _)
            | (DoctorOutputMode::Problems { .. }, DoctorStatus::Ok | DoctorStatus::Skipped) => {}
            (DoctorOutputMode::Problems { color }, _) => self.print_check(&check, color),
            (DoctorOutputMode::All { color }, DoctorStatus::Skipped) => {
                self.defer_skipped(&check, color);
            }
            (DoctorOutputMode::All { color }, _) => {
                self.flush_skipped(color);
                self.print_check(&check, color);
            }
        }
        self.checks.push(check);
    }

    fn defer_skipped(&mut self, check: &DoctorCheck, color: bool) {
        let alike = |one: &DoctorCheck| one.what == check.what && one.location == check.location;
        if !self.skipped.iter().all(alike) {
            self.flush_skipped(color);
        }
        self.skipped.push(check.clone());
    }

    /// Shows the checks that were skipped for one reason.
    fn flush_skipped(&mut self, color: bool) {
        let all = std::mem::take(&mut self.skipped);
        let Some((first, rest)) = all.split_first() else { return };
        if rest.is_empty() {
            return self.print_check(first, color);
        }
        let name = |check: &DoctorCheck| match check.id.split_once(':') {
            Some((_, scope)) => format!("`{scope}`"),
            None => check.id.replace('_', " "),
        };
        let names: Vec<_> = all.iter().map(name).collect();
        let what = format!("{}: {}", first.what, names.join(", "));
        self.print_check(
            &DoctorCheck { id: "not checked".to_owned(), what, ..first.clone() },
            color,
        );
    }

    fn print_check(&mut self, check: &DoctorCheck, color: bool) {
        let mut out = std::io::stdout().lock();
        if check.location.is_some() && check.location != self.shown {
            let name = check.location.as_ref().map(LocationId::as_str).unwrap_or_default();
            stdout_failure::remember_failure(writeln!(
                out,
                "location {}",
                escape_for_terminal(name)
            ));
        }
        self.shown.clone_from(&check.location);
        let (word, ink) = match check.status {
            DoctorStatus::Ok => ("ok", "32"),
            DoctorStatus::Warning => ("warning", "33"),
            DoctorStatus::Failure => ("failure", "31"),
            DoctorStatus::Skipped => ("skipped", "2"),
        };
        let word = format!("{word:<7}");
        let word = if color { format!("\u{1b}[{ink}m{word}\u{1b}[0m") } else { word };
        let name = check.id.split(':').next().unwrap_or_default().replace('_', " ");
        let what = escape_for_terminal(&check.what);
        stdout_failure::remember_failure(writeln!(out, "{word}  {name:<13}  {what}"));
        if let Some(hint) = &check.hint {
            let hint = escape_for_terminal(hint);
            stdout_failure::remember_failure(writeln!(out, "{:24}hint: {hint}", ""));
        }
        stdout_failure::remember_failure(out.flush());
    }

    fn count_status(&self, status: DoctorStatus) -> u64 {
        self.checks.iter().filter(|check| check.status == status).count() as u64
    }

    /// The exit code that the checks come to.
    pub(super) fn exit_code(&self) -> CliExitCode {
        let failed = |blame| {
            let failure =
                |check: &DoctorCheck| check.status == DoctorStatus::Failure && check.blame == blame;
            self.checks.iter().any(failure)
        };
        match (failed(DoctorFailureKind::Access), failed(DoctorFailureKind::Environment)) {
            (true, _) => CliExitCode::Access,
            (_, true) => CliExitCode::Usage,
            _ => CliExitCode::Done,
        }
    }

    /// The last line, or the whole object.
    pub(super) fn print_summary(&mut self, code: CliExitCode, screen: &CliReporter) {
        let count = |status| self.count_status(status);
        let (failures, warnings) = (count(DoctorStatus::Failure), count(DoctorStatus::Warning));
        if self.how == DoctorOutputMode::Json {
            let outcome = match (failures, warnings) {
                (0, 0) => "healthy",
                (0, _) => "warning",
                _ => "failing",
            };
            screen.emit_event(&json!({
                "event": "summary",
                "exit_code": code,
                "outcome": outcome,
                "counts": {
                    "ok": count(DoctorStatus::Ok), "warning": warnings, "failure": failures,
                    "skipped": count(DoctorStatus::Skipped),
                },
                "checks": self.checks,
            }));
            return;
        }
        let DoctorOutputMode::All { color } = self.how else { return };
        self.flush_skipped(color);
        let line = match (failures, warnings) {
            (0, 0) => "all is well".to_owned(),
            (0, _) => format!("no failure, {}", format_plural(warnings, "warning")),
            (_, 0) => format_plural(failures, "failure"),
            _ => format!(
                "{}, {}",
                format_plural(failures, "failure"),
                format_plural(warnings, "warning")
            ),
        };
        stdout_failure::remember_failure(writeln!(std::io::stdout().lock(), "{line}"));
    }
}
