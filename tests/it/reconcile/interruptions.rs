//! Imports that stop early for some reason: nothing is lost, and `resume` finishes them.

use std::process::Command;

use serde_json::{Value, json};

use super::{all_once, calm, people, sent, world};
use crate::running_command::RunningCommand;
use crate::world::World;

const MANY: usize = 24;

/// Resumes, and asserts that everything is there once.
#[track_caller]
fn goes_on(world: &World) {
    calm(world);
    world.run_command("resume").exits(0);
    all_once(world, MANY);
    assert_eq!(world.count_results(), [MANY, 0, 0, 0, 0]);
    world.run_command(&format!("resume {}", world.only_run_id())).exits(0).says("nothing to do");
}

#[test]
fn a_token_that_lacks_or_loses_its_scopes_stops_the_import_and_nothing_is_lost() {
    let said = |status: u16, message: &str| {
        let body = json!({ "statusCode": status, "message": message });
        format!("status={status} after=5 body={body}")
    };
    for fault in [
        "POST /contacts/ token-expired after=5".to_owned(),
        format!(
            "POST /contacts/*/notes {}",
            said(401, "The token is not authorized for this scope.")
        ),
        format!(
            "POST /contacts/ {}",
            said(403, "The token does not have access to this location.")
        ),
    ] {
        let world = world(&[&fault]);
        world.write_sheet("in.csv", &people(MANY));
        world.run_import("--concurrency 4").exits(8).says("ghl-bulk resume");
        let [succeeded, _, rejected, _, pending] = world.count_results();
        assert!(
            succeeded + pending == MANY && rejected == 0,
            "{fault}: {:?}",
            world.count_results()
        );
        goes_on(&world);
    }
}

#[test]
fn a_used_up_daily_quota_pauses_the_import_and_nothing_is_lost() {
    let world = world(&[]);
    world.control_request("POST", "settings", &json!({ "limit": "1000/1s/30" }));
    world.write_sheet("in.csv", &people(MANY));
    world.run_import("").exits(9).says("ghl-bulk resume");
    assert_eq!(world.count_results().iter().sum::<usize>(), MANY);
    assert!(world.count_results()[4] > 0);
    world.control_request("POST", "settings", &json!({ "limit": "none" }));
    goes_on(&world);
}

#[test]
fn ctrl_c_settles_what_is_in_flight_and_resume_does_the_rest() {
    let world = world(&["POST /contacts/ hold times=4 after=4"]);
    world.write_sheet("in.csv", &people(MANY));
    let mut import = RunningCommand::start(&world, "import in.csv --yes --out res --concurrency 4");
    world.get_control("held?at_least=4");
    import.send_signal("INT");
    import.wait_for_stderr("stopping");
    calm(&world);
    import.wait_for_exit().exits(130).says("ghl-bulk resume");
    let created = world.read_contacts().len();
    assert!((4..MANY).contains(&created), "{created}");
    assert_eq!(world.count_results().iter().sum::<usize>(), MANY);
    world.control_request("DELETE", "log", &Value::Null);
    goes_on(&world);
    assert_eq!(sent(&world, "POST /contacts/"), MANY - created);
}

#[test]
fn ctrl_c_stops_a_lookup_and_resume_continues_it() {
    let world = world(&["POST /contacts/ drop=after times=3"]).with_env("GHL_BULK_SETTLE_S", "600");
    world.write_sheet("in.csv", &people(3));
    let mut import =
        RunningCommand::start(&world, "import in.csv --yes --out res --progress plain");
    import.wait_for_stderr("waiting");
    import.send_signal("INT");
    import.wait_for_exit().exits(130);
    assert_eq!(world.count_results(), [0, 0, 0, 0, 3]);
    let world = world.with_env("GHL_BULK_SETTLE_S", "0.3");
    world.run_command("resume").exits(0);
    all_once(&world, 3);
    assert_eq!(sent(&world, "POST /contacts/"), 3);
}

/// Applies the plan under a shell that lets no file grow beyond so many bytes.
fn apply_with_room(world: &World, bytes: u64) -> (Option<i32>, String) {
    let shell = format!(
        "trap '' XFSZ; ulimit -f {}; exec '{}' apply {} --yes --concurrency 1",
        bytes.div_ceil(512),
        env!("CARGO_BIN_EXE_ghl-bulk"),
        world.only_run_id()
    );
    let bare = world.command("");
    let env = bare.get_envs().filter_map(|(key, value)| Some((key, value?)));
    let mut command = Command::new("sh");
    command.args(["-c", &shell]).env_clear().envs(env).current_dir(world.path("."));
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_full_disk_stops_the_import_before_an_unrecorded_request() {
    let world = world(&[]);
    world.write_sheet("in.csv", &people(MANY));
    world.run_command("import in.csv --dry-run --out res").exits(0);
    let db = world.path(&format!("home/runs/{}/run.db", world.only_run_id()));
    let room = std::fs::metadata(&db).unwrap().len() + (80 << 10);
    let (code, said) = apply_with_room(&world, room);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("run.db"), "{said}");
    let created = world.read_contacts().len();
    assert!((1..MANY).contains(&created), "{created} were created: {said}");
    let connection = rusqlite::Connection::open(&db).unwrap();
    let count = "SELECT count(*) FROM attempt";
    let intents: u32 = connection.query_row(count, [], |row| row.get(0)).unwrap();
    drop(connection);
    let writes = world.list_writes().len();
    assert!(intents as usize >= writes, "{writes} were sent, {intents} were written down: {said}");
    goes_on(&world);
}

#[test]
fn a_plan_that_was_stored_but_not_marked_complete_is_planned_again() {
    let world = world(&[]);
    world.write_sheet("in.csv", &people(MANY));
    world.run_command("import in.csv --dry-run --out res").exits(0);
    let db = world.path(&format!("home/runs/{}/run.db", world.only_run_id()));
    // As a process leaves it that dies between the two.
    let connection = rusqlite::Connection::open(db).unwrap();
    let forgotten =
        connection.execute("DELETE FROM meta WHERE key IN ('stage', 'summary', 'facts')", []);
    assert_eq!(forgotten.unwrap(), 3);
    drop(connection);
    world.run_command(&format!("apply {} --yes", world.only_run_id())).exits(0);
    assert_eq!(world.read_contacts().len(), MANY);
}
