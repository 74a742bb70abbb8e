//! The order of rows, and the metadata of a Parquet file.

use ghl_bulk::sandbox::LOCATION;
use parquet::basic::Compression;
use serde_json::{Value, json};

use crate::table_file::ParquetFile;
use crate::world::World;

/// Date and id of every row.
fn keys(file: &ParquetFile) -> Vec<(Option<String>, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    file.rows().iter().map(|row| (text(&row["date_added"]), text(&row["id"]).unwrap())).collect()
}

#[test]
fn rows_are_sorted_by_the_time_they_were_added_then_by_id() {
    let world = World::with_settings(|settings| settings.contacts = 200);
    world.run_command("export --out out").exits(0);
    for table in ["contacts", "tasks", "notes"] {
        let keys = keys(&ParquetFile::open(&world, &format!("out/{table}.parquet")));
        assert!(keys.is_sorted(), "{table}");
        assert!(keys.len() > 80, "{table}");
    }
}

#[test]
fn rows_of_one_moment_are_sorted_by_id_whatever_order_they_come_in() {
    let one = |id: &str| json!({"id": id, "dateAdded": "2024-05-01T10:00:00.000Z"});
    let early = json!({"id": "z", "dateAdded": "2023-05-01T10:00:00.000Z"});
    let world = super::account_of(&json!([one("c"), one("a"), early, one("B"), one("b")]));
    world.run_command("export --with none --format jsonl --out out").exits(0);
    let rows = world.read_rows("out/contacts.jsonl");
    let ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["z", "B", "a", "b", "c"]);
}

#[test]
fn a_parquet_file_says_how_it_is_sorted_and_where_it_comes_from() {
    let world = World::new();
    world.run_command("export --out out").exits(0);
    let manifest = world.read_json("out/manifest.json");
    for table in ["contacts", "tasks", "notes"] {
        let file = ParquetFile::open(&world, &format!("out/{table}.parquet"));
        let group = file.metadata.row_group(0);
        let place = |name: &str| file.schema.index_of(name).unwrap();
        let sorted: Vec<_> =
            group.sorting_columns().unwrap().iter().map(|by| by.column_idx).collect();
        let wanted = [place("date_added"), place("id")].map(|place| i32::try_from(place).unwrap());
        assert_eq!(sorted, wanted, "{table}");
        let pairs = file.metadata.file_metadata().key_value_metadata().unwrap();
        let value = |key: &str| pairs.iter().find(|pair| pair.key == key)?.value.clone();
        assert_eq!(value("ghl_bulk.run"), Some(world.only_run_id()));
        assert_eq!(value("ghl_bulk.location").as_deref(), Some(LOCATION));
        assert_eq!(value("ghl_bulk.version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
        assert_eq!(value("ghl_bulk.api_version").as_deref(), Some("2021-07-28"));
        assert_eq!(value("ghl_bulk.started").as_deref(), manifest["started"].as_str());
    }
}

#[test]
fn every_column_of_a_parquet_file_is_compressed_with_zstd() {
    let world = World::new();
    world.run_command("export --out out").exits(0);
    let file = ParquetFile::open(&world, "out/contacts.parquet");
    assert_eq!(file.metadata.num_row_groups(), 1);
    for column in file.metadata.row_group(0).columns() {
        assert!(matches!(column.compression(), Compression::ZSTD(_)), "{}", column.column_path());
    }
}
