//! The doctor's page: each check as a line, or all of them as one object.

use std::io::{IsTerminal as _, Write as _};

use serde_json::json;

use super::{Blame, Check, Code, Global, LocationId, Screen, plural};
use crate::cli::output::text_format::safe;
use crate::doctor::Status;

/// What has been found, and how it is shown.
pub(super) struct Page {
    checks: Vec<Check>,
    how: How,
    /// The location whose checks were shown last.
    shown: Option<LocationId>,
    /// Checks that were skipped one after the other for one reason: they share a line.
    skipped: Vec<Check>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// All at once, at the end.
    Json,
    /// Problems alone.
    Problems { color: bool },
    /// Everything.
    All { color: bool },
}

impl Page {
    pub(super) fn new(global: &Global) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let color = !plain && std::io::stdout().is_terminal();
        let how = match (global.json, global.quiet) {
            (true, _) => How::Json,
            (_, true) => How::Problems { color },
            _ => How::All { color },
        };
        Self { checks: Vec::new(), how, shown: None, skipped: Vec::new() }
    }

    /// Takes a check, and shows it at once unless all are shown together.
    pub(super) fn tell(&mut self, check: Check) {
        match (self.how, check.status) {
            (How::Json, _) | (How::Problems { .. }, Status::Ok | Status::Skipped) => {}
            (How::Problems { color }, _) => self.show(&check, color),
            (How::All { color }, Status::Skipped) => self.put_off(&check, color),
            (How::All { color }, _) => {
                self.flush(color);
                self.show(&check, color);
            }
        }
        self.checks.push(check);
    }

    fn put_off(&mut self, check: &Check, color: bool) {
        let alike = |one: &Check| one.what == check.what && one.location == check.location;
        if !self.skipped.iter().all(alike) {
            self.flush(color);
        }
        self.skipped.push(check.clone());
    }

    /// Shows the checks that were skipped for one reason.
    fn flush(&mut self, color: bool) {
        let all = std::mem::take(&mut self.skipped);
        let Some((first, rest)) = all.split_first() else { return };
        if rest.is_empty() {
            return self.show(first, color);
        }
        let name = |check: &Check| match check.id.split_once(':') {
            Some((_, scope)) => format!("`{scope}`"),
            None => check.id.replace('_', " "),
        };
        let names: Vec<_> = all.iter().map(name).collect();
        let what = format!("{}: {}", first.what, names.join(", "));
        self.show(&Check { id: "not checked".to_owned(), what, ..first.clone() }, color);
    }

    fn show(&mut self, check: &Check, color: bool) {
        let mut out = std::io::stdout().lock();
        if check.location.is_some() && check.location != self.shown {
            let name = check.location.as_ref().map(LocationId::as_str).unwrap_or_default();
            // When stdout is closed there is nobody left to tell; the exit code still does.
            let _ = writeln!(out, "location {}", safe(name));
        }
        self.shown.clone_from(&check.location);
        let (word, ink) = match check.status {
            Status::Ok => ("ok", "32"),
            Status::Warning => ("warning", "33"),
            Status::Failure => ("failure", "31"),
            Status::Skipped => ("skipped", "2"),
        };
        let word = format!("{word:<7}");
        let word = if color { format!("\u{1b}[{ink}m{word}\u{1b}[0m") } else { word };
        let name = check.id.split(':').next().unwrap_or_default().replace('_', " ");
        let _ = writeln!(out, "{word}  {name:<13}  {}", safe(&check.what));
        if let Some(hint) = &check.hint {
            let _ = writeln!(out, "{:24}hint: {}", "", safe(hint));
        }
        let _ = out.flush();
    }

    fn count(&self, status: Status) -> u64 {
        self.checks.iter().filter(|check| check.status == status).count() as u64
    }

    /// The exit code that the checks come to.
    pub(super) fn code(&self) -> Code {
        let failed = |blame| {
            let failure = |check: &Check| check.status == Status::Failure && check.blame == blame;
            self.checks.iter().any(failure)
        };
        match (failed(Blame::Access), failed(Blame::Environment)) {
            (true, _) => Code::Access,
            (_, true) => Code::Usage,
            _ => Code::Done,
        }
    }

    /// The last line, or the whole object.
    pub(super) fn close(&mut self, code: Code, screen: &Screen) {
        let count = |status| self.count(status);
        let (failures, warnings) = (count(Status::Failure), count(Status::Warning));
        if self.how == How::Json {
            let outcome = match (failures, warnings) {
                (0, 0) => "healthy",
                (0, _) => "warned",
                _ => "ailing",
            };
            screen.emit(&json!({
                "event": "summary",
                "exit_code": code,
                "outcome": outcome,
                "counts": {
                    "ok": count(Status::Ok), "warning": warnings, "failure": failures,
                    "skipped": count(Status::Skipped),
                },
                "checks": self.checks,
            }));
            return;
        }
        let How::All { color } = self.how else { return };
        self.flush(color);
        let line = match (failures, warnings) {
            (0, 0) => "all is well".to_owned(),
            (0, _) => format!("no failure, {}", plural(warnings, "warning")),
            (_, 0) => plural(failures, "failure"),
            _ => format!("{}, {}", plural(failures, "failure"), plural(warnings, "warning")),
        };
        let _ = writeln!(std::io::stdout().lock(), "{line}");
    }
}
