//! Failures as people read them: what happened, where, what to do; and the exit code.

use std::io::Write as _;

use serde_json::{Map, Value, json};

use super::exit_code::Code;
use super::progress::{Screen, Style};
use super::text_format::safe;
use crate::api::{self, Halt, Kind};
use crate::cli::args::global::Global;
use crate::event::{Cause, Stop};
use crate::id::RunId;
use crate::{export, import, publish, run};

/// Why the program ends without having done everything.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    /// One sentence, lower case, without a full stop. May hold text from outside.
    pub(crate) message: String,
    /// What it is about, a line each.
    pub(crate) lines: Vec<String>,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// The run that goes on with `ghl-bulk resume`.
    pub(crate) resume: Option<RunId>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), lines: Vec::new(), hint: None, resume: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, message)
    }

    /// With a line for each thing that it is about.
    pub(crate) fn lines(mut self, lines: Vec<String>) -> Self {
        self.lines = lines;
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With the run that goes on with `ghl-bulk resume`.
    pub(crate) fn resumes(mut self, run: RunId) -> Self {
        self.resume = Some(run);
        self
    }

    /// Of an import that ended early. `stop` is the tap that Ctrl-C and the deadline close.
    pub(crate) fn of_import(halted: import::Halted, stop: &Stop) -> Self {
        let mut failure = match stop.cause() {
            Some(cause) if import_stopped(&halted.error) => of_cause(cause),
            _ => halted.error.into(),
        };
        let again = !matches!(failure.code, Code::Damaged | Code::Stale | Code::Refused);
        failure.resume = halted.run.filter(|_| again);
        failure
    }

    /// Of a run that ended early. `stop` is the tap that Ctrl-C and the deadline close.
    pub(crate) fn of_run(halted: export::Halted, stop: &Stop) -> Self {
        let mut failure = match stop.cause() {
            Some(cause) if stopped(&halted.error) => of_cause(cause),
            _ => halted.error.into(),
        };
        failure.resume = halted.run.filter(|_| failure.code != Code::Damaged);
        failure
    }

    /// Shows the failure on stderr, or as the summary event.
    pub(crate) fn show(&self, global: &Global) -> Code {
        if global.json {
            self.show_json();
        } else {
            self.show_text();
        }
        self.code
    }

    fn show_text(&self) {
        let mut err = std::io::stderr().lock();
        // When stderr is closed there is nobody left to tell.
        let _ = writeln!(err, "error: {}", safe(&self.message));
        for line in &self.lines {
            let _ = writeln!(err, "  {}", safe(line));
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(err, "  hint: {}", safe(hint));
        }
        if let Some(run) = &self.resume {
            let _ = writeln!(err, "  resume: ghl-bulk resume {run}");
        }
    }

    fn show_json(&self) {
        let mut summary = self.fields();
        summary.insert("event".to_owned(), "summary".into());
        summary.insert("exit_code".to_owned(), (self.code as u8).into());
        Screen::new(Style::Json).emit(&summary);
    }

    /// The failure's part of a summary.
    pub(crate) fn fields(&self) -> Map<String, Value> {
        let resume = self.resume.as_ref().map(|run| format!("ghl-bulk resume {run}"));
        let fields = json!({
            "outcome": "failed",
            "error": self.message,
            "details": self.lines,
            "hint": self.hint,
            "run": self.resume,
            "resume": resume,
        });
        match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }
}

fn stopped(error: &export::Error) -> bool {
    matches!(error, export::Error::Api(api::Error { kind: Kind::Halted(Halt::Stopped), .. }))
}

fn import_stopped(error: &import::Error) -> bool {
    matches!(error, import::Error::Api(api::Error { kind: Kind::Halted(Halt::Stopped), .. }))
}

fn of_cause(cause: Cause) -> Failure {
    match cause {
        Cause::Interrupt => {
            Failure::new(Code::Interrupted, "interrupted; everything done so far is stored")
        }
        Cause::Terminate => {
            Failure::new(Code::Terminated, "told to end; everything done so far is stored")
        }
        Cause::Deadline => {
            Failure::new(Code::Paused, "the deadline is reached; everything done so far is stored")
        }
        Cause::Failure => Failure::new(Code::Bug, "one half of the work failed without saying why"),
    }
}

impl From<export::Error> for Failure {
    fn from(error: export::Error) -> Self {
        match error {
            export::Error::Api(error) => error.into(),
            export::Error::Run(error) => error.into(),
            export::Error::Publish(error) => error.into(),
            export::Error::Pull(error) => Self::new(Code::Bug, error.to_string()),
            export::Error::List(refusal) => super::import_error::of_sheet(refusal),
            export::Error::Request(message) => Self::usage(message),
        }
    }
}

impl From<api::Error> for Failure {
    fn from(error: api::Error) -> Self {
        let said = error.to_string();
        let scope = error.route.scope();
        match error.kind {
            Kind::Token => Self::new(Code::Access, format!("the token is not accepted: {said}"))
                .hint("log in again with `ghl-bulk login`, or check `GHL_TOKEN`: a Private Integration Token begins with `pit-` and belongs to one location"),
            Kind::Scope => Self::new(Code::Access, format!("the token lacks the scope `{scope}`: {said}"))
                .hint("add the scope under Settings > Private Integrations, where the token stays the same; for an app, log in again: `ghl-bulk login --oauth`"),
            Kind::Location => Self::new(Code::Access, format!("the token does not reach this location: {said}"))
                .hint("check `--location` or `GHL_LOCATION_ID` against the location that the token was made in"),
            Kind::Unreachable => Self::usage(format!("the API cannot be reached: {said}"))
                .hint("check the network and `--api-url`"),
            Kind::Untrusted => Self::usage(format!("no safe connection to the API: {said}"))
                .hint("behind a company's proxy, give the company's root certificate with `--ca-file FILE`; `ghl-bulk doctor` tells more"),
            Kind::Exhausted => Self::usage(format!("the API did not answer usefully: {said}"))
                .hint("it may be down; try again later"),
            Kind::Halted(Halt::Budget { resume_in }) => of_budget(resume_in),
            Kind::Halted(Halt::Stopped) => Self::new(Code::Interrupted, "interrupted"),
            Kind::Gone | Kind::Refused | Kind::TooLarge => Self::usage(format!("the API refused: {said}"))
                .hint(match error.trace_id {
                    _ if error.status.is_some_and(|status| (300..400).contains(&status)) => {
                        "check `--api-url`; a login page of the network or a proxy may stand in between".to_owned()
                    }
                    Some(id) => format!("HighLevel's support can look up the request by its trace id {id}"),
                    None => "`-v` shows what was sent and answered".to_owned(),
                }),
        }
    }
}

fn of_budget(resume_in: std::time::Duration) -> Failure {
    let now = jiff::Timestamp::now();
    let at = now.checked_add(resume_in).unwrap_or(now).round(jiff::Unit::Second).unwrap_or(now);
    Failure::new(
        Code::Paused,
        format!("the daily budget is used up; there will be more requests at {at}"),
    )
    .hint("resume then, or give `--wait` to sleep until then")
}

impl From<run::Error> for Failure {
    fn from(error: run::Error) -> Self {
        let code = match error.kind() {
            run::Kind::Missing => Code::Missing,
            run::Kind::Locked => Code::Locked,
            run::Kind::Damaged => Code::Damaged,
            run::Kind::System => Code::Usage,
            run::Kind::Bug => Code::Bug,
        };
        let failure = Self::new(code, error.to_string());
        match code {
            Code::Missing => failure.hint("`ghl-bulk runs list` shows the runs there are"),
            Code::Locked => failure
                .hint("another ghl-bulk is at work there; wait for it, or choose another place"),
            Code::Damaged => failure
                .hint("nothing was made from it; export again, and `ghl-bulk runs rm` removes it"),
            _ => failure.hint("check the rights and the free space there"),
        }
    }
}

impl From<publish::Error> for Failure {
    fn from(error: publish::Error) -> Self {
        match error {
            publish::Error::Run(error) => error.into(),
            publish::Error::Abandoned => Self::new(Code::Bug, error.to_string()),
            publish::Error::Table(_) | publish::Error::File { .. } => {
                Self::usage(format!("the output cannot be written: {error}"))
                    .hint("check the rights and the free space there; what was read is stored")
            }
        }
    }
}
