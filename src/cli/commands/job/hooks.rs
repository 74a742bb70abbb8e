//! Commands of the user's around a job, such as mounting the disk of the backups.

use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use super::args::{Hook, HookTime, JobStep};
use crate::auth;
use crate::child_process::{ProgramError, run_with_input};

/// The code by which a hook before the job says that there is nothing to do now, such as when a disk is not plugged in
/// (`EX_TEMPFAIL` of `sysexits.h`, as borgmatic takes it).
const NOT_NOW: i32 = 75;

/// What hooks learn in their environment.
pub(super) struct HookFacts<'a> {
    pub(super) job: &'a str,
    /// The step that failed first.
    pub(super) step: Option<JobStep>,
    pub(super) exit: u8,
    /// How many locations the job has worked on.
    pub(super) locations: usize,
    /// The newest snapshot.
    pub(super) snapshot: Option<&'a str>,
}

/// How a hook before the job ended.
pub(super) enum BeforeHook {
    /// The job can begin.
    Go,
    /// There is nothing to do now.
    NotNow,
    /// The job must not begin, for this reason.
    Failed(String),
}

/// The hooks of a job.
pub(super) struct Hooks<'a> {
    pub(super) all: &'a [Hook],
    pub(super) limit: Duration,
}

impl Hooks<'_> {
    /// Runs the hooks before the job until one fails.
    pub(super) async fn run_before(&self, facts: &HookFacts<'_>, summary: &Value) -> BeforeHook {
        for hook in self.at(HookTime::Before) {
            match self.run(hook, facts, summary).await {
                Ok(()) => {}
                Err(ProgramError::Ended { code: Some(NOT_NOW), .. }) => return BeforeHook::NotNow,
                Err(error) => return BeforeHook::Failed(describe_failure(hook, &error)),
            }
        }
        BeforeHook::Go
    }

    /// Runs the hooks of a time; returns what went wrong with each.
    pub(super) async fn run_all(
        &self,
        time: HookTime,
        facts: &HookFacts<'_>,
        summary: &Value,
    ) -> Vec<String> {
        let mut failures = Vec::new();
        for hook in self.at(time) {
            if let Err(error) = self.run(hook, facts, summary).await {
                failures.push(describe_failure(hook, &error));
            }
        }
        failures
    }

    fn at(&self, time: HookTime) -> impl Iterator<Item = &Hook> {
        self.all.iter().filter(move |hook| hook.time == time)
    }

    async fn run(
        &self,
        hook: &Hook,
        facts: &HookFacts<'_>,
        summary: &Value,
    ) -> Result<(), ProgramError> {
        let mut command = Command::new(&hook.command[0]);
        command.args(&hook.command[1..]);
        auth::remove_own_secrets(&mut command);
        command.env("GHL_BULK_JOB", facts.job);
        command.env("GHL_BULK_STEP", facts.step.map(JobStep::name).unwrap_or_default());
        command.env("GHL_BULK_EXIT", facts.exit.to_string());
        command.env("GHL_BULK_LOCATIONS", facts.locations.to_string());
        command.env("GHL_BULK_SNAPSHOT", facts.snapshot.unwrap_or_default());
        run_with_input(&mut command, &summary.to_string(), self.limit).await
    }
}

/// Arguments may hold secrets; the program is named.
fn describe_failure(hook: &Hook, error: &ProgramError) -> String {
    format!("the hook `{}` of `{}` failed: {error}", hook.command[0], hook.time.name())
}
