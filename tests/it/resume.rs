//! A run that ends early, and `ghl-bulk resume`: the result is that of an undisturbed run, and what
//! was stored is not asked for again.

use serde_json::Value;

use crate::export_files::{Files, assert_nothing_half_written, errors};
use crate::running_command::Process;
use crate::world::World;

const EXPORT: &str = "export --format jsonl --out out";

/// Kills an export where these faults hold it, and resumes it.
#[track_caller]
fn killed_where(contacts: usize, faults: &[&str]) {
    let world = World::with(|settings| {
        settings.contacts = contacts;
        settings.faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    });
    let export = Process::start(&world, EXPORT);
    world.ask(&format!("held?at_least={}", faults.len()));
    export.kill();
    assert!(!world.path("out").join("manifest.json").exists());
    world.control("DELETE", "faults", &Value::Null);
    resume_asks_only_for_what_is_missing(&world, contacts as u64);
    Files::undisturbed(contacts).assert_same(&Files::of(&world, "out"));
    assert_eq!(world.names("."), ["home", "out"], "a staging directory was left behind");
}

/// Resumes the only run, and compares what it asks for with what the spool says is missing.
#[track_caller]
fn resume_asks_only_for_what_is_missing(world: &World, contacts: u64) {
    let run = world.only_run();
    let shown = world.run(&format!("runs show {run} --json")).exits(0).summary();
    let stored = |name: &str| {
        let mut streams = shown["streams"].as_array().unwrap().iter();
        streams.find(|stream| stream["stream"] == name).cloned().unwrap_or_default()
    };
    world.control("DELETE", "log", &Value::Null);
    world.run("resume").exits(0);

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
    let log = world.ask("log");
    let entries = log["entries"].as_array().unwrap().iter();
    entries.map(|entry| entry["path"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn killed_while_the_metadata_is_asked_for_it_resumes_to_the_same_result() {
    killed_where(60, &["GET /users hold times=1"]);
}

#[test]
fn killed_while_the_first_page_is_asked_for_it_resumes_to_the_same_result() {
    killed_where(60, &["POST /contacts/search hold times=1"]);
}

#[test]
fn killed_while_the_first_page_is_answered_it_resumes_to_the_same_result() {
    killed_where(60, &["POST /contacts/search hold=after times=1"]);
}

#[test]
fn killed_at_the_first_task_search_it_resumes_to_the_same_result() {
    killed_where(60, &["POST /locations/*/tasks/search hold times=1"]);
}

#[test]
fn killed_at_the_second_task_search_it_resumes_to_the_same_result() {
    killed_where(1200, &["POST /locations/*/tasks/search hold times=1 after=1"]);
}

#[test]
fn killed_during_the_notes_of_page_one_while_page_two_is_asked_for_it_resumes_to_the_same_result() {
    let notes = "GET /contacts/*/notes hold times=1 after=3";
    killed_where(1200, &[notes, "POST /contacts/search hold times=1 after=1"]);
}

#[test]
fn killed_after_six_hundred_notes_it_resumes_to_the_same_result() {
    killed_where(1200, &["GET /contacts/*/notes hold times=1 after=600"]);
}

#[test]
fn killed_at_the_last_note_it_resumes_to_the_same_result() {
    killed_where(1200, &["GET /contacts/*/notes hold times=1 after=1199"]);
}

#[test]
fn page_two_is_asked_for_while_the_notes_of_page_one_run() {
    let world = World::with(|settings| {
        settings.contacts = 600;
        settings.faults = vec!["GET /contacts/*/notes hold".parse().unwrap()];
    });
    let export = Process::start(&world, EXPORT);
    world.ask("held?at_least=32");
    // The location, three lists, two searches for tasks, and two pages; no notes.
    world.ask("wait?requests=8");
    let asked = requests(&world);
    assert_eq!(asked.iter().filter(|path| *path == "/contacts/search").count(), 2, "{asked:?}");
    assert!(!asked.iter().any(|path| path.ends_with("/notes")), "{asked:?}");
    world.control("DELETE", "faults", &Value::Null);
    world.control("POST", "release", &Value::Null);
    export.end().exits(0);
}

#[test]
fn killed_again_and_again_at_any_request_it_ends_up_with_the_same_result() {
    let seed = 7;
    let mut chance = fastrand::Rng::with_seed(seed);
    let world = World::with(|settings| settings.contacts = 1200);
    let (mut served, mut command) = (0, EXPORT);
    // Fewer requests in all than an undisturbed export needs, so that none of these comes to its end.
    for longest in [12, 30, 330, 30, 330, 12, 330] {
        let process = Process::start(&world, command);
        served += chance.u64(1..=longest);
        let reached = world.ask(&format!("wait?requests={served}"));
        process.kill();
        served = reached["requests"].as_u64().unwrap();
        assert!(!world.path("out/manifest.json").exists(), "seed {seed}");
        command = if world.path("home/runs").exists() { "resume" } else { EXPORT };
    }
    world.run("resume").exits(0);
    Files::undisturbed(1200).assert_same(&Files::of(&world, "out"));
}

#[test]
fn killed_while_publishing_it_leaves_the_old_export_or_the_new_one_and_resumes() {
    let world = World::new();
    for killed_after in 1..=6 {
        let mut export = Process::start(&world, &format!("{EXPORT} --json"));
        for _ in 0..killed_after {
            export.until_it_tells(r#""event":"written""#);
        }
        export.signal("KILL");
        export.end();
        assert_nothing_half_written(&world, "out");
        let run = world.only_run();
        world.run(&format!("resume {run}")).exits(0);
        Files::undisturbed(60).assert_same(&Files::of(&world, "out"));
        assert_eq!(world.names("."), ["home", "out"]);
        world.run(&format!("runs rm {run}")).exits(0);
    }
}

#[test]
fn ctrl_c_stores_what_is_in_flight_and_prints_the_resume_command() {
    let world = World::faulty(&["GET /contacts/*/notes hold after=20"]);
    let mut export = Process::start(&world, EXPORT);
    world.ask("held?at_least=32");
    export.signal("INT");
    export.until_it_says("stopping: finishing the requests in flight");
    world.control("POST", "release", &Value::Null);
    let run = world.only_run();
    export.end().exits(130).says(&format!("resume: ghl-bulk resume {run}"));
    assert!(!world.path("out").exists());
    world.control("DELETE", "faults", &Value::Null);
    resume_asks_only_for_what_is_missing(&world, 60);
    // The twenty that were answered and the thirty-two in flight were stored.
    let asked = requests(&world);
    assert_eq!(asked.iter().filter(|path| path.ends_with("/notes")).count(), 8, "{asked:?}");
    Files::undisturbed(60).assert_same(&Files::of(&world, "out"));
}

#[test]
fn sigterm_ends_it_like_ctrl_c_with_a_code_of_its_own() {
    let world = World::faulty(&["GET /contacts/*/notes hold after=20"]);
    let mut export = Process::start(&world, EXPORT);
    world.ask("held?at_least=32");
    export.signal("TERM");
    export.until_it_says("stopping");
    world.control("DELETE", "faults", &Value::Null);
    world.control("POST", "release", &Value::Null);
    export.end().exits(143).says("resume: ghl-bulk resume ");
    world.run("resume").exits(0);
    Files::undisturbed(60).assert_same(&Files::of(&world, "out"));
}

#[test]
fn a_second_ctrl_c_leaves_at_once_and_the_run_resumes() {
    let world = World::faulty(&["GET /contacts/*/notes hold times=1 after=20"]);
    let mut export = Process::start(&world, EXPORT);
    world.ask("held?at_least=1");
    export.signal("INT");
    export.until_it_says("press Ctrl-C again to quit now");
    export.signal("INT");
    // Nothing is released: whoever waited for the held request would never end.
    export.end().exits(130);
    world.control("DELETE", "faults", &Value::Null);
    world.run("resume").exits(0);
    Files::undisturbed(60).assert_same(&Files::of(&world, "out"));
}

#[test]
fn with_json_an_interrupted_run_ends_in_a_summary_with_its_resume_command() {
    let world = World::faulty(&["GET /contacts/*/notes hold after=20"]);
    let export = Process::start(&world, &format!("{EXPORT} --json --timeout 0.3"));
    world.ask("held?at_least=1");
    export.signal("INT");
    let summary = export.end().exits(130).summary();
    assert_eq!(summary["exit_code"], 130);
    assert_eq!(summary["resume"], format!("ghl-bulk resume {}", world.only_run()));
}

#[test]
fn retry_errors_asks_for_just_what_failed_and_completes_the_export() {
    let world = World::faulty(&["GET /contacts/*/notes status=422 times=3"]);
    world.run(EXPORT).exits(3).says("resume");
    assert_eq!(errors(&world, "out").len(), 3);
    assert_eq!(world.json("out/manifest.json")["complete"], false);
    let run = world.only_run();
    world.control("DELETE", "log", &Value::Null);
    world.run(&format!("resume {run} --retry-errors")).exits(0);
    let asked = requests(&world);
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(asked.iter().all(|path| path.ends_with("/notes")), "{asked:?}");
    assert_eq!(world.json("out/manifest.json")["complete"], true);
    Files::undisturbed(60).assert_same(&Files::of(&world, "out"));
}

#[test]
fn what_fails_again_stays_in_errors_csv() {
    let world = World::new();
    let state = world.ask("state");
    let id = state["contacts"][7]["contact"]["id"].as_str().unwrap();
    let fault = format!("GET /contacts/{id}/notes status=422");
    world.control("POST", "faults", &serde_json::json!([fault]));
    world.run(EXPORT).exits(3);
    let before = Files::of(&world, "out").without(&["errors.csv"]);
    world.run("resume --retry-errors").exits(3);
    before.assert_same(&Files::of(&world, "out").without(&["errors.csv"]));
    let lines = errors(&world, "out");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["subject"], id);
}

#[test]
fn resuming_a_finished_run_has_nothing_to_do() {
    let world = World::new();
    world.run(EXPORT).exits(0);
    let run = world.only_run();
    world.control("DELETE", "log", &Value::Null);
    world.run(&format!("resume {run}")).exits(0).says("nothing to do");
    world.run("resume").exits(10).says("no run");
    assert_eq!(world.ask("log")["requests"], 0);
}

#[test]
fn a_run_in_progress_cannot_be_resumed_by_a_second_process() {
    let world = World::faulty(&["GET /contacts/*/notes hold times=1"]);
    let export = Process::start(&world, EXPORT);
    world.ask("held?at_least=1");
    world.run("resume").exits(11);
    world.control("POST", "release", &Value::Null);
    export.end().exits(0);
    Files::undisturbed(60).assert_same(&Files::of(&world, "out"));
}

#[test]
fn two_exports_into_one_directory_exclude_each_other() {
    let world = World::faulty(&["GET /contacts/*/notes hold times=1"]);
    let export = Process::start(&world, EXPORT);
    world.ask("held?at_least=1");
    let before = world.ask("log")["requests"].clone();
    world.run(EXPORT).exits(11).says("held by another process");
    world.only_run();
    assert!(world.ask("log")["requests"].as_u64() >= before.as_u64());
    world.control("POST", "release", &Value::Null);
    export.end().exits(0);
    Files::undisturbed(60).assert_same(&Files::of(&world, "out"));
}

#[test]
fn an_unfinished_export_leaves_the_older_one_alone() {
    let world = World::new();
    world.run(EXPORT).exits(0);
    let older = Files::of(&world, "out");
    let fault = serde_json::json!(["GET /contacts/*/notes hold times=1 after=9"]);
    world.control("POST", "faults", &fault);
    let export = Process::start(&world, &format!("{EXPORT} --with notes"));
    world.ask("held?at_least=1");
    export.kill();
    older.assert_same(&Files::of(&world, "out"));
    world.run("resume").exits(0);
    assert!(!world.path("out/tasks.jsonl").exists(), "the older export's tasks are still there");
}
