//! Runs are named by their id, a beginning of it, or its last part.

use serde_json::json;

use super::{finished, unfinished};
use crate::import_world::{empty_world, empty_world_with_faults};
use crate::world::{CommandOutput, World, short_id};

const SHEET: &str = "Email\nada@example.com\n";

/// Gives a run another id, as if it had been created at another time.
fn rename(world: &World, run: &str, id: &str) {
    let runs = world.path("home/runs");
    std::fs::rename(runs.join(run), runs.join(id)).unwrap();
}

#[test]
fn every_command_about_an_export_takes_a_short_id() {
    let (world, run) = finished();
    let short = short_id(&run);
    for named in [short, &short.to_uppercase(), &run[..9], &run.to_uppercase()] {
        let shown = world.run_command(&format!("runs show {named} --json")).exits(0).summary();
        assert_eq!((&shown["run"], &shown["short_id"]), (&json!(run), &json!(short)), "{named}");
    }
    world.run_command(&format!("runs publish {short} --format csv --out again")).exits(0);
    world.run_command(&format!("resume {short}")).exits(0).says("is finished");
    world.run_command(&format!("runs rm {short}")).exits(0).says(&format!("removed {run}"));
    let (world, run) = unfinished();
    let world = world.with_env("GHL_TOKEN", ghl_bulk::sandbox::TOKEN);
    world.run_command(&format!("resume {}", short_id(&run))).exits(0);
}

#[test]
fn every_command_about_an_import_takes_a_short_id() {
    let world = empty_world();
    world.write_sheet("in.csv", SHEET);
    world.run_command("import in.csv --dry-run --out res").exits(0);
    let import = world.last_run("import");
    let short = short_id(&import);
    world.run_command(&format!("apply {short} --yes")).exits(0);
    world.run_command(&format!("runs results {short} --out again")).exits(0);
    assert!(world.path("again/succeeded.csv").exists());
    world.write_sheet("none.csv", "_doubt_decision\n");
    let resolved = world.run_command(&format!("runs resolve {short} none.csv"));
    assert_ne!(resolved.code, 10, "{resolved:?}");
    world.run_command(&format!("undo {short} --yes --out undone")).exits(0);
    let shown = world.run_command(&format!("runs show {short} --json")).exits(0).summary();
    assert_eq!(shown["undone_by"], world.last_run("undo"));
}

#[test]
fn a_name_of_several_runs_is_refused_with_the_runs_and_removes_none() {
    let (world, first) = finished();
    world.run_command("export --out other").exits(0);
    let mut runs = world.list_files("home/runs");
    runs.sort();
    let done = world.run_command(&format!("runs rm {first} 2")).exits(2);
    assert_eq!(
        done.stderr,
        format!(
            "error: `2` names 2 runs\n  {}\n  {}\n  hint: use more of the id\n",
            runs[0], runs[1]
        )
    );
    assert_eq!(world.list_files("home/runs"), runs);
}

#[test]
fn a_mistyped_name_is_answered_with_the_closest_run() {
    let (world, run) = finished();
    rename(&world, &run, "20261121-061512-k3f9");
    let done = world.run_command("runs show k3f8").exits(10);
    assert_eq!(
        done.stderr,
        "error: there is no run `k3f8`\n  hint: did you mean `k3f9`? `ghl-bulk runs list` lists \
         all runs\n"
    );
    world
        .run_command("resume 20261121-061521-k3f9")
        .exits(10)
        .says("did you mean `20261121-061512-k3f9`?");
    let far = world.run_command("undo zzzz").exits(10);
    assert!(!far.stderr.contains("did you mean"), "{}", far.stderr);
}

#[test]
fn a_printed_command_has_the_full_id_where_the_short_one_names_two_runs() {
    let (world, run) = unfinished();
    let other = format!("20200101-000000-{}", short_id(&run));
    let runs = world.path("home/runs");
    std::fs::create_dir(runs.join(&other)).unwrap();
    std::fs::write(runs.join(&other).join("run.db"), "").unwrap();
    world.run_command("resume").exits(8).says(&format!("resume: ghl-bulk resume {run}\n"));
    std::fs::remove_dir_all(runs.join(&other)).unwrap();
    let short = short_id(&run);
    world.run_command("resume").exits(8).says(&format!("resume: ghl-bulk resume {short}\n"));
    let summary = world.run_command("resume --json").exits(8).summary();
    assert_eq!(summary["resume"], format!("ghl-bulk resume {run}"), "programs get the full id");
}

/// Asserts that every command which is printed for people names the run by its short id.
#[track_caller]
fn assert_short_commands(done: &CommandOutput, run: &str, commands: &[&str]) {
    for line in done.stderr.lines().filter(|line| line.contains("ghl-bulk ")) {
        assert!(!line.contains(run), "{line}");
    }
    for command in commands {
        let command = format!("ghl-bulk {command}").replace("RUN", short_id(run));
        assert!(done.stderr.contains(&command), "no `{command}` in {}", done.stderr);
    }
}

#[test]
fn every_command_that_is_printed_has_the_short_id() {
    let world = World::with_faults(&["GET /contacts/*/notes status=422 times=1"]);
    let done = world.run_command("export --out out").exits(3);
    assert_short_commands(&done, &world.only_run_id(), &["resume RUN --retry-errors"]);

    let world = empty_world_with_faults(&["POST /contacts/ drop=before times=1"]);
    world.write_sheet("in.csv", "First Name\nAda\nBob\n");
    let options = "--allow-name-only --no-identity at-most-once --out res";
    let done = world.run_command(&format!("import in.csv --dry-run {options}")).exits(0);
    let run = world.only_run_id();
    assert_short_commands(&done, &run, &["apply RUN"]);
    let done = world.run_command(&format!("apply {run} --yes")).exits(6);
    assert_short_commands(&done, &run, &["runs resolve RUN ", "undo RUN"]);
    let done = world.run_command(&format!("resume {run}")).exits(6);
    assert_short_commands(&done, &run, &["runs resolve RUN "]);
    let json = world.run_command(&format!("import in.csv --dry-run {options} --json")).exits(3);
    let summary = json.summary();
    let full = format!("ghl-bulk apply {}", summary["run"].as_str().unwrap());
    assert_eq!(summary["apply"], full, "programs get the full id");
}
