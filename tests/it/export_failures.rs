//! Exports that fail: missing scopes and settings, a closed port, and a disk that cannot be written.

use std::fs;
use std::net::TcpListener;
use std::process::Stdio;

use serde_json::Value;

use crate::export_files::{ExportFiles, assert_nothing_half_written, read_errors_csv};
use crate::world::World;

const EXPORT: &str = "export --format jsonl --out out";

fn without_scope(scope: &str) -> World {
    World::new().with_env("GHL_TOKEN", &format!("pit-sandbox-without:{scope}"))
}

#[test]
fn without_the_scope_for_the_task_search_tasks_are_read_contact_by_contact() {
    let world = without_scope("locations/tasks.readonly");
    let done = world.run_command(EXPORT).exits(0);
    done.says("tasks are read contact by contact").says("locations/tasks.readonly");
    let tasks = world.read_rows("out/tasks.jsonl");
    let found: usize = world.get_control("state")["contacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["tasks"].as_array().unwrap().len())
        .sum();
    assert_eq!(tasks.len(), found);
    let rest = ExportFiles::read_from(&world, "out").without_files(&["tasks.jsonl"]);
    ExportFiles::of_undisturbed_export(60).without_files(&["tasks.jsonl"]).assert_same(&rest);
    assert_eq!(world.read_json("out/manifest.json")["complete"], true);
}

#[test]
fn without_the_scope_for_contacts_it_ends_with_the_scopes_name() {
    let world = without_scope("contacts.readonly");
    world.run_command(EXPORT).exits(8).says("`contacts.readonly`");
    assert!(!world.path("out").exists());
}

#[track_caller]
fn leaves_a_table_empty(scope: &str, table: &str) {
    let world = without_scope(scope);
    world.run_command(EXPORT).exits(3).says(scope);
    assert!(world.read_rows(&format!("out/{table}.jsonl")).is_empty());
    let lines = read_errors_csv(&world, "out");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!((lines[0]["table"].as_str(), lines[0]["code"].as_str()), (table, "scope"));
    assert_eq!(world.read_rows("out/contacts.jsonl").len(), 60);
    let world = world.with_env("GHL_TOKEN", ghl_bulk::sandbox::TOKEN);
    world.run_command("resume --retry-errors").exits(0);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn without_the_scope_for_users_their_table_is_empty_until_the_scope_is_there() {
    leaves_a_table_empty("users.readonly", "users");
}

#[test]
fn without_the_scope_for_tags_their_table_is_empty_until_the_scope_is_there() {
    leaves_a_table_empty("locations/tags.readonly", "tags");
}

#[test]
fn without_the_scope_for_custom_fields_their_table_is_empty_until_the_scope_is_there() {
    leaves_a_table_empty("locations/customFields.readonly", "custom_fields");
}

#[test]
fn without_the_scope_for_the_location_only_its_name_is_missing() {
    let world = without_scope("locations.readonly");
    world.run_command(EXPORT).exits(0).says("locations.readonly");
    let (here, there) =
        (ExportFiles::read_from(&world, "out"), ExportFiles::of_undisturbed_export(60));
    there.without_files(&[]).assert_same(&here.without_files(&[]));
    assert_eq!(world.read_json("out/manifest.json")["location_name"], Value::Null);
}

#[test]
fn a_wrong_token_is_refused_once() {
    let world = World::new().with_env("GHL_TOKEN", "pit-wrong");
    world.run_command(EXPORT).exits(8).says("the API rejected the token").says("GHL_TOKEN");
    assert_eq!(world.get_control("log")["requests"], 1);
    assert!(!world.path("out").exists());
}

#[test]
fn a_token_that_expires_on_the_way_ends_the_run_and_a_new_one_resumes_it() {
    let world = World::with_faults(&["GET /contacts/*/notes token-expired after=30"]);
    world.run_command(EXPORT).exits(8).says("resume: ghl-bulk resume");
    world.control_request("DELETE", "faults", &Value::Null);
    world.run_command("resume").exits(0);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn no_token_says_where_to_put_one() {
    let world = World::new().without_env("GHL_TOKEN");
    world.run_command(EXPORT).exits(8).says("no token was given").says("GHL_TOKEN");
    assert_eq!(world.get_control("log")["requests"], 0);
}

#[test]
fn an_empty_token_counts_as_missing() {
    let world = World::new().with_env("GHL_TOKEN", " ");
    world.run_command(EXPORT).exits(8).says("it is empty");
}

#[test]
fn a_token_file_serves_as_well() {
    let world = World::new().without_env("GHL_TOKEN").with_env("GHL_TOKEN_FILE", "token");
    world.run_command(EXPORT).exits(8).says("`token`");
    world.write_private_file("token", format!("{}\n", ghl_bulk::sandbox::TOKEN).as_bytes());
    world.run_command(EXPORT).exits(0);
}

#[test]
fn a_wrong_location_is_distinguished_from_a_wrong_token() {
    let world = World::new().with_env("GHL_LOCATION_ID", "elsewhere");
    world.run_command(EXPORT).exits(8).says("has no access to this location").says("--location");
}

#[test]
fn no_location_says_where_to_find_it() {
    let world = World::new().without_env("GHL_LOCATION_ID");
    world.run_command(EXPORT).exits(2).says("GHL_LOCATION_ID");
}

#[test]
fn a_port_where_nothing_listens_is_reported_after_some_attempts() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let world = World::new().with_env("GHL_API_URL", &format!("http://127.0.0.1:{port}"));
    world.run_command(EXPORT).exits(2).says("the API cannot be reached").says("resume");
    assert!(!world.path("out").exists());
}

#[test]
fn a_token_is_never_sent_over_plain_http_to_another_machine() {
    for url in ["http://192.0.2.1", "http://localhost.example.com", "ftp://127.0.0.1", "nonsense"] {
        let world = World::new().with_env("GHL_API_URL", url);
        world.run_command(EXPORT).exits(2).says("--api-url");
        assert!(!world.path("home").exists(), "{url}");
    }
}

#[test]
fn an_output_directory_that_cannot_be_made_costs_no_request() {
    let world = World::new();
    fs::write(world.path("file"), "mine").unwrap();
    for out in ["file", "file/below"] {
        world.run_command(&format!("export --out {out}")).exits(2).says("file");
    }
    assert_eq!(world.get_control("log")["requests"], 0);
    assert!(!world.path("home/runs").exists());
    assert_eq!(fs::read_to_string(world.path("file")).unwrap(), "mine");
}

#[test]
fn a_home_that_cannot_be_made_costs_no_request() {
    let world = World::new();
    fs::write(world.path("file"), "mine").unwrap();
    let home = world.path("file").join("home").display().to_string();
    let world = world.with_env("GHL_BULK_HOME", &home);
    world.run_command(EXPORT).exits(2).says("file");
    assert_eq!(world.get_control("log")["requests"], 0);
    assert_eq!(world.list_files("."), ["file"]);
}

/// Runs a command whose files may have no more than so many blocks of 512 bytes.
fn run_with_little_space(world: &World, blocks: u32, line: &str) -> i32 {
    let command = world.command(line);
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &script, "sh"]).arg(command.get_program()).args(command.get_args());
    shell.current_dir(command.get_current_dir().unwrap()).env_clear();
    let set = command.get_envs().filter_map(|(key, value)| Some((key, value?)));
    shell.envs(set).stdin(Stdio::null());
    shell.output().unwrap().status.code().unwrap_or(-1)
}

#[test]
fn a_full_disk_ends_the_run_with_nothing_half_written_and_it_resumes() {
    // From a disk that cannot hold the run itself to one that lacks room for the last table.
    for blocks in [1, 20, 60, 70, 90, 110, 130, 150, 185] {
        let world = World::new();
        assert_eq!(run_with_little_space(&world, blocks, EXPORT), 2, "{blocks}");
        assert_nothing_half_written(&world, "out");
        assert!(!world.path("out/manifest.json").exists(), "{blocks}");
        let latest = world.run_command("runs list --json").exits(0).stdout;
        let begun = latest.contains("interrupted") || latest.contains("failed");
        let command =
            if begun { format!("resume {}", world.only_run_id()) } else { EXPORT.to_owned() };
        world.run_command(&command).exits(0);
        ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
    }
}

#[test]
fn a_disk_that_fills_up_leaves_the_older_export_alone() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    let older = ExportFiles::read_from(&world, "out");
    assert_eq!(run_with_little_space(&world, 150, EXPORT), 2);
    older.assert_same(&ExportFiles::read_from(&world, "out"));
    assert_eq!(world.list_files("."), ["home", "out"], "a staging directory was left behind");
    world.run_command("resume").exits(0);
}

#[test]
fn a_proxy_from_the_environment_is_not_used_for_this_machine() {
    let world = World::new();
    let world = ["HTTP_PROXY", "http_proxy", "ALL_PROXY"]
        .into_iter()
        .fold(world, |world, name| world.with_env(name, "http://127.0.0.1:9"));
    world.run_command("export --out out --with none").exits(0);
    world.run_command("export --out demo --sandbox --with none").exits(0);
}
