//! What a list says of a run, for people and for programs.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::id::RunId;
use crate::import;
use crate::run::{
    RunError, RunErrorKind, RunKind, RunMetadata, RunState, RunSummary, ShortRunIds, SpoolReader,
};

/// A run in a list.
pub(super) struct RunOverview<'a> {
    pub(super) summary: &'a RunSummary,
    pub(super) short_id: String,
    /// Its state, or what is wrong with it, as in JSON.
    pub(super) state: &'static str,
    /// The sheet, the output directory, or the run that it takes back.
    pub(super) subject: Option<RunSubject>,
    /// The rows of the sheet, or the records that are stored so far.
    pub(super) rows: Option<u64>,
    /// The size of its directory in bytes.
    pub(super) bytes: u64,
    /// Why it stopped before its end, or cannot be read. May contain untrusted text.
    pub(super) why: Option<String>,
}

/// What a run works on.
pub(super) enum RunSubject {
    /// The sheet of an import, or the output directory of an export; `-` for stdout.
    Path(PathBuf),
    /// The import that an undo takes back.
    Import(RunId),
}

impl<'a> RunOverview<'a> {
    pub(super) fn read(summary: &'a RunSummary, short_ids: &ShortRunIds) -> Self {
        let rows = match &summary.known {
            Ok((meta, _)) => count_rows(summary, meta),
            Err(_) => Ok(None),
        };
        let why = match &rows {
            Ok(_) => stop_reason(summary),
            Err(error) => Some(error.clone()),
        };
        Self {
            summary,
            short_id: short_ids.shorten(&summary.id),
            state: state_name(summary),
            subject: summary.known.as_ref().ok().and_then(|(meta, _)| read_subject(meta)),
            rows: rows.unwrap_or_default(),
            bytes: summary.size_on_disk(),
            why,
        }
    }

    /// What it is: an export, an import or an undo.
    pub(super) fn kind(&self) -> Option<RunKind> {
        self.summary.known.as_ref().ok().map(|(meta, _)| meta.kind)
    }

    /// When it was created, to the minute, without the zone, which is UTC.
    pub(super) fn created_text(&self) -> String {
        let text = |time: jiff::Timestamp| time.strftime("%Y-%m-%d %H:%M").to_string();
        self.summary.created().map(text).unwrap_or_default()
    }

    /// The run as `--json` shows it.
    pub(super) fn to_json(&self) -> Value {
        let summary = self.summary;
        let mut run = json!({
            "run": summary.id, "short_id": self.short_id, "dir": summary.dir,
            "running": summary.running, "state": self.state, "bytes": self.bytes,
            "row_count": self.rows,
        });
        let more = match &summary.known {
            Ok((meta, _)) => json!({
                "kind": meta.kind, "location": meta.location, "created": meta.created,
                "tool": meta.tool, "options": meta.options,
                "path": match &self.subject {
                    Some(RunSubject::Path(path)) => Some(path),
                    _ => None,
                },
                "stop": summary.stop().ok().flatten(),
            }),
            Err(error @ RunError::OtherVersion { written_by, .. }) => {
                json!({"tool": written_by, "error": error.to_string()})
            }
            Err(error) => json!({"error": error.to_string()}),
        };
        if let (Value::Object(run), Value::Object(more)) = (&mut run, more) {
            run.extend(more);
        }
        run
    }
}

fn state_name(summary: &RunSummary) -> &'static str {
    match &summary.known {
        Ok((_, state)) => state.name(summary.running),
        Err(error) => match error.kind() {
            RunErrorKind::OtherVersion => "other_version",
            RunErrorKind::Damaged => "damaged",
            _ => "unreadable",
        },
    }
}

fn read_subject(meta: &RunMetadata) -> Option<RunSubject> {
    let option = |name: &str| meta.options[name].as_str();
    match meta.kind {
        RunKind::Export if option("stdout_table").is_some() => Some(RunSubject::Path("-".into())),
        RunKind::Export => option("out").map(|out| RunSubject::Path(out.into())),
        RunKind::Import => option("file").map(|file| RunSubject::Path(file.into())),
        RunKind::Undo => option("of")?.parse().ok().map(RunSubject::Import),
        RunKind::Restore => option("repository").map(|path| RunSubject::Path(path.into())),
        RunKind::Sync => None,
    }
}

/// The rows of an import's or undo's plan, or the records that an export has stored.
fn count_rows(summary: &RunSummary, meta: &RunMetadata) -> Result<Option<u64>, String> {
    if !matches!(meta.kind, RunKind::Export | RunKind::Sync) {
        return import::planned_rows(summary).map_err(|error| error.to_string());
    }
    let streams = SpoolReader::open(&summary.dir.join("run.db"))
        .and_then(|spool| spool.streams_with_progress())
        .map_err(|error| error.to_string())?;
    Ok(Some(streams.iter().map(|(_, progress)| progress.rows).sum()))
}

fn stop_reason(summary: &RunSummary) -> Option<String> {
    match &summary.known {
        Ok((_, RunState::Running)) if !summary.running => Some("killed".to_owned()),
        Ok(_) => match summary.stop() {
            Ok(stop) => stop.map(|stop| stop.reason),
            Err(error) => Some(error.to_string()),
        },
        Err(RunError::OtherVersion { written_by, .. }) => {
            Some(format!("written by ghl-bulk {written_by}, not readable by this version"))
        }
        Err(error) => Some(error.to_string()),
    }
}

/// A path as short as it is clear on this machine: below the working directory, or with `~`.
pub(super) fn shorten_path(path: &Path) -> PathBuf {
    let below = |dir: PathBuf| path.strip_prefix(dir).ok().filter(|rest| *rest != Path::new(""));
    if let Some(rest) = std::env::current_dir().ok().and_then(below) {
        return rest.to_owned();
    }
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    home.and_then(below).map_or_else(|| path.to_owned(), |rest| Path::new("~").join(rest))
}
