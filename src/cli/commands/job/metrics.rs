//! The metrics of a job for Prometheus' textfile collector (`node_exporter`).
//!
//! The file is replaced as a whole. What it says of the last success is taken over from the file before, so that a job
//! that fails for days shows when it last succeeded.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde_json::Value;

use super::outcome::{JobOutcome, StepOutcome};

const LAST_SUCCESS: &str = "ghl_bulk_last_success_timestamp_seconds";
/// The most that is read of the file before, in bytes: some ten thousand locations.
const MOST: usize = 8 << 20;

/// Writes the metrics of a job that has ended.
pub(super) fn write_metrics(
    path: &Path,
    outcome: &JobOutcome,
    repository: &[Value],
) -> io::Result<()> {
    let before = fs::read_to_string(path).unwrap_or_default();
    let before = if before.len() > MOST { "" } else { &before };
    let text = render_metrics(outcome, repository, before);
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    // The collector is another user; the file names no one.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.prefix(".ghl_bulk").tempfile_in(dir)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn render_metrics(outcome: &JobOutcome, repository: &[Value], before: &str) -> String {
    let (job, mut text) = (outcome.job.as_str(), String::new());
    let mut successes = read_successes(before, job);
    let now = jiff::Timestamp::now().as_second();
    if outcome.stopped.is_none() {
        successes.extend(outcome.good_locations().into_iter().map(|location| (location, now)));
    }
    add_head(&mut text, LAST_SUCCESS, "When the job last succeeded for a location.");
    for (location, time) in &successes {
        let labels = [("job", job), ("location", location)];
        add_sample(&mut text, LAST_SUCCESS, &labels, time);
    }
    add_head(&mut text, "ghl_bulk_exit_code", "The exit code of the last run of the job.");
    add_sample(&mut text, "ghl_bulk_exit_code", &[("job", job)], f64::from(outcome.code()));
    add_head(
        &mut text,
        "ghl_bulk_duration_seconds",
        "How long the last run took, and each of its steps.",
    );
    add_sample(
        &mut text,
        "ghl_bulk_duration_seconds",
        &[("job", job)],
        outcome.elapsed.as_secs_f64(),
    );
    for step in &outcome.steps {
        let labels = [("job", job), ("step", step.step.name())];
        add_sample(&mut text, "ghl_bulk_duration_seconds", &labels, step.elapsed.as_secs_f64());
    }
    add_head(&mut text, "ghl_bulk_requests", "The requests of the last run, by route.");
    for (route, count) in all_requests(outcome) {
        add_sample(&mut text, "ghl_bulk_requests", &[("job", job), ("route", &route)], count);
    }
    add_records(&mut text, outcome);
    add_repository(&mut text, job, repository);
    text
}

/// What `backup status --json` says of each location: a member, its metric, and what that is.
const OF_REPOSITORY: [(&str, &str, &str); 6] = [
    ("bytes", "ghl_bulk_repository_bytes", "The size of the location's files."),
    ("snapshots", "ghl_bulk_snapshots", "How many snapshots there are."),
    ("age_s", "ghl_bulk_snapshot_age_seconds", "The age of the newest snapshot."),
    ("note_age_s", "ghl_bulk_notes_oldest_seconds", "The age of the oldest reading of notes."),
    (
        "notes_within_bound",
        "ghl_bulk_notes_within_bound_ratio",
        "The share of contacts whose notes were read within the bound.",
    ),
    (
        "verified_age_s",
        "ghl_bulk_verified_age_seconds",
        "How long ago the repository was last found whole.",
    ),
];

fn add_repository(text: &mut String, job: &str, repository: &[Value]) {
    for (member, name, help) in OF_REPOSITORY {
        if repository.is_empty() {
            continue;
        }
        add_head(text, name, help);
        for status in repository {
            let location = status["location"].as_str().unwrap_or_default();
            if let Some(number) = status[member].as_f64() {
                add_sample(text, name, &[("job", job), ("location", location)], number);
            }
        }
    }
}

fn all_requests(outcome: &JobOutcome) -> BTreeMap<String, u64> {
    let mut all = BTreeMap::<String, u64>::new();
    for (route, count) in outcome.steps.iter().flat_map(StepOutcome::requests) {
        *all.entry(route).or_default() += count;
    }
    all
}

/// The numbers of records and alerts that the backups of the run report.
fn add_records(text: &mut String, outcome: &JobOutcome) {
    let summaries: Vec<_> = outcome.steps.iter().flat_map(StepOutcome::by_location).collect();
    let mut records = String::new();
    let mut alerts = String::new();
    for (location, _, summary) in &summaries {
        let job = ("job", outcome.job.as_str());
        for (table, states) in
            summary.get("totals").and_then(Value::as_object).into_iter().flatten()
        {
            for (state, count) in states.as_object().into_iter().flatten() {
                let labels = [job, ("location", location), ("table", table), ("state", state)];
                let count = count.as_f64().unwrap_or_default();
                add_sample(&mut records, "ghl_bulk_records", &labels, count);
            }
        }
        for alert in summary.get("alerts").and_then(Value::as_array).into_iter().flatten() {
            let Some(code) = alert.get("code").and_then(Value::as_str) else { continue };
            let labels = [job, ("location", location.as_str()), ("code", code)];
            add_sample(&mut alerts, "ghl_bulk_alerts", &labels, 1.0);
        }
    }
    add_head(text, "ghl_bulk_records", "Records of the newest snapshot, by table.");
    text.push_str(&records);
    add_head(text, "ghl_bulk_alerts", "What the last backup found unusual.");
    text.push_str(&alerts);
}

fn add_head(text: &mut String, name: &str, help: &str) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
}

fn add_sample(
    text: &mut String,
    name: &str,
    labels: &[(&str, &str)],
    value: impl std::fmt::Display,
) {
    let labels: Vec<String> =
        labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escape_label(value))).collect();
    let _ = writeln!(text, "{name}{{{}}} {value}", labels.join(","));
}

fn escape_label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The times of the last success by location, as the file before has them for this job.
fn read_successes(before: &str, job: &str) -> BTreeMap<String, i64> {
    let prefix = format!("{LAST_SUCCESS}{{job=\"{}\",location=\"", escape_label(job));
    let lines = before.lines().filter_map(|line| line.strip_prefix(&prefix));
    let read = |rest: &str| {
        let (location, time) = rest.rsplit_once("\"} ")?;
        // A location with such characters is not taken over; ids of HighLevel have none.
        let plain = !location.contains(['\\', '"']);
        Some((location.to_owned(), time.trim().parse().ok()?)).filter(|_| plain)
    };
    lines.filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LOC1: &str = "ghl_bulk_last_success_timestamp_seconds{job=\"nightly\",location=\"loc1\"}";

    fn outcome(code: u8) -> JobOutcome {
        use super::super::args::JobStep;
        use super::super::outcome::StepResult;
        use super::super::step_process::CommandEnd;
        let summary = serde_json::json!({ "location": "loc1", "requests": { "a \"b\"": 2 } });
        let Value::Object(summary) = summary else { unreachable!() };
        let end = CommandEnd { code, summary, list: Vec::new() };
        let result = StepResult::Ran(vec![end]);
        JobOutcome {
            job: "nightly".to_owned(),
            run: "20261129-020304-k3f9".to_owned(),
            started: jiff::Timestamp::UNIX_EPOCH,
            elapsed: Duration::from_millis(1500),
            steps: vec![StepOutcome {
                step: JobStep::Sync,
                elapsed: Duration::from_secs(1),
                result,
            }],
            ok: vec![0, 3],
            stopped: None,
        }
    }

    #[test]
    fn a_failed_step_that_is_about_no_location_is_no_success_of_any() {
        use super::super::args::JobStep;
        use super::super::outcome::StepResult;
        use super::super::step_process::CommandEnd;
        let mut night = outcome(0);
        let verify = |code| StepOutcome {
            step: JobStep::Verify,
            elapsed: Duration::ZERO,
            result: StepResult::Ran(vec![CommandEnd { code, ..CommandEnd::default() }]),
        };
        night.steps.push(verify(0));
        assert!(render_metrics(&night, &[], "").contains(LOC1));
        night.steps.push(verify(12));
        assert!(!render_metrics(&night, &[], "").contains(LOC1));
        let mut stopped = outcome(0);
        stopped.stopped = Some(143);
        assert!(!render_metrics(&stopped, &[], "").contains(LOC1));
    }

    #[test]
    fn the_time_of_the_last_success_outlives_failures() {
        let good = render_metrics(&outcome(3), &[], "");
        let line = good.lines().find(|line| line.starts_with(LAST_SUCCESS)).unwrap();
        assert!(line.starts_with(&format!("{LAST_SUCCESS}{{job=\"nightly\",location=\"loc1\"}} ")));
        let old = format!("{LAST_SUCCESS}{{job=\"nightly\",location=\"loc1\"}} 1700000000\n");
        let bad = render_metrics(&outcome(8), &[], &old);
        assert!(bad.contains(&old), "{bad}");
        assert!(bad.contains("ghl_bulk_exit_code{job=\"nightly\"} 8\n"), "{bad}");
        assert!(
            bad.contains("ghl_bulk_requests{job=\"nightly\",route=\"a \\\"b\\\"\"} 2\n"),
            "{bad}"
        );
        assert!(!render_metrics(&outcome(8), &[], "").contains("location="), "never succeeded");
    }
}
