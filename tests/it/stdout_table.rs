//! `--out -`: one table to stdout, or a refusal.

use serde_json::{Value, json};

use crate::import_world::empty_world;
use crate::running_command::RunningCommand;
use crate::world::World;

const NOTES: &str = "export --out - --table notes --concurrency 1";

#[test]
fn one_table_goes_to_stdout_and_nothing_else_does() {
    let world = World::new();
    world.run_command("export --out out --format csv,jsonl --with notes").exits(0);
    for (options, file) in [
        ("", "contacts.csv"),
        ("--format jsonl", "contacts.jsonl"),
        ("--format csv --table notes", "notes.csv"),
        ("--format jsonl --table custom_fields", "custom_fields.jsonl"),
    ] {
        let done = world.run_command(&format!("export --out - {options}")).exits(0);
        let expected = std::fs::read_to_string(world.path("out").join(file)).unwrap();
        assert!(done.stdout == expected, "{options}: {}", done.stdout);
    }
    assert_eq!(world.list_files("."), ["home", "out"]);
    assert!(world.list_files("home/stdout").is_empty(), "no data is left behind");
}

#[test]
fn what_does_not_fit_into_stdout_is_refused_and_no_directory_gets_that_name() {
    let world = empty_world();
    world.write_sheet("in.csv", "Email\na@example.com\n");
    for (line, why) in [
        ("export --out - --format parquet", "csv or jsonl"),
        ("export --out - --format csv,jsonl", "csv or jsonl"),
        ("export --out - --with notes", "--table"),
        ("export --out - --table people", "there is no table `people`"),
        ("export --out x --table notes", "`--table` goes with `--out -`"),
        ("import in.csv --yes --out -", "do not fit into stdout"),
        ("undo 20260101-000000-abcd --out -", "do not fit into stdout"),
        ("runs publish 20260101-000000-abcd --out -", "do not fit into stdout"),
    ] {
        world.run_command(line).exits(2).says(why);
    }
    world.run_command("export --out - --json").exits(2);
    assert!(!world.path("-").exists());
    let done = world.run_command("map in.csv -o -").exits(0);
    assert!(done.stdout.contains("Email"), "{}", done.stdout);
    assert!(!world.path("-").exists());
}

/// A world whose export of notes to stdout was killed in the middle, and the run.
fn interrupted() -> (World, String) {
    let world = World::new();
    world.control_request("POST", "faults", &json!(["GET /contacts/*/notes hold after=20"]));
    let export = RunningCommand::start(&world, NOTES);
    world.get_control("held?at_least=1");
    export.kill();
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "release", &Value::Null);
    let run = world.only_run_id();
    (world, run)
}

/// The notes of an undisturbed export.
fn undisturbed_notes() -> String {
    World::new().run_command(NOTES).exits(0).stdout
}

#[test]
fn an_interrupted_export_to_stdout_is_continued() {
    let (world, run) = interrupted();
    let done = world.run_command(&format!("{NOTES} --continue")).exits(0);
    assert_eq!(world.only_run_id(), run);
    done.does_not_say("home/stdout");
    assert!(done.stdout == undisturbed_notes(), "{}", done.stdout);
    assert!(world.list_files("home/stdout").is_empty(), "no data is left behind");
    for other in ["--table tasks", "--table notes --format jsonl"] {
        let (world, _) = interrupted();
        world.run_command(&format!("export --out - --continue {other}")).exits(0);
        assert_eq!(world.list_files("home/runs").len(), 2, "{other}");
    }
}

#[test]
fn resume_writes_the_table_to_stdout_too() {
    let (world, run) = interrupted();
    world.run_command("resume --json").exits(2);
    let done = world.run_command("resume").exits(0);
    assert!(done.stdout == undisturbed_notes(), "{}", done.stdout);
    let shown = world.run_command(&format!("runs show {run}")).exits(0).stdout;
    assert!(shown.contains("out          stdout, the table `notes`"), "{shown}");
    let next = shown.lines().last().unwrap().strip_prefix("next: ghl-bulk ").unwrap();
    world.run_command(&format!("runs publish {run}")).exits(2).says("--out DIR");
    world.run_command(next).exits(0);
    assert!(world.path("ghl-export/notes.csv").exists());
}

#[test]
fn a_removed_run_leaves_nothing_of_its_stdout_behind() {
    let (world, run) = interrupted();
    assert!(!world.list_files("home/stdout").is_empty());
    world.run_command(&format!("runs rm {run}")).exits(0);
    assert!(world.list_files("home/stdout").is_empty());
}
