//! The presets against the facts collected about the formats: `tests/formats/presets.json` lists for each preset the
//! header, the direction, the columns that identify its files and the target of each column.

use ghl_bulk::mapping::preset::{Preset, builtin_presets};
use serde_json::Value;

fn collected() -> Vec<Value> {
    let text = std::fs::read(super::formats().join("presets.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    let mut texts: Vec<&str> =
        value.as_array().into_iter().flatten().map(|it| it.as_str().unwrap()).collect();
    texts.sort_unstable();
    texts
}

fn of<'p>(one: &Value) -> &'p Preset {
    let name = one["id"].as_str().unwrap();
    builtin_presets()
        .iter()
        .find(|preset| preset.name == name)
        .unwrap_or_else(|| panic!("no `{name}`"))
}

#[test]
fn every_collected_format_has_its_preset_in_their_order() {
    let collected = collected();
    assert_eq!(collected.len(), 35);
    let places: Vec<usize> = collected
        .iter()
        .map(|one| builtin_presets().iter().position(|preset| preset.name == of(one).name).unwrap())
        .collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn files_have_the_directions_and_the_names_that_were_collected() {
    for one in collected() {
        let preset = of(&one);
        let text: toml::Table = preset.text.parse().unwrap();
        let direction = text.get("direction").and_then(|it| it.as_str()).unwrap_or("import");
        assert_eq!(one["direction"], direction, "{}", preset.name);
        let detect = serde_json::to_value(text.get("detect")).unwrap();
        for key in ["all", "any"] {
            assert_eq!(texts(&detect[key]), texts(&one["detect"][key]), "{}: {key}", preset.name);
        }
    }
}

/// A preset's name of a collected target.
fn target(name: &str, entity: &str) -> Vec<String> {
    let bare = name.trim_end_matches(['+', '&', '?']);
    let names: &[&str] = match (bare, entity) {
        ("assignedTo", _) => &["assignedTo", "ignore"],
        ("customFields.by_label", _) => &["customFields.*"],
        ("taskId", _) => &["task.id"],
        ("noteId", _) => &["note.id"],
        ("title" | "dueDate" | "completed", _) => return vec![format!("task.{bare}")],
        ("body", _) if name.ends_with('&') => &["task.priority"],
        ("notes" | "body", _) => &["note"],
        ("createdAt", _) => &["note.dateAdded"],
        ("content", _) => &["note", "task.title"],
        ("businessId", _) => &["business"],
        (other, _) => return vec![other.to_owned()],
    };
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn every_column_goes_where_the_collection_says() {
    let mut wrong = Vec::new();
    for one in collected() {
        let preset = of(&one);
        let entity = one["entity"].as_str().unwrap_or_default();
        let is = |pattern: &str, column: &str| match pattern.split_once('*') {
            Some((front, back)) => column.starts_with(front) && column.ends_with(back),
            None => pattern == column,
        };
        let goes = |column: &str| -> Vec<String> {
            let rules = preset.mapping.rules.iter();
            let own = rules.filter(|rule| rule.from.iter().any(|from| is(from, column)));
            let mut targets: Vec<String> = own.map(|rule| rule.to.to_string()).collect();
            if preset.mapping.ignore.iter().any(|from| is(from, column)) {
                targets.push("ignore".to_owned());
            }
            targets
        };
        for line in one["map"].as_array().unwrap() {
            let (column, to) = (line[0].as_str().unwrap(), line[1].as_str().unwrap());
            // The label of a custom field is read in addition to its value.
            if column == "*" || column == "Custom Field 1 - Label" {
                continue;
            }
            let (found, wanted) = (goes(column), target(to, entity));
            if !found.iter().any(|it| wanted.contains(it)) {
                wrong
                    .push(format!("{}: `{column}` goes to {found:?}, not {wanted:?}", preset.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
