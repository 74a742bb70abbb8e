//! Where the files end up: at once, in place of an older export, and next to files of other programs.

use std::fs;

use serde_json::{Value, json};

use crate::export_files::ExportFiles;
use crate::running_command::RunningCommand;
use crate::table_file::read_table;
use crate::world::{World, short_id};

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
    let said = done.stderr.replace(&run, "RUN").replace(short_id(&run), "RUN");
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
    world.run_command(&format!("{} --replace", only_contacts("out"))).exits(0);
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
    world.run_command("export --format csv --out out --replace").exits(0);
    world.run_command(&format!("{} --replace", only_contacts("out"))).exits(0);
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
fn an_export_of_something_else_is_never_replaced_unasked() {
    let world = World::with_settings(|settings| {
        settings.locations = [ghl_bulk::sandbox::LOCATION, "second"].map(str::to_owned).into();
    });
    world.run_command("export --format jsonl --out out --tag vip --updated-since 7d").exits(0);
    let before = ExportFiles::read_from(&world, "out");
    let requests = world.get_control("log")["requests"].clone();
    for (other, why) in [
        ("--tag vip --updated-since 7d --location second", "an export of location"),
        ("--updated-since 7d", "with other filters"),
        ("--tag vip --updated-since 8d", "with other filters"),
        ("", "with other filters"),
        ("--tag vip --updated-since 7d --with notes", "an export of other tables"),
        ("--tag vip --updated-since 7d --with tasks,notes,appointments", "other tables"),
    ] {
        let done = world.run_command(&format!("export --format jsonl --out out {other}"));
        done.exits(4).says("is not replaced").says(why).says("--replace");
        before.assert_same(&ExportFiles::read_from(&world, "out"));
    }
    assert_eq!(world.get_control("log")["requests"], requests, "nothing was asked for");
    // The same request, whatever the time and the format.
    world.run_command("export --format csv --out out --tag vip --updated-since 7d").exits(0);
    world.run_command("export --format csv --out out --replace").exits(0);
}

#[test]
fn files_of_no_export_are_named_and_left_alone() {
    let world = World::new();
    fs::create_dir(world.path("out")).unwrap();
    fs::write(world.path("out/.gitkeep"), "").unwrap();
    world.run_command(&only_contacts("out")).exits(0);
    fs::write(world.path("out/notes of mine.txt"), "mine").unwrap();
    let refused = world.run_command(&only_contacts("out")).exits(4);
    refused.says("a file of no export: `notes of mine.txt`").says("--replace");
    assert_eq!(fs::read_to_string(world.path("out/notes of mine.txt")).unwrap(), "mine");
}

#[test]
fn an_interrupted_export_does_not_replace_another_one_that_came_between() {
    let world = World::new();
    world.control_request("POST", "faults", &json!(["POST /contacts/search hold=after times=1"]));
    let export = RunningCommand::start(&world, &only_contacts("out"));
    world.get_control("held?at_least=1");
    export.kill();
    world.control_request("POST", "release", &Value::Null);
    world.run_command("export --format jsonl --out out").exits(0);
    world.run_command("resume").exits(4).says("an export of other tables").says("--replace");
    assert!(world.path("out/tasks.jsonl").exists());
    world.run_command("resume --replace").exits(0);
    assert!(!world.path("out/tasks.jsonl").exists());
}

#[test]
fn files_are_readable_by_their_owner_only_unless_a_mode_is_given() {
    let world = World::new();
    let mode = |name: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(world.path(name)).unwrap().permissions().mode() & 0o777
    };
    world.run_command("export --out a/b --format csv,parquet,jsonl").exits(0);
    let names = world.list_files("a/b");
    assert_eq!((mode("a"), mode("a/b")), (0o700, 0o700));
    assert!(names.iter().all(|name| mode(&format!("a/b/{name}")) == 0o600), "{names:?}");
    world.run_command("export --out c --format csv --file-mode 0640").exits(0);
    assert_eq!((mode("c"), mode("c/contacts.csv"), mode("c/manifest.json")), (0o750, 0o640, 0o640));
    fs::create_dir(world.path("d")).unwrap();
    let before = mode("d");
    world.run_command("export --out d --format csv").exits(0);
    assert_eq!((mode("d"), mode("d/contacts.csv")), (before, 0o600));
    world.run_command("export --out d --file-mode rw").exits(2).says("not a mode such as `0640`");
    world.write_sheet("in.csv", "Email\nann@example.com\n");
    world.run_command("import in.csv --yes --out res/in").exits(0);
    assert_eq!((mode("res"), mode("res/in/succeeded.csv")), (0o700, 0o600));
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
