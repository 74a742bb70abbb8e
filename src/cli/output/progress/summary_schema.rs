//! The schema of the last event: what became of the command, with the fields that each kind of command adds.

use serde_json::{Map, Value, json};

use super::schema_parts::{
    NamedSchema, OPTIONAL_OF_FILES, count_map_schema, count_schema, event_schema, file_properties,
    nullable_string_schema, string_schema, synced_properties,
};

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

pub(super) fn summary_event() -> NamedSchema {
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
        "earlier": { "type": "boolean", "description": "Of one of several locations with `--continue`: it was left out, because the interrupted command had exported it." },
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
