//! Runs whose database has lost rows although SQLite finds it sound: every command that uses them says that the run is
//! damaged, and nothing is sent.

use rusqlite::Connection;
use serde_json::json;

use crate::import_world::empty_world;
use crate::running_command::RunningCommand;
use crate::world::{CommandOutput, World};

const SHEET: &str = "Email,City,Notes\n\
    ada@example.com,London,met at the fair\n\
    bob@example.com,Paris,\n\
    cid@example,Rome,\n";

/// A world with an import of three rows, one of them rejected, that has ended.
fn finished_import() -> World {
    let world = empty_world();
    world.write_sheet("in.csv", SHEET);
    world.run_import("").exits(3);
    world
}

/// A world with an import that was killed while it sent.
fn killed_import() -> World {
    let world = empty_world().with_env("GHL_BULK_SETTLE_S", "0.3");
    world.write_sheet("in.csv", SHEET);
    world.control_request("POST", "faults", &json!(["POST /contacts/ hold times=1 after=1"]));
    let command = "import in.csv --yes --out res --concurrency 1";
    let import = RunningCommand::start(&world, command);
    world.get_control("held?at_least=1");
    import.kill();
    world.control_request("DELETE", "faults", &serde_json::Value::Null);
    world
}

/// Changes the database of a run as damage would that SQLite does not notice.
#[track_caller]
fn change_run(world: &World, run: &str, sql: &str) {
    let path = world.path(&format!("home/runs/{run}/run.db"));
    let connection = Connection::open(path).unwrap();
    assert_eq!(connection.execute(sql, []).unwrap(), 1, "{sql}");
}

fn run_on(world: &World, command: &str, run: &str) -> CommandOutput {
    world.run_command(&command.replace("RUN", run))
}

#[test]
fn a_finished_import_that_has_lost_a_row_is_damaged_for_every_command() {
    for (sql, lost) in [
        ("DELETE FROM decision WHERE n = 2", "1 of the 3 decisions of its plan is missing"),
        ("DELETE FROM row WHERE n = 1", "1 of the 3 rows of its plan is missing"),
        ("UPDATE decision SET n = 9 WHERE n = 2", "its plan has other decisions than were stored"),
        ("DELETE FROM op WHERE id = 1", "1 of the 3 writes of its plan is missing"),
        ("DELETE FROM standing WHERE op = 2", "it has the states of 2 of its 3 writes"),
        ("DELETE FROM attempt WHERE op = 2", "it has 2 of its 3 attempts to send a write"),
        ("DELETE FROM meta WHERE key = 'policy'", "its fact `policy` is missing"),
    ] {
        let world = finished_import();
        let run = world.only_run_id();
        change_run(&world, &run, sql);
        let before = world.list_writes().len();
        for command in ["resume RUN", "undo RUN --yes", "runs show RUN", "runs results RUN"] {
            run_on(&world, command, &run).exits(12).says(lost);
        }
        assert_eq!(world.list_writes().len(), before, "{sql}");
    }
}

#[test]
fn a_killed_import_that_has_lost_a_row_sends_nothing_more() {
    for (sql, lost) in [
        ("DELETE FROM decision WHERE n = 2", "1 of the 3 decisions of its plan is missing"),
        ("DELETE FROM row WHERE n = 2", "1 of the 3 rows of its plan is missing"),
    ] {
        let world = killed_import();
        let run = world.only_run_id();
        change_run(&world, &run, sql);
        let before = world.list_writes().len();
        for command in
            ["resume RUN", "resume RUN --reconcile", "resume RUN --adopt", "runs show RUN"]
        {
            run_on(&world, command, &run).exits(12).says(lost);
        }
        assert_eq!(world.list_writes().len(), before, "{sql}");
    }
}

#[test]
fn a_killed_import_that_has_lost_nothing_is_resumed() {
    let world = killed_import();
    run_on(&world, "resume RUN", &world.only_run_id()).exits(3);
    assert_eq!(world.read_contacts().len(), 2);
    run_on(&world, "runs show RUN", &world.only_run_id()).exits(0);
}

#[test]
fn a_plan_that_has_lost_a_row_is_not_applied() {
    let world = empty_world();
    world.write_sheet("in.csv", SHEET);
    world.run_import("--dry-run").exits(3);
    let run = world.only_run_id();
    change_run(&world, &run, "DELETE FROM decision WHERE n = 1");
    run_on(&world, "apply RUN --yes", &run)
        .exits(12)
        .says("1 of the 3 decisions of its plan is missing");
    assert_eq!(world.read_contacts().len(), 0);
}

#[test]
fn an_undo_that_has_lost_a_row_is_damaged() {
    let world = finished_import();
    world.run_command(&format!("undo {} --yes --out undone", world.only_run_id())).exits(0);
    let undo = world.last_run("undo");
    change_run(&world, &undo, "DELETE FROM decision WHERE n = 1");
    for command in ["runs show RUN", "runs results RUN"] {
        run_on(&world, command, &undo).exits(12).says("decisions of its plan is missing");
    }
}

#[test]
fn an_import_does_not_rely_on_an_earlier_run_that_has_lost_a_write() {
    let world = finished_import();
    change_run(&world, &world.only_run_id(), "DELETE FROM op WHERE id = 2");
    world.run_command("import in.csv --dry-run --out plan");
    let warnings = std::fs::read_to_string(world.path("plan/warnings.csv")).unwrap();
    assert!(warnings.contains("writes of its plan is missing"), "{warnings}");
}

#[test]
fn an_export_that_has_lost_a_response_or_a_failure_is_damaged() {
    for (sql, lost) in [
        (
            "DELETE FROM failure WHERE subject = (SELECT min(subject) FROM failure)",
            "it has 8 of its 9 unreadable records",
        ),
        ("DELETE FROM entry WHERE seq = 3", "of its"),
        ("DELETE FROM stream WHERE name = 'contacts'", "of its"),
        ("DELETE FROM meta WHERE key = 'requests'", "its fact `requests` is missing"),
    ] {
        let world = World::with_faults(&["GET /contacts/*/notes status=422 times=9"]);
        world.run_command("export --format jsonl --out out").exits(3);
        let run = world.only_run_id();
        change_run(&world, &run, sql);
        for command in [
            "runs show RUN",
            "runs publish RUN --format jsonl --out again",
            "resume RUN --retry-errors",
        ] {
            run_on(&world, command, &run).exits(12).says(lost);
        }
        assert!(!world.path("again").exists(), "{sql}");
    }
}
