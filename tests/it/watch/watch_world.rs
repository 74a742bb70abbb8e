//! What tests of `watch` do: runs of it, and their events.

use serde_json::Value;

use crate::world::World;

/// A watch that reads and delivers once into a file.
pub(crate) const ONCE: &str = "watch --once --jsonl events.jsonl";

impl World {
    /// Runs a single watch that succeeds, and gives the events that it has added to `events.jsonl`.
    #[track_caller]
    pub(crate) fn watch_once(&self, flags: &str) -> Vec<Value> {
        let before = self.read_events().len();
        self.run_command(&format!("{ONCE} {flags}")).exits(0);
        self.read_events().split_off(before)
    }

    /// The events in `events.jsonl`.
    pub(crate) fn read_events(&self) -> Vec<Value> {
        if self.path("events.jsonl").exists() { self.read_rows("events.jsonl") } else { Vec::new() }
    }
}

/// The types of events with the id of their record.
pub(crate) fn types_and_ids(events: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    events.iter().map(|event| (text(&event["type"]), text(&event["data"]["id"]))).collect()
}

/// The types of events, sorted.
pub(crate) fn sorted_types(events: &[Value]) -> Vec<&str> {
    let mut types: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    types.sort_unstable();
    types
}
