//! Numbers in headers that cannot be right, and waits that are longer than a person's patience.

use serde_json::{Value, json};

use crate::altered_answers::alter_answers;
use crate::export_files::ExportFiles;
use crate::running_command::RunningCommand;
use crate::world::{CommandOutput, World};

const EXPORT: &str = "export --format jsonl --out out";

/// The most memory that a process had so far, in megabytes, where the system reports it.
fn peak_memory(process: &RunningCommand) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

fn warnings(done: &CommandOutput, code: &str) -> Vec<Value> {
    let events = done.events().into_iter();
    events.filter(|event| event["event"] == "warning" && event["code"] == code).collect()
}

/// Every answer has this header: the export is the same as without it, and one warning names it.
#[track_caller]
fn ignores_header(name: &'static str, value: &'static str) {
    let world = alter_answers(World::new(), move |_, answer| answer.set_header(name, value));
    let done = world.run_command(&format!("{EXPORT} --json")).exits(0);
    let warned = warnings(&done, "header_ignored");
    assert_eq!(warned.len(), 1, "{warned:?}");
    let message = warned[0]["message"].as_str().unwrap();
    assert!(message.contains(&format!("`{name}: {value}`")), "{message}");
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn a_limit_that_no_api_has_is_ignored_with_one_warning() {
    ignores_header("x-ratelimit-max", "1000000000");
}

#[test]
fn a_limit_of_nothing_is_ignored_with_one_warning() {
    ignores_header("x-ratelimit-max", "0");
}

#[test]
fn a_window_of_weeks_is_ignored_with_one_warning() {
    ignores_header("x-ratelimit-interval-milliseconds", "18446744073709551615");
}

#[test]
fn a_daily_limit_beyond_reason_is_ignored_with_one_warning() {
    ignores_header("x-ratelimit-limit-daily", "18446744073709551615");
}

#[test]
fn a_reset_in_ten_thousand_years_is_ignored_with_one_warning() {
    ignores_header("x-ratelimit-daily-reset", "18446744073709551615");
}

#[test]
fn what_is_not_a_number_is_ignored_with_one_warning() {
    ignores_header("x-ratelimit-remaining", "many");
}

#[test]
fn no_number_in_a_header_sizes_memory() {
    let world = World::with_faults(&["GET /contacts/*/notes hold"]);
    let world = alter_answers(world, |_, answer| {
        answer.set_header("x-ratelimit-max", "100000000");
        answer.set_header("x-ratelimit-remaining", "0");
    });
    let export = RunningCommand::start(&world, EXPORT);
    world.get_control("held?at_least=1");
    let memory = peak_memory(&export);
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "release", &Value::Null);
    export.wait_for_exit().exits(0);
    assert!(memory.is_none_or(|megabytes| megabytes < 200), "{memory:?} MB");
}

#[test]
fn a_wait_of_hours_pauses_the_run_and_a_resume_goes_on() {
    let world = World::with_faults(&["GET /contacts/*/notes status=429 retry-after=36000 after=5"]);
    let done = world.run_command(EXPORT).exits(9);
    let done = done.says("asks to wait until").says("--wait").says("resume: ghl-bulk resume ");
    assert!(!done.stderr.contains("daily"), "{}", done.stderr);
    let listed = world.run_command("runs list").exits(0);
    assert!(listed.stdout.contains("paused"), "{}", listed.stdout);
    world.control_request("DELETE", "faults", &Value::Null);
    world.run_command("resume").exits(0);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn with_wait_a_wait_of_hours_is_slept_through_and_ctrl_c_ends_it() {
    let world = World::with_faults(&["GET /contacts/*/notes status=429 retry-after=36000 after=5"]);
    let mut export = RunningCommand::start(&world, &format!("{EXPORT} --wait"));
    export.wait_for_stderr("refused, waiting for the rate limit");
    export.send_signal("INT");
    export.wait_for_exit().exits(130).says("resume: ghl-bulk resume ");
}

#[test]
fn a_wait_may_be_given_as_a_date() {
    let world = World::with_settings(|settings| {
        settings.limit = "100/5s".parse().unwrap();
        settings.faults = vec!["POST /contacts/search status=429 times=1".parse().unwrap()];
    });
    let world = alter_answers(world, |_, answer| {
        if answer.status == 429 {
            answer.set_header("date", "Sun, 06 Nov 1994 08:49:37 GMT");
            answer.set_header("retry-after", "Sun, 06 Nov 1994 08:49:38 GMT");
        }
    });
    let done = world.run_command(&format!("{EXPORT} --json")).exits(0);
    let events = done.events();
    let waits: Vec<_> = events.iter().filter(|event| event["reason"] == "rate_limited").collect();
    assert_eq!(waits.len(), 1, "{waits:?}");
    assert_eq!(waits[0]["ms"], json!(1_000));
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn a_wait_of_a_year_is_no_wait_but_a_warning() {
    let world = World::with_settings(|settings| {
        settings.limit = "100/100ms".parse().unwrap();
        let fault = "POST /contacts/search status=429 retry-after=31536000 times=1";
        settings.faults = vec![fault.parse().unwrap()];
    });
    let done = world.run_command(&format!("{EXPORT} --json")).exits(0);
    assert_eq!(warnings(&done, "header_ignored").len(), 1);
}
