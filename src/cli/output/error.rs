//! Error messages: what happened, where and what to do; and the exit code.

use std::fmt;
use std::io::Write as _;

use serde_json::{Map, Value, json};

use super::exit_code::CliExitCode;
use super::progress::{CliReporter, OutputStyle};
use super::text_format::{terminal_width, wrap_line};
use crate::api::{self, ApiEndpoint, ApiErrorKind, EndpointFault, HaltReason};
use crate::event::{CancelCause, CancelSignal};
use crate::id::RunId;
use crate::run::{RunState, ShortRunIds};
use crate::text::escape_for_terminal;
use crate::{export, import, publish, sync};

/// Why the program ends without having done everything.
#[derive(Debug)]
pub(crate) struct CliError {
    pub(crate) code: CliExitCode,
    /// One sentence, lower case, without a full stop. May hold text from outside.
    pub(crate) message: String,
    /// Details, a line each.
    pub(crate) lines: Vec<String>,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    /// The command that goes on.
    pub(crate) next: Option<Box<NextCommand>>,
}

/// The command that goes on after an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NextCommand {
    pub(crate) run: RunId,
    /// `resume` or `apply`.
    verb: &'static str,
    /// The flags that it needs.
    flags: String,
}

impl NextCommand {
    /// The command that continues a run.
    pub(crate) fn resume(run: RunId) -> Self {
        Self { run, verb: "resume", flags: String::new() }
    }

    /// The command that applies a plan, with flags.
    pub(crate) fn apply(run: RunId, flags: &str) -> Self {
        Self { run, verb: "apply", flags: flags.to_owned() }
    }

    /// The command with this name of the run.
    pub(crate) fn command_line(&self, run: &str) -> String {
        let flags = if self.flags.is_empty() { String::new() } else { format!(" {}", self.flags) };
        format!("ghl-bulk {} {run}{flags}", self.verb)
    }

    /// The command that goes on with a run in this state, if one does.
    pub(crate) fn for_state(run: RunId, state: RunState) -> Option<Self> {
        match state {
            RunState::Planned => Some(Self::apply(run, "")),
            RunState::Running | RunState::Interrupted | RunState::Paused | RunState::Failed => {
                Some(Self::resume(run))
            }
            RunState::Declined | RunState::Refused | RunState::Complete | RunState::Partial => None,
        }
    }
}

impl fmt::Display for NextCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.command_line(self.run.as_str()))
    }
}

impl CliError {
    pub(crate) fn new(code: CliExitCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), lines: Vec::new(), hint: None, next: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(CliExitCode::Usage, message)
    }

    /// With a line for each thing that it is about.
    pub(crate) fn with_lines(mut self, lines: Vec<String>) -> Self {
        self.lines = lines;
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With the command that applies the plan of a run, and its flags.
    pub(crate) fn with_apply(mut self, run: RunId, flags: &str) -> Self {
        self.next = Some(Box::new(NextCommand::apply(run, flags)));
        self
    }

    /// With the command that continues a run.
    pub(crate) fn with_resume(mut self, run: RunId) -> Self {
        self.next = Some(Box::new(NextCommand::resume(run)));
        self
    }

    /// Of a location, among several, that was not begun because the command was stopped before.
    pub(crate) fn of_unstarted_location(cause: CancelCause) -> Self {
        let stopped = stop_cause_error(cause);
        let why = stopped.message.replace("; progress is saved", "");
        Self { message: format!("not begun: {why}"), ..stopped }
    }

    /// Of an import that ended early. `stop` is the tap that Ctrl-C and the deadline close.
    pub(crate) fn from_import_halt(halted: import::ImportHalted, stop: &CancelSignal) -> Self {
        let removed =
            matches!(&halted.error, import::ImportError::Run(error) if error.is_of_removed_run());
        let mut failure = match stop.cause() {
            Some(cause) if import_was_stopped(&halted.error) => stop_cause_error(cause),
            _ => halted.error.into(),
        };
        let again = !removed
            && !matches!(
                failure.code,
                CliExitCode::Damaged | CliExitCode::Stale | CliExitCode::Refused
            );
        let run = halted.run.filter(|_| again);
        let next = run.and_then(|(run, state)| NextCommand::for_state(run, state)).map(Box::new);
        // An undo that is refused may name the import, which must be resumed first.
        failure.next = next.or(failure.next);
        failure
    }

    /// Of a run that ended early. `stop` is the tap that Ctrl-C and the deadline close.
    pub(crate) fn from_export_halt(halted: export::ExportHalted, stop: &CancelSignal) -> Self {
        let removed =
            matches!(&halted.error, export::ExportError::Run(error) if error.is_of_removed_run());
        let mut failure = match stop.cause() {
            Some(cause) if export_was_stopped(&halted.error) => stop_cause_error(cause),
            _ => halted.error.into(),
        };
        let run = halted.run.filter(|_| !removed && failure.code != CliExitCode::Damaged);
        failure.next =
            run.and_then(|(run, state)| NextCommand::for_state(run, state)).map(Box::new);
        failure
    }

    /// Of a sync that ended early. `stop` is the tap that Ctrl-C and the deadline close.
    pub(crate) fn from_sync_halt(halted: sync::SyncHalted, stop: &CancelSignal) -> Self {
        let mut failure = match (&halted.error, stop.cause()) {
            (sync::SyncError::Api(error), Some(cause))
                if matches!(error.kind, ApiErrorKind::Halted(HaltReason::Cancelled)) =>
            {
                stop_cause_error(cause)
            }
            _ => halted.error.into(),
        };
        let run = halted.run.filter(|_| failure.code != CliExitCode::Damaged);
        failure.next =
            run.and_then(|(run, state)| NextCommand::for_state(run, state)).map(Box::new);
        failure
    }

    /// Shows the failure on stderr, or as the summary event.
    ///
    /// `short_ids` shortens the run in the next command for people; programs get the full id, which stays unique.
    pub(crate) fn print(&self, json: bool, short_ids: &ShortRunIds) -> CliExitCode {
        if json {
            self.print_json();
        } else {
            self.print_text(short_ids);
        }
        self.code
    }

    fn print_text(&self, short_ids: &ShortRunIds) {
        let mut err = std::io::stderr().lock();
        // When stderr is closed there is nothing to report to.
        let width = terminal_width();
        let mut print = |line: String| drop(writeln!(err, "{}", wrap_line(&line, width)));
        print(format!("error: {}", escape_for_terminal(&self.message)));
        for line in &self.lines {
            print(format!("  {}", escape_for_terminal(line)));
        }
        if let Some(hint) = &self.hint {
            print(format!("  hint: {}", escape_for_terminal(hint)));
        }
        if let Some(next) = &self.next {
            let command = next.command_line(&short_ids.shorten(&next.run));
            let _ = writeln!(err, "  {}: {command}", next.verb);
        }
    }

    fn print_json(&self) {
        let mut summary = self.summary_fields();
        summary.insert("event".to_owned(), "summary".into());
        summary.insert("exit_code".to_owned(), (self.code as u8).into());
        CliReporter::new(OutputStyle::Json).emit_event(&summary);
    }

    /// The failure's part of a summary.
    pub(crate) fn summary_fields(&self) -> Map<String, Value> {
        let next = |verb: &str| {
            self.next.as_ref().filter(|next| next.verb == verb).map(ToString::to_string)
        };
        let fields = json!({
            "outcome": "failed",
            "error": self.message,
            "details": self.lines,
            "hint": self.hint,
            "run": self.next.as_ref().map(|next| &next.run),
            "resume": next("resume"),
            "apply": next("apply"),
        });
        match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }
}

fn export_was_stopped(error: &export::ExportError) -> bool {
    matches!(
        error,
        export::ExportError::Api(api::ApiError {
            kind: ApiErrorKind::Halted(HaltReason::Cancelled),
            ..
        })
    )
}

fn import_was_stopped(error: &import::ImportError) -> bool {
    matches!(
        error,
        import::ImportError::Api(api::ApiError {
            kind: ApiErrorKind::Halted(HaltReason::Cancelled),
            ..
        })
    )
}

fn stop_cause_error(cause: CancelCause) -> CliError {
    match cause {
        CancelCause::Interrupt => {
            CliError::new(CliExitCode::Interrupted, "interrupted; progress is saved")
        }
        CancelCause::Terminate => {
            CliError::new(CliExitCode::Terminated, "terminated by SIGTERM; progress is saved")
        }
        CancelCause::Hangup => {
            CliError::new(CliExitCode::HungUp, "the terminal was closed; progress is saved")
        }
        CancelCause::Deadline => {
            CliError::new(CliExitCode::Paused, "the deadline has passed; progress is saved")
        }
        CancelCause::Failure => {
            CliError::new(CliExitCode::Bug, "a part of the program failed without an error")
        }
    }
}

impl From<export::ExportError> for CliError {
    fn from(error: export::ExportError) -> Self {
        match error {
            export::ExportError::Api(error) => error.into(),
            export::ExportError::Run(error) => error.into(),
            export::ExportError::Publish(error) => error.into(),
            export::ExportError::Mirror(error) => error.into(),
            export::ExportError::Pull(error) => Self::new(CliExitCode::Bug, error.to_string()),
            export::ExportError::List(refusal) => (*refusal).into(),
            export::ExportError::SchemaChanged(changes) => schema_changed_error(&changes),
            export::ExportError::Request(message) => Self::usage(message),
        }
    }
}

fn schema_changed_error(changes: &[publish::SchemaChange]) -> CliError {
    let changes: Vec<String> = changes.iter().map(export::describe_change).collect();
    let message = format!("no file was touched, because {}", changes.join("; "));
    CliError::new(CliExitCode::Stale, message)
        .with_hint("adapt what reads the tables, then run it once with `--contract evolve`")
}

impl From<api::ApiError> for CliError {
    fn from(error: api::ApiError) -> Self {
        let said = error.to_string();
        let scope = error.route.required_scope();
        if let ApiErrorKind::EndpointFailing(fault) = error.kind {
            return failing_endpoint_error(&error, fault);
        }
        if let Some(foreign) = error.foreign {
            return foreign_response_error(&said, foreign);
        }
        if error.route == ApiEndpoint::CreateCustomField
            && matches!(error.kind, ApiErrorKind::Scope | ApiErrorKind::Location)
        {
            return forbidden_field_error(&error);
        }
        if error.refuses_version() {
            return Self::usage(format!("the API no longer accepts this version: {said}"))
                .with_hint("update ghl-bulk; if it is up to date, a proxy may have removed the header `Version`");
        }
        match error.kind {
            ApiErrorKind::TokenSource => Self::new(CliExitCode::Access, error.message)
                .with_hint("run the command by hand to see what it says; `ghl-bulk config explain` shows where it is set"),
            ApiErrorKind::Token => Self::new(CliExitCode::Access, format!("the API rejected the token: {said}"))
                .with_hint("log in again with `ghl-bulk login`, or check `GHL_TOKEN`: a Private Integration Token begins with `pit-` and belongs to one location"),
            ApiErrorKind::Scope => Self::new(CliExitCode::Access, format!("the token lacks the scope `{scope}`: {said}"))
                .with_hint("add the scope under Settings > Private Integrations, where the token stays the same; for an app, log in again: `ghl-bulk login --oauth`"),
            ApiErrorKind::Location => Self::new(CliExitCode::Access, format!("the token has no access to this location: {said}"))
                .with_hint("check `--location` or `GHL_LOCATION_ID` against the location that the token was created in"),
            ApiErrorKind::Unreachable => Self::usage(format!("the API cannot be reached: {said}"))
                .with_hint("check the network and `--api-url`; `--retry-for 10m` keeps trying for longer"),
            ApiErrorKind::Untrusted => Self::usage(format!("no safe connection to the API: {said}"))
                .with_hint("behind a company's proxy, give the company's root certificate with `--ca-file FILE`; `ghl-bulk doctor` tells more"),
            ApiErrorKind::Exhausted if error.status == Some(429) => {
                Self::usage(format!("the rate limit stays used up: {said}"))
                    .with_hint("other applications of the location use it; try again when they are done")
            }
            ApiErrorKind::Exhausted => Self::usage(format!("no usable response from the API: {said}"))
                .with_hint("it may be down; try again later"),
            ApiErrorKind::Halted(reason) => halt_error(reason),
            ApiErrorKind::Gone
            | ApiErrorKind::Refused
            | ApiErrorKind::TooLarge
            | ApiErrorKind::EndpointFailing(_) => Self::usage(format!("the API refused: {said}"))
                .with_hint(match error.trace_id {
                    _ if error.status.is_some_and(|status| (300..400).contains(&status)) => {
                        "check `--api-url`; the response may come from a login page of the network or a proxy".to_owned()
                    }
                    Some(id) => format!("HighLevel's support can look up the request by its trace id {id}"),
                    None => "`-v` logs requests and responses".to_owned(),
                }),
        }
    }
}

/// The error of a command that sends nothing more for now.
fn halt_error(reason: HaltReason) -> CliError {
    match reason {
            HaltReason::DailyQuota { resume_in } => {
                pause_error("the daily request quota is used up; it resets at", resume_in)
            }
            HaltReason::Budget { resume_in } => {
                pause_error("the requests that `--max-requests` allows for today are used up; the next day begins at", resume_in)
            }
            HaltReason::RateLimit { resume_in } => {
                pause_error("the API refuses every request and asks to wait until", resume_in)
            }
            HaltReason::SilentRefusal => CliError::new(
                CliExitCode::Paused,
                "the API refuses every request (429) and does not say until when; the daily request quota is probably used up",
            )
            .with_hint("resume in some hours, or use `--wait` to try again every 15 minutes"),
            HaltReason::Cancelled => CliError::new(CliExitCode::Interrupted, "interrupted"),
    }
}

fn foreign_response_error(said: &str, foreign: api::ForeignResponse) -> CliError {
    CliError::usage(format!("no usable response from the API: {said}")).with_hint(foreign.hint())
}

/// The error of a token that may not create custom fields.
fn forbidden_field_error(error: &api::ApiError) -> CliError {
    let scope = error.route.required_scope();
    CliError::new(CliExitCode::Access, format!("the token lacks the scope `{scope}`: {error}")).with_hint(
        "no contact was written; add the scope under Settings > Private Integrations, then resume, or create the fields in \
         HighLevel and import again without `--create-fields`",
    )
}

fn failing_endpoint_error(error: &api::ApiError, fault: EndpointFault) -> CliError {
    let leave_out = match error.route {
        ApiEndpoint::ContactNotes
        | ApiEndpoint::ContactTasks
        | ApiEndpoint::ContactAppointments => "; `--with` of a new export says what is read",
        _ => "",
    };
    match fault {
        EndpointFault::Scope => {
            let scope = error.route.required_scope();
            let message = format!("the token lacks the scope `{scope}`: {error}");
            CliError::new(CliExitCode::Access, message).with_hint(format!(
                "add the scope under Settings > Private Integrations, then resume{leave_out}"
            ))
        }
        EndpointFault::Other => {
            let hint = error.foreign.map_or("resume later", api::ForeignResponse::hint);
            CliError::usage(format!("an endpoint of the API fails every time: {error}"))
                .with_hint(format!("{hint}{leave_out}"))
        }
    }
}

/// `until` is a sentence that a time completes.
fn pause_error(until: &str, resume_in: std::time::Duration) -> CliError {
    // The server says when, and a number that large is a mistake.
    const LONGEST: std::time::Duration = std::time::Duration::from_hours(366 * 24);
    let time = jiff::Timestamp::now().checked_add(resume_in.min(LONGEST));
    let time = time.and_then(|time| time.round(jiff::Unit::Second)).ok();
    let Some(at) = time.filter(|_| resume_in < LONGEST) else {
        let message = format!("{until} a time that is more than a year away");
        return CliError::new(CliExitCode::Paused, message)
            .with_hint("the server's numbers cannot be right; resume tomorrow");
    };
    CliError::new(CliExitCode::Paused, format!("{until} {at}"))
        .with_hint("resume then, or use `--wait` to sleep until then")
}

impl From<publish::MaskError> for CliError {
    fn from(error: publish::MaskError) -> Self {
        let failure = Self::usage(format!("`--mask`: {error}"));
        match error {
            publish::MaskError::UnknownColumn { closest, .. } => {
                let near = closest.map(|column| format!("did you mean `{column}`? "));
                let near = near.unwrap_or_default();
                failure.with_hint(format!("{near}`ghl-bulk schema tables` lists all columns"))
            }
            publish::MaskError::WrongMethod { .. } => failure,
        }
    }
}

impl From<publish::PublishError> for CliError {
    fn from(error: publish::PublishError) -> Self {
        match error {
            publish::PublishError::Run(error) => error.into(),
            publish::PublishError::Mirror(error) => error.into(),
            publish::PublishError::Repository(error) => error.into(),
            publish::PublishError::Occupied(_) => {
                Self::new(CliExitCode::Refused, error.to_string()).with_hint(
                    "choose another directory with `--out`, or replace it with `--replace`",
                )
            }
            publish::PublishError::Mask(error) => error.into(),
            publish::PublishError::Abandoned => Self::new(CliExitCode::Bug, error.to_string()),
            publish::PublishError::Table(_) | publish::PublishError::File { .. } => Self::usage(
                format!("cannot write the output: {error}"),
            )
            .with_hint(
                "check permissions, free space and the limit of open files; what was read is saved",
            ),
        }
    }
}
