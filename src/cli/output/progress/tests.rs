//! Tests of the views, on streams in memory and with a clock of their own.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::diagnostic::EventWarningCode;
use crate::event::{RunPhase, RunWarning, WaitReason, WrittenFile};

/// A stream in memory. Clones are the same stream.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(lock_ignoring_poison(&self.0).clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock_ignoring_poison(&self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A pipe without a reader.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn streams() -> (Memory, Memory, Arc<OutputStreams>) {
    let (out, err) = (Memory::default(), Memory::default());
    let sink = Arc::new(OutputStreams::from_writers(out.clone(), err.clone()));
    (out, err, sink)
}

fn progress(what: &'static str, done: u64, total: Option<u64>) -> RunEvent {
    RunEvent::Progress { what, done, total }
}

fn waiting(reason: WaitReason, ms: u64) -> RunEvent {
    RunEvent::Waiting { reason, ms }
}

fn written() -> RunEvent {
    RunEvent::Written(WrittenFile {
        table: "contacts".to_owned(),
        format: "csv".to_owned(),
        file: "contacts.csv".to_owned(),
        rows: 2,
        bytes: 90,
        sha256: "00".to_owned(),
        flat: true,
    })
}

fn warning(message: &str) -> RunEvent {
    RunEvent::Warning(RunWarning::new(EventWarningCode::TasksPerContact, message))
}

fn started() -> RunEvent {
    let run = crate::id::RunId::new(jiff::Timestamp::UNIX_EPOCH);
    RunEvent::Started {
        run,
        location: "loc".parse().unwrap(),
        kind: crate::event::RunKind::Export,
        resumed: true,
    }
}

/// Feeds events, each with its time in milliseconds.
fn feed(view: &mut dyn ProgressView, events: impl IntoIterator<Item = (u64, RunEvent)>) {
    let begin = Instant::now();
    for (ms, event) in events {
        view.handle_event(&event, begin + Duration::from_millis(ms));
    }
    view.finish(begin + Duration::from_hours(1));
}

fn plain(label: Option<&str>, events: impl IntoIterator<Item = (u64, RunEvent)>) -> Vec<String> {
    let (_, err, sink) = streams();
    feed(&mut plain::PlainView::new(sink, label.map(str::to_owned)), events);
    err.lines()
}

fn json(events: impl IntoIterator<Item = (u64, RunEvent)>) -> Vec<Value> {
    let (out, err, sink) = streams();
    feed(&mut json_events::JsonView::new(sink, Some("loc".to_owned())), events);
    assert!(err.lines().is_empty());
    out.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn flags_decide_on_the_style() {
    assert_eq!(OutputStyle::from_flags(true, ProgressArg::Plain, true), OutputStyle::Json);
    assert_eq!(OutputStyle::from_flags(false, ProgressArg::Plain, true), OutputStyle::Quiet);
    assert_eq!(OutputStyle::from_flags(false, ProgressArg::Plain, false), OutputStyle::Plain);
    assert_eq!(OutputStyle::from_flags(false, ProgressArg::None, false), OutputStyle::None);
}

#[test]
fn a_line_has_all_counts_with_rate_and_rest() {
    let lines = plain(
        None,
        [
            (0, progress("contacts", 22_000, Some(100_000))),
            (100, progress("contacts_done", 41_200, None)),
            (4_900, progress("contacts", 44_800, Some(100_000))),
            (5_000, progress("contacts", 45_000, Some(100_000))),
            (5_100, progress("tasks", 7, None)),
        ],
    );
    assert_eq!(
        lines,
        [
            "contacts 22,000 of 100,000",
            "contacts 45,000 of 100,000 (4,600/s, 11 s left), notes of 41,200 contacts read",
            "contacts 45,000 of 100,000, notes of 41,200 contacts read, tasks 7",
        ]
    );
}

#[test]
fn lines_come_every_five_seconds_and_at_the_end() {
    let lines = plain(Some("loc"), (0..=1_230).map(|n| (n * 10, progress("tasks", n, None))));
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!(lines[1], "loc: tasks 500 (100/s)");
    assert_eq!(lines[3], "loc: tasks 1,230");
}

#[test]
fn a_resumed_count_begins_its_rate_where_it_is() {
    let lines = plain(
        None,
        [
            (0, progress("contacts", 80_000, Some(90_000))),
            (5_000, progress("contacts", 80_500, Some(90_000))),
        ],
    );
    assert_eq!(lines[1], "contacts 80,500 of 90,000 (100/s, 1 min 35 s left)");
}

#[test]
fn a_long_wait_does_not_slow_the_rate_for_good() {
    let hour = 3_600_000;
    let events = [0, 1_000, hour, hour + 2_000, hour + 7_000].into_iter().zip(1_u64..);
    let lines = plain(None, events.map(|(ms, n)| (ms, progress("tasks", n * 1_000, None))));
    assert_eq!(lines.last().unwrap(), "tasks 5,000 (285/s)");
}

#[test]
fn warnings_are_shown_at_once_and_escaped() {
    let lines =
        plain(Some("loc"), [(0, warning("a\u{1b}[2Jb")), (1, progress("contacts_done", 1, None))]);
    assert_eq!(lines, [r"warning: loc: a\u{1b}[2Jb", "loc: children of 1 contact read"]);
}

#[test]
fn only_long_waits_are_shown_and_not_each() {
    let lines = plain(
        None,
        [
            (0, waiting(WaitReason::Retry, 900)),
            (1, waiting(WaitReason::RateLimited, 9_800)),
            (2, waiting(WaitReason::Retry, 2_000)),
            (5_001, waiting(WaitReason::IndexLag, 35_000)),
        ],
    );
    assert_eq!(
        lines,
        ["refused, waiting for the rate limit, 9.8 s", "waiting for the search index, 35 s"]
    );
}

#[test]
fn counts_are_written_twice_a_second_and_last() {
    let events = (0..=120).map(|n| (n * 10, progress("contacts", n, Some(120))));
    let lines = json(events.chain([(1_210, waiting(WaitReason::Retry, 5))]));
    let done: Vec<_> = lines.iter().map(|line| line["done"].as_u64()).collect();
    assert_eq!(done, [Some(0), Some(50), Some(100), None, Some(120)]);
}

#[test]
fn held_counts_are_written_before_a_file_is_announced() {
    let lines =
        json([(0, progress("tasks", 1, None)), (1, progress("tasks", 2, None)), (2, written())]);
    let events: Vec<_> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["progress", "progress", "written"]);
    assert_eq!(lines[1]["total"], Value::Null);
}

/// Breaks when an event is added: it belongs into the schema and into the test below.
fn name(event: &RunEvent) -> &'static str {
    match event {
        RunEvent::Started { .. } => "started",
        RunEvent::Warning(_) => "warning",
        RunEvent::Phase { .. } => "phase",
        RunEvent::Progress { .. } => "progress",
        RunEvent::Waiting { .. } => "waiting",
        RunEvent::Written(_) => "written",
        RunEvent::Synced(_) => "synced",
        RunEvent::Coverage(_) => "coverage",
        RunEvent::Snapshot(_) => "snapshot",
        RunEvent::Alert(_) => "alert",
    }
}

#[test]
fn every_event_has_exactly_the_documented_fields() {
    let events = [
        started(),
        warning("w"),
        RunEvent::Phase { phase: RunPhase::Reading },
        progress("contacts", 1, Some(2)),
        waiting(WaitReason::IndexLag, 1),
        written(),
        RunEvent::Synced(crate::event::SyncedEvent {
            mirror: "m".to_owned(),
            seq: 1,
            changed_seq: 1,
            requests: 1,
            contacts: crate::event::ChangeCounts::default(),
            tasks: crate::event::ChangeCounts::default(),
            notes: crate::event::ChangeCounts::default(),
            appointments: Some(crate::event::ChangeCounts::default()),
            businesses: Some(crate::event::ChangeCounts::default()),
        }),
        RunEvent::Coverage(crate::event::CoverageEvent {
            table: "notes",
            oldest_s: Some(1),
            p50_s: Some(1),
            bound_s: None,
            within_bound: 1.0,
        }),
        RunEvent::Snapshot(crate::event::SnapshotEvent {
            id: "s".to_owned(),
            kind: "full",
            bytes: 1,
            chain: 1,
        }),
        RunEvent::Alert(crate::event::AlertEvent {
            code: "mass_deletion".to_owned(),
            message: "m".to_owned(),
            count: 1,
            of: 2,
        }),
    ];
    for event in events {
        let name = name(&event);
        let lines = json([(0, event)]);
        let line = lines[0].as_object().unwrap();
        assert_eq!(line["event"], name);
        let fields: BTreeSet<_> = line.keys().cloned().collect();
        assert_eq!(fields, documented_fields(name), "{name}");
    }
}

#[test]
fn every_reason_to_wait_is_documented() {
    let reasons = [
        WaitReason::RateLimit,
        WaitReason::RateLimited,
        WaitReason::DailyQuota,
        WaitReason::Retry,
        WaitReason::IndexLag,
        WaitReason::Reconciling,
        WaitReason::LateWrites,
    ];
    let schema = events_schema();
    assert_eq!(json!(reasons), schema["$defs"]["waiting"]["properties"]["reason"]["enum"]);
}

#[test]
fn a_line_begins_with_version_time_and_location_once() {
    let (out, _, sink) = streams();
    let mut view = json_events::JsonView::new(sink, None);
    feed(&mut view, [(0, warning("w")), (1, started()), (2, waiting(WaitReason::Retry, 5))]);
    let lines = out.lines();
    assert!(
        lines[0].starts_with(r#"{"v":2,"at":"20"#) && !lines[0].contains("location"),
        "{}",
        lines[0]
    );
    assert!(lines[1].matches(r#""location":"loc""#).count() == 1, "{}", lines[1]);
    assert!(
        lines[2].ends_with(r#"Z","location":"loc","event":"waiting","reason":"retry","ms":5}"#)
    );
}

#[test]
fn a_closed_pipe_is_remembered_and_nothing_panics() {
    let screen =
        CliReporter::with_streams(OutputStyle::Json, OutputStreams::from_writers(Closed, Closed));
    let observer = screen.location_observer(None);
    assert!(!screen.is_stdout_closed());
    observer.observe(&written());
    screen.emit_event(&json!({ "event": "summary" }));
    screen.finish();
    assert!(screen.is_stdout_closed());
}

#[test]
fn a_quiet_screen_shows_warnings_only() {
    let (out, err) = (Memory::default(), Memory::default());
    let screen = CliReporter::with_streams(
        OutputStyle::Quiet,
        OutputStreams::from_writers(out.clone(), err.clone()),
    );
    let observer = screen.location_observer(None);
    for event in [started(), progress("contacts", 1, None), warning("careful"), written()] {
        observer.observe(&event);
    }
    screen.print_note("a note");
    screen.emit_event(&json!({ "event": "summary" }));
    screen.finish();
    assert_eq!(err.lines(), ["warning: careful"]);
    assert!(out.lines().is_empty());
}

#[test]
fn notes_are_shown_line_by_line_and_escaped() {
    let err = Memory::default();
    let screen = CliReporter::with_streams(
        OutputStyle::Plain,
        OutputStreams::from_writers(Closed, err.clone()),
    );
    screen.print_note("one\ntwo\u{7}");
    assert_eq!(err.lines(), ["one", r"two\u{7}"]);
}

#[test]
fn a_finished_screen_is_silent() {
    let err = Memory::default();
    let screen = CliReporter::with_streams(
        OutputStyle::Plain,
        OutputStreams::from_writers(Closed, err.clone()),
    );
    let observer = screen.location_observer(None);
    screen.finish();
    observer.observe(&progress("contacts", 1, None));
    assert!(err.lines().is_empty());
}

#[test]
fn a_location_that_is_done_shows_its_last_counts_at_once() {
    let err = Memory::default();
    let streams = OutputStreams::from_writers(Closed, err.clone());
    let screen = CliReporter::with_streams(OutputStyle::Plain, streams);
    let observer = screen.location_observer(Some("loc".to_owned()));
    let other = Arc::clone(&observer);
    for n in [1, 2] {
        observer.observe(&progress("contacts", n, Some(2)));
    }
    drop(observer);
    assert_eq!(err.lines(), ["loc: contacts 1 of 2"], "its clone can still report");
    drop(other);
    assert_eq!(err.lines(), ["loc: contacts 1 of 2", "loc: contacts 2 of 2"]);
    assert!(screen.living_watches().is_empty());
}

#[test]
fn of_many_locations_only_those_are_described_that_take_long() {
    let (_, err, sink) = streams();
    let mut view = plain::PlainView::of_one_of_many(sink, Some("loc".to_owned()), Instant::now());
    let counts = (0..=13).map(|n| (n * 5_000, progress("contacts", n, Some(20))));
    feed(&mut view, counts.chain([(66_000, written())]));
    assert_eq!(err.lines().len(), 1, "{:?}", err.lines());
    assert!(err.lines()[0].starts_with("loc: contacts 12 of 20"), "{:?}", err.lines());
}

#[test]
fn locations_are_counted_now_and_then() {
    let (_, err, sink) = streams();
    let counter = LocationCounter::start(sink, 1_300, true);
    let began = Instant::now();
    (0..64).for_each(|_| counter.begin());
    for n in 0..60_u64 {
        counter.end_at(n % 20 != 7, began + Duration::from_millis(n * 500));
    }
    assert_eq!(
        err.lines(),
        [
            "20 of 1,300 locations done, 1 failed, 43 in progress  10 s elapsed",
            "39 of 1,300 locations done, 2 failed, 23 in progress  20 s elapsed",
        ]
    );
}
