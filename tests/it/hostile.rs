//! Hostile API data: ids that look like paths, endless bodies, bottomless nesting, and text that would control a
//! terminal.

use serde_json::{Value, json};

use crate::export_files::{ExportFiles, list_files_below, read_errors_csv};
use crate::running_command::RunningCommand;
use crate::world::{CommandOutput, World};

const EXPORT: &str = "export --format jsonl --out out";
pub(crate) const NASTY: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}txt\r\n";

fn insert(world: &World, rows: &Value) {
    world.control_request("POST", "contacts", rows);
}

fn arm(world: &World, fault: &str) {
    world.control_request("POST", "faults", &json!([fault]));
}

#[test]
fn ids_that_look_like_paths_are_exported_and_never_become_paths() {
    let world = World::with_settings(|settings| settings.contacts = 0);
    let ids =
        ["a/b", "../../escape", "..%2f..", "x?y=1#z", "a b", "\u{fc}ber", "...", "c:\\d", "%"];
    let rows =
        ids.map(|id| json!({"id": id, "__notes": [{"body": id}], "__tasks": [{"title": id}]}));
    insert(&world, &json!(rows));
    world.run_command(EXPORT).exits(0);
    for (table, column) in [("contacts", "id"), ("notes", "contact_id"), ("tasks", "contact_id")] {
        let rows = world.read_rows(&format!("out/{table}.jsonl"));
        let mut found: Vec<_> = rows.iter().map(|row| row[column].as_str().unwrap()).collect();
        let mut expected = ids.to_vec();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{table}");
    }
    assert_eq!(world.list_files("."), ["home", "out"]);
    let plain = |name: &str| !name.contains("escape") && !name.contains('%');
    let files = list_files_below(&world.path("."));
    assert!(files.iter().all(|path| plain(&path.display().to_string())), "{files:?}");
}

#[test]
fn a_contact_whose_id_no_path_can_hold_is_exported_without_its_notes() {
    let world = World::new();
    insert(&world, &json!([{"id": "..", "firstName": "Dots", "__notes": [{"body": "lost"}]}]));
    world.run_command(EXPORT).exits(3);
    let rows = world.read_rows("out/contacts.jsonl");
    assert_eq!(rows.len(), 61);
    assert!(rows.iter().any(|row| row["id"] == ".." && row["first_name"] == "Dots"));
    let lines = read_errors_csv(&world, "out");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["code"], "no_id");
}

#[test]
fn a_location_that_looks_like_a_path_stays_below_the_output_directory() {
    let world = World::with_settings(|settings| {
        settings.locations = vec!["../up".to_owned(), "b/c".to_owned()];
    });
    let world = world.without_env("GHL_LOCATION_ID");
    world.run_command(&format!("{EXPORT} --location ../up,b/c")).exits(0);
    assert_eq!(world.list_files("."), ["home", "out"]);
    assert_eq!(world.list_files("out").len(), 2);
}

#[test]
fn notes_of_a_hundred_megabytes_cost_one_line_and_no_memory() {
    let world = World::new();
    let state = world.get_control("state");
    let id = |number: usize| state["contacts"][number]["contact"]["id"].as_str().unwrap();
    arm(&world, &format!("GET /contacts/{}/notes huge=104857600", id(3)));
    arm(&world, &format!("GET /contacts/{}/notes hold", id(40)));
    let export = RunningCommand::start(&world, EXPORT);
    world.get_control("held?at_least=1");
    world.get_control("wait?requests=66");
    let memory = peak_memory(&export);
    world.control_request("POST", "release", &Value::Null);
    export.wait_for_exit().exits(3);
    let lines = read_errors_csv(&world, "out");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!((&*lines[0]["subject"], &*lines[0]["code"]), (id(3), "too_large"));
    assert!(memory.is_none_or(|megabytes| megabytes < 400), "{memory:?} MB");
}

#[test]
fn large_notes_of_many_contacts_at_once_do_not_add_up_in_memory() {
    let world = World::with_faults(&["GET /contacts/*/notes huge=30000000 times=12"]);
    let state = world.get_control("state");
    let last = state["contacts"][59]["contact"]["id"].as_str().unwrap();
    arm(&world, &format!("GET /contacts/{last}/notes hold"));
    let export = RunningCommand::start(&world, "export --format jsonl --out out --with notes");
    world.get_control("held?at_least=1");
    world.get_control("wait?requests=64");
    let memory = peak_memory(&export);
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "release", &Value::Null);
    export.wait_for_exit().exits(0);
    assert!(memory.is_none_or(|megabytes| megabytes < 400), "{memory:?} MB");
}

/// The most memory that a process had so far, in megabytes, where the system reports it.
fn peak_memory(process: &RunningCommand) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

#[test]
fn a_page_that_is_too_large_is_asked_for_in_smaller_ones() {
    let world = World::with_faults(&["POST /contacts/search huge=70000000 times=1"]);
    world.run_command(EXPORT).exits(0);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn a_row_nested_a_thousand_deep_is_exported_unchanged() {
    let world = World::with_faults(&[
        "GET /contacts/*/notes deep=1000",
        "POST /contacts/search deep=1000",
        "POST /locations/*/tasks/search deep=1000",
    ]);
    world.run_command("export --format jsonl,csv,parquet --out out").exits(0);
    let nest = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
    for (file, most) in [("contacts.jsonl", 1), ("tasks.jsonl", 1), ("notes.jsonl", 60)] {
        let text = std::fs::read_to_string(world.path("out").join(file)).unwrap();
        let found = text.matches(&nest).count();
        assert!((1..=most).contains(&found), "{file}: {found}");
    }
}

#[test]
fn a_body_nested_a_hundred_thousand_deep_does_not_overflow_the_stack() {
    let world = World::with_faults(&["GET /contacts/*/notes deep=100000 times=2"]);
    let done = world.run_command(EXPORT);
    assert!(done.code == 0 || done.code == 3, "exit {}: {}", done.code, done.stderr);
}

/// Nothing that a command has shown drives a terminal. In a JSON line only what JSON itself escapes is
/// looked for: it is for programs.
#[track_caller]
pub(crate) fn assert_harmless(done: &CommandOutput) {
    let strict = |c: &char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(c);
    for line in done.stdout.split('\n').chain(done.stderr.split('\n')) {
        let acts = line.chars().find(|c| strict(c));
        assert_eq!(acts, None, "{line:?}");
    }
}

#[test]
fn escape_sequences_in_names_reach_no_terminal() {
    let world = World::new();
    world.control_request(
        "PUT",
        "customFields",
        &json!([{"id": "f1", "name": NASTY, "fieldKey": format!("contact.{NASTY}"), "dataType": "NUMERICAL"}]),
    );
    let misfit = json!([{"id": "f1", "value": {"a": NASTY}}]);
    insert(
        &world,
        &json!([{"id": "nasty", "firstName": NASTY, "tags": [NASTY], "customFields": misfit}]),
    );
    arm(&world, "GET /contacts/nasty/notes status=422");
    for options in ["-v", "-vv", "--json", "--progress plain", "--quiet"] {
        let done = world.run_command(&format!("{EXPORT} {options}")).exits(3);
        assert_harmless(&done);
    }
    let rows = world.read_rows("out/contacts.jsonl");
    assert!(rows.iter().any(|row| row["first_name"] == NASTY), "the data itself stays as it is");
    for command in ["runs list", "runs list --json"] {
        assert_harmless(&world.run_command(command).exits(0));
    }
}

#[test]
fn escape_sequences_in_error_bodies_reach_no_terminal() {
    let body = json!({"message": NASTY, "traceId": NASTY});
    let faults = [
        format!("GET /locations/* status=403 body={body}"),
        format!("GET /contacts/*/notes status=401 body={body}"),
        format!("GET /contacts/*/notes status=422 body={}", NASTY.trim()),
        format!("GET /users status=400 body={body}"),
        format!("POST /locations/*/tasks/search status=400 body={body}"),
        format!("POST /contacts/search status=422 body={body}"),
    ];
    for fault in faults {
        let world = World::with_faults(&[&fault]);
        for options in ["-vv", "--json"] {
            let done = world.run_command(&format!("{EXPORT} {options}"));
            assert_harmless(&done);
        }
        for summary in world.run_command("runs list --json").exits(0).events() {
            let runs = summary.as_array().cloned().unwrap_or_else(|| vec![summary]);
            for run in runs {
                let run = run["run"].as_str().unwrap();
                assert_harmless(&world.run_command(&format!("runs show {run}")).exits(0));
                assert_harmless(&world.run_command(&format!("runs show {run} --json")).exits(0));
            }
        }
    }
}

#[test]
fn escape_sequences_in_paths_reach_no_terminal() {
    let world = World::new();
    for line in ["export --out '\u{1b}[31m\u{9b}'", "export --locations '\u{1b}[31m\u{9b}'"] {
        for options in ["", "--json", "-vv"] {
            assert_harmless(&world.run_command(&format!("{line} {options}")));
        }
    }
}

#[test]
fn a_planted_manifest_removes_nothing_that_no_export_has_written() {
    let world = World::with_settings(|settings| settings.contacts = 3);
    let outside = world.path("victim.txt");
    std::fs::write(&outside, "outside").unwrap();
    std::fs::create_dir(world.path("out")).unwrap();
    let inside = ["mine.txt", "contacts.txt", ".hidden"];
    for name in inside {
        std::fs::write(world.path("out").join(name), "mine").unwrap();
    }
    // What an export of this location has written, and the next one no longer writes.
    std::fs::write(world.path("out/contacts.csv"), "id\n").unwrap();
    let names = [
        "../victim.txt",
        outside.to_str().unwrap(),
        "mine.txt",
        "contacts.txt",
        ".hidden",
        "contacts.csv",
    ];
    let files = names.map(|name| json!({"file": name, "format": "csv", "bytes": 1, "sha256": ""}));
    let manifest = json!({
        "run": "old", "location": ghl_bulk::sandbox::LOCATION, "entries": 1, "tables": {"contacts": {"rows": 1, "files": files}},
    });
    std::fs::write(world.path("out/manifest.json"), manifest.to_string()).unwrap();
    let done = world.run_command(&format!("{EXPORT} --json --replace")).exits(0);
    let warned = |event: &Value| event["code"] == "manifest_names_ignored";
    assert!(done.events().iter().any(warned), "{:?}", done.events());
    assert_eq!(std::fs::read_to_string(&outside).unwrap(), "outside");
    for name in inside {
        assert!(world.path("out").join(name).exists(), "{name}");
    }
    assert!(!world.path("out/contacts.csv").exists(), "an old export's own file goes");
}

#[test]
#[cfg(unix)]
fn a_pipe_in_place_of_a_mapping_or_a_configuration_is_refused() {
    let world = World::new();
    world.write_sheet("in.csv", "Email\na@example.com\n");
    std::fs::create_dir(world.path("config")).unwrap();
    for pipe in ["map.toml", "config/config.toml"] {
        let made = std::process::Command::new("mkfifo").arg(world.path(pipe)).status().unwrap();
        assert!(made.success());
    }
    let not_a_file = "it is a pipe or a device, not a file";
    world.run_command("import in.csv --map map.toml --dry-run").exits(2).says(not_a_file);
    let config = world.path("config").display().to_string();
    let world = world.with_env("GHL_BULK_CONFIG", &config);
    world.run_command("import in.csv --dry-run").exits(2).says(not_a_file);
}
