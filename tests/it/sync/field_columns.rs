//! Columns of custom fields keep their names, whatever becomes of the fields.

use serde_json::{Value, json};

use crate::world::World;

const EXPORT: &str = "export --incremental --changes --format jsonl --out lake";

fn field(id: &str, key: &str, name: &str, data_type: &str) -> Value {
    json!({"id": id, "fieldKey": format!("contact.{key}"), "name": name, "dataType": data_type, "model": "contact"})
}

/// A world whose contacts have values of three fields.
fn world_with_fields(fields: &Value) -> World {
    let world = World::with_settings(|settings| settings.contacts = 3);
    world.control_request("PUT", "customFields", fields);
    let values = json!([{"id": "f1", "value": "red"}, {"id": "f2", "value": "blue"}]);
    for at in 0..3 {
        world.edit_by_id(&world.contact_id(at), &json!({"customFields": values}));
    }
    world
}

fn first_fields() -> Value {
    json!([field("f1", "color", "Color", "TEXT"), field("f2", "color", "Color", "TEXT")])
}

/// The values of the columns of the first contact.
fn columns(world: &World) -> Value {
    let row = world.read_rows("lake/contacts.jsonl").swap_remove(0);
    let row = row.as_object().unwrap().iter();
    let custom = row.filter(|(name, _)| name.starts_with("custom_"));
    Value::Object(custom.map(|(name, value)| (name.clone(), value.clone())).collect())
}

fn schema_changes(world: &World) -> Vec<(String, String)> {
    let manifest = world.read_json("lake/manifest.json");
    let changes = manifest["schema_changes"].as_array().unwrap().clone();
    let text = |change: &Value, key: &str| change[key].as_str().unwrap().to_owned();
    changes.iter().map(|change| (text(change, "change"), text(change, "column"))).collect()
}

fn change(change: &str, column: &str) -> (String, String) {
    (change.to_owned(), column.to_owned())
}

/// Replaces the fields; the next export reads everything, as it does once a day.
fn export_with_fields(world: &World, fields: &Value) {
    world.control_request("PUT", "customFields", fields);
    world.sync("--full");
    world.run_command(EXPORT).exits(0);
}

#[test]
fn a_field_before_another_one_takes_no_column_from_it() {
    let world = world_with_fields(&first_fields());
    world.run_command(EXPORT).exits(0);
    let before = columns(&world);
    assert_eq!(before, json!({"custom_color": "red", "custom_color_2": "blue"}));
    // Its id comes first, by which new columns are ordered.
    let mut fields = first_fields();
    fields.as_array_mut().unwrap().insert(0, field("a0", "color", "Color", "TEXT"));
    export_with_fields(&world, &fields);
    let now = columns(&world);
    assert_eq!(
        now,
        json!({"custom_color": "red", "custom_color_2": "blue", "custom_color_3": null})
    );
    assert_eq!(schema_changes(&world), [change("recreated", "custom_color_3")]);
}

#[test]
fn a_field_that_is_renamed_keeps_its_column() {
    let world = world_with_fields(&first_fields());
    world.run_command(EXPORT).exits(0);
    let renamed =
        json!([field("f1", "shade", "Shade", "TEXT"), field("f2", "color", "Color", "TEXT")]);
    export_with_fields(&world, &renamed);
    assert_eq!(columns(&world), json!({"custom_color": "red", "custom_color_2": "blue"}));
    assert_eq!(schema_changes(&world), [change("renamed", "custom_color")]);
    let fields = world.read_rows("lake/custom_fields.jsonl");
    let shade = fields.iter().find(|row| row["id"] == "f1").unwrap();
    assert_eq!((&shade["name"], &shade["column_name"]), (&json!("Shade"), &json!("custom_color")));
    world.run_command(&format!("{EXPORT} --rename-columns")).exits(0);
    assert_eq!(columns(&world), json!({"custom_shade": "red", "custom_color": "blue"}));
}

#[test]
fn a_deleted_field_keeps_its_column_and_one_made_again_gets_another() {
    let world = world_with_fields(&first_fields());
    world.run_command(EXPORT).exits(0);
    let only = json!([{"id": "f2", "value": "blue"}]);
    for at in 0..2 {
        world.edit_by_id(&world.contact_id(at), &json!({"customFields": only}));
    }
    world.control_request("PUT", "customFields", &json!([field("f2", "color", "Color", "TEXT")]));
    world.sync("--full");
    world
        .run_command(EXPORT)
        .exits(0)
        .says("custom field \"Color\" was deleted")
        .says("2 contacts had a value");
    assert_eq!(columns(&world), json!({"custom_color": null, "custom_color_2": "blue"}));
    assert_eq!(schema_changes(&world), [change("deleted", "custom_color")]);
    let fields = world.read_rows("lake/custom_fields.jsonl");
    let gone = fields.iter().find(|row| row["id"] == "f1").unwrap();
    assert!(gone["_deleted_at"].is_string(), "{gone}");
    let again =
        json!([field("f2", "color", "Color", "TEXT"), field("f9", "color", "Color", "TEXT")]);
    export_with_fields(&world, &again);
    assert_eq!(schema_changes(&world), [change("recreated", "custom_color_3")]);
}

#[test]
fn values_of_another_type_get_another_column() {
    let world = world_with_fields(&first_fields());
    world.run_command(EXPORT).exits(0);
    let numbers = json!([{"id": "f1", "value": 5}, {"id": "f2", "value": "blue"}]);
    world.edit_by_id(&world.contact_id(0), &json!({"customFields": numbers}));
    let retyped =
        json!([field("f1", "color", "Color", "NUMERICAL"), field("f2", "color", "Color", "TEXT")]);
    export_with_fields(&world, &retyped);
    let expected = json!({"custom_color": null, "custom_color_2": "blue", "custom_color_3": 5.0});
    assert_eq!(columns(&world), expected);
    let expected = [change("retyped", "custom_color"), change("recreated", "custom_color_3")];
    assert_eq!(schema_changes(&world), expected);
}

#[test]
fn a_frozen_contract_refuses_before_a_file_is_touched() {
    let world = world_with_fields(&first_fields());
    let frozen = format!("{EXPORT} --contract freeze");
    world.run_command(&frozen).exits(0);
    let mut fields = first_fields();
    fields.as_array_mut().unwrap().push(field("f3", "size", "Size", "TEXT"));
    world.control_request("PUT", "customFields", &fields);
    world.sync("--full");
    world.run_command(&frozen).exits(0);
    assert_eq!(schema_changes(&world), [change("added", "custom_size")]);
    let before = world.read_json("lake/manifest.json");
    fields[0]["name"] = json!("Shade");
    world.control_request("PUT", "customFields", &fields);
    world.edit_by_id(&world.contact_id(0), &json!({"city": "Ghent"}));
    world.sync("--full");
    for _ in 0..2 {
        world
            .run_command(&frozen)
            .exits(5)
            .says("custom field \"Color\" is called \"Shade\" now")
            .says("--contract evolve");
        assert_eq!(world.read_json("lake/manifest.json"), before);
    }
    world.run_command(EXPORT).exits(0);
    world.run_command(&frozen).exits(0);
}
