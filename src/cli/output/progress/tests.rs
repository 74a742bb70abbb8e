//! Tests of the views, on streams in memory and with a clock of their own.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::event::{Waiting, Written};

/// A stream in memory. Clones are the same stream.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Memory {
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(lock(&self.0).clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A pipe that nobody reads.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn streams() -> (Memory, Memory, Arc<Sink>) {
    let (out, err) = (Memory::default(), Memory::default());
    let sink = Arc::new(Sink::of(out.clone(), err.clone()));
    (out, err, sink)
}

fn progress(what: &'static str, done: u64, total: Option<u64>) -> Event {
    Event::Progress { what, done, total }
}

fn waiting(reason: Waiting, ms: u64) -> Event {
    Event::Waiting { reason, ms }
}

fn written() -> Event {
    Event::Written(Written {
        table: "contacts".to_owned(),
        format: "csv".to_owned(),
        file: "contacts.csv".to_owned(),
        rows: 2,
        bytes: 90,
        sha256: "00".to_owned(),
    })
}

fn warning(message: &str) -> Event {
    Event::Warning { code: "tasks_per_contact", message: message.to_owned() }
}

fn started() -> Event {
    let run = crate::id::RunId::new(jiff::Timestamp::UNIX_EPOCH);
    Event::Started { run, location: "loc".parse().unwrap(), kind: "export", resumed: true }
}

/// Feeds events, each with its time in milliseconds.
fn feed(view: &mut dyn View, events: impl IntoIterator<Item = (u64, Event)>) {
    let begin = Instant::now();
    for (ms, event) in events {
        view.take(&event, begin + Duration::from_millis(ms));
    }
    view.finish(begin + Duration::from_hours(1));
}

fn plain(label: Option<&str>, events: impl IntoIterator<Item = (u64, Event)>) -> Vec<String> {
    let (_, err, sink) = streams();
    feed(&mut plain::Plain::new(sink, label.map(str::to_owned)), events);
    err.lines()
}

fn json(events: impl IntoIterator<Item = (u64, Event)>) -> Vec<Value> {
    let (out, err, sink) = streams();
    feed(&mut json_events::Json::new(sink, Some("loc".to_owned())), events);
    assert!(err.lines().is_empty());
    out.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn flags_decide_on_the_style() {
    assert_eq!(Style::choose(true, Progress::Plain, true), Style::Json);
    assert_eq!(Style::choose(false, Progress::Plain, true), Style::Quiet);
    assert_eq!(Style::choose(false, Progress::Plain, false), Style::Plain);
    assert_eq!(Style::choose(false, Progress::None, false), Style::None);
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
            (0, waiting(Waiting::Retry, 900)),
            (1, waiting(Waiting::Refused, 9_800)),
            (2, waiting(Waiting::Retry, 2_000)),
            (5_001, waiting(Waiting::Index, 35_000)),
        ],
    );
    assert_eq!(
        lines,
        [
            "waiting 9.8 s: the limit is used up",
            "waiting 35 s: the search may not show every contact yet"
        ]
    );
}

#[test]
fn counts_are_written_twice_a_second_and_last() {
    let events = (0..=120).map(|n| (n * 10, progress("contacts", n, Some(120))));
    let lines = json(events.chain([(1_210, waiting(Waiting::Retry, 5))]));
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
fn name(event: &Event) -> &'static str {
    match event {
        Event::Started { .. } => "started",
        Event::Warning { .. } => "warning",
        Event::Progress { .. } => "progress",
        Event::Waiting { .. } => "waiting",
        Event::Written(_) => "written",
    }
}

#[test]
fn every_event_has_exactly_the_documented_fields() {
    let events = [
        started(),
        warning("w"),
        progress("contacts", 1, Some(2)),
        waiting(Waiting::Index, 1),
        written(),
    ];
    for event in events {
        let name = name(&event);
        let lines = json([(0, event)]);
        let line = lines[0].as_object().unwrap();
        assert_eq!(line["event"], name);
        let fields: BTreeSet<_> = line.keys().cloned().collect();
        assert_eq!(fields, documented(name), "{name}");
    }
}

#[test]
fn every_reason_to_wait_is_documented() {
    let reasons =
        [Waiting::Refused, Waiting::Budget, Waiting::Retry, Waiting::Index, Waiting::Settle];
    let schema = schema_events();
    assert_eq!(json!(reasons), schema["$defs"]["waiting"]["properties"]["reason"]["enum"]);
}

#[test]
fn a_line_begins_with_version_time_and_location_once() {
    let (out, _, sink) = streams();
    let mut view = json_events::Json::new(sink, None);
    feed(&mut view, [(0, warning("w")), (1, started()), (2, waiting(Waiting::Retry, 5))]);
    let lines = out.lines();
    assert!(
        lines[0].starts_with(r#"{"v":1,"at":"20"#) && !lines[0].contains("location"),
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
    let screen = Screen::on(Style::Json, Sink::of(Closed, Closed));
    let watcher = screen.watcher(None);
    assert!(!screen.broken());
    watcher.observe(&written());
    screen.emit(&json!({ "event": "summary" }));
    screen.finish();
    assert!(screen.broken());
}

#[test]
fn a_quiet_screen_shows_warnings_only() {
    let (out, err) = (Memory::default(), Memory::default());
    let screen = Screen::on(Style::Quiet, Sink::of(out.clone(), err.clone()));
    let watcher = screen.watcher(None);
    for event in [started(), progress("contacts", 1, None), warning("careful"), written()] {
        watcher.observe(&event);
    }
    screen.line("a note");
    screen.emit(&json!({ "event": "summary" }));
    screen.finish();
    assert_eq!(err.lines(), ["warning: careful"]);
    assert!(out.lines().is_empty());
}

#[test]
fn notes_are_shown_line_by_line_and_escaped() {
    let err = Memory::default();
    let screen = Screen::on(Style::Plain, Sink::of(Closed, err.clone()));
    screen.line("one\ntwo\u{7}");
    assert_eq!(err.lines(), ["one", r"two\u{7}"]);
}

#[test]
fn a_finished_screen_is_silent() {
    let err = Memory::default();
    let screen = Screen::on(Style::Plain, Sink::of(Closed, err.clone()));
    let watcher = screen.watcher(None);
    screen.finish();
    watcher.observe(&progress("contacts", 1, None));
    assert!(err.lines().is_empty());
}
