//! `ghl-bulk job list`.

use std::io::{self, Write as _};

use serde_json::{Map, Value, json};

use super::{job_log, logs_dir};
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::stdout::check_stdout;
use crate::cli::output::text_format::format_duration;
use crate::cli::output::text_table::{ColumnShrink, TextColumn, stdout_width, table_lines};
use crate::cli::settings::Settings;
use crate::text::escape_json_line;

/// A job of the configuration, and its last run.
struct ListedJob {
    name: String,
    steps: String,
    runs: usize,
    /// The summary of the last run, unless it is still running or was killed.
    last: Option<Map<String, Value>>,
}

impl ListedJob {
    fn text(&self, key: &str) -> Option<&str> {
        self.last.as_ref()?.get(key)?.as_str()
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.last.as_ref()?.get(key)?.as_u64()
    }

    fn started(&self) -> String {
        let started = self.text("started").and_then(|text| text.parse::<jiff::Timestamp>().ok());
        started.map(|time| time.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
    }

    fn outcome(&self) -> String {
        match (self.text("outcome"), self.number("exit_code"), self.runs) {
            (Some(outcome), Some(0), _) => outcome.to_owned(),
            (Some(outcome), Some(code), _) => format!("{outcome} ({code})"),
            (_, _, 0) => "never run".to_owned(),
            _ => "not ended".to_owned(),
        }
    }

    fn to_json(&self) -> Value {
        json!({ "job": self.name, "steps": self.steps, "runs": self.runs, "last": self.last })
    }
}

/// Lists the jobs.
pub(super) fn run(settings: &Settings) -> Result<CliExitCode, CliError> {
    let home = dirs::runs_home()?;
    let mut jobs = Vec::new();
    for job in settings.config().jobs() {
        let dir = logs_dir(home.home_dir(), &job.value);
        let logs = job_log::list_logs(&dir)
            .map_err(|error| CliError::usage(format!("`{}`: {error}", dir.display())))?;
        let mut of_job = settings.config().job_settings(&job.value);
        let steps = of_job.find(|(name, _)| *name == "steps").map(|(_, steps)| steps.join(", "));
        jobs.push(ListedJob {
            name: job.value.clone(),
            steps: steps.unwrap_or_default(),
            runs: logs.len(),
            last: logs.last().and_then(|log| job_log::read_summary(log)),
        });
    }
    if settings.json {
        let all: Vec<Value> = jobs.iter().map(ListedJob::to_json).collect();
        let line = escape_json_line(Value::Array(all).to_string());
        return check_stdout(writeln!(io::stdout().lock(), "{line}")).map(|()| CliExitCode::Done);
    }
    if jobs.is_empty() {
        return Err(CliError::usage("there are no jobs").with_hint(
            "add `[jobs.NAME]` to `config.toml`; `ghl-bulk job --help` shows an example",
        ));
    }
    let mut lines = table_lines(columns(&jobs), stdout_width()).into_iter();
    let mut out = io::stdout().lock();
    check_stdout(lines.try_for_each(|line| writeln!(out, "{line}"))).map(|()| CliExitCode::Done)
}

fn columns(jobs: &[ListedJob]) -> Vec<TextColumn> {
    let column = |header, importance, shrink, text: &dyn Fn(&ListedJob) -> String| TextColumn {
        header,
        shrink,
        right_aligned: false,
        importance,
        cells: jobs.iter().map(text).collect(),
    };
    let never = ColumnShrink::Never;
    let elapsed = |job: &ListedJob| {
        let elapsed = job.number("elapsed_ms").map(std::time::Duration::from_millis);
        elapsed.map(format_duration).unwrap_or_default()
    };
    vec![
        column("JOB", 9, never, &|job| job.name.clone()),
        column("LAST RUN (UTC)", 7, never, &ListedJob::started),
        column("OUTCOME", 8, never, &ListedJob::outcome),
        column("TOOK", 5, never, &elapsed),
        column("STEPS", 6, ColumnShrink::CutEnd, &|job| job.steps.clone()),
    ]
}
