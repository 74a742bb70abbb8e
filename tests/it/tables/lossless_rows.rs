//! Nothing the server sent is lost: every row can be rebuilt from the file.

use std::collections::BTreeMap;

use ghl_bulk::resource::{
    APPOINTMENTS, CONTACTS, CUSTOM_FIELDS, CustomFieldColumns, NOTES, ResourceSpec, TAGS, TASKS,
    USERS, rebuild_row,
};
use ghl_bulk::sandbox::LOCATION;
use serde_json::{Map, Value, json};

use crate::raw_http;
use crate::table_file::ParquetFile;
use crate::world::World;

/// Keys that are derived from others.
const DERIVED: [&str; 6] = [
    "searchAfter",
    "firstNameLowerCase",
    "lastNameLowerCase",
    "emailLowerCase",
    "updatedAt",
    "appoinmentStatus",
];

/// Compares every row that the server holds with the one made from the exported file.
#[track_caller]
fn check(world: &World, resource: &ResourceSpec, sent: &[Value]) {
    let definitions = definitions(world);
    let texts: Vec<String> = definitions.iter().map(Value::to_string).collect();
    let fields = CustomFieldColumns::from_definitions(texts.iter().map(String::as_str)).unwrap();
    let table = resource.table_schema(&fields);
    let file = ParquetFile::open(world, &format!("out/{}.parquet", resource.name));
    let mut rebuilt: BTreeMap<String, Value> = BTreeMap::new();
    for batch in &file.batches {
        for row in 0..batch.num_rows() {
            let row = rebuild_row(&table, batch, row);
            let twice = rebuilt.insert(id(&row), row);
            assert_eq!(twice, None, "one row stands there twice");
        }
    }
    assert!(!sent.is_empty());
    assert_eq!(sent.len(), rebuilt.len(), "{}", resource.name);
    for row in sent {
        let (sent, again) = (plain(row), plain(&rebuilt[&id(row)]));
        for (key, value) in &sent {
            assert_eq!(Some(value), again.get(key), "`{key}` of {row}");
        }
        let made_up =
            again.keys().find(|key| !sent.contains_key(*key) && !DERIVED.contains(&key.as_str()));
        assert_eq!(made_up, None, "never sent: {row}");
    }
}

fn id(row: &Value) -> String {
    row.get("id").or_else(|| row.get("_id")).and_then(Value::as_str).unwrap().to_owned()
}

/// Without what counts as nothing: nulls, no custom fields, and the order of custom fields.
fn plain(row: &Value) -> Map<String, Value> {
    let mut row = row.as_object().unwrap().clone();
    row.retain(|key, value| !value.is_null() && (key != "customFields" || *value != json!([])));
    if let Some(Value::Array(fields)) = row.get_mut("customFields") {
        for field in fields.iter_mut() {
            if let Some(number) = field["value"].as_f64() {
                // `42` and `42.0` are one number.
                field["value"] = json!(number);
            }
        }
        fields.sort_by_key(|field| field["id"].to_string());
    }
    row
}

fn definitions(world: &World) -> Vec<Value> {
    raw_http::list_rows(world, &format!("/locations/{LOCATION}/customFields"), "customFields")
}

fn exported(line: &str) -> World {
    let world = World::with_settings(|settings| settings.contacts = 240);
    world.run_command(line).exits(0);
    world
}

#[test]
fn every_contact_can_be_made_again_from_its_row() {
    let world = exported("export --with none --out out");
    check(&world, &CONTACTS, &raw_http::search_contacts(&world, &json!([])));
}

#[test]
fn every_task_and_note_can_be_made_again_from_its_row() {
    let world = exported("export --out out --notes-by contact");
    check(&world, &TASKS, &raw_http::search_tasks(&world));
    let state = world.get_control("state");
    let contacts = state["contacts"].as_array().unwrap().iter();
    let notes = contacts.flat_map(|contact| contact["notes"].as_array().unwrap().clone());
    check(&world, &NOTES, &notes.collect::<Vec<_>>());
}

#[test]
fn every_appointment_can_be_made_again_from_its_row() {
    let world = exported("export --with appointments --out out");
    let state = world.get_control("state");
    let contacts = state["contacts"].as_array().unwrap().iter();
    let events = contacts.flat_map(|contact| contact["appointments"].as_array().unwrap().clone());
    check(&world, &APPOINTMENTS, &events.collect::<Vec<_>>());
}

#[test]
fn users_tags_and_custom_fields_can_be_made_again_from_their_rows() {
    let world = exported("export --with none --out out");
    check(
        &world,
        &USERS,
        &raw_http::list_rows(&world, &format!("/users/?locationId={LOCATION}"), "users"),
    );
    check(
        &world,
        &TAGS,
        &raw_http::list_rows(&world, &format!("/locations/{LOCATION}/tags"), "tags"),
    );
    check(&world, &CUSTOM_FIELDS, &definitions(&world));
}

#[test]
fn unknown_keys_are_exported_as_they_came() {
    let odd = json!({"deep": [{"er": [1, null, "\u{1b}[31m"]}], "": 1.5});
    let row = json!({"id": "c1", "futureField": odd, "tags": "not a list", "dnd": "maybe",
        "dateOfBirth": "soon", "email": {"nested": true}, "phone": 12_125_550_123_i64});
    let world = super::account_of(&json!([row]));
    world.run_command("export --with none --out out").exits(0);
    check(&world, &CONTACTS, &raw_http::search_contacts(&world, &json!([])));
}
