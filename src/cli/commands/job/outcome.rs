//! What became of the steps of a job, and of the job.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::args::JobStep;
use super::step_process::CommandEnd;
use crate::cli::output::exit_code::CliExitCode;

/// What became of a step.
#[derive(Debug)]
pub(super) struct StepOutcome {
    pub(super) step: JobStep,
    pub(super) elapsed: Duration,
    pub(super) result: StepResult,
}

/// How a step ended.
#[derive(Debug)]
pub(super) enum StepResult {
    /// Its commands have run; one for each group of locations.
    Ran(Vec<CommandEnd>),
    /// It was left out, for this reason.
    Skipped(SkipReason),
    /// Its command could not be started.
    NotStarted(String),
}

/// Why a step was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SkipReason {
    /// The job was stopped by a signal.
    Stopped,
    /// The deadline had passed.
    Deadline,
    /// There was no backup in place of what it removes.
    NoBackup,
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stopped => "the job was stopped",
            Self::Deadline => "the deadline has passed",
            Self::NoBackup => "the backup before it failed",
        })
    }
}

impl StepOutcome {
    /// The exit code: of several commands, that of the first that is no success, or else the highest.
    pub(super) fn code(&self, ok: &[u8]) -> u8 {
        match &self.result {
            StepResult::Ran(ends) => combine_codes(ends.iter().map(|end| end.code), ok),
            StepResult::Skipped(SkipReason::Deadline) => CliExitCode::Paused as u8,
            // What went before it has a code.
            StepResult::Skipped(SkipReason::Stopped | SkipReason::NoBackup) => 0,
            StepResult::NotStarted(_) => 2,
        }
    }

    /// What went wrong, in the words of the command, which may quote the server.
    pub(super) fn error(&self) -> Option<String> {
        let ends = match &self.result {
            StepResult::Ran(ends) => ends,
            StepResult::Skipped(why) => return Some(why.to_string()),
            StepResult::NotStarted(why) => return Some(why.clone()),
        };
        let text = |end: &CommandEnd| Some(end.summary.get("error")?.as_str()?.to_owned());
        ends.iter().find_map(text)
    }

    /// What to do about it, in the words of the command.
    pub(super) fn hint(&self) -> Option<String> {
        let StepResult::Ran(ends) = &self.result else { return None };
        let text = |end: &CommandEnd| Some(end.summary.get("hint")?.as_str()?.to_owned());
        ends.iter().find_map(text)
    }

    /// The summaries of its commands by location; of commands that are about no location, nothing.
    pub(super) fn by_location(&self) -> Vec<(String, u8, &Map<String, Value>)> {
        let StepResult::Ran(ends) = &self.result else { return Vec::new() };
        let mut all = Vec::new();
        for end in ends {
            if let Some(Value::Object(locations)) = end.summary.get("locations") {
                for (location, summary) in locations {
                    let Value::Object(summary) = summary else { continue };
                    let code = summary.get("exit_code").and_then(Value::as_u64);
                    let code = code.unwrap_or_else(|| code_of_outcome(summary));
                    all.push((location.clone(), code.try_into().unwrap_or(u8::MAX), summary));
                }
            } else if let Some(location) = end.summary.get("location").and_then(Value::as_str) {
                all.push((location.to_owned(), end.code, &end.summary));
            }
        }
        all
    }

    /// Its fields for the summary of the job. `texts` may quote the server and name files; a ping leaves them out.
    fn to_json(&self, ok: &[u8], texts: bool) -> Value {
        let mut fields = json!({
            "step": self.step.name(),
            "exit_code": self.code(ok),
            "outcome": self.outcome_name(ok),
            "elapsed_ms": elapsed_ms(self.elapsed),
            "requests": self.requests().values().sum::<u64>(),
            "locations": self.by_location().len(),
        });
        if let (true, Some(error)) = (texts, self.error()) {
            fields["error"] = error.into();
        }
        fields
    }

    fn outcome_name(&self, ok: &[u8]) -> &'static str {
        match &self.result {
            StepResult::Skipped(_) => "skipped",
            _ if self.code(ok) == 0 => "complete",
            _ if ok.contains(&self.code(ok)) => "partial",
            _ => "failed",
        }
    }

    /// The requests of its commands by route.
    pub(super) fn requests(&self) -> BTreeMap<String, u64> {
        let mut all = BTreeMap::new();
        let StepResult::Ran(ends) = &self.result else { return all };
        for end in ends {
            let own = end.summary.get("requests").into_iter();
            let by_location = end.summary.get("locations").and_then(Value::as_object);
            let nested = by_location.into_iter().flat_map(Map::values);
            let nested = nested.filter_map(|summary| summary.get("requests"));
            for routes in own.chain(nested).filter_map(Value::as_object) {
                for (route, count) in routes {
                    *all.entry(route.clone()).or_default() += count.as_u64().unwrap_or_default();
                }
            }
        }
        all
    }

    /// The newest snapshot that it has made.
    pub(super) fn snapshot(&self) -> Option<String> {
        let all = self.by_location();
        let of = |(_, _, summary): &(String, u8, &Map<String, Value>)| {
            Some(summary.get("snapshot")?.as_str()?.to_owned())
        };
        all.iter().filter_map(of).max()
    }
}

/// A duration in milliseconds.
pub(super) fn elapsed_ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn code_of_outcome(summary: &Map<String, Value>) -> u64 {
    match summary.get("outcome").and_then(Value::as_str) {
        Some("complete") => 0,
        Some("partial") => 3,
        _ => 2,
    }
}

/// One code for several: the first that is no success, or else the highest.
pub(super) fn combine_codes(codes: impl Iterator<Item = u8>, ok: &[u8]) -> u8 {
    let codes: Vec<u8> = codes.collect();
    let failed = codes.iter().find(|code| !ok.contains(code) && **code != 0);
    failed.or_else(|| codes.iter().max()).copied().unwrap_or_default()
}

/// What became of a job.
#[derive(Debug)]
pub(super) struct JobOutcome {
    pub(super) job: String,
    pub(super) run: String,
    pub(super) started: jiff::Timestamp,
    pub(super) elapsed: Duration,
    pub(super) steps: Vec<StepOutcome>,
    /// The codes that count as success.
    pub(super) ok: Vec<u8>,
    /// The code of what ended the job from outside, such as a signal.
    pub(super) stopped: Option<u8>,
}

impl JobOutcome {
    pub(super) fn code(&self) -> u8 {
        let of_steps = self.steps.iter().map(|step| step.code(&self.ok));
        self.stopped.unwrap_or_else(|| combine_codes(of_steps, &self.ok))
    }

    pub(super) fn is_success(&self) -> bool {
        self.stopped.is_none() && self.is_good(self.code())
    }

    /// The steps that failed, or that were left out because another had failed.
    pub(super) fn failed_steps(&self) -> impl Iterator<Item = &StepOutcome> {
        self.steps.iter().filter(|step| {
            !self.is_good(step.code(&self.ok)) || matches!(step.result, StepResult::Skipped(_))
        })
    }

    /// The locations that the job has tried to back up, or only those that succeeded.
    pub(super) fn backed_up(&self, only_good: bool) -> Vec<String> {
        let backups = self.steps.iter().filter(|step| step.step == JobStep::Backup);
        let all = backups.flat_map(StepOutcome::by_location);
        let all = all.filter(|(_, code, _)| !only_good || self.is_good(*code));
        all.map(|(location, ..)| location).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The locations for which everything succeeded. What is about no location in particular is about all of them.
    pub(super) fn good_locations(&self) -> BTreeSet<String> {
        let mut good = self.locations();
        for step in &self.steps {
            let by_location = step.by_location();
            let is_good = |location: &String| {
                let mut codes =
                    by_location.iter().filter(|(it, ..)| it == location).map(|(_, code, _)| *code);
                codes.all(|code| self.is_good(code))
            };
            good.retain(is_good);
            if by_location.is_empty() && !self.is_good(step.code(&self.ok)) {
                good.clear();
            }
        }
        good
    }

    fn is_good(&self, code: u8) -> bool {
        code == 0 || self.ok.contains(&code)
    }

    pub(super) fn locations(&self) -> BTreeSet<String> {
        let all = self.steps.iter().flat_map(StepOutcome::by_location);
        all.map(|(location, ..)| location).collect()
    }

    pub(super) fn snapshot(&self) -> Option<String> {
        self.steps.iter().filter_map(StepOutcome::snapshot).max()
    }

    /// The summary. Without `texts` it names no one and quotes nothing.
    pub(super) fn to_json(&self, texts: bool) -> Map<String, Value> {
        let outcome = match self.code() {
            0 => "complete",
            _ if self.is_success() => "partial",
            _ => "failed",
        };
        let steps = self.steps.iter().map(|step| step.to_json(&self.ok, texts));
        let fields = json!({
            "event": "summary",
            "exit_code": self.code(),
            "outcome": outcome,
            "kind": "job",
            "job": self.job,
            "run": self.run,
            "started": self.started.to_string(),
            "elapsed_ms": elapsed_ms(self.elapsed),
            "snapshot": self.snapshot(),
            "steps": steps.collect::<Vec<_>>(),
        });
        match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_has_documented_fields_only() {
        let outcome = JobOutcome {
            job: "nightly".to_owned(),
            run: "20261129-020304-k3f9".to_owned(),
            started: jiff::Timestamp::UNIX_EPOCH,
            elapsed: Duration::ZERO,
            steps: Vec::new(),
            ok: vec![0],
            stopped: None,
        };
        let known = crate::cli::output::progress::documented_fields("summary");
        let fields = outcome.to_json(true);
        assert!(fields.keys().all(|field| known.contains(field)), "{fields:?}");
    }

    #[test]
    fn the_first_failure_counts_before_a_partial_success() {
        let ok = [0, 3];
        assert_eq!(combine_codes([0, 3, 8, 2].into_iter(), &ok), 8);
        assert_eq!(combine_codes([0, 3, 0].into_iter(), &ok), 3);
        assert_eq!(combine_codes([0, 3].into_iter(), &[0]), 3);
        assert_eq!(combine_codes(std::iter::empty(), &ok), 0);
    }
}
