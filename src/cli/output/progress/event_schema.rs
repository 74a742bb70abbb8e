//! The schema of the JSON events: what `ghl-bulk schema events` prints.
//!
//! It is written by hand because of the descriptions; a test compares it with the
//! events as they are serialised. It forbids no further fields, as later programs may add some
//! without a new version.

use serde_json::{Map, Value, json};

use crate::diagnostic::EventWarningCode;
use crate::event::VERSION;

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

type NamedSchema = (&'static str, Value);

/// An event: its own fields, all of which are always there unless `optional` names them, and those
/// of every line.
fn event_schema(
    name: &'static str,
    description: &str,
    fields: &Value,
    optional: &[&str],
) -> NamedSchema {
    let mut properties = common_properties(name);
    let mut required = vec!["v", "at", "event"];
    for (field, schema) in fields.as_object().into_iter().flatten() {
        properties.insert(field.clone(), schema.clone());
        if !optional.contains(&field.as_str()) {
            required.push(field);
        }
    }
    let object = json!({
        "type": "object",
        "description": description,
        "properties": properties,
        "required": required,
    });
    (name, object)
}

fn common_properties(name: &str) -> Map<String, Value> {
    let location = "The location's id. Missing only before the location's run has begun, in a \
        command for a single location.";
    let fields = json!({
        "v": { "const": VERSION, "description": "The version of this form." },
        "at": { "type": "string", "format": "date-time", "description": "When the line was written, in UTC." },
        "location": string_schema(location),
        "event": { "const": name, "description": "The kind of event." },
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn string_schema(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn nullable_string_schema(description: &str) -> Value {
    json!({ "type": ["string", "null"], "description": description })
}

fn count_schema(description: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": description })
}

fn count_map_schema(description: &str) -> Value {
    let each = json!({ "type": "integer", "minimum": 0 });
    json!({ "type": "object", "additionalProperties": each, "description": description })
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

/// The fields that not every file has.
const OPTIONAL_OF_FILES: &[&str] = &["flat"];

fn file_properties() -> Value {
    json!({
        "table": string_schema("The table, such as `contacts`."),
        "format": string_schema("The format's name, such as `parquet`."),
        "file": string_schema("The file's name in the output directory."),
        "rows": count_schema("Rows."),
        "bytes": count_schema("Size in bytes."),
        "sha256": string_schema("SHA-256 of the file, in lower-case hex."),
        "flat": { "type": "boolean", "description": "True if lists and JSON are strings of JSON text in it (`--jsonl flat`); missing otherwise." },
    })
}

fn written_event() -> NamedSchema {
    event_schema(
        "written",
        "An output file is complete under its final name.",
        &file_properties(),
        OPTIONAL_OF_FILES,
    )
}

fn synced_properties() -> Value {
    let changes = |what: &str| {
        json!({
            "type": "object",
            "properties": {
                "added": count_schema("New ones, and deleted ones that came back."),
                "changed": count_schema("Those with another content."),
                "deleted": count_schema("Those of which the server has said that they no longer exist."),
            },
            "required": ["added", "changed", "deleted"],
            "description": format!("The changes among the {what}."),
        })
    };
    json!({
        "mirror": string_schema("The mirror's id. A mirror that was lost and made again has another one."),
        "seq": count_schema("The number of the sync."),
        "changed_seq": count_schema("The number of the last sync that changed anything: what has this number is up to date."),
        "requests": count_schema("Requests sent, retries included."),
        "contacts": changes("contacts"),
        "tasks": changes("tasks"),
        "notes": changes("notes"),
        "appointments": changes("appointments; missing unless `--with appointments` is given"),
        "businesses": changes("businesses; missing unless `--with businesses` is given"),
    })
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

/// The fields that `sync` adds.
fn sync_properties() -> Value {
    json!({
        "read": { "enum": ["walk", "newest", "notes"], "description": "Of a sync: `walk` if everything was read, `newest` if only what was updated since the last sync, `notes` if `resume` has finished one that read notes in rotation." },
        "changes": { "type": "object", "properties": synced_properties(), "description": "Of a sync: what has changed, as in `synced`." },
        "deletions": { "enum": ["counted", "walked", "unknown"], "description": "Of a sync: how deleted contacts were looked for: by the search's count, by reading all, or not at all, because the count cannot be believed." },
        "hidden": count_schema("Of a sync: contacts that exist although the search does not show them."),
        "unconfirmed": count_schema("Of a sync: contacts that the search does not show and whose own endpoint gave no clear answer."),
        "export": { "type": "string", "description": "Of a first sync: the export that it began with." },
        "silent_changes": count_schema("Of a sync: contacts that had changed although their date of change says otherwise."),
        "note_coverage": { "type": "object", "description": "Of a sync: how notes are read, and how old their readings are, as `coverage.notes` in the manifest of `export --incremental`." },
        "tasks_read": { "type": ["string", "null"], "format": "date-time", "description": "Of a sync: when all tasks of the location were last read." },
        "note_lists": { "enum": ["complete", "budget", "deadline", "failing"], "description": "Of a sync that reads notes in rotation: how far it came, or what ended it." },
        "removed": { "type": "object", "description": "Of a sync: what the mirror no longer keeps, because it is old: `deleted_contents`, the deleted records whose contents were removed, and `former_versions`." },
        "sinks": { "type": "array", "items": { "type": "object" }, "description": "Of a watch: `sink`, and its events that are `delivered` or `waiting`, whether it is `gone`, and whether it has `restarted` because the local copy was lost." },
        "walk_due": { "type": "string", "format": "date-time", "description": "Of a sync: when everything is read again." },
    })
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

/// The fields that `job run` adds.
fn job_properties() -> Value {
    json!({
        "job": string_schema("Of a job: its name."),
        "started": { "type": "string", "format": "date-time", "description": "Of a job: when it began." },
        "snapshot": nullable_string_schema("The newest snapshot that was made."),
        "steps": {
            "type": "array", "items": { "type": "object" },
            "description": "Of a job: `step`, `outcome` (`skipped`, or as that of a summary), `exit_code`, `elapsed_ms`, \
                `requests` and the number of `locations` of each step, and its `error`.",
        },
    })
}

fn files_schema() -> Value {
    let fields = file_properties();
    let required = fields.as_object().into_iter().flat_map(Map::keys);
    let required: Vec<_> =
        required.filter(|name| !OPTIONAL_OF_FILES.contains(&name.as_str())).collect();
    json!({
        "type": "array",
        "description": "The output files, as in `written`.",
        "items": { "type": "object", "properties": fields, "required": required },
    })
}

fn locations_schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": { "type": "object" },
        "description": "With several locations, and with `--estimate`: by id, what became of each, \
            in the fields of a summary, or what it would cost.",
    })
}

fn summary_event() -> NamedSchema {
    let outcome = json!({
        "enum": ["complete", "partial", "failed", "estimate", "planned", "declined", "sampled", "pending", "in_doubt", "proposed", "healthy", "warning", "failing", "logged_in", "logged_out", "nothing", "known"],
        "description": "`complete`: everything is done. `partial`: everything but the records in \
            `errors.csv`, the rows in `rejected.csv`, or some locations. `failed`: the command ended \
            early; `error` says why. `estimate`: only the cost was asked for. `planned`: a dry run; \
            nothing was sent. `declined`: the user said no to the plan. `sampled`: the rows that `--sample` chose are done. `pending`: rows \
            are left for `ghl-bulk resume`. `in_doubt`: a person \
            must decide about the rows in `in_doubt.csv` or `duplicates.csv`. `proposed`: a mapping was made. \
            `healthy`, `warning`, `failing`: `doctor` found nothing wrong, only warnings, or a failure. \
            `logged_in`, `logged_out`, `nothing` (was stored): what `login` and `logout` did. `known`: \
            `whoami` tells what is known.",
    });
    let fields = json!({
        "exit_code": { "type": "integer", "minimum": 0, "maximum": 255, "description": "The exit code." },
        "outcome": outcome,
        "run": nullable_string_schema("The run, if one began."),
        "kind": string_schema("What was done: `import`, `undo`, `sync` or `job`; missing for exports."),
        "location": nullable_string_schema("The location's id, if the summary is about one."),
        "locations": locations_schema(),
        "out": nullable_string_schema("The directory with the output files."),
        "rows": count_map_schema("Rows per table; of an import: rows of the sheet by how they ended."),
        "paths": { "type": "array", "items": { "type": "string" }, "description": "The result files of an import." },
        "plan": { "type": "object", "description": "What an import's plan comes to: rows by action, fields that change, requests." },
        "failures": { "type": "array", "items": { "type": "object" }, "description": "Why rows that were sent were rejected or are in doubt: code, count and an example of each reason." },
        "not_kept": { "type": "array", "items": { "type": "object" }, "description": "Values that the server accepted and the account did not keep: target, count and an example of each." },
        "values_not_kept": count_schema("Of a finished import: values that the account did not keep."),
        "duplicates": count_schema("Contacts that may exist twice in the location; `duplicates.csv` lists them."),
        "sampled": { "type": "boolean", "description": "Whether rows were left for later by `--sample`." },
        "files": files_schema(),
        "requests": count_map_schema("Requests sent, by route, retries included."),
        "refused": count_schema("Answers 429 among them."),
        "unreadable": count_schema("Records that could not be read; `errors.csv` lists them."),
        "elapsed_ms": count_schema("Time this process spent, in milliseconds."),
        "error": nullable_string_schema("What went wrong. It may hold text of the server's."),
        "details": { "type": "array", "items": { "type": "string" }, "description": "What the error is about, one by one. It may hold text from outside." },
        "hint": nullable_string_schema("What to do about it."),
        "resume": nullable_string_schema("The command that goes on from here, if there is one."),
        "apply": nullable_string_schema("The command that applies the plan, if there is one."),
    });
    let mut fields = fields;
    let of_commands = [
        map_properties(),
        doctor_properties(),
        login_properties(),
        sync_properties(),
        job_properties(),
    ];
    for more in of_commands {
        if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
            fields.extend(more);
        }
    }
    let always = ["exit_code", "outcome"];
    let names = fields.as_object().into_iter().flat_map(Map::keys).map(String::as_str);
    let optional = names.filter(|name| !always.contains(name)).collect::<Vec<_>>();
    event_schema("summary", "How the command ended: the last line.", &fields, &optional)
}

/// The fields that `map` adds.
fn map_properties() -> Value {
    let texts =
        |what: &str| json!({ "type": "array", "items": { "type": "string" }, "description": what });
    json!({
        "preset": nullable_string_schema("The preset that the sheet is for."),
        "ambiguous": texts("The presets that fit the sheet alike."),
        "mapped": count_schema("Columns that are mapped."),
        "to_check": count_schema("Columns with a likely target, to be confirmed."),
        "to_decide": count_schema("Columns to be decided."),
        "ignored": count_schema("Columns that are left out."),
        "mapping": nullable_string_schema("The mapping, when it is written nowhere else."),
        "warnings": {
            "type": "array", "items": { "type": "object" },
            "description": "What is noteworthy about the sheet: `code` and `message` of each.",
        },
    })
}

/// The fields that `login`, `logout` and `whoami` add.
fn login_properties() -> Value {
    json!({
        "profile": nullable_string_schema("The profile that the login is stored for."),
        "location_name": nullable_string_schema("The location's name."),
        "timezone": nullable_string_schema("The location's time zone."),
        "company": nullable_string_schema("The agency's id."),
        "token_kind": {
            "enum": ["private_integration", "oauth_location", "oauth_company", "unknown"],
            "description": "What kind of token it is.",
        },
        "token_source": {
            "enum": ["environment", "file", "command", "store", "sandbox"],
            "description": "Where the token comes from.",
        },
        "token_from": nullable_string_schema("The same for people."),
        "scopes": { "type": "array", "items": { "type": "string" }, "description": "What it may do, as far as is known." },
        "expires": nullable_string_schema("When it ends, if that is known."),
        "renews": { "type": "boolean", "description": "Whether it is renewed by itself." },
        "not_begun": count_schema("Locations that an import did not come to."),
    })
}

/// The fields that `doctor` adds.
fn doctor_properties() -> Value {
    let check = json!({
        "id": string_schema("A stable name, such as `clock` or `scope:contacts.readonly`."),
        "location": nullable_string_schema("The location's id, if the check is about one."),
        "status": { "enum": ["ok", "warning", "failure", "skipped"], "description": "How it came out." },
        "what": string_schema("What was seen, for people. It may hold text of the server's."),
        "hint": nullable_string_schema("What to do about it."),
    });
    let required = check.as_object().into_iter().flat_map(Map::keys).collect::<Vec<_>>();
    json!({
        "checks": {
            "type": "array",
            "items": { "type": "object", "properties": check, "required": required },
            "description": "Every check in its order.",
        },
        "counts": count_map_schema("Checks by status."),
    })
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
