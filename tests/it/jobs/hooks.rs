//! Hooks: commands of the user's around a job.

use std::fs;

use serde_json::{Value, json};

use crate::running_command::RunningCommand;
use crate::world::World;

/// A script that appends its name, the job's code and the failed step to `hooks.log`, and keeps what it was given.
fn record(world: &World, name: &str) -> String {
    let dir = world.path("").display().to_string();
    world.write_script(
        name,
        &format!(
            "cat > {dir}/{name}.json\nenv | grep -c 'GHL_TOKEN=' > {dir}/{name}.secrets\n\
             echo {name} $GHL_BULK_JOB $GHL_BULK_EXIT $GHL_BULK_STEP $GHL_BULK_LOCATIONS >> {dir}/hooks.log"
        ),
    )
}

fn hooked_world(more: &str) -> World {
    let world = World::new();
    let hooks = ["before", "success", "failure", "finally"];
    let hooks = hooks.map(|name| format!("{name} = [[\"{}\"]]", record(&world, name)));
    world.with_job(&format!("steps = [\"sync\"]\nhooks = {{ {} }}\n{more}", hooks.join(", ")))
}

fn hooks_log(world: &World) -> String {
    fs::read_to_string(world.path("hooks.log")).unwrap_or_default()
}

#[test]
fn hooks_run_around_a_job_that_succeeds_and_get_its_summary_but_no_secrets() {
    let world = hooked_world("");
    world.run_command("job run nightly").exits(0);
    assert_eq!(hooks_log(&world), "before nightly 0 0\nsuccess nightly 0 1\nfinally nightly 0 1\n");
    let given = world.read_json("finally.json");
    assert_eq!((&given["job"], &given["exit_code"]), (&json!("nightly"), &json!(0)));
    for hook in ["before", "success", "finally"] {
        assert_eq!(fs::read_to_string(world.path(&format!("{hook}.secrets"))).unwrap(), "0\n");
    }
}

#[test]
fn a_failure_is_reported_to_its_hook() {
    let world = hooked_world("");
    world.control_request("POST", "faults", &json!(["POST /contacts/search status=403"]));
    world.run_command("job run nightly").exits(2);
    let log = hooks_log(&world);
    assert_eq!(log, "before nightly 0 0\nfailure nightly 2 sync 0\nfinally nightly 2 sync 0\n");
}

#[test]
fn a_hook_before_the_job_that_fails_prevents_it() {
    let world = World::new();
    let (fails, finally) =
        (world.write_script("fails", "echo no disk >&2; exit 1"), record(&world, "finally"));
    let world = world.with_job(&format!(
        "steps = [\"sync\"]\nhooks = {{ before = [[\"{fails}\"]], finally = [[\"{finally}\"]] }}"
    ));
    let done = world.run_command("job run nightly").exits(2);
    done.says("job `nightly` did not begin: the hook `")
        .says("of `before` failed: it ended with code 1: no disk");
    assert_eq!(world.get_control("log")["requests"], 0);
    assert_eq!(hooks_log(&world), "finally nightly 2 0\n");
}

#[test]
fn a_hook_that_says_not_now_ends_the_job_quietly() {
    let world = World::new();
    let (later, finally) = (world.write_script("later", "exit 75"), record(&world, "finally"));
    let world = world.with_job(&format!(
        "steps = [\"sync\"]\nhooks = {{ before = [[\"{later}\"]], finally = [[\"{finally}\"]] }}"
    ));
    world.run_command("job run nightly").exits(0).says("nothing to do now");
    assert_eq!(hooks_log(&world), "");
    assert_eq!(world.job_log().last().unwrap()["outcome"], "nothing");
}

#[test]
fn other_hooks_that_fail_or_hang_are_warnings() {
    let world = World::new();
    let (hangs, fails) =
        (world.write_script("hangs", "sleep 600"), world.write_script("fails", "exit 3"));
    let world = world.with_job(&format!(
        "steps = [\"sync\"]\nhook_timeout = \"100ms\"\n\
         hooks = {{ success = [[\"{hangs}\"], [\"{fails}\"], [\"/no/such/program\"]] }}"
    ));
    let done = world.run_command("job run nightly").exits(0);
    done.says("took longer than 0.1 s and was killed")
        .says("it ended with code 3")
        .says("cannot be started");
    let incidents = |event: &&Value| event["code"] == "job_incident";
    assert_eq!(world.job_log().iter().filter(incidents).count(), 3);
}

#[test]
fn hooks_run_when_the_job_is_terminated_or_has_a_fault() {
    let world = hooked_world("");
    world.control_request("POST", "faults", &json!(["POST /contacts/search hold times=1"]));
    let job = RunningCommand::start(&world, "job run nightly");
    world.get_control("held?at_least=1");
    job.send_signal("TERM");
    world.control_request("POST", "release", &Value::Null);
    job.wait_for_exit().exits(143);
    assert!(hooks_log(&world).contains("failure nightly 143"), "{}", hooks_log(&world));
    let world = world.with_env("GHL_BULK_FAILPOINT", "job_fault");
    world.run_command("job run nightly").exits(1);
    let log = hooks_log(&world);
    assert!(log.contains("failure nightly 1") && log.ends_with("finally nightly 1 0\n"), "{log}");
}
