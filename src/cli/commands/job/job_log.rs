//! The log of one run of a job: what its steps reported, without what people wrote.
//!
//! `logs/JOB/RUN.jsonl` in the program's home, readable by its owner only. Names, addresses and texts of customers, which
//! warnings can quote, are left out: of each event the numbers and the words of this program are kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::id::RunId;
use crate::run::create_private_dir;

/// Texts of events that are this program's own words, ids of locations and runs, or paths of the user's.
const PLAIN_TEXTS: [&str; 14] = [
    "event", "code", "kind", "location", "run", "table", "stage", "phase", "route", "outcome",
    "state", "snapshot", "step", "reason",
];

/// The log of a run of a job.
pub(super) struct JobLog {
    file: File,
}

impl JobLog {
    /// Begins the log of a run.
    pub(super) fn create(dir: &Path, run: &RunId) -> io::Result<Self> {
        create_private_dir(dir)?;
        let mut options = OpenOptions::new();
        options.create_new(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self { file: options.open(dir.join(format!("{run}.jsonl")))? })
    }

    /// Appends an event of the job's own, with the time.
    pub(super) fn write_own(&mut self, event: Value) {
        let mut line = Map::new();
        line.insert("time".to_owned(), json!(jiff::Timestamp::now().to_string()));
        if let Value::Object(event) = event {
            line.extend(event);
        }
        // A full disk must not end the job; it shows in the steps.
        let _ = writeln!(self.file, "{}", Value::Object(line));
    }

    /// Appends an event of a step. Progress, of which there is much, is left out.
    pub(super) fn write_step_event(&mut self, step: &str, event: &Map<String, Value>) {
        if event.get("event").and_then(Value::as_str) == Some("progress") {
            return;
        }
        let mut line = strip_texts(event);
        line.insert("step".to_owned(), step.into());
        self.write_own(Value::Object(line));
    }
}

/// The event without texts that may quote a customer.
pub(super) fn strip_texts(event: &Map<String, Value>) -> Map<String, Value> {
    event.iter().filter_map(|(key, value)| Some((key.clone(), strip_value(key, value)?))).collect()
}

fn strip_value(key: &str, value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => {
            let is_time = text.parse::<jiff::Timestamp>().is_ok();
            (is_time || PLAIN_TEXTS.contains(&key)).then(|| value.clone())
        }
        Value::Array(items) => {
            let items: Vec<Value> =
                items.iter().filter_map(|item| strip_value(key, item)).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Value::Object(fields) => {
            let fields = strip_texts(fields);
            (!fields.is_empty()).then_some(Value::Object(fields))
        }
        other => Some(other.clone()),
    }
}

/// Removes logs that are older than a time, by the time in their names. Returns the rest, oldest first.
pub(super) fn remove_old_logs(dir: &Path, keep: Duration) -> io::Result<Vec<PathBuf>> {
    let oldest = jiff::Timestamp::now().checked_sub(keep).unwrap_or(jiff::Timestamp::MIN);
    let mut kept = Vec::new();
    for log in list_logs(dir)? {
        match log_time(&log) {
            Some(time) if time < oldest => fs::remove_file(&log)?,
            _ => kept.push(log),
        }
    }
    Ok(kept)
}

/// The logs of a job, oldest first; none if it has never run.
pub(super) fn list_logs(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut logs = paths.collect::<io::Result<Vec<_>>>()?;
    logs.retain(|path| log_time(path).is_some());
    logs.sort();
    Ok(logs)
}

/// When the run of a log began; `None` if the file is no log of a job.
fn log_time(path: &Path) -> Option<jiff::Timestamp> {
    let is_log = path.extension().is_some_and(|extension| extension == "jsonl");
    let run: RunId = path.file_stem().filter(|_| is_log)?.to_str()?.parse().ok()?;
    run.created()
}

/// The last event of a log, if the run came to its end.
pub(super) fn read_summary(log: &Path) -> Option<Map<String, Value>> {
    /// How much of a log's end is read, in bytes; a summary is shorter.
    const END: u64 = 1 << 20;
    let mut file = File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    io::Seek::seek(&mut file, io::SeekFrom::Start(length.saturating_sub(END))).ok()?;
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, END), &mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let last: Map<String, Value> = serde_json::from_str(text.lines().last()?).ok()?;
    (last.get("event")?.as_str()? == "summary").then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_event_only_numbers_and_own_words_are_kept() {
        let event = json!({
            "event": "warning", "code": "W_X", "message": "Ada Lovelace <ada@example.com>", "count": 3,
            "details": ["Ada"], "location": "loc1", "rows": { "contacts": 2 },
            "since": "2026-11-21T06:00:00Z", "about": [{ "name": "Ada", "n": 1 }],
        });
        let Value::Object(event) = event else { unreachable!() };
        let kept = Value::Object(strip_texts(&event));
        let expected = json!({
            "event": "warning", "code": "W_X", "count": 3, "location": "loc1",
            "rows": { "contacts": 2 }, "since": "2026-11-21T06:00:00Z", "about": [{ "n": 1 }],
        });
        assert_eq!(kept, expected);
    }
}
