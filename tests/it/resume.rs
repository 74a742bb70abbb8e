//! Runs that end early, and `ghl-bulk resume`: the result is that of an uninterrupted run, and stored pages are not
//! requested again.

use serde_json::Value;

use crate::export_files::{ExportFiles, assert_nothing_half_written, read_errors_csv};
use crate::running_command::RunningCommand;
use crate::world::{World, short_id};

const EXPORT: &str = "export --format jsonl --out out --notes-by contact";

/// Kills an export where these faults hold it, and resumes it.
#[track_caller]
fn assert_resumes_after_kill(contacts: usize, faults: &[&str]) {
    let world = World::with_settings(|settings| {
        settings.contacts = contacts;
        settings.faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    });
    let export = RunningCommand::start(&world, EXPORT);
    world.get_control(&format!("held?at_least={}", faults.len()));
    export.kill();
    assert!(!world.path("out").join("manifest.json").exists());
    world.control_request("DELETE", "faults", &Value::Null);
    assert_resume_reads_only_the_rest(&world, contacts as u64);
    ExportFiles::of_undisturbed_export(contacts)
        .assert_same(&ExportFiles::read_from(&world, "out"));
    assert_eq!(world.list_files("."), ["home", "out"], "a staging directory was left behind");
}

/// Resumes the only run, and compares what it asks for with what the spool says is missing.
#[track_caller]
fn assert_resume_reads_only_the_rest(world: &World, contacts: u64) {
    let run = world.only_run_id();
    let shown = world.run_command(&format!("runs show {run} --json")).exits(0).summary();
    let stored = |name: &str| {
        let mut streams = shown["streams"].as_array().unwrap().iter();
        streams.find(|stream| stream["stream"] == name).cloned().unwrap_or_default()
    };
    world.control_request("DELETE", "log", &Value::Null);
    world.run_command("resume").exits(0);

    let asked = requests(world);
    let pages = (contacts - stored("contacts")["rows"].as_u64().unwrap_or(0)).div_ceil(500);
    let notes = contacts - stored("notes")["rows"].as_u64().unwrap_or(0);
    let count =
        |matches: fn(&str) -> bool| asked.iter().filter(|path| matches(path)).count() as u64;
    assert_eq!(count(|path| path == "/contacts/search"), pages);
    assert_eq!(count(|path| path.ends_with("/notes")), notes);
    for (stream, part) in
        [("custom_fields", "/customFields"), ("users", "/users/"), ("tags", "/tags")]
    {
        let missing = u64::from(stored(stream)["done"] != true);
        let times = asked.iter().filter(|path| path.contains(part)).count() as u64;
        assert_eq!(times, missing, "{stream}");
    }
}

fn requests(world: &World) -> Vec<String> {
    let log = world.get_control("log");
    let entries = log["entries"].as_array().unwrap().iter();
    entries.map(|entry| entry["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn killed_while_the_metadata_is_asked_for_it_resumes_to_the_same_result() {
    assert_resumes_after_kill(60, &["GET /users hold times=1"]);
}

#[test]
fn killed_while_the_first_page_is_asked_for_it_resumes_to_the_same_result() {
    assert_resumes_after_kill(60, &["POST /contacts/search hold times=1"]);
}

#[test]
fn killed_while_the_first_page_is_answered_it_resumes_to_the_same_result() {
    assert_resumes_after_kill(60, &["POST /contacts/search hold=after times=1"]);
}

#[test]
fn killed_at_the_first_task_search_it_resumes_to_the_same_result() {
    assert_resumes_after_kill(60, &["POST /locations/*/tasks/search hold times=1"]);
}

#[test]
fn killed_at_the_second_task_search_it_resumes_to_the_same_result() {
    assert_resumes_after_kill(1200, &["POST /locations/*/tasks/search hold times=1 after=1"]);
}

#[test]
fn killed_during_the_notes_of_page_one_while_page_two_is_asked_for_it_resumes_to_the_same_result() {
    let notes = "GET /contacts/*/notes hold times=1 after=3";
    assert_resumes_after_kill(1200, &[notes, "POST /contacts/search hold times=1 after=1"]);
}

#[test]
fn killed_after_six_hundred_notes_it_resumes_to_the_same_result() {
    assert_resumes_after_kill(1200, &["GET /contacts/*/notes hold times=1 after=600"]);
}

#[test]
fn killed_at_the_last_note_it_resumes_to_the_same_result() {
    assert_resumes_after_kill(1200, &["GET /contacts/*/notes hold times=1 after=1199"]);
}

#[test]
fn page_two_is_asked_for_while_the_notes_of_page_one_run() {
    let world = World::with_settings(|settings| {
        settings.contacts = 600;
        settings.faults = vec!["GET /contacts/*/notes hold".parse().unwrap()];
    });
    let export = RunningCommand::start(&world, EXPORT);
    world.get_control("held?at_least=32");
    // The location, three lists, two searches for tasks, and two pages; no notes.
    world.get_control("wait?requests=8");
    let asked = requests(&world);
    assert_eq!(asked.iter().filter(|path| *path == "/contacts/search").count(), 2, "{asked:?}");
    assert!(!asked.iter().any(|path| path.ends_with("/notes")), "{asked:?}");
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "release", &Value::Null);
    export.wait_for_exit().exits(0);
}

#[test]
fn killed_again_and_again_at_any_request_it_ends_up_with_the_same_result() {
    let seed = 7;
    let mut chance = fastrand::Rng::with_seed(seed);
    let world = World::with_settings(|settings| settings.contacts = 1200);
    let (mut served, mut command) = (0, EXPORT);
    // Fewer requests in all than an undisturbed export needs, so that none of these comes to its end.
    for longest in [12, 30, 330, 30, 330, 12, 330] {
        let process = RunningCommand::start(&world, command);
        served += chance.u64(1..=longest);
        let reached = world.get_control(&format!("wait?requests={served}"));
        process.kill();
        served = reached["requests"].as_u64().unwrap();
        assert!(!world.path("out/manifest.json").exists(), "seed {seed}");
        command = if world.path("home/runs").exists() { "resume" } else { EXPORT };
    }
    world.run_command("resume").exits(0);
    ExportFiles::of_undisturbed_export(1200).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn killed_while_publishing_it_leaves_the_old_export_or_the_new_one_and_resumes() {
    let world = World::new();
    for killed_after in 1..=6 {
        let mut export = RunningCommand::start(&world, &format!("{EXPORT} --json"));
        for _ in 0..killed_after {
            export.wait_for_stdout(r#""event":"written""#);
        }
        export.send_signal("KILL");
        export.wait_for_exit();
        assert_nothing_half_written(&world, "out");
        let run = world.only_run_id();
        world.run_command(&format!("resume {run}")).exits(0);
        ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
        assert_eq!(world.list_files("."), ["home", "out"]);
        world.run_command(&format!("runs rm {run}")).exits(0);
    }
}

#[test]
fn ctrl_c_stores_what_is_in_flight_and_prints_the_resume_command() {
    let world = World::with_faults(&["GET /contacts/*/notes hold after=20"]);
    let mut export = RunningCommand::start(&world, EXPORT);
    world.get_control("held?at_least=32");
    export.send_signal("INT");
    export.wait_for_stderr("stopping: finishing the requests in flight");
    world.control_request("POST", "release", &Value::Null);
    let run = world.only_run_id();
    export
        .wait_for_exit()
        .exits(130)
        .says(&format!("resume: ghl-bulk resume {}\n", short_id(&run)));
    assert!(!world.path("out").exists());
    world.control_request("DELETE", "faults", &Value::Null);
    assert_resume_reads_only_the_rest(&world, 60);
    // The twenty that were answered and the thirty-two in flight were stored.
    let asked = requests(&world);
    assert_eq!(asked.iter().filter(|path| path.ends_with("/notes")).count(), 8, "{asked:?}");
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn sigterm_ends_it_like_ctrl_c_with_a_code_of_its_own() {
    let world = World::with_faults(&["GET /contacts/*/notes hold after=20"]);
    let mut export = RunningCommand::start(&world, EXPORT);
    world.get_control("held?at_least=32");
    export.send_signal("TERM");
    export.wait_for_stderr("stopping");
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "release", &Value::Null);
    export.wait_for_exit().exits(143).says("resume: ghl-bulk resume ");
    world.run_command("resume").exits(0);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn a_closed_terminal_ends_it_in_order_except_after_nohup() {
    for (ignored, code) in [(false, 129), (true, 0)] {
        let world = World::with_faults(&["GET /contacts/*/notes hold after=20"]);
        let plain = world.command(EXPORT);
        let mut command = std::process::Command::new("/bin/sh");
        let trap = if ignored { "trap '' HUP; " } else { "" };
        command.arg("-c").arg(format!("{trap}exec \"$0\" \"$@\""));
        command.arg(plain.get_program()).args(plain.get_args()).env_clear();
        for (name, value) in plain.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        command.current_dir(plain.get_current_dir().unwrap());
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let export = RunningCommand::from_child(command.spawn().unwrap());
        world.get_control("held?at_least=32");
        // Nobody reads what it says any more.
        export.send_signal("HUP");
        world.control_request("DELETE", "faults", &Value::Null);
        world.control_request("POST", "release", &Value::Null);
        export.wait_for_exit().exits(code);
        if !ignored {
            let run = world.only_run_id();
            let shown = world.run_command(&format!("runs show {run}")).exits(0).stdout;
            assert!(shown.contains("the terminal was closed"), "{shown}");
            world.run_command("resume").exits(0);
        }
        ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
    }
}

#[test]
fn a_second_ctrl_c_leaves_at_once_and_the_run_resumes() {
    let world = World::with_faults(&["GET /contacts/*/notes hold times=1 after=20"]);
    let mut export = RunningCommand::start(&world, EXPORT);
    world.get_control("held?at_least=1");
    export.send_signal("INT");
    export.wait_for_stderr("press Ctrl-C again to quit now");
    export.send_signal("INT");
    // Nothing is released: waiting for the held request would never end.
    export.wait_for_exit().exits(130);
    world.control_request("DELETE", "faults", &Value::Null);
    world.run_command("resume").exits(0);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn with_json_an_interrupted_run_ends_in_a_summary_with_its_resume_command() {
    let world = World::with_faults(&["GET /contacts/*/notes hold after=20"]);
    let export = RunningCommand::start(&world, &format!("{EXPORT} --json --timeout 0.3"));
    world.get_control("held?at_least=1");
    export.send_signal("INT");
    let summary = export.wait_for_exit().exits(130).summary();
    assert_eq!(summary["exit_code"], 130);
    assert_eq!(summary["resume"], format!("ghl-bulk resume {}", world.only_run_id()));
}

#[test]
fn retry_errors_asks_for_just_what_failed_and_completes_the_export() {
    let world = World::with_faults(&["GET /contacts/*/notes status=422 times=3"]);
    world.run_command(EXPORT).exits(3).says("resume");
    assert_eq!(read_errors_csv(&world, "out").len(), 3);
    assert_eq!(world.read_json("out/manifest.json")["complete"], false);
    let run = world.only_run_id();
    world.control_request("DELETE", "log", &Value::Null);
    world.run_command(&format!("resume {run} --retry-errors")).exits(0);
    let asked = requests(&world);
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked.iter().all(|path| path.ends_with("/notes")), "{asked:?}");
    assert_eq!(world.read_json("out/manifest.json")["complete"], true);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn what_fails_again_stays_in_errors_csv() {
    let world = World::new();
    let state = world.get_control("state");
    let id = state["contacts"][7]["contact"]["id"].as_str().unwrap();
    let fault = format!("GET /contacts/{id}/notes status=422");
    world.control_request("POST", "faults", &serde_json::json!([fault]));
    world.run_command(EXPORT).exits(3);
    let before = ExportFiles::read_from(&world, "out").without_files(&["errors.csv"]);
    world.run_command("resume --retry-errors").exits(3);
    before.assert_same(&ExportFiles::read_from(&world, "out").without_files(&["errors.csv"]));
    let lines = read_errors_csv(&world, "out");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["subject"], id);
}

#[test]
fn resuming_a_finished_run_has_nothing_to_do() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    let run = world.only_run_id();
    world.control_request("DELETE", "log", &Value::Null);
    world.run_command(&format!("resume {run}")).exits(0).says("nothing to do");
    world.run_command("resume").exits(10).says("no run");
    assert_eq!(world.get_control("log")["requests"], 0);
}

#[test]
fn a_run_in_progress_cannot_be_resumed_by_a_second_process() {
    let world = World::with_faults(&["GET /contacts/*/notes hold times=1"]);
    let export = RunningCommand::start(&world, EXPORT);
    world.get_control("held?at_least=1");
    world.run_command("resume").exits(11);
    world.control_request("POST", "release", &Value::Null);
    export.wait_for_exit().exits(0);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn two_exports_into_one_directory_exclude_each_other() {
    let world = World::with_faults(&["GET /contacts/*/notes hold times=1"]);
    let export = RunningCommand::start(&world, EXPORT);
    world.get_control("held?at_least=1");
    let before = world.get_control("log")["requests"].clone();
    world.run_command(EXPORT).exits(11).says("is in use by run");
    world.only_run_id();
    assert!(world.get_control("log")["requests"].as_u64() >= before.as_u64());
    world.control_request("POST", "release", &Value::Null);
    export.wait_for_exit().exits(0);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn an_unfinished_export_leaves_the_older_one_alone() {
    let world = World::new();
    world.run_command(EXPORT).exits(0);
    let older = ExportFiles::read_from(&world, "out");
    let fault = serde_json::json!(["GET /contacts/*/notes hold times=1 after=9"]);
    world.control_request("POST", "faults", &fault);
    let export = RunningCommand::start(&world, &format!("{EXPORT} --with notes --replace"));
    world.get_control("held?at_least=1");
    export.kill();
    older.assert_same(&ExportFiles::read_from(&world, "out"));
    world.run_command("resume").exits(0);
    assert!(!world.path("out/tasks.jsonl").exists(), "the older export's tasks are still there");
}
