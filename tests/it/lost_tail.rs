//! Runs that have lost their last writes, or that are copies: nothing is sent before every write that may have been
//! sent is looked up.

use std::fs;
use std::path::Path;

use crate::import_world::empty_world;
use crate::running_command::RunningCommand;
use crate::world::World;

const ROWS: usize = 12;

/// A world with an import of new contacts with a note and a task each, killed when some are written.
fn killed_import() -> World {
    let world = empty_world().with_env("GHL_BULK_SETTLE_S", "0.3");
    write_input(&world);
    let fault = serde_json::json!(["POST /contacts/*/notes hold times=1 after=5"]);
    world.control_request("POST", "faults", &fault);
    let import = RunningCommand::start(
        &world,
        "import in.csv --map map.toml --yes --out res --concurrency 2",
    );
    world.get_control("held?at_least=1");
    import.kill();
    world.control_request("DELETE", "faults", &serde_json::Value::Null);
    world
}

const MAPPING: &str = r#"format = 1
[[column]]
from = "First"
to = "firstName"
[[column]]
from = "Email"
to = "email"
[[column]]
from = "Note"
to = "note"
[[column]]
from = "Task"
to = "task.title"
[[column]]
from = "Due"
to = "task.dueDate"
"#;

fn write_input(world: &World) {
    let row = |n| format!("Person{n},p{n}@example.com,Note {n},Call {n},2027-02-03\n");
    let rows: String = (0..ROWS).map(row).collect();
    world.write_sheet("in.csv", &format!("First,Email,Note,Task,Due\n{rows}"));
    world.write_sheet("map.toml", MAPPING);
}

/// Everybody is there once, with one note and one task.
#[track_caller]
fn assert_each_once(world: &World) {
    let contacts = world.read_contacts();
    assert_eq!(contacts.len(), ROWS);
    for person in &contacts {
        let count = |list: &str| person[list].as_array().unwrap().len();
        assert_eq!((count("notes"), count("tasks")), (1, 1), "{person}");
    }
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn an_import_that_has_lost_its_write_ahead_log_sends_nothing_until_it_is_reconciled() {
    let world = killed_import();
    let run = world.only_run_id();
    fs::remove_file(world.path(&format!("home/runs/{run}/run.db-wal"))).unwrap();
    let writes = world.list_writes().len();
    for command in ["resume", "undo RUN --yes", "resume RUN --yes", "runs results RUN"] {
        world
            .run_command(&command.replace("RUN", &run))
            .exits(12)
            .says("has lost its last writes")
            .says(&format!("`ghl-bulk resume {run} --reconcile` looks up every write"));
    }
    assert_eq!(world.list_writes().len(), writes);
    world
        .run_command(&format!("resume {run} --reconcile"))
        .exits(0)
        .says("that run.db had lost: each is looked up first");
    assert_each_once(&world);
    assert_eq!(world.count_results(), [ROWS, 0, 0, 0, 0]);
}

#[test]
fn an_import_whose_intent_log_is_damaged_looks_up_everything_that_may_have_been_sent() {
    let world = killed_import();
    let run = world.only_run_id();
    let log = world.path(&format!("home/runs/{run}/intents-1.log"));
    let mut bytes = fs::read(&log).unwrap();
    bytes[40] ^= 1;
    fs::write(&log, bytes).unwrap();
    world.run_command("resume").exits(12).says("may have lost its last writes");
    let done = world.run_command(&format!("resume {run} --reconcile")).exits(0);
    done.says("that may have been sent: each is looked up first");
    assert_each_once(&world);
}

#[test]
fn a_copied_import_is_refused_until_it_is_adopted_and_then_sends_nothing_twice() {
    let world = killed_import();
    let run = world.only_run_id();
    copy_dir(&world.path(&format!("home/runs/{run}")), &world.path(&format!("home2/runs/{run}")));
    world.run_command("resume").exits(0);
    let writes = world.list_writes().len();
    let home2 = world.path("home2").display().to_string();
    let world = world.with_env("GHL_BULK_HOME", &home2);
    for command in ["resume --yes", "apply RUN --yes --adopt", "resume RUN --yes --reconcile"] {
        let refused = world.run_command(&command.replace("RUN", &run));
        if command.starts_with("apply") {
            refused.exits(2);
            continue;
        }
        refused
            .exits(5)
            .says("it may be a copy, and the original may go on")
            .says(&format!("`ghl-bulk resume {run} --adopt`"));
    }
    world.run_command(&format!("resume {run} --adopt")).exits(0);
    assert_each_once(&world);
    assert_eq!(world.list_writes().len(), writes);
    assert_eq!(world.count_results(), [ROWS, 0, 0, 0, 0]);
}

#[test]
fn an_import_restored_from_a_backup_is_refused_although_it_is_in_its_place() {
    let world = killed_import();
    let run = world.only_run_id();
    let (dir, backup) = (world.path(&format!("home/runs/{run}")), world.path("backup"));
    copy_dir(&dir, &backup);
    world.run_command("resume").exits(0);
    let writes = world.list_writes().len();
    fs::remove_dir_all(&dir).unwrap();
    copy_dir(&backup, &dir);
    world.run_command("resume").exits(5).says("its file has been replaced since");
    world.run_command(&format!("resume {run} --adopt")).exits(0);
    assert_eq!(world.list_writes().len(), writes);
    assert_each_once(&world);
}

#[test]
fn an_adopted_update_does_not_overwrite_what_was_edited_since() {
    let world = empty_world().with_env("GHL_BULK_SETTLE_S", "0.3");
    let contacts: Vec<_> = (0..4)
        .map(|n| serde_json::json!({"firstName": "Ann", "email": format!("p{n}@example.com"), "city": "Rome"}))
        .collect();
    let ids = world.add_contacts(&contacts);
    world.write_sheet(
        "in.csv",
        "Email,City\np0@example.com,Paris\np1@example.com,Paris\np2@example.com,Paris\np3@example.com,Paris\n",
    );
    let fault = serde_json::json!(["PUT /contacts/* hold times=1"]);
    world.control_request("POST", "faults", &fault);
    let import = RunningCommand::start(&world, "import in.csv --yes --out res --concurrency 1");
    world.get_control("held?at_least=1");
    import.kill();
    world.control_request("DELETE", "faults", &serde_json::Value::Null);
    let run = world.only_run_id();
    let (dir, copy) = (world.path(&format!("home/runs/{run}")), world.path("copy"));
    copy_dir(&dir, &copy);
    world.run_command("resume").exits(0);
    let edited = serde_json::json!({"city": "Oslo"});
    world.control_request("PUT", &format!("contacts/{}", ids[3]), &edited);
    fs::remove_dir_all(&dir).unwrap();
    copy_dir(&copy, &dir);
    world.run_command(&format!("resume {run} --adopt")).exits(3);
    assert_eq!(world.contact_by_id(&ids[3])["contact"]["city"], "Oslo");
    assert_eq!(world.contact_by_id(&ids[0])["contact"]["city"], "Paris");
}

#[test]
fn a_kill_while_a_run_is_being_created_leaves_no_run_and_is_swept_by_the_next() {
    let world = empty_world().with_env("GHL_BULK_FAILPOINT", "during_creation");
    write_input(&world);
    for command in ["import in.csv --map map.toml --yes --out res", "export --out out"] {
        assert_eq!(world.run_command(command).code, -1, "killed");
        assert_eq!(world.try_only_run_id(), None);
    }
    let world = world.without_env("GHL_BULK_FAILPOINT");
    world.run_command("resume").exits(10);
    world.run_command("runs list --json").exits(0);
    world.run_command("import in.csv --map map.toml --yes --out res").exits(0);
    assert_eq!(world.list_files("home/runs"), [world.only_run_id()]);
    assert_each_once(&world);
}

#[test]
fn what_a_killed_export_was_writing_is_removed_by_the_next_one_and_nothing_else_is() {
    let world = World::with_faults(&["GET /contacts/*/notes hold times=1 after=40"]);
    let export = RunningCommand::start(&world, "export --format jsonl --out out");
    world.get_control("held?at_least=1");
    export.kill();
    world.control_request("DELETE", "faults", &serde_json::Value::Null);
    let staging = format!(".out.{}.partial", world.only_run_id());
    assert!(world.path(&staging).exists());
    let others = [".out.backup.partial", ".other.20261130-101112-abcd.partial"];
    for other in others {
        fs::create_dir(world.path(other)).unwrap();
    }
    world.run_command("export --format jsonl --out out").exits(0);
    assert!(!world.path(&staging).exists());
    assert!(others.iter().all(|other| world.path(other).exists()));
}
