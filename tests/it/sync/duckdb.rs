//! What DuckDB makes of the files of changes: history as views, and a database that follows by MERGE.
//!
//! `pip install duckdb && GHL_BULK_PYTHON=python3 cargo test --test it -- --ignored duckdb`

use std::fs;
use std::process::Command;

use super::histories::change_at_random;
use crate::world::World;

const EXPORT: &str = "export --incremental --changes --out lake";

fn check(world: &World, with_merge: bool) {
    let python = std::env::var("GHL_BULK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/sync/duckdb_check.py");
    let mut command = Command::new(python);
    command.arg(script).args(["lake", "crm.duckdb", "state.json"].map(|name| world.path(name)));
    if with_merge {
        let merge = world.run_command("schema --merge duckdb --export lake").exits(0).stdout;
        fs::write(world.path("merge.sql"), merge).unwrap();
        command.arg(world.path("merge.sql"));
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "needs DuckDB for Python; .ci/run runs it, and the command is above"]
fn duckdb_follows_the_changes_and_knows_every_moment() {
    for seed in 0..3 {
        let (world, mut random) = World::small_with_seed(40, seed);
        for round in 0..7 {
            for step in 0..random.usize(1..6) {
                change_at_random(&world, &mut random, round * 10 + step);
            }
            if round == 4 {
                fs::remove_dir_all(world.path("home/mirrors")).unwrap();
            }
            if round % 2 == 1 {
                world.sync("");
                change_at_random(&world, &mut random, round * 10 + 9);
            }
            world.run_command(EXPORT).exits(0);
            check(&world, round % 2 == 0);
        }
    }
}
