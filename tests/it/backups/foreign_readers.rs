//! A repository is read without this program: by `zstd` and `jq`, and by DuckDB and pandas.
//!
//! `pip install duckdb pandas zstandard && GHL_BULK_PYTHON=python3 cargo test --test it -- --ignored foreign_readers`

use std::process::Command;

use serde_json::Value;

use super::backup_world::LOCATION;
use crate::world::World;

/// A repository with a chain, and the ids of the contacts that exist at its end.
fn world_with_chain() -> (World, Vec<String>) {
    let world = World::with_repository();
    for _ in 0..3 {
        world.back_up("");
        world.change_account();
    }
    let ids = world.snapshot_rows("", "contacts");
    let ids = ids.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    (world, ids)
}

#[test]
fn zstd_and_jq_read_the_lines() {
    let has = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if !has("zstd") || !has("jq") {
        return;
    }
    let (world, ids) = world_with_chain();
    // What exists at the end of the chain: of each record its last line, if that is not its deletion.
    let script = format!(
        "zstd -dcq repo/{LOCATION}/*/contacts.jsonl.zst | jq -rs \
         'group_by(.id) | map(max_by(.seq)) | map(select(.op == \"put\")) | sort_by(.added_ms, .id) | .[].body.id'"
    );
    let output = Command::new("sh").arg("-c").arg(script).current_dir(world.path(".")).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found = String::from_utf8(output.stdout).unwrap();
    assert_eq!(found.lines().collect::<Vec<_>>(), ids);
}

#[test]
#[ignore = "needs DuckDB and pandas for Python; .ci/run runs it, and the command is above"]
fn duckdb_and_pandas_read_a_repository() {
    let (world, ids) = world_with_chain();
    let python = std::env::var("GHL_BULK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/backups/foreign_readers.py");
    let output = Command::new(python).arg(script).arg(world.path("repo")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    for reader in ["duckdb", "pandas"] {
        let mut expected = ids.clone();
        expected.sort();
        assert_eq!(found[reader], serde_json::json!(expected), "{reader}");
    }
}
