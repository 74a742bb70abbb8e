//! `ghl-bulk mirror status`: what the local copies have, and what was made from them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::find_mirror::{find_mirror_dirs, named_locations, no_mirror_error};
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::page_text::{PageLines, page_width};
use crate::cli::output::stdout::print_stdout;
use crate::cli::output::text_format::{format_bytes, format_duration};
use crate::cli::settings::Settings;
use crate::id::LocationId;
use crate::mirror::{
    self, KeepTime, KnownReader, MirrorError, MirrorReader, ReaderKind, ReaderProgress,
    RecordCounts, RecordKind, RetentionRules, RetentionState, SyncRecord,
};
use crate::run::RunError;
use crate::text::{escape_json_line, format_count, format_plural};

/// What a mirror has.
struct MirrorStatus {
    path: PathBuf,
    bytes: u64,
    location: LocationId,
    is_sandbox: bool,
    id: String,
    last_sync: Option<SyncRecord>,
    last_walk: Option<SyncRecord>,
    is_merging: bool,
    last_change: i64,
    counts: Vec<(RecordKind, RecordCounts)>,
    oldest: Option<Timestamp>,
    failures: u64,
    readers: Vec<KnownReader>,
    sinks: Vec<ReaderProgress>,
    retention: Option<RetentionState>,
}

/// Shows the mirrors that the command names, or all.
pub(super) fn run(settings: &Settings) -> Result<CliExitCode, CliError> {
    let dirs = find_mirror_dirs(settings)?;
    let named = named_locations(settings)?;
    if dirs.len() < named.len() || (dirs.is_empty() && !settings.json) {
        return Err(no_mirror_error(&named));
    }
    let all = dirs.iter().map(|dir| MirrorStatus::read(dir)).collect::<Result<Vec<_>, _>>()?;
    if settings.json {
        let all: Vec<Value> = all.iter().map(MirrorStatus::to_json).collect();
        print_stdout(escape_json_line(Value::Array(all).to_string()) + "\n")?;
        return Ok(CliExitCode::Done);
    }
    let mut page = PageLines::new(page_width());
    for (at, status) in all.iter().enumerate() {
        if at > 0 {
            page.add_blank();
        }
        status.add_lines(&mut page);
    }
    print_stdout(page.into_text())?;
    Ok(CliExitCode::Done)
}

impl MirrorStatus {
    fn read(dir: &Path) -> Result<Self, MirrorError> {
        let path = mirror::database_path(dir);
        let missing = || MirrorError::from(RunError::damaged(dir, "its mirror has disappeared"));
        let mirror = MirrorReader::open(dir)?.ok_or_else(missing)?;
        mirror.hold_snapshot()?;
        let location = mirror.location()?;
        let count = |kind: RecordKind| Ok((kind, mirror.count_records(kind)?));
        let counts = RecordKind::ALL.into_iter().map(count).collect::<Result<_, MirrorError>>()?;
        let failures = mirror.load_failures()?;
        Ok(Self {
            bytes: database_bytes(&path),
            path: dir.to_owned(),
            is_sandbox: dir.file_name() != Some(location.escaped_segment().as_ref()),
            location,
            id: mirror.mirror_id()?,
            last_sync: mirror.last_sync()?,
            last_walk: mirror.last_walk()?,
            is_merging: mirror.is_merging()?,
            last_change: mirror.last_change()?,
            counts,
            oldest: mirror.oldest_read_ms()?.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
            failures: failures.iter().map(|failure| failure.records).sum(),
            readers: mirror.list_readers()?,
            sinks: list_sinks(&mirror)?,
            retention: mirror.retention()?,
        })
    }

    fn add_lines(&self, page: &mut PageLines) {
        let sandbox = if self.is_sandbox { " (sandbox)" } else { "" };
        page.add_text("", &format!("{}{sandbox}", self.location));
        page.add_field("path", &self.path.display().to_string());
        page.add_field("size", &format_bytes(self.bytes));
        page.add_field("id", &self.id);
        let sync = |sync: &Option<SyncRecord>| {
            sync.as_ref().map(|it| format!("{} (sync {})", time_text(it.facts.started), it.seq))
        };
        page.add_field(
            "last sync",
            &sync(&self.last_sync).unwrap_or_else(|| "none yet".to_owned()),
        );
        page.add_field("read as a whole", &sync(&self.last_walk).unwrap_or_default());
        if self.is_merging {
            page.add_field("", "a sync is changing it, or was killed; the next sync goes on");
        }
        for (kind, counts) in &self.counts {
            let is_usual = !matches!(kind, RecordKind::Appointment | RecordKind::Business);
            if !is_usual && *counts == RecordCounts::default() {
                continue;
            }
            page.add_field(&kind.table_name().replace('_', " "), &counts_text(*counts));
        }
        if let Some(RetentionState { rules, .. }) = self.retention {
            let bytes = self.counts.iter().map(|(_, counts)| counts.version_bytes).sum();
            page.add_field("kept", &format!("{} ({})", rules_text(rules), format_bytes(bytes)));
        }
        page.add_field("history since", &self.oldest.map(time_text).unwrap_or_default());
        if self.failures > 0 {
            page.add_field("unreadable", &format_plural(self.failures, "record"));
        }
        for reader in &self.readers {
            let behind = if reader.seq >= self.last_change { "up to date" } else { "behind" };
            let text = format!("{} (sync {}, {behind})", reader.name, reader.seq);
            page.add_field("exported to", &text);
        }
        for sink in &self.sinks {
            page.add_field("watched by", &format!("{} (sync {})", sink.name, sink.seq));
        }
    }

    fn to_json(&self) -> Value {
        let sync = |sync: &Option<SyncRecord>| {
            sync.as_ref().map(|sync| {
                json!({"seq": sync.seq, "started": sync.facts.started, "kind": sync.facts.kind,
                    "requests": sync.facts.requests})
            })
        };
        let records: BTreeMap<&str, Value> = self
            .counts
            .iter()
            .map(|(kind, counts)| {
                let RecordCounts { live, deleted, emptied, versions, version_bytes } = counts;
                let counts = json!({"live": live, "deleted": deleted, "without_content": emptied,
                    "former_versions": versions, "former_bytes": version_bytes});
                (kind.table_name(), counts)
            })
            .collect();
        let readers = self.readers.iter().map(|reader| {
            json!({"name": reader.name, "seq": reader.seq,
                "read_at": Timestamp::from_millisecond(reader.read_at_ms).ok(),
                "up_to_date": reader.seq >= self.last_change})
        });
        json!({
            "location": self.location,
            "sandbox": self.is_sandbox,
            "path": self.path,
            "bytes": self.bytes,
            "id": self.id,
            "last_sync": sync(&self.last_sync),
            "last_walk": sync(&self.last_walk),
            "changed_seq": self.last_change,
            "merging": self.is_merging,
            "records": records,
            "history_since": self.oldest,
            "unreadable": self.failures,
            "retention": self.retention.map(|state| retention_json(&state)),
            "sinks": self.sinks.iter().map(|sink| json!({"name": sink.name, "seq": sink.seq}))
                .collect::<Vec<_>>(),
            "readers": readers.collect::<Vec<_>>(),
        })
    }
}

/// The sinks of `watch`, with how far they are.
fn list_sinks(mirror: &MirrorReader) -> Result<Vec<ReaderProgress>, MirrorError> {
    let readers = mirror.list_reader_progress()?.into_iter();
    Ok(readers.filter(|reader| reader.kind == ReaderKind::Sink).collect())
}

fn rules_text(rules: RetentionRules) -> String {
    let time = |time: KeepTime| match time {
        KeepTime::Seconds(seconds) => {
            let seconds = Duration::from_secs(seconds);
            let days = seconds.as_secs() / (24 * 3600);
            if days > 0 { format_plural(days, "day") } else { format_duration(seconds) }
        }
        KeepTime::Forever => "forever".to_owned(),
    };
    format!("deleted records {}, former versions {}", time(rules.deleted), time(rules.history))
}

/// Seconds; null for ever.
fn retention_json(state: &RetentionState) -> Value {
    let seconds = |time: KeepTime| match time {
        KeepTime::Seconds(seconds) => Some(seconds),
        KeepTime::Forever => None,
    };
    json!({
        "deleted_keep_s": seconds(state.rules.deleted),
        "history_keep_s": seconds(state.rules.history),
        "applied_at": Timestamp::from_millisecond(state.applied_ms).ok(),
    })
}

fn counts_text(counts: RecordCounts) -> String {
    let mut parts = vec![format_count(counts.live)];
    if counts.deleted > 0 {
        parts.push(format!("{} deleted", format_count(counts.deleted)));
    }
    if counts.emptied > 0 {
        parts.push(format!("{} of them without content", format_count(counts.emptied)));
    }
    if counts.versions > 0 {
        parts.push(format_plural(counts.versions, "former version"));
    }
    parts.join(", ")
}

fn time_text(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The bytes of a database with its log of writes.
fn database_bytes(path: &Path) -> u64 {
    let log = PathBuf::from(format!("{}-wal", path.display()));
    let sizes = [path, &log].map(|path| std::fs::metadata(path).map_or(0, |file| file.len()));
    sizes.iter().sum()
}
