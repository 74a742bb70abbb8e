//! `ghl-bulk runs`: list, show, remove and prune; and `resume` with nothing to do.

mod list;
mod locks;
mod names;
mod next_command;
mod prune;

use ghl_bulk::sandbox::LOCATION;
use serde_json::json;

use crate::running_command::RunningCommand;
use crate::world::World;

/// A world with one finished run, and its id.
fn finished() -> (World, String) {
    let world = World::new();
    world.run_command("export --out out").exits(0);
    let run = world.only_run_id();
    (world, run)
}

/// A world with one run that a missing scope has stopped, and its id.
fn unfinished() -> (World, String) {
    let world = World::new().with_env("GHL_TOKEN", "pit-sandbox-without:contacts.readonly");
    world.run_command("export --out out").exits(8);
    let run = world.only_run_id();
    (world, run)
}

const NO_RUN: &str = "20200101-000000-none";

#[test]
fn one_run_is_shown_with_what_it_has_read() {
    let (world, run) = finished();
    let done = world.run_command(&format!("runs show {run}")).exits(0);
    for line in ["contacts             60 of 60, done", "notes                60", "unreadable   0"]
    {
        assert!(done.stdout.contains(line), "no `{line}` in {}", done.stdout);
    }
    let shown = world.run_command(&format!("runs show {run} --json")).exits(0).summary();
    let streams = shown["streams"].as_array().unwrap();
    let contacts = streams.iter().find(|stream| stream["stream"] == "contacts").unwrap();
    assert_eq!(*contacts, json!({"stream": "contacts", "rows": 60, "total": 60, "done": true}));
    assert_eq!(shown["unreadable"], 0);
}

#[test]
fn a_run_holds_no_secret() {
    let (world, run) = finished();
    let shown = world.run_command(&format!("runs show {run} --json")).exits(0).stdout;
    assert!(!shown.contains(ghl_bulk::sandbox::TOKEN));
    for path in crate::export_files::list_files_below(&world.path("home")) {
        let bytes = std::fs::read(&path).unwrap();
        let secret = ghl_bulk::sandbox::TOKEN.as_bytes();
        assert!(!bytes.windows(secret.len()).any(|part| part == secret), "{}", path.display());
    }
}

#[test]
fn removing_a_run_leaves_its_files() {
    let (world, run) = finished();
    let done = world.run_command(&format!("runs rm {run}")).exits(0);
    assert_eq!(done.stderr, format!("removed {run}\n"));
    assert!(world.list_files("home/runs").is_empty());
    assert!(world.path("out/contacts.parquet").exists());
    world.run_command(&format!("runs show {run}")).exits(10);
}

#[test]
fn several_runs_are_removed_at_once() {
    let (world, first) = finished();
    world.run_command("export --out other").exits(0);
    let runs = world.list_files("home/runs");
    assert!(runs.contains(&first) && runs.len() == 2);
    world.run_command(&format!("runs rm {} --quiet", runs.join(" "))).exits(0);
    assert!(world.list_files("home/runs").is_empty());
}

/// A command about a run that does not exist.
#[track_caller]
fn missing(line: &str) {
    let done = World::new().run_command(line).exits(10);
    let wanted =
        format!("error: there is no run `{NO_RUN}`\n  hint: `ghl-bulk runs list` lists all runs\n");
    assert_eq!(done.stderr, wanted);
    assert_eq!(done.stdout, "");
}

#[test]
fn a_run_that_does_not_exist_is_named() {
    missing(&format!("runs show {NO_RUN}"));
    missing(&format!("runs rm {NO_RUN}"));
    missing(&format!("runs publish {NO_RUN}"));
    missing(&format!("resume {NO_RUN}"));
}

#[test]
fn a_run_that_does_not_exist_is_a_summary_in_json() {
    let done = World::new().run_command(&format!("resume {NO_RUN} --json")).exits(10);
    let summary = done.summary();
    assert_eq!((&summary["event"], &summary["exit_code"]), (&json!("summary"), &json!(10)));
    assert_eq!(done.stderr, "");
}

#[test]
fn a_run_id_never_becomes_a_path() {
    let world = World::new();
    world.run_command("export --out out").exits(0);
    world.run_command("runs rm ../../out").exits(10);
    world.run_command("runs rm ..").exits(2);
    assert!(world.path("out/manifest.json").exists());
}

#[test]
fn resume_without_an_interrupted_run_has_nothing_to_do() {
    let (world, _) = finished();
    let done = world.run_command("resume").exits(10);
    insta::assert_snapshot!(done.stderr, @"
    error: there is no run that was interrupted or paused
      hint: `ghl-bulk runs list` lists all runs
    ");
    world
        .run_command("resume --retry-errors")
        .exits(10)
        .says("there is no run with unreadable records");
}

#[test]
fn resuming_a_finished_run_does_nothing() {
    let (world, run) = finished();
    let before = world.get_control("log")["requests"].clone();
    world
        .run_command(&format!("resume {run}"))
        .exits(0)
        .says("is finished; there is nothing to do");
    assert_eq!(world.get_control("log")["requests"], before);
}

#[test]
fn an_interrupted_run_is_found_by_its_location() {
    let (world, run) = unfinished();
    world.run_command("resume --location elsewhere").exits(10);
    let world = world.with_env("GHL_TOKEN", ghl_bulk::sandbox::TOKEN);
    world.run_command(&format!("resume --location {LOCATION}")).exits(0);
    let shown = world.run_command(&format!("runs show {run} --json")).exits(0).summary();
    assert_eq!(shown["state"], "complete");
    assert!(world.path("out/manifest.json").exists());
}

#[test]
fn removing_a_killed_run_leaves_nothing_next_to_its_output_directory() {
    let world = World::with_faults(&["GET /contacts/*/notes hold times=1"]);
    let export = RunningCommand::start(&world, "export --out out");
    world.get_control("held?at_least=1");
    export.kill();
    let partial = |name: &String| name.ends_with(".partial");
    assert!(world.list_files(".").iter().any(partial), "{:?}", world.list_files("."));
    world.run_command(&format!("runs rm {}", world.only_run_id())).exits(0);
    assert!(!world.list_files(".").iter().any(partial), "{:?}", world.list_files("."));
}
