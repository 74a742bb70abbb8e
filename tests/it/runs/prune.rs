//! `ghl-bulk runs prune`.

use serde_json::json;

use crate::import_world::{empty_world, empty_world_with_faults};
use crate::terminal::run_on_terminal;
use crate::world::{World, short_id};

/// A moment before which all runs were created.
const EVER: &str = "--older-than 2999-01-01";

/// A world with finished exports, and their ids in the order of the list.
fn exported(count: usize) -> (World, Vec<String>) {
    let world = World::new();
    for n in 0..count {
        world.run_command(&format!("export --with none --out out{n}")).exits(0);
    }
    let runs = world.list_runs("export").into_iter().map(|(run, _)| run).collect();
    (world, runs)
}

fn runs_left(world: &World) -> Vec<String> {
    world.list_files("home/runs")
}

#[test]
fn old_exports_are_removed_and_their_files_stay() {
    let (world, runs) = exported(3);
    let dry = world.run_command("runs prune --keep-last 1 --dry-run").exits(0);
    for run in &runs[..2] {
        assert!(dry.stderr.contains(&format!("would remove {}, export of 20", short_id(run))));
    }
    dry.says("would remove 2 runs and free ");
    assert_eq!(runs_left(&world).len(), 3);
    let done = world.run_command("runs prune --keep-last 1 --yes").exits(0);
    assert!(done.stderr.contains("removed 2 runs and freed "), "{}", done.stderr);
    assert_eq!(runs_left(&world), runs[2..]);
    for n in 0..3 {
        assert!(world.path(&format!("out{n}/contacts.parquet")).exists());
    }
    world.run_command("runs prune --keep-last 1 --yes").exits(0).says("nothing to remove");
    world.run_command("runs prune --older-than 1h --yes").exits(0).says("nothing to remove");
    world.run_command(&format!("runs prune {EVER} --yes --quiet")).exits(0);
    assert_eq!(runs_left(&world), [""; 0]);
}

#[test]
fn without_a_condition_or_a_yes_nothing_is_removed() {
    let (world, runs) = exported(1);
    world.run_command("runs prune --yes").exits(2).says("--keep-last");
    world
        .run_command("runs prune --keep-last 0")
        .exits(2)
        .says("nothing was removed: removing 1 run (")
        .says("`--yes`");
    let ask = |answer: &str| run_on_terminal(&world, "runs prune --keep-last 0", "[y/N]", answer);
    let (code, shown) = ask("n");
    assert!(
        code == 0 && shown.contains("Remove 1 run (") && shown.contains("nothing was removed"),
        "{shown}"
    );
    assert_eq!(runs_left(&world), runs);
    let (code, shown) = ask("y");
    assert!(code == 0 && shown.contains("removed 1 run and freed"), "{shown}");
    assert_eq!(runs_left(&world), [""; 0]);
}

#[test]
fn what_can_be_resumed_or_applied_is_removed_only_with_all() {
    let world = empty_world();
    world.write_sheet("in.csv", "Email\nada@example.com\n");
    world.run_command("import in.csv --dry-run --out res").exits(0);
    let planned = runs_left(&world);
    let done = world.run_command(&format!("runs prune {EVER} --yes")).exits(0);
    done.says("nothing to remove").says("kept 1 run: can be resumed or applied");
    assert_eq!(runs_left(&world), planned);
    world.run_command(&format!("runs prune {EVER} --all --yes")).exits(0).says("removed 1 run");
    assert_eq!(runs_left(&world), [""; 0]);
}

#[test]
fn an_import_is_removed_only_by_age_and_an_undo_only_with_it() {
    let world = empty_world();
    world.write_sheet("in.csv", "Email,Note\nada@example.com,Hello\n");
    world.run_import("--mode create --map Note=note").exits(0);
    let import = world.last_run("import");
    world.run_command(&format!("undo {import} --yes --out undone")).exits(0);
    let done = world.run_command("runs prune --keep-last 0 --yes").exits(0);
    done.says("kept 2 runs: imports and undos are removed only with `--older-than`");
    assert_eq!(runs_left(&world).len(), 2);
    let ask = format!("runs prune {EVER}");
    let (_, shown) = run_on_terminal(&world, &ask, "[y/N]", "n");
    assert!(shown.contains("1 import can then not be undone"), "{shown}");
    let summary = world.run_command(&format!("{ask} --yes --json")).exits(0).summary();
    let removed = summary["removed"].as_array().unwrap();
    assert_eq!((removed.len(), &summary["kept"]), (2, &json!([])));
    let bytes: u64 = removed.iter().map(|run| run["bytes"].as_u64().unwrap()).sum();
    assert_eq!((&summary["freed_bytes"], &summary["dry_run"]), (&json!(bytes), &json!(false)));
    assert_eq!(runs_left(&world), [""; 0]);
    world.run_command(&format!("undo {import}")).exits(10);
}

#[test]
fn an_import_with_a_row_in_doubt_is_kept_until_it_is_settled() {
    let world = empty_world_with_faults(&["POST /contacts/ drop=before times=1"])
        .with_env("GHL_BULK_SETTLE_S", "0.1");
    world.write_sheet("in.csv", "Name,City\nNo Address,Rome\n");
    world.run_import("--allow-name-only --no-identity at-most-once").exits(6);
    let import = world.last_run("import");
    let next = format!("next: ghl-bulk runs resolve {} ", short_id(&import));
    let shown = world.run_command(&format!("runs show {import}")).exits(0).stdout;
    assert!(shown.lines().last().unwrap().starts_with(&next), "{shown}");
    let done = world.run_command(&format!("runs prune {EVER} --yes")).exits(0);
    done.says("kept 1 run: has writes in doubt");
    assert_eq!(runs_left(&world), [import]);
    world.run_command(&format!("runs prune {EVER} --yes --all")).exits(0).says("removed 1 run");
    assert_eq!(runs_left(&world), [""; 0]);
}
