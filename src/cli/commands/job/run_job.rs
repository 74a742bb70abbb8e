//! `ghl-bulk job run`: the steps of a job one after the other, with what surrounds them.

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::time::Instant;

use futures::FutureExt as _;
use serde_json::{Value, json};

use super::args::{HookTime, JobOptionArgs, JobStep};
use super::hooks::{BeforeHook, HookFacts, Hooks};
use super::job_log::{self, JobLog};
use super::metrics;
use super::outcome::{JobOutcome, SkipReason, StepOutcome, StepResult, elapsed_ms};
use super::ping::Ping;
use super::step_command::StepCommands;
use super::step_process::{CommandEnd, run_own_command};
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::text_format::format_duration;
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::diagnostic::EventWarningCode;
use crate::event::{CancelCause, CancelSignal, RunEvent, RunWarning};
use crate::failpoint::{self, FailPoint};
use crate::id::RunId;
use crate::run::RunError;

/// Runs a job.
pub(super) fn run(
    job: &str,
    options: &JobOptionArgs,
    settings: &Settings,
) -> Result<CliExitCode, CliError> {
    super::check_job(job, options, settings)?;
    let commands = StepCommands::new(options, settings)?;
    let program = std::env::current_exe()
        .map_err(|error| CliError::usage(format!("the program's own path: {error}")))?;
    let home = dirs::runs_home()?;
    let run = RunId::new(jiff::Timestamp::now());
    let _lock = home.lock_job(job, &run)?;
    let logs = super::logs_dir(home.home_dir(), job);
    let failed = |source| CliError::from(RunError::from_io(&logs, source));
    let log = JobLog::create(&logs, &run).map_err(failed)?;
    let screen = &CliReporter::new(settings.output_style);
    // The steps end at the deadline by themselves, and the job must outlive them.
    signals::block_on(None, screen, |stop| async move {
        let runner = JobRunner {
            job,
            program,
            options,
            settings,
            commands,
            screen,
            stop: &stop,
            logs,
            log,
            done: JobOutcome {
                job: job.to_owned(),
                run: run.to_string(),
                started: jiff::Timestamp::now(),
                elapsed: std::time::Duration::ZERO,
                steps: Vec::new(),
                ok: options.ok.clone(),
                stopped: None,
            },
            began: Instant::now(),
        };
        Box::pin(runner.run(&run)).await
    })
}

/// A job at work.
struct JobRunner<'a> {
    job: &'a str,
    /// This program. Its path is taken at the beginning: after an update, the system no longer knows it.
    program: PathBuf,
    options: &'a JobOptionArgs,
    settings: &'a Settings,
    commands: StepCommands<'a>,
    screen: &'a CliReporter,
    stop: &'a CancelSignal,
    logs: PathBuf,
    log: JobLog,
    done: JobOutcome,
    began: Instant,
}

impl JobRunner<'_> {
    async fn run(mut self, run: &RunId) -> Result<CliExitCode, CliError> {
        self.log.write_own(json!({ "event": "job_started", "job": self.job, "run": run.as_str() }));
        let options = self.options;
        let hooks = Hooks { all: &options.hooks, limit: options.hook_timeout };
        let ping = Ping::from_options(options, &self.settings.transport, run).await;
        let begun = hooks.run_before(&self.facts(None), &self.summary()).await;
        match begun {
            BeforeHook::Go => {}
            BeforeHook::NotNow => {
                self.log.write_own(json!({ "event": "summary", "kind": "job", "job": self.job,
                    "run": run.as_str(), "exit_code": 0, "outcome": "nothing", "steps": [] }));
                self.screen.print_note("a hook says that there is nothing to do now");
                return Ok(CliExitCode::Done);
            }
            BeforeHook::Failed(why) => {
                self.done.stopped = Some(CliExitCode::Usage as u8);
                self.finish(&hooks, ping.ok().flatten()).await;
                return self.report(Some(why));
            }
        }
        let ping = ping.unwrap_or_else(|error| {
            self.warn(error.message);
            None
        });
        if let Some(ping) = &ping
            && let Err(why) = ping.send_start().await
        {
            self.warn(why);
        }
        // A fault of this program must not keep the failure from being reported.
        let steps = AssertUnwindSafe(self.run_steps()).catch_unwind().await;
        if steps.is_err() {
            self.done.stopped = Some(CliExitCode::Bug as u8);
        }
        self.finish(&hooks, ping).await;
        self.report(None)
    }

    async fn run_steps(&mut self) {
        for step in self.options.steps.clone() {
            assert!(!failpoint::is_kill_due(FailPoint::JobFault), "a test asks for a fault");
            let began = Instant::now();
            let result = match self.reason_to_skip(step) {
                Some(why) => StepResult::Skipped(why),
                None => self.run_step(step).await,
            };
            let outcome = StepOutcome { step, elapsed: began.elapsed(), result };
            self.report_step(&outcome);
            self.done.steps.push(outcome);
        }
        if let Some(words) = self.commands.removal_of_runs().filter(|_| !self.stop.is_cancelled()) {
            let ended = run_own_command(&self.program, &words, self.stop, None, |_| {}).await;
            let code = ended.map_or(CliExitCode::Usage as u8, |end| end.code);
            if code != 0 {
                self.warn(format!("old runs could not be removed: `runs prune` ended with {code}"));
            }
        }
    }

    fn reason_to_skip(&self, step: JobStep) -> Option<SkipReason> {
        let has_passed = |deadline| deadline <= jiff::Timestamp::now();
        if self.stop.is_cancelled() {
            return Some(SkipReason::Stopped);
        }
        if self.settings.deadline.is_some_and(has_passed) {
            return Some(SkipReason::Deadline);
        }
        (step.needs_backup() && self.done.backed_up(true).is_empty())
            .then_some(SkipReason::NoBackup)
    }

    async fn run_step(&mut self, step: JobStep) -> StepResult {
        self.emit(json!({ "event": "step_started", "job": self.job, "step": step.name() }));
        let mut ends: Vec<CommandEnd> = Vec::new();
        for words in self.commands.of_step(step, self.done.backed_up(step.needs_backup())) {
            let (log, deadline) = (&mut self.log, self.settings.deadline);
            let program = &self.program;
            let ended = run_own_command(program, &words, self.stop, deadline, |event| {
                log.write_step_event(step.name(), event);
            });
            match ended.await {
                Ok(end) => ends.push(end),
                Err(error) => {
                    let program = self.program.display();
                    let why = format!("`{program}` cannot be started: {error}");
                    return StepResult::NotStarted(why);
                }
            }
        }
        StepResult::Ran(ends)
    }

    fn report_step(&mut self, outcome: &StepOutcome) {
        let (name, code) = (outcome.step.name(), outcome.code(&self.options.ok));
        let time = format_duration(outcome.elapsed);
        let mut event = json!({
            "event": "step_ended", "job": self.job, "step": name, "exit_code": code,
            "elapsed_ms": elapsed_ms(outcome.elapsed),
        });
        if let StepResult::Skipped(why) = &outcome.result {
            event["skipped"] = why.to_string().into();
        }
        self.emit(event);
        let line = match (&outcome.result, outcome.error()) {
            (StepResult::Skipped(why), _) => format!("{name}: left out, because {why}"),
            (_, Some(error)) if code != 0 => {
                format!("{name}: exit code {code} after {time}: {error}")
            }
            _ if code != 0 => format!("{name}: exit code {code} after {time}"),
            _ => format!("{name}: done in {time}"),
        };
        self.screen.print_note(&line);
    }

    /// An event of the job, on stdout and in the log.
    fn emit(&mut self, event: Value) {
        if self.settings.json {
            self.screen.emit_event(&event);
        }
        self.log.write_own(event);
    }

    fn warn(&mut self, message: String) {
        let code = EventWarningCode::JobIncident;
        self.log.write_own(json!({ "event": "warning", "code": code }));
        let warning = RunWarning::new(code, message);
        self.screen.location_observer(None).observe(&RunEvent::Warning(warning));
    }

    /// What hooks learn. `exit` is the job's code once it is known.
    fn facts(&self, exit: Option<u8>) -> HookFacts<'_> {
        HookFacts {
            job: self.job,
            step: self.done.failed_steps().next().map(|step| step.step),
            exit: exit.unwrap_or_default(),
            locations: self.done.locations().len(),
            snapshot: None,
        }
    }

    fn summary(&self) -> Value {
        Value::Object(self.done.to_json(true))
    }

    /// What follows the steps, whatever became of them: hooks, the ping, the metrics, old logs.
    async fn finish(&mut self, hooks: &Hooks<'_>, ping: Option<Ping>) {
        self.done.elapsed = self.began.elapsed();
        if let Some(cause) = self.stop.cause() {
            self.done.stopped = Some(stop_code(cause) as u8);
        }
        let (success, summary) = (self.done.is_success(), self.summary());
        let snapshot = self.done.snapshot();
        let facts =
            HookFacts { snapshot: snapshot.as_deref(), ..self.facts(Some(self.done.code())) };
        let time = if success { HookTime::Success } else { HookTime::Failure };
        let mut failures = hooks.run_all(time, &facts, &summary).await;
        failures.extend(hooks.run_all(HookTime::Finally, &facts, &summary).await);
        if let Some(ping) = ping {
            let plain = Value::Object(self.done.to_json(false));
            failures.extend(ping.send_end(success, &plain).await.err());
        }
        failures.extend(self.write_metrics().await);
        if let Err(error) = job_log::remove_old_logs(&self.logs, self.options.logs_keep) {
            failures.push(format!("old logs could not be removed: {error}"));
        }
        for failure in failures {
            self.warn(failure);
        }
        self.log.write_own(Value::Object(self.done.to_json(false)));
    }

    /// Writes the metrics, if the job has some; returns what went wrong.
    async fn write_metrics(&self) -> Option<String> {
        let path = self.options.metrics.as_ref()?;
        let mut repository = Vec::new();
        if let Some(words) = self.commands.repository_status() {
            let ended =
                run_own_command(&self.program, &words, &CancelSignal::new(), None, |_| {}).await;
            repository = ended.map(|end| end.list).unwrap_or_default();
        }
        let error = metrics::write_metrics(path, &self.done, &repository).err()?;
        Some(format!("the metrics `{}` could not be written: {error}", path.display()))
    }

    /// Reports how the job has ended. `why` says why it did not begin.
    fn report(self, why: Option<String>) -> Result<CliExitCode, CliError> {
        self.screen.finish();
        let code = CliExitCode::from_code(self.done.code());
        if self.settings.json {
            let mut summary = self.done.to_json(true);
            if let Some(why) = why {
                summary.insert("error".to_owned(), why.into());
            }
            self.screen.emit_event(&summary);
            return Ok(code);
        }
        if self.done.is_success() {
            let time = format_duration(self.done.elapsed);
            self.screen.print_note(&format!("job `{}` done in {time}", self.job));
            return Ok(code);
        }
        Err(self.failure(code, why.as_deref()))
    }

    fn failure(&self, code: CliExitCode, why: Option<&str>) -> CliError {
        let job = self.job;
        let mut failed = self.done.failed_steps();
        let first = failed.next();
        let message = match (why, first) {
            (Some(why), _) => format!("job `{job}` did not begin: {why}"),
            (None, Some(step)) => {
                format!("job `{job}` failed: {}", describe_step(step, &self.done.ok))
            }
            (None, None) => format!("job `{job}` was stopped"),
        };
        let error = CliError::new(code, message);
        let error =
            error.with_lines(failed.map(|step| describe_step(step, &self.done.ok)).collect());
        match first.and_then(StepOutcome::hint) {
            Some(hint) => error.with_hint(hint),
            None => error.with_hint(format!("its log is in `{}`", self.logs.display())),
        }
    }
}

/// What went wrong in a step.
fn describe_step(step: &StepOutcome, ok: &[u8]) -> String {
    let name = step.step.name();
    match (&step.result, step.error()) {
        (StepResult::Skipped(why), _) => format!("`{name}` was left out, because {why}"),
        (_, Some(error)) => format!("`{name}` ended with {}: {error}", step.code(ok)),
        (_, None) => format!("`{name}` ended with {}", step.code(ok)),
    }
}

fn stop_code(cause: CancelCause) -> CliExitCode {
    match cause {
        CancelCause::Terminate => CliExitCode::Terminated,
        CancelCause::Hangup => CliExitCode::HungUp,
        CancelCause::Deadline => CliExitCode::Paused,
        CancelCause::Interrupt | CancelCause::Failure => CliExitCode::Interrupted,
    }
}
