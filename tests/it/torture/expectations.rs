//! The expected result of a file of the corpus, and its comparison with the actual one.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{CONTACT, NOTE, corpus, location, location_with_duplicates, unguarded};
use crate::world::World;

/// The corpus's files.
pub(super) fn files() -> Vec<String> {
    all().iter().map(|it| it["file"].as_str().unwrap().to_owned()).collect()
}

fn all() -> Vec<Value> {
    let text = std::fs::read(corpus().join("expect.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// Plans the import of a file, and compares all that is expected of it.
#[track_caller]
pub(super) fn check(file: &str, options: &str) {
    let expected = all().into_iter().find(|it| it["file"] == file).unwrap();
    // Two people of this file share a number, which is to be accepted: not every location does.
    let shares = file == "34b_invalid_phones.csv";
    let world = if shares { location_with_duplicates() } else { location() };
    let done = world.try_file(file, options);
    assert_eq!(world.list_writes(), [""; 0], "{file}: a dry run has written");
    if let Some(code) = expected["refuse"]["code"].as_str() {
        let said = done.exits(4).stderr;
        assert!(said.contains(code), "{file}: no {code} in: {said}");
        assert!(said.contains("nothing was sent"), "{file}: {said}");
        // Which column means what is not for the file alone to say.
        if code != "E_DUPLICATE_HEADER" {
            world.is_untouched();
        }
        return;
    }
    let rows = expected["rows"].as_array().unwrap();
    let wrong: Vec<String> = rows.iter().filter_map(|row| differs(&world, row).err()).collect();
    assert!(wrong.is_empty(), "{file}:\n{}\n{}", wrong.join("\n"), done.stderr);
    assert_eq!(world.count(), rows.len(), "{file}: other records than expected");
    rejects(&world, file, rows);
    for warning in expected["warnings"].as_array().unwrap() {
        warns(&world, file, warning.as_str().unwrap());
    }
    let rejected = (1..=rows.len()).any(|row| world.verdict(row).0 == "rejected");
    done.exits(if rejected { 3 } else { 0 });
}

/// Whether the plan does with a row what is expected.
fn differs(world: &World, row: &Value) -> Result<(), String> {
    let n = usize::try_from(row["row"].as_u64().unwrap()).unwrap();
    let (action, code) = world.verdict(n);
    let wrong = |what: String| Err(format!("row {n}: {what}; the plan: {:#?}", world.planned(n)));
    match row["action"].as_str().unwrap() {
        "reject" if code != row["reason"] => wrong(format!("{} is expected", row["reason"])),
        "reject" => Ok(()),
        "either" if action == "rejected" && code == "R_INVALID_EMAIL" => Ok(()),
        "either" if world.warned_rows("W_EMAIL_UNUSUAL").contains(&n) => Ok(()),
        "accept" if !["create", "update", "notes_and_tasks"].contains(&action.as_str()) => {
            wrong("it is to be accepted".to_owned())
        }
        "accept" => {
            let values = row["values"].as_object().unwrap().iter();
            let wrongs: Vec<_> =
                values.filter_map(|(name, value)| lacks(world, n, name, value)).collect();
            if wrongs.is_empty() { Ok(()) } else { wrong(wrongs.join("; ")) }
        }
        other => wrong(format!("`{other}` is unknown")),
    }
}

/// What is wrong with a value of a row's plan, if anything.
fn lacks(world: &World, n: usize, name: &str, value: &Value) -> Option<String> {
    let lines = world.planned(n);
    let found = match name {
        "contactId" => lines[0]["contact_id"].clone(),
        // Only a note that exists has an old text.
        "noteId" => {
            let old = lines.iter().any(|line| line["field"] == "note" && line["old"] == "old text");
            if old { NOTE } else { "" }.to_owned()
        }
        "additionalEmails" | "additionalPhones" => {
            let part = if name == "additionalEmails" { "W_MULTI_EMAIL" } else { "W_MULTI_PHONE" };
            let told =
                world.warned().into_iter().filter(|(row, code, _)| *row == n && code == part);
            let told: Vec<_> = told.map(|(.., message)| message).collect();
            let named = |one: &Value| told.iter().any(|it| it.contains(one.as_str().unwrap()));
            let all = value.as_array().unwrap().iter().all(named);
            return (!all || told.len() != 1).then(|| format!("`{name}` {value} in {told:?}"));
        }
        "notes" | "body" | "title" | "completed" | "dueDate" => {
            let found = world.values(n, &child(&lines[0]["action"], name, world, n));
            return (!same_texts(&found, value))
                .then(|| format!("`{name}` is {found:?}, not {value}"));
        }
        _ => {
            let found = world.value(n, name);
            let matches = match (&found, value) {
                (None, Value::Null) => true,
                (Some(found), value) => same(found, value),
                (None, _) => false,
            };
            return (!matches).then(|| format!("`{name}` is {found:?}, not {value}"));
        }
    };
    let wanted = value.as_str().unwrap();
    assert!(wanted == CONTACT || wanted == NOTE, "{wanted} is not in the location");
    (found != wanted).then(|| format!("`{name}` is `{found}`, not {value}"))
}

/// The name of a note's or task's field in the plan.
fn child(action: &str, name: &str, world: &World, n: usize) -> String {
    let is_task = !world.values(n, "task.title").is_empty();
    match name {
        "notes" => "note".to_owned(),
        "body" if !is_task => "note".to_owned(),
        name => {
            assert_eq!(action, "notes_and_tasks", "row {n}");
            format!("task.{name}")
        }
    }
}

fn same_texts(found: &[String], value: &Value) -> bool {
    match value {
        Value::Array(all) => all.iter().eq(found),
        one => found.len() == 1 && same(&found[0], one),
    }
}

/// Whether a cell holds a value.
fn same(found: &str, value: &Value) -> bool {
    match value {
        Value::Array(all) => {
            let texts: Vec<_> = all.iter().map(|it| it.as_str().unwrap()).collect();
            found == texts.join("; ")
        }
        Value::Number(number) => found.parse::<f64>().ok() == number.as_f64(),
        Value::Bool(yes) => found == yes.to_string(),
        Value::String(text) => found == text,
        _ => false,
    }
}

/// Asserts that `rejected.csv` holds just the rejected rows, each where it is in the file.
#[track_caller]
fn rejects(world: &World, file: &str, rows: &[Value]) {
    let lines = (1..=rows.len()).map(|n| world.planned(n).remove(0));
    let wanted: Vec<_> = lines
        .filter(|line| line["action"] == "rejected")
        .map(|line| (line["line"].clone(), line["field"].clone(), line["new"].clone()))
        .collect();
    let found: Vec<_> = world
        .read_csv("res/rejected.csv")
        .into_iter()
        .map(|row| {
            let of = |name: &str| row[name].clone();
            (of("_reject_line"), of("_reject_code"), of("_reject_reason"))
        })
        .collect();
    assert_eq!(found, wanted, "{file}");
    assert!(found.iter().all(|(.., reason)| !unguarded(reason).is_empty()), "{file}: {found:?}");
}

/// Asserts a warning: `W_CODE records 1-5, 9 (why)`, `record 3: W_CODE`, `W_CODE about the file`,
/// `W_CODE 6 cells` or `W_CODE Sheet!C3`.
#[track_caller]
fn warns(world: &World, file: &str, wanted: &str) {
    let bare = wanted.split(" (").next().unwrap();
    let warned = world.warned();
    if let Some((record, what)) = bare.strip_prefix("record ").and_then(|it| it.split_once(": ")) {
        let record: usize = record.parse().unwrap();
        let codes: Vec<_> =
            warned.iter().filter(|(row, ..)| *row == record).map(|(_, code, _)| &**code).collect();
        let expected: &[&str] = if what.starts_with("none") { &[] } else { &[what] };
        assert_eq!(codes, expected, "{file}, record {record}: {wanted}");
        return;
    }
    let (code, about) = bare.split_once(' ').unwrap_or((bare, ""));
    let own: Vec<_> = warned.iter().filter(|(_, it, _)| it == code).collect();
    assert!(!own.is_empty(), "{file}: no {wanted} among {warned:#?}");
    if let Some(cells) = about.strip_suffix(" cells") {
        assert_eq!(own.len().to_string(), cells, "{file}: {own:#?}");
    } else if let Some(list) = about.strip_prefix("record") {
        let rows: BTreeSet<_> = own.iter().map(|(row, ..)| *row).collect();
        assert_eq!(rows, numbers(list.trim_start_matches('s')), "{file}: {wanted}: {own:#?}");
        assert_eq!(rows.len(), own.len(), "{file}: {code} is reported twice: {own:#?}");
    } else {
        // One line about the file, or about the cell, with the words that matter.
        assert_eq!(own.len(), 1, "{file}: {own:#?}");
        let words = about.split(' ').next().unwrap();
        assert!(own[0].2.contains(words), "{file}: no `{words}` in {own:?}");
    }
}

/// The numbers of ` 1-5, 9`.
fn numbers(list: &str) -> BTreeSet<usize> {
    let range = |part: &str| {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        from.trim().parse::<usize>().unwrap()..=to.trim().parse().unwrap()
    };
    list.split(", ").flat_map(range).collect()
}
