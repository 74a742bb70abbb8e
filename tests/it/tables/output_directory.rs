//! Where the files end up: at once, in place of an older export, and beside other people's files.

use std::fs;

use serde_json::{Value, json};

use crate::export_files::Files;
use crate::running_command::Process;
use crate::table_file::shared;
use crate::world::World;

fn only_contacts(dir: &str) -> String {
    format!("export --with none --format jsonl --out {dir}")
}

#[test]
fn a_finished_run_is_published_again_in_another_format_without_a_request() {
    let world = World::new();
    world.run("export --out out").exits(0);
    let (run, parquet) = (world.only_run(), fs::read(world.path("out/contacts.parquet")).unwrap());
    let before = world.ask("log")["requests"].clone();

    world.run(&format!("runs publish {run} --format csv")).exits(0);
    assert_eq!(world.ask("log")["requests"], before);
    assert_eq!(fs::read(world.path("out/contacts.parquet")).unwrap(), parquet);
    for table in ["contacts", "tasks", "notes", "custom_fields", "users", "tags"] {
        let csv = shared(&world, "out", table, "csv");
        assert_eq!(csv, shared(&world, "out", table, "parquet"), "{table}");
    }
    let files = &world.json("out/manifest.json")["tables"]["contacts"]["files"];
    let mut formats: Vec<&str> =
        files.as_array().unwrap().iter().map(|file| file["format"].as_str().unwrap()).collect();
    formats.sort_unstable();
    assert_eq!(formats, ["csv", "parquet"]);
}

#[test]
fn publishing_again_gives_the_same_bytes() {
    let world = World::new();
    world.run("export --format parquet,csv,jsonl --out out").exits(0);
    let run = world.only_run();
    world.run(&format!("runs publish {run} --format parquet,csv,jsonl --out again")).exits(0);
    Files::of(&world, "out").assert_same(&Files::of(&world, "again"));
}

#[test]
fn a_run_that_is_not_finished_is_not_published() {
    let world = World::new().env("GHL_TOKEN", "pit-sandbox-without:contacts.readonly");
    world.run("export --out out").exits(8);
    let run = world.only_run();
    let done = world.run(&format!("runs publish {run}")).exits(2);
    let said = done.stderr.replace(&run, "RUN");
    insta::assert_snapshot!(said, @"error: run `RUN` is not finished; `ghl-bulk resume RUN` finishes it");
    assert!(!world.path("out/manifest.json").exists());
}

#[test]
fn a_finished_export_replaces_an_older_one() {
    let world = World::new();
    world.run("export --format csv --out out").exits(0);
    let gone = world.ask("state")["contacts"][0]["contact"]["id"].as_str().unwrap().to_owned();
    world.control("DELETE", &format!("contacts/{gone}"), &Value::Null);
    world.run(&only_contacts("out")).exits(0);
    let files =
        ["contacts.jsonl", "custom_fields.jsonl", "manifest.json", "tags.jsonl", "users.jsonl"];
    assert_eq!(world.names("out"), files);
    let rows = world.rows("out/contacts.jsonl");
    assert_eq!(rows.len(), 59);
    assert!(rows.iter().all(|row| row["id"] != gone));
    assert_eq!(world.names("."), ["home", "out"], "nothing is left beside it");
}

#[test]
fn files_that_no_export_wrote_survive_in_the_directory() {
    let world = World::new();
    fs::create_dir_all(world.path("out/mine")).unwrap();
    fs::write(world.path("out/README.txt"), "mine").unwrap();
    fs::write(world.path("out/mine/contacts.jsonl"), "mine too").unwrap();
    world.run("export --format csv --out out").exits(0);
    world.run(&only_contacts("out")).exits(0);
    assert_eq!(fs::read_to_string(world.path("out/README.txt")).unwrap(), "mine");
    assert_eq!(fs::read_to_string(world.path("out/mine/contacts.jsonl")).unwrap(), "mine too");
    let ours = [
        "contacts.jsonl",
        "custom_fields.jsonl",
        "manifest.json",
        "mine",
        "tags.jsonl",
        "users.jsonl",
    ];
    let names = world.names("out");
    assert_eq!(names[0], "README.txt");
    assert_eq!(names[1..], ours, "the older export's own files are gone");
}

#[test]
fn an_older_export_is_whole_until_the_new_one_is() {
    let world = World::new();
    world.run(&only_contacts("out")).exits(0);
    let old = Files::of(&world, "out");
    world.control("POST", "contacts", &json!([{"id": "new"}]));
    world.control("POST", "faults", &json!(["POST /contacts/search hold=after times=1"]));

    let export = Process::start(&world, &only_contacts("out"));
    world.ask("held?at_least=1");
    old.assert_same(&Files::of(&world, "out"));
    world.control("POST", "release", &Value::Null);
    export.end().exits(0);
    assert_eq!(world.rows("out/contacts.jsonl").len(), 61);
}

#[test]
fn below_a_link_the_link_stays_and_what_it_points_to_is_replaced() {
    let world = World::new();
    fs::create_dir(world.path("disk")).unwrap();
    std::os::unix::fs::symlink(world.path("disk"), world.path("out")).unwrap();
    world.run(&only_contacts("out")).exits(0);
    world.run(&only_contacts("out")).exits(0);
    assert!(world.path("out").is_symlink());
    assert!(world.path("disk/manifest.json").exists());
}

#[test]
fn the_directories_above_the_output_are_made() {
    let world = World::new();
    world.run(&only_contacts("a/b/c")).exits(0);
    assert!(world.path("a/b/c/manifest.json").exists());
}

#[cfg(unix)]
#[test]
fn an_output_directory_that_is_private_stays_private_and_runs_always_are() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let rights = |name: &str| world.path(name).metadata().unwrap().permissions().mode() & 0o777;
    std::fs::create_dir(world.path("out")).unwrap();
    let private = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(world.path("out"), private).unwrap();
    for _ in 0..2 {
        // First in place of an empty directory, then of an older export.
        world.run("export --out out --with none").exits(0);
        assert_eq!(rights("out"), 0o700);
    }
    assert_eq!(rights("home/runs"), 0o700);
}
