//! Custom fields: one column each, whatever their keys, without loss of any value.

use serde_json::{Value, json};

use crate::running_command::RunningCommand;
use crate::world::World;

fn field(id: &str, key: &str, kind: &str) -> Value {
    json!({"id": id, "name": key, "fieldKey": format!("contact.{key}"), "dataType": kind, "model": "contact"})
}

/// An account with these fields, and one contact with these values.
fn account(fields: &Value, values: &Value) -> World {
    let row = json!({"id": "c1", "customFields": values});
    let world = super::account_of(&json!([row]));
    world.control_request("PUT", "customFields", fields);
    world
}

/// The contact's row without its native columns, but with `extra`.
fn exported(world: &World) -> Value {
    world.run_command("export --with none --format jsonl --out out").exits(0);
    custom(world)
}

fn custom(world: &World) -> Value {
    let mut row = world.read_rows("out/contacts.jsonl").remove(0);
    let columns = row.as_object_mut().unwrap();
    columns.retain(|name, _| name.starts_with("custom_") || name == "extra");
    row
}

/// The column of each field, by id.
fn columns(world: &World) -> Vec<(String, String)> {
    let rows = world.read_rows("out/custom_fields.jsonl");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut columns: Vec<_> =
        rows.iter().map(|row| (text(&row["id"]), text(&row["column_name"]))).collect();
    columns.sort();
    columns
}

#[test]
fn two_fields_with_one_key_have_a_column_each() {
    let fields = json!([field("f2", "region", "NUMERICAL"), field("f1", "region", "TEXT")]);
    let world = account(&fields, &json!([{"id": "f1", "value": "west"}, {"id": "f2", "value": 7}]));
    let row = json!({"custom_region": "west", "custom_region_2": 7.0, "extra": null});
    assert_eq!(exported(&world), row);
    let named = [("f1", "custom_region"), ("f2", "custom_region_2")];
    assert_eq!(columns(&world), named.map(|(id, name)| (id.to_owned(), name.to_owned())));
}

#[test]
fn a_key_that_is_no_column_name_becomes_one() {
    let fields = json!([
        field("f1", "Größe \"cm\"", "TEXT"),
        field("f2", "../../etc", "TEXT"),
        field("f3", "身長", "TEXT"),
        field("f4", "", "TEXT"),
        field("f5", "email", "TEXT"),
    ]);
    let value = |id: &str| json!({"id": id, "value": id});
    let values: Vec<Value> = ["f1", "f2", "f3", "f4", "f5"].map(value).into();
    let world = account(&fields, &json!(values));
    let row = json!({"custom_grosse_cm": "f1", "custom_______etc": "f2", "custom_shen_chang": "f3",
        "custom_f4": "f4", "custom_email": "f5", "extra": null});
    assert_eq!(exported(&world), row);
}

#[test]
fn a_key_that_says_nothing_gives_way_to_the_label_and_the_manifest_maps_the_column() {
    let labelled = |id: &str, key: &str, name: &str| {
        let mut field = field(id, key, "TEXT");
        field["name"] = name.into();
        field
    };
    let fields = json!([
        labelled("f1", "", "Étage préféré"),
        labelled("f2", "Zk3fQ91bXr7LmP0aYtUe", "Étage préféré"),
        labelled("f3", "floor", "Étage"),
    ]);
    let values: Vec<Value> = ["f1", "f2", "f3"].map(|id| json!({"id": id, "value": id})).into();
    let world = account(&fields, &json!(values));
    let row = json!({"custom_etage_prefere": "f1", "custom_etage_prefere_2": "f2",
        "custom_floor": "f3", "extra": null});
    assert_eq!(exported(&world), row);
    let entry = |id: &str, key: &str, label: &str| json!({"id": id, "key": key, "label": label, "data_type": "TEXT"});
    let mapped = json!({
        "custom_etage_prefere": entry("f1", "", "Étage préféré"),
        "custom_etage_prefere_2": entry("f2", "Zk3fQ91bXr7LmP0aYtUe", "Étage préféré"),
        "custom_floor": entry("f3", "floor", "Étage"),
    });
    assert_eq!(world.read_json("out/manifest.json")["custom_fields"], mapped);
    // An import of the export finds the fields under these columns.
    world.run_command("export --with none --format csv --out csv").exits(0);
    let csv = std::fs::read_to_string(world.path("csv/contacts.csv")).unwrap();
    std::fs::write(world.path("edited.csv"), csv.replace(",f2,", ",second,")).unwrap();
    world.run_command("import edited.csv --yes").exits(0);
    assert_eq!(exported(&world)["custom_etage_prefere_2"], "second");
}

#[test]
fn values_of_a_deleted_field_are_exported() {
    let kept = json!([{"id": "gone", "value": ["left", "over"]}]);
    let world = account(&json!([field("f1", "there", "TEXT")]), &kept);
    assert_eq!(exported(&world), json!({"custom_there": null, "extra": {"customFields": kept}}));
}

#[test]
fn a_renamed_field_has_its_values_under_the_new_name() {
    let values = json!([{"id": "f1", "value": "x"}]);
    let world = account(&json!([field("f1", "old", "TEXT")]), &values);
    assert_eq!(exported(&world), json!({"custom_old": "x", "extra": null}));
    world.control_request("PUT", "customFields", &json!([field("f1", "new", "TEXT")]));
    assert_eq!(exported(&world), json!({"custom_new": "x", "extra": null}));
}

#[test]
fn a_field_that_is_deleted_during_the_export_keeps_its_column() {
    let values = json!([{"id": "f1", "value": "x"}]);
    let world = account(&json!([field("f1", "brief", "TEXT")]), &values);
    world.control_request("POST", "faults", &json!(["POST /contacts/search hold times=1"]));
    let export = RunningCommand::start(&world, "export --with none --format jsonl --out out");
    world.get_control("held?at_least=1");
    world.control_request("PUT", "customFields", &json!([]));
    world.control_request("POST", "release", &Value::Null);
    export.wait_for_exit().exits(0);
    assert_eq!(custom(&world), json!({"custom_brief": "x", "extra": null}));
}

#[test]
fn a_value_that_does_not_fit_its_type_is_exported_with_a_warning() {
    let fields = json!([field("f1", "size", "NUMERICAL"), field("f2", "since", "DATE")]);
    let values =
        json!([{"id": "f1", "value": "about twelve"}, {"id": "f2", "value": "2024-02-29"}]);
    let world = account(&fields, &values);
    let done = world.run_command("export --with none --format jsonl --out out --json").exits(0);
    let extra = json!({"customFields": [{"id": "f1", "value": "about twelve"}]});
    let row = json!({"custom_size": null, "custom_since": "2024-02-29", "extra": extra});
    assert_eq!(custom(&world), row);
    let warnings: Vec<Value> =
        done.events().into_iter().filter(|event| event["event"] == "warning").collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(warnings[0]["code"], "misfit");
    assert!(warnings[0]["message"].as_str().unwrap().contains("contacts.custom_size (1)"));
}

#[test]
fn every_type_of_field_has_a_type_of_column() {
    let kinds =
        ["TEXT", "NUMERICAL", "FLOAT", "MONETORY", "DATE", "MULTIPLE_OPTIONS", "CHECKBOX", "PHONE"];
    let fields: Vec<Value> =
        kinds.iter().map(|kind| field(kind, &kind.to_lowercase(), kind)).collect();
    let world = account(&json!(fields), &json!([]));
    world.run_command("export --with none --out out").exits(0);
    let columns = crate::table_file::ParquetFile::open(&world, "out/contacts.parquet").columns();
    let custom: Vec<&str> =
        columns.iter().filter_map(|column| column.strip_prefix("custom_")).collect();
    let wanted = [
        "checkbox: list of Utf8",
        "date: Date32",
        "float: Float64",
        "monetory: Float64",
        "multiple_options: list of Utf8",
        "numerical: Float64",
        "phone: Utf8",
        "text: Utf8",
    ];
    assert_eq!(custom, wanted);
}
