//! Columns: their types in Parquet, and how CSV writes values that spreadsheets misread.

use serde_json::{Value, json};

use crate::table_file::ParquetFile;
use crate::world::World;

#[test]
fn the_columns_of_every_table_have_the_types_of_the_contract() {
    let world = World::new();
    world.run_command("export --with tasks,notes,appointments --out out").exits(0);
    let mut shown = Vec::new();
    for table in ["contacts", "tasks", "notes", "appointments", "custom_fields", "users", "tags"] {
        let columns = ParquetFile::open(&world, &format!("out/{table}.parquet")).columns();
        shown.push(format!("{table}\n  {}", columns.join("\n  ")));
    }
    insta::with_settings!({snapshot_path => "../snapshots"}, {
        insta::assert_snapshot!(shown.join("\n"));
    });
}

#[test]
fn a_column_without_a_single_value_is_there() {
    let world = World::new();
    world.run_command("export --with none --format parquet,csv,jsonl --out out").exits(0);
    for row in ParquetFile::open(&world, "out/contacts.parquet").rows() {
        assert_eq!(row.get("custom_never_used"), Some(&Value::Null));
    }
    for row in world.read_rows("out/contacts.jsonl") {
        assert_eq!(row.get("custom_never_used"), Some(&Value::Null));
    }
    let csv = std::fs::read_to_string(world.path("out/contacts.csv")).unwrap();
    assert!(csv.lines().next().unwrap().split(',').any(|name| name == "custom_never_used"));
}

#[test]
fn values_arrive_in_the_type_of_their_column() {
    let row = json!({"id": "c1", "dateAdded": "2024-02-29T23:59:59.999Z", "dateOfBirth": -86_400_000,
        "dnd": true, "tags": ["b", "a"], "dndSettings": {"SMS": {"status": "active"}}});
    let world = super::account_of(&json!([row]));
    world.run_command("export --with none --out out").exits(0);
    let rows = ParquetFile::open(&world, "out/contacts.parquet").rows();
    let cells = ["date_added", "date_of_birth", "dnd", "tags", "dnd_settings", "email"];
    let cells: Vec<&Value> = cells.iter().map(|name| &rows[0][*name]).collect();
    let settings = r#"{"SMS":{"status":"active"}}"#;
    assert_eq!(
        json!(cells),
        json!(["2024-02-29T23:59:59.999Z", "1969-12-31", true, ["b", "a"], settings, null])
    );
}

/// One cell of a CSV export of one contact, as the file holds it.
#[track_caller]
fn check(options: &str, row: &Value, column: &str, cell: &str) {
    let world = super::account_of(&json!([row]));
    world.run_command(&format!("export --with none --format csv --out out {options}")).exits(0);
    let mut reader = csv::Reader::from_path(world.path("out/contacts.csv")).unwrap();
    let place = reader.headers().unwrap().iter().position(|name| name == column).unwrap();
    let record = reader.records().next().unwrap().unwrap();
    assert_eq!(&record[place], cell, "{column} of {row}");
}

#[test]
fn a_cell_that_a_spreadsheet_would_run_is_guarded() {
    check("", &json!({"firstName": "=1+1"}), "first_name", "'=1+1");
    check("", &json!({"firstName": "@SUM(A1)"}), "first_name", "'@SUM(A1)");
    check("", &json!({"tags": ["-minus", "x"]}), "tags", "'-minus; x");
}

#[test]
fn a_phone_number_is_no_formula() {
    check("", &json!({"phone": "+14155551234"}), "phone", "+14155551234");
    check("--csv-safe excel", &json!({"phone": "+14155551234"}), "phone", "'+14155551234");
}

#[test]
fn a_csv_file_for_excel_begins_with_a_byte_order_mark_unless_told_otherwise() {
    let world = super::account_of(&json!([{"id": "c1", "firstName": "Zoë"}]));
    for (options, bom) in [
        ("", false),
        ("--csv-safe excel", true),
        ("--csv-safe excel --csv-bom=false", false),
        ("--csv-bom", true),
    ] {
        let line = format!("export --with none --format csv --out out {options}");
        world.run_command(&line).exits(0);
        let text = std::fs::read_to_string(world.path("out/contacts.csv")).unwrap();
        assert_eq!(text.starts_with("\u{feff}id,"), bom, "{options}");
        let done = world.run_command("import out/contacts.csv --yes --json").exits(0);
        assert_eq!(done.summary()["rows"]["unchanged"], 1, "{options}");
    }
}

#[test]
fn flat_json_lines_have_no_nested_value() {
    let world = World::new();
    let line = "export --format jsonl --jsonl flat --with tasks,notes,appointments --out out";
    world.run_command(line).exits(0);
    let mut texts = 0;
    for table in ["contacts", "tasks", "notes", "appointments", "custom_fields", "users", "tags"] {
        let rows = world.read_rows(&format!("out/{table}.jsonl"));
        for row in &rows {
            let row = row.as_object().unwrap();
            assert_eq!(row.len(), rows[0].as_object().unwrap().len(), "{table}");
            for (column, value) in row {
                assert!(!value.is_object() && !value.is_array(), "{table}.{column}: {value}");
            }
            texts += usize::from(row["extra"].is_string());
        }
    }
    assert!(texts > 0);
    assert_eq!(world.read_json("out/manifest.json")["tables"]["tasks"]["files"][0]["flat"], true);
}

#[test]
fn without_the_guard_cells_are_as_the_server_sent_them() {
    check("--csv-safe off", &json!({"firstName": "=1+1"}), "first_name", "=1+1");
    check("--csv-safe off", &json!({"firstName": "'=1+1"}), "first_name", "'=1+1");
}

#[test]
fn a_list_that_a_separator_would_tear_apart_is_an_array() {
    check("", &json!({"tags": ["a", "b c"]}), "tags", "a; b c");
    check("", &json!({"tags": ["hot; lead", "x"]}), "tags", r#"["hot; lead","x"]"#);
    check("", &json!({"tags": ["[imported]"]}), "tags", r#"["[imported]"]"#);
    check("", &json!({"tags": [" padded "]}), "tags", r#"[" padded "]"#);
}

#[test]
fn line_breaks_and_quotes_come_back_from_a_csv_file() {
    let street = "12 \"Main\" St\r\nFloor 2\n, right";
    check("", &json!({"address": street}), "address1", street);
}
