//! The schema of the JSON events: what `ghl-bulk schema events` prints.
//!
//! It is written by hand, for the descriptions are what it is good for; a test holds it against the
//! events as they are serialised. It forbids no further fields, as later programs may add some
//! without a new version.

use serde_json::{Map, Value, json};

use crate::event::VERSION;

/// The JSON schema (draft 2020-12) of one line that `--json` writes.
pub(crate) fn schema_events() -> Value {
    let events = [started(), warning(), progress(), waiting(), written(), summary()];
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

type Named = (&'static str, Value);

/// An event: its own fields, all of which are always there unless `optional` names them, and those
/// of every line.
fn event(name: &'static str, description: &str, fields: &Value, optional: &[&str]) -> Named {
    let mut properties = envelope(name);
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

fn envelope(name: &str) -> Map<String, Value> {
    let location = "The location's id. Missing only before the location's run has begun, in a \
        command for a single location.";
    let fields = json!({
        "v": { "const": VERSION, "description": "The version of this form." },
        "at": { "type": "string", "format": "date-time", "description": "When the line was written, in UTC." },
        "location": text(location),
        "event": { "const": name, "description": "The kind of event." },
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

fn text_or_null(description: &str) -> Value {
    json!({ "type": ["string", "null"], "description": description })
}

fn number(description: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": description })
}

fn numbers(description: &str) -> Value {
    let each = json!({ "type": "integer", "minimum": 0 });
    json!({ "type": "object", "additionalProperties": each, "description": description })
}

fn started() -> Named {
    let fields = json!({
        "run": text("The run; `ghl-bulk resume` takes it."),
        "location": text("The location's id."),
        "kind": text("What is done: `export`, `import` or `undo`."),
        "resumed": { "type": "boolean", "description": "Whether an earlier process began the run." },
    });
    event("started", "A run began, or was taken up again.", &fields, &[])
}

fn warning() -> Named {
    let fields = json!({
        "code": text("A stable name for scripts, such as `tasks_per_contact`."),
        "message": text("A sentence for people. It may hold text of the server's: escape it before showing it."),
    });
    event("warning", "Something the user should know, while the work goes on.", &fields, &[])
}

fn progress() -> Named {
    let total = json!({
        "type": ["integer", "null"],
        "minimum": 0,
        "description": "How many there will be; null where that is not known.",
    });
    let fields = json!({
        "what": text("What is counted: a table's name, such as `contacts`, or `contacts_done` for \
            contacts whose notes (and other children read contact by contact) are read."),
        "done": number("How many are stored, those of earlier processes included."),
        "total": total,
    });
    let description = "A count moved. Counts are absolute; each is written twice a second at most, \
        its last value always.";
    event("progress", description, &fields, &[])
}

fn waiting() -> Named {
    let reason = json!({
        "enum": ["refused", "budget", "retry", "index", "settle"],
        "description": "Why. `refused`: the server answered 429, nothing is sent until its window \
            is over. `budget`: the day's requests are used up and `--wait` was given. `retry`: a \
            request failed in a way that passes and is sent again. `index`: the search hides a \
            record for a moment and is asked again. `settle`: writes got no answer, and what became \
            of them is looked up when they must have been applied or dead.",
    });
    let fields = json!({ "reason": reason, "ms": number("How long, in milliseconds.") });
    event("waiting", "Nothing, or with `retry` one request, is sent for a while.", &fields, &[])
}

fn file() -> Value {
    json!({
        "table": text("The table, such as `contacts`."),
        "format": text("The format's name, such as `parquet`."),
        "file": text("The file's name in the output directory."),
        "rows": number("Rows."),
        "bytes": number("Size in bytes."),
        "sha256": text("SHA-256 of the file, in lower-case hex."),
    })
}

fn written() -> Named {
    event("written", "An output file is complete under its final name.", &file(), &[])
}

fn files() -> Value {
    let fields = file();
    let required = fields.as_object().into_iter().flat_map(Map::keys).collect::<Vec<_>>();
    json!({
        "type": "array",
        "description": "The output files, as in `written`.",
        "items": { "type": "object", "properties": fields, "required": required },
    })
}

fn locations() -> Value {
    json!({
        "type": "object",
        "additionalProperties": { "type": "object" },
        "description": "With several locations, and with `--estimate`: by id, what became of each, \
            in the fields of a summary, or what it would cost.",
    })
}

fn summary() -> Named {
    let outcome = json!({
        "enum": ["complete", "partial", "failed", "estimate", "planned", "sampled", "pending", "in_doubt", "proposed", "healthy", "warned", "ailing", "logged_in", "logged_out", "nothing", "known"],
        "description": "`complete`: everything is done. `partial`: everything but the records in \
            `errors.csv`, the rows in `rejected.csv`, or some locations. `failed`: the command ended \
            early; `error` says why. `estimate`: only the cost was asked for. `planned`: a dry run; \
            nothing was sent. `sampled`: the rows that `--sample` chose are done. `pending`: rows \
            are left for `ghl-bulk resume`. `in_doubt`: a person \
            must decide about the rows in `in_doubt.csv` or `duplicates.csv`. `proposed`: a mapping was made. \
            `healthy`, `warned`, `ailing`: what `doctor` found is all right, worth a warning, or a failure. \
            `logged_in`, `logged_out`, `nothing` (was stored): what `login` and `logout` did. `known`: \
            `whoami` tells what is known.",
    });
    let fields = json!({
        "exit_code": { "type": "integer", "minimum": 0, "maximum": 255, "description": "The exit code." },
        "outcome": outcome,
        "run": text_or_null("The run, if one began."),
        "kind": text("What was done: `import` or `undo`; missing for exports."),
        "location": text_or_null("The location's id, if the summary is about one."),
        "locations": locations(),
        "out": text_or_null("The directory with the output files."),
        "rows": numbers("Rows per table; of an import: rows of the sheet by how they ended."),
        "paths": { "type": "array", "items": { "type": "string" }, "description": "The result files of an import." },
        "plan": { "type": "object", "description": "What an import's plan comes to: rows by action, fields that change, requests." },
        "duplicates": number("Contacts that may stand in the location twice; `duplicates.csv` lists them."),
        "sampled": { "type": "boolean", "description": "Whether rows were left for later by `--sample`." },
        "files": files(),
        "requests": numbers("Requests sent, by route, retries included."),
        "refused": number("Answers 429 among them."),
        "unreadable": number("Records that could not be read; `errors.csv` lists them."),
        "elapsed_ms": number("Time this process spent, in milliseconds."),
        "error": text_or_null("What went wrong. It may hold text of the server's."),
        "details": { "type": "array", "items": { "type": "string" }, "description": "What the error is about, one by one. It may hold text from outside." },
        "hint": text_or_null("What to do about it."),
        "resume": text_or_null("The command that goes on from here, if there is one."),
    });
    let mut fields = fields;
    for more in [of_map(), of_doctor(), of_login()] {
        if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
            fields.extend(more);
        }
    }
    let always = ["exit_code", "outcome"];
    let names = fields.as_object().into_iter().flat_map(Map::keys).map(String::as_str);
    let optional = names.filter(|name| !always.contains(name)).collect::<Vec<_>>();
    event("summary", "How the command ended: the last line.", &fields, &optional)
}

/// What `map` adds.
fn of_map() -> Value {
    let texts =
        |what: &str| json!({ "type": "array", "items": { "type": "string" }, "description": what });
    json!({
        "preset": text_or_null("The preset that the sheet is for."),
        "ambiguous": texts("The presets that fit the sheet alike."),
        "mapped": number("Columns that are mapped."),
        "to_check": number("Columns with a likely target, which somebody must confirm."),
        "to_decide": number("Columns that somebody must decide."),
        "ignored": number("Columns that are left out."),
        "mapping": text_or_null("The mapping, when it is written nowhere else."),
        "warnings": {
            "type": "array", "items": { "type": "object" },
            "description": "What is noteworthy about the sheet: `code` and `message` of each.",
        },
    })
}

/// What `login`, `logout` and `whoami` add.
fn of_login() -> Value {
    json!({
        "profile": text_or_null("The profile that the login is stored for."),
        "location_name": text_or_null("The location's name."),
        "timezone": text_or_null("The location's time zone."),
        "company": text_or_null("The agency's id."),
        "token_kind": {
            "enum": ["private_integration", "oauth_location", "oauth_company", "unknown"],
            "description": "What kind of token it is.",
        },
        "token_source": {
            "enum": ["environment", "file", "command", "store", "sandbox"],
            "description": "Where the token comes from.",
        },
        "token_from": text_or_null("The same for people."),
        "scopes": { "type": "array", "items": { "type": "string" }, "description": "What it may do, as far as is known." },
        "expires": text_or_null("When it ends, if that is known."),
        "renews": { "type": "boolean", "description": "Whether it is renewed by itself." },
        "not_begun": number("Locations that an import did not come to."),
    })
}

/// What `doctor` adds.
fn of_doctor() -> Value {
    let check = json!({
        "id": text("A stable name, such as `clock` or `scope:contacts.readonly`."),
        "location": text_or_null("The location's id, if the check is about one."),
        "status": { "enum": ["ok", "warning", "failure", "skipped"], "description": "How it came out." },
        "what": text("What was seen, for people. It may hold text of the server's."),
        "hint": text_or_null("What to do about it."),
    });
    let required = check.as_object().into_iter().flat_map(Map::keys).collect::<Vec<_>>();
    json!({
        "checks": {
            "type": "array",
            "items": { "type": "object", "properties": check, "required": required },
            "description": "Every check in its order.",
        },
        "counts": numbers("Checks by status."),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The fields that the schema documents for an event. For whoever writes a summary: its keys
    /// must be among them.
    pub(crate) fn documented(event: &str) -> BTreeSet<String> {
        let schema = schema_events();
        let properties = schema["$defs"][event]["properties"].as_object().unwrap();
        properties.keys().cloned().collect()
    }

    #[test]
    fn what_is_required_is_documented() {
        let schema = schema_events();
        for (name, event) in schema["$defs"].as_object().unwrap() {
            let required = event["required"].as_array().unwrap();
            let known = documented(name);
            assert!(required.iter().all(|field| known.contains(field.as_str().unwrap())), "{name}");
        }
    }
}
