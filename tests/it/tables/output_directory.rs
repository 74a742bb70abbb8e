//! Where the files end up: at once, in place of an older export, and next to files of other programs.

use std::fs;

use serde_json::{Value, json};

use crate::export_files::ExportFiles;
use crate::running_command::RunningCommand;
use crate::table_file::read_table;
use crate::world::World;

fn only_contacts(dir: &str) -> String {
    format!("export --with none --format jsonl --out {dir}")
}

#[test]
fn a_finished_run_is_published_again_in_another_format_without_a_request() {
    let world = World::new();
    world.run_command("export --out out").exits(0);
    let (run, parquet) =
        (world.only_run_id(), fs::read(world.path("out/contacts.parquet")).unwrap());
    let before = world.get_control("log")["requests"].clone();

    world.run_command(&format!("runs publish {run} --format csv")).exits(0);
    assert_eq!(world.get_control("log")["requests"], before);
    assert_eq!(fs::read(world.path("out/contacts.parquet")).unwrap(), parquet);
    for table in ["contacts", "tasks", "notes", "custom_fields", "users", "tags"] {
        let csv = read_table(&world, "out", table, "csv");
        assert_eq!(csv, read_table(&world, "out", table, "parquet"), "{table}");
    }
    let files = &world.read_json("out/manifest.json")["tables"]["contacts"]["files"];
    let mut formats: Vec<&str> =
        files.as_array().unwrap().iter().map(|file| file["format"].as_str().unwrap()).collect();
    formats.sort_unstable();
    assert_eq!(formats, ["csv", "parquet"]);
}

#[test]
fn publishing_again_gives_the_same_bytes() {
    let world = World::new();
    world.run_command("export --format parquet,csv,jsonl --out out").exits(0);
    let run = world.only_run_id();
    world
        .run_command(&format!("runs publish {run} --format parquet,csv,jsonl --out again"))
        .exits(0);
    ExportFiles::read_from(&world, "out").assert_same(&ExportFiles::read_from(&world, "again"));
}

#[test]
fn a_run_that_is_not_finished_is_not_published() {
    let world = World::new().with_env("GHL_TOKEN", "pit-sandbox-without:contacts.readonly");
    world.run_command("export --out out").exits(8);
    let run = world.only_run_id();
    let done = world.run_command(&format!("runs publish {run}")).exits(2);
    let said = done.stderr.replace(&run, "RUN");
    insta::assert_snapshot!(said, @"error: run `RUN` is not finished; finish it with `ghl-bulk resume RUN`");
    assert!(!world.path("out/manifest.json").exists());
}

#[test]
fn a_finished_export_replaces_an_older_one() {
    let world = World::new();
    world.run_command("export --format csv --out out").exits(0);
    let gone =
        world.get_control("state")["contacts"][0]["contact"]["id"].as_str().unwrap().to_owned();
    world.control_request("DELETE", &format!("contacts/{gone}"), &Value::Null);
    world.run_command(&only_contacts("out")).exits(0);
    let files =
        ["contacts.jsonl", "custom_fields.jsonl", "manifest.json", "tags.jsonl", "users.jsonl"];
    assert_eq!(world.list_files("out"), files);
    let rows = world.read_rows("out/contacts.jsonl");
    assert_eq!(rows.len(), 59);
    assert!(rows.iter().all(|row| row["id"] != gone));
    assert_eq!(world.list_files("."), ["home", "out"], "nothing is left beside it");
}

#[test]
fn files_that_no_export_wrote_survive_in_the_directory() {
    let world = World::new();
    fs::create_dir_all(world.path("out/mine")).unwrap();
    fs::write(world.path("out/README.txt"), "mine").unwrap();
    fs::write(world.path("out/mine/contacts.jsonl"), "mine too").unwrap();
    world.run_command("export --format csv --out out").exits(0);
    world.run_command(&only_contacts("out")).exits(0);
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
    let names = world.list_files("out");
    assert_eq!(names[0], "README.txt");
    assert_eq!(names[1..], ours, "the older export's own files are gone");
}

#[test]
fn an_older_export_is_whole_until_the_new_one_is() {
    let world = World::new();
    world.run_command(&only_contacts("out")).exits(0);
    let old = ExportFiles::read_from(&world, "out");
    world.control_request("POST", "contacts", &json!([{"id": "new"}]));
    world.control_request("POST", "faults", &json!(["POST /contacts/search hold=after times=1"]));

    let export = RunningCommand::start(&world, &only_contacts("out"));
    world.get_control("held?at_least=1");
    old.assert_same(&ExportFiles::read_from(&world, "out"));
    world.control_request("POST", "release", &Value::Null);
    export.wait_for_exit().exits(0);
    assert_eq!(world.read_rows("out/contacts.jsonl").len(), 61);
}

#[test]
fn below_a_link_the_link_stays_and_what_it_points_to_is_replaced() {
    let world = World::new();
    fs::create_dir(world.path("disk")).unwrap();
    std::os::unix::fs::symlink(world.path("disk"), world.path("out")).unwrap();
    world.run_command(&only_contacts("out")).exits(0);
    world.run_command(&only_contacts("out")).exits(0);
    assert!(world.path("out").is_symlink());
    assert!(world.path("disk/manifest.json").exists());
}

#[test]
fn the_directories_above_the_output_are_made() {
    let world = World::new();
    world.run_command(&only_contacts("a/b/c")).exits(0);
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
        world.run_command("export --out out --with none").exits(0);
        assert_eq!(rights("out"), 0o700);
    }
    assert_eq!(rights("home/runs"), 0o700);
}
