//! `ghl-bulk runs list`.

use ghl_bulk::sandbox::LOCATION;
use serde_json::{Value, json};

use super::finished;
use crate::import_world::empty_world;
use crate::running_command::RunningCommand;
use crate::terminal::shown_on_terminal;
use crate::world::{World, short_id};

/// The cells of each line, which are two spaces apart.
fn cells(list: &str) -> Vec<Vec<&str>> {
    list.lines()
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect()
}

/// What a list shows, with zeros for the times and sizes and numbers for the ids.
fn mask(list: &str, runs: &[String]) -> String {
    let zeros = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
    let mask_word = |word: &str| {
        let is_size = word.contains('.') && word.ends_with(|c: char| c.is_ascii_digit());
        if is_size { zeros(word) } else { word.to_owned() }
    };
    let mask_line = |line: &str| {
        let Some(run) = runs.iter().position(|run| line.starts_with(short_id(run))) else {
            return line.to_owned();
        };
        let (when, rest) = line["k3f9".len()..].split_at("  2026-11-21 06:15".len());
        let rest: Vec<String> = rest.split(' ').map(mask_word).collect();
        format!("run{run}{}{}", zeros(when), rest.join(" "))
    };
    list.lines().map(mask_line).collect::<Vec<_>>().join("\n")
}

#[test]
fn without_runs_the_list_is_empty() {
    let world = World::new();
    let done = world.run_command("runs list").exits(0);
    assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("", "no runs yet\n"));
    assert_eq!(world.run_command("runs list --json").exits(0).stdout, "[]\n");
}

#[test]
fn in_a_pipe_the_list_has_every_column_of_every_run_in_full() {
    let (world, first) = finished();
    let world = world.with_env("GHL_TOKEN", "pit-sandbox-without:contacts.readonly");
    world.run_command("export --out other").exits(8);
    let done = world.run_command("runs list").exits(0);
    let lines = cells(&done.stdout);
    let header =
        ["RUN", "WHEN (UTC)", "WHAT", "STATE", "ROWS", "SIZE", "LOCATION", "PATH", "REASON"];
    assert_eq!((lines.len(), lines[0].as_slice()), (3, header.as_slice()));
    let complete = lines.iter().find(|line| line[0] == short_id(&first)).unwrap();
    let out = world.path("out").display().to_string();
    let when = format!("{}-{}-{} ", &first[..4], &first[4..6], &first[6..8]);
    assert!(complete[1].starts_with(&when), "{complete:?}");
    assert_eq!([complete[2], complete[3]], ["export", "complete"]);
    assert_eq!(complete[6..], [LOCATION, out.as_str(), "-"]);
    let stopped = lines[1..].iter().find(|line| line[0] != short_id(&first)).unwrap();
    assert_eq!([stopped[2], stopped[3]], ["export", "interrupted"]);
    assert!(stopped[8].contains("not authorized for this scope"), "{stopped:?}");
    assert_eq!(world.run_command("runs").exits(0).stdout, done.stdout, "`list` is the default");
}

#[test]
fn on_a_terminal_the_list_fits_its_width() {
    let world = empty_world();
    let long = "a-directory-with-a-rather-long-name/spring-campaign-contacts.csv";
    std::fs::create_dir(world.path("a-directory-with-a-rather-long-name")).unwrap();
    world.write_sheet(long, "Email\na@example.com\nb@example.com\n");
    world.run_command(&format!("import {long} --dry-run")).exits(0);
    world.run_command("apply 2 --yes").exits(0);
    world.write_sheet("in.csv", "Email\nc@example.com\n");
    world.run_command("import in.csv --yes --deadline 2020-01-01T00:00:00Z").exits(9);
    let runs: Vec<String> = world.list_runs("import").into_iter().map(|(run, _)| run).collect();
    for columns in [40, 60, 80, 120] {
        let shown = shown_on_terminal(&world, "runs list", columns);
        let widest = shown.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= usize::from(columns), "{columns}: {shown}");
    }
    let shown = shown_on_terminal(&world, "runs list", 80);
    insta::assert_snapshot!(mask(&shown, &runs), @r"
    RUN   WHEN (UTC)        WHAT    STATE     ROWS  PATH             REASON
    run0  0000-00-00 00:00  import  complete     2  a-di…ntacts.csv
    run1  0000-00-00 00:00  import  paused          in.csv           the deadline p…
    ");
}

#[test]
fn the_list_in_json_has_the_options_of_every_run() {
    let (world, run) = finished();
    let runs: Value =
        serde_json::from_str(&world.run_command("runs list --json").exits(0).stdout).unwrap();
    assert_eq!(runs.as_array().unwrap().len(), 1);
    let facts = ["run", "kind", "location", "state", "running"].map(|key| &runs[0][key]);
    assert_eq!(json!(facts), json!([run, "export", LOCATION, "complete", false]));
    assert_eq!(runs[0]["options"]["formats"], json!(["parquet"]));
    assert_eq!(runs[0]["short_id"], short_id(&run));
    assert_eq!(runs[0]["path"], json!(world.path("out")));
    assert_eq!(runs[0]["stop"], Value::Null);
    assert!(runs[0]["row_count"].as_u64().unwrap() >= 120, "contacts and notes: {}", runs[0]);
    let files = std::fs::read_dir(world.path("home/runs").join(&run)).unwrap();
    let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert_eq!(runs[0]["bytes"], bytes);
}

#[test]
fn a_killed_run_is_listed_as_such_and_a_stopped_one_with_its_reason() {
    let world = World::with_faults(&["GET /contacts/*/notes hold times=1"]);
    let export = RunningCommand::start(&world, "export --out out");
    world.get_control("held?at_least=1");
    let running = world.run_command("runs list").exits(0).stdout;
    assert_eq!(cells(&running)[1][3], "running");
    export.kill();
    let list = world.run_command("runs list").exits(0).stdout;
    let line = &cells(&list)[1];
    assert_eq!((line[3], *line.last().unwrap()), ("interrupted", "killed"));
    world.run_command("resume --deadline 2020-01-01T00:00:00Z").exits(9);
    let runs: Value =
        serde_json::from_str(&world.run_command("runs list --json").exits(0).stdout).unwrap();
    assert_eq!(
        (&runs[0]["state"], &runs[0]["stop"]["reason"]),
        (&json!("paused"), &json!("the deadline passed"))
    );
}
