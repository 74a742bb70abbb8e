//! The schema of the JSON events: what `ghl-bulk schema events` prints.
//!
//! It is written by hand because of the descriptions; a test compares it with the
//! events as they are serialised. It forbids no further fields, as later programs may add some
//! without a new version.

use serde_json::{Map, Value, json};

use super::schema_parts::{
    NamedSchema, OPTIONAL_OF_FILES, count_schema, event_schema, file_properties,
    nullable_string_schema, string_schema, synced_properties,
};
use super::summary_schema::summary_event;
use crate::diagnostic::EventWarningCode;

/// The JSON schema (draft 2020-12) of one line that `--json` writes.
pub(crate) fn events_schema() -> Value {
    let events = [
        started_event(),
        warning_event(),
        phase_event(),
        progress_event(),
        waiting_event(),
        written_event(),
        synced_event(),
        coverage_event(),
        snapshot_event(),
        alert_event(),
        step_started_event(),
        step_ended_event(),
        summary_event(),
    ];
    let any = events.iter().map(|(name, _)| json!({ "$ref": format!("#/$defs/{name}") }));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ghl-bulk events",
        "description": "One line of what `ghl-bulk --json` writes to stdout: JSON Lines, UTF-8, one \
            event each. The last line is the summary. `v` moves when a field is renamed, removed or \
            changes its meaning; new fields and new events do not move it, so ignore what you do \
            not know.",
        "oneOf": any.collect::<Vec<_>>(),
        "$defs": events.into_iter().map(|(name, event)| (name.to_owned(), event)).collect::<Map<_, _>>(),
    })
}

fn started_event() -> NamedSchema {
    let fields = json!({
        "run": string_schema("The run; `ghl-bulk resume` takes it."),
        "location": string_schema("The location's id."),
        "kind": string_schema("What is done: `export`, `import`, `undo` or `sync`."),
        "resumed": { "type": "boolean", "description": "Whether an earlier process began the run." },
    });
    event_schema("started", "A run began, or was taken up again.", &fields, &[])
}

/// The codes of warnings, each with its meaning. The list grows, so that a code may be another text.
fn warning_code_schema() -> Value {
    let code = |code: &EventWarningCode| json!({ "const": code, "description": code.meaning() });
    let known: Vec<_> = EventWarningCode::ALL.iter().map(code).chain([json!({})]).collect();
    json!({
        "type": "string",
        "description": "A stable name for scripts. New ones may come.",
        "anyOf": known,
    })
}

fn warning_event() -> NamedSchema {
    let fields = json!({
        "code": warning_code_schema(),
        "subjects": {
            "type": "array", "items": { "type": "string" },
            "description": "What it is about: files, columns or records, up to 100. The same in every run, while \
                the numbers in the message change; empty if the code says all.",
        },
        "message": string_schema("A sentence for people. It may hold text of the server's: escape it before showing it."),
        "known_from": nullable_string_schema("The finished run before of the same export, if that had the same \
            warning about the same; only new warnings are shown to people while a run works."),
    });
    event_schema("warning", "Something the user should know, while the work goes on.", &fields, &[])
}

fn phase_event() -> NamedSchema {
    let phases = [
        "reading",
        "publishing",
        "merging",
        "validating",
        "comparing",
        "planning",
        "checking",
        "applying",
        "looking_up",
        "results",
    ];
    let fields = json!({
        "phase": { "type": "string", "enum": phases, "description": "Which part." },
    });
    event_schema("phase", "A part of the work begins.", &fields, &[])
}

fn progress_event() -> NamedSchema {
    let total = json!({
        "type": ["integer", "null"],
        "minimum": 0,
        "description": "How many there will be; null where that is not known.",
    });
    let fields = json!({
        "what": string_schema("What is counted: a table's name, such as `contacts`, or `contacts_done` for \
            contacts whose notes (and other children read contact by contact) are read."),
        "done": count_schema("How many are stored, those of earlier processes included."),
        "total": total,
    });
    let description = "A count moved. Counts are absolute; each is written twice a second at most, \
        its last value always.";
    event_schema("progress", description, &fields, &[])
}

fn waiting_event() -> NamedSchema {
    let reason = json!({
        "enum": [
            "rate_limit", "rate_limited", "budget", "retry", "index_lag", "reconciling", "late_writes",
        ],
        "description": "Why. `rate_limited`: the server answered 429, nothing is sent until its \
            window is over. `budget`: the day's requests are used up and `--wait` was given. \
            `retry`: a request failed in a way that passes and is sent again. `index_lag`: the \
            search hides a record for a moment and is asked again. `reconciling`: writes got no \
            answer, and what became of them is looked up when they must have been applied or lost. \
            `late_writes`: writes got no answer and were sent again; a first copy could still \
            arrive, and would undo what is written after it.",
    });
    let fields = json!({ "reason": reason, "ms": count_schema("How long, in milliseconds.") });
    event_schema(
        "waiting",
        "Nothing, or with `retry` one request, is sent for a while.",
        &fields,
        &[],
    )
}

fn written_event() -> NamedSchema {
    event_schema(
        "written",
        "An output file is complete under its final name.",
        &file_properties(),
        OPTIONAL_OF_FILES,
    )
}

fn synced_event() -> NamedSchema {
    let description = "The mirror of a location is up to date.";
    event_schema("synced", description, &synced_properties(), &["appointments", "businesses"])
}

fn coverage_event() -> NamedSchema {
    let seconds =
        |what: &str| json!({ "type": ["integer", "null"], "minimum": 0, "description": what });
    let share = "The share of the contacts whose records were read within that time.";
    let fields = json!({
        "table": { "enum": ["tasks", "notes"], "description": "The table." },
        "oldest_s": seconds("How long ago the records of the contact were read that were read longest ago, in seconds; null if none were."),
        "p50_s": seconds("The same of the contact in the middle."),
        "bound_s": seconds("How long ago it may be; null without a bound."),
        "within_bound": { "type": "number", "minimum": 0, "maximum": 1, "description": share },
    });
    let description = "How old what the mirror says may be, after a sync.";
    event_schema("coverage", description, &fields, &[])
}

fn snapshot_event() -> NamedSchema {
    let fields = json!({
        "id": string_schema("Its id."),
        "kind": { "enum": ["full", "changes"], "description": "What it has." },
        "bytes": count_schema("The size of its files."),
        "chain": count_schema("How many snapshots it is read from, itself included."),
    });
    event_schema("snapshot", "Of `backup`: a snapshot stands.", &fields, &[])
}

fn alert_event() -> NamedSchema {
    let fields = json!({
        "code": string_schema("What it is, such as `mass_deletion`."),
        "message": string_schema("A sentence about it, without data of people."),
        "count": count_schema("How many records it is about."),
        "of": count_schema("Of how many."),
    });
    let description = "Of `backup`: something about a snapshot is unusual. The one before is held.";
    event_schema("alert", description, &fields, &[])
}

fn step_started_event() -> NamedSchema {
    let fields = json!({
        "job": string_schema("The job's name."),
        "step": string_schema("The step, such as `backup`."),
    });
    event_schema("step_started", "Of `job run`: a step begins.", &fields, &[])
}

fn step_ended_event() -> NamedSchema {
    let fields = json!({
        "job": string_schema("The job's name."),
        "step": string_schema("The step."),
        "exit_code": { "type": "integer", "minimum": 0, "maximum": 255, "description": "Its exit code." },
        "elapsed_ms": count_schema("How long it took, in milliseconds."),
        "skipped": string_schema("Why it was left out."),
    });
    event_schema("step_ended", "Of `job run`: a step has ended.", &fields, &["skipped"])
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The fields that the schema documents for an event. For the code that writes a summary: its keys
    /// must be among them.
    pub(crate) fn documented_fields(event: &str) -> BTreeSet<String> {
        let schema = events_schema();
        let properties = schema["$defs"][event]["properties"].as_object().unwrap();
        properties.keys().cloned().collect()
    }

    #[test]
    fn what_is_required_is_documented() {
        let schema = events_schema();
        for (name, event) in schema["$defs"].as_object().unwrap() {
            let required = event["required"].as_array().unwrap();
            let known = documented_fields(name);
            assert!(required.iter().all(|field| known.contains(field.as_str().unwrap())), "{name}");
        }
    }
}
