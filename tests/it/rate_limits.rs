//! Rate limits: the window is filled and never exceeded, and the daily quota is respected.

use serde_json::{Value, json};

use ghl_bulk::sandbox::BurstWindow;

use crate::export_files::ExportFiles;
use crate::running_command::RunningCommand;
use crate::world::World;

const EXPORT: &str = "export --format jsonl --out out";

fn limited(limit: &str) -> World {
    World::with_settings(|settings| settings.limit = limit.parse().unwrap())
}

/// An export under a limit is complete, meets no 429, and has filled the window at least once.
#[track_caller]
fn assert_fills_window(limit: &str, window: BurstWindow) {
    let limit: ghl_bulk::sandbox::LocationRateLimit = limit.parse().unwrap();
    let world =
        World::with_settings(|settings| (settings.limit, settings.window) = (limit, window));
    world.run_command(EXPORT).exits(0);
    let log = world.get_control("log");
    assert_eq!(log["refused"], 0, "{}", log["by_status"]);
    assert_eq!(log["most_in_window"].as_u64(), Some(u64::from(limit.requests)));
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn a_sliding_window_is_filled_without_a_refusal() {
    assert_fills_window("20/250ms", BurstWindow::Sliding);
}

#[test]
fn a_fixed_window_is_filled_without_a_refusal() {
    assert_fills_window("20/250ms", BurstWindow::Fixed);
}

#[test]
fn a_window_of_one_second_is_filled_without_a_refusal() {
    assert_fills_window("30/1s", BurstWindow::Sliding);
}

#[test]
fn a_fixed_window_of_one_second_is_filled_without_a_refusal() {
    assert_fills_window("40/1s", BurstWindow::Fixed);
}

#[test]
fn a_limit_of_one_request_at_a_time_is_respected() {
    assert_fills_window("1/10ms", BurstWindow::Sliding);
}

#[test]
fn a_second_run_leaves_room_for_what_the_first_has_used() {
    let world = limited("40/1s");
    world.run_command("export --format jsonl --out first --with none").exits(0);
    world.run_command("export --format jsonl --out first --with none").exits(0);
    world.run_command(EXPORT).exits(0);
    assert_eq!(world.get_control("log")["refused"], 0);
}

#[test]
fn a_limit_that_falls_on_the_way_is_followed() {
    let world = World::with_faults(&["GET /contacts/*/notes limit=20/250ms times=1 after=10"]);
    world.run_command(EXPORT).exits(0);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn after_a_429_everyone_waits_once() {
    let world =
        World::with_faults(&["GET /contacts/*/notes status=429 retry-after=1 times=1 after=5"]);
    world.run_command(EXPORT).exits(0);
    let log = world.get_control("log");
    assert_eq!(log["refused"], 1);
    let mut times: Vec<u64> = log["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["at_ms"].as_u64().unwrap())
        .collect();
    times.sort_unstable();
    let pauses = times.windows(2).filter(|pair| pair[1] - pair[0] >= 950).count();
    assert_eq!(pauses, 1, "{times:?}");
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn a_429_without_retry_after_costs_one_window() {
    let world = World::with_settings(|settings| {
        settings.limit = "100/250ms".parse().unwrap();
        settings.faults = vec!["POST /contacts/search status=429 times=1".parse().unwrap()];
    });
    let done = world.run_command(&format!("{EXPORT} --json")).exits(0);
    let waits = done.events();
    let waits: Vec<_> = waits.iter().filter(|event| event["reason"] == "rate_limited").collect();
    assert_eq!(waits.len(), 1, "{waits:?}");
    assert!(waits[0]["ms"].as_u64() < Some(1000), "{waits:?}");
    assert_eq!(done.summary()["refused"], 1);
}

#[test]
fn when_the_daily_quota_is_used_up_it_stops_and_says_when_to_resume() {
    let world = limited("100/10s/50");
    let done = world.run_command(EXPORT).exits(9).says("the daily request quota is used up");
    let says = done.says("resume: ghl-bulk resume ");
    // The sandbox resets its count a day after its first request.
    let now = jiff::Timestamp::now();
    let at = says.stderr.split("it resets at ").nth(1).unwrap().lines().next().unwrap();
    let hours = at.parse::<jiff::Timestamp>().unwrap().duration_since(now).as_hours();
    assert!((23..=24).contains(&hours), "{at}");
    let log = world.get_control("log");
    assert_eq!((&log["requests"], &log["refused"]), (&json!(50), &json!(0)));
    assert!(!world.path("out").exists());

    world.control_request("POST", "settings", &json!({"limit": "none"}));
    world.control_request("DELETE", "log", &Value::Null);
    world.run_command("resume").exits(0);
    // Seven requests are for other things than notes; the rest of the budget went into those.
    assert_eq!(world.get_control("log")["requests"], 60 - (50 - 7));
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn resuming_while_the_quota_is_still_used_up_costs_one_request() {
    let world = limited("100/10s/50");
    world.run_command(EXPORT).exits(9);
    world.control_request("DELETE", "log", &Value::Null);
    world.run_command("resume").exits(9).says("resume: ghl-bulk resume ");
    assert_eq!(world.get_control("log")["requests"], 1);
    world.control_request("POST", "settings", &json!({"limit": "none"}));
    world.run_command("resume").exits(0);
}

#[test]
fn a_reserve_of_requests_is_left_for_others() {
    let world = limited("100/10s/50");
    world.run_command(&format!("{EXPORT} --daily-reserve 10")).exits(9);
    let log = world.get_control("log");
    assert_eq!((&log["requests"], &log["refused"]), (&json!(40), &json!(0)));
}

#[test]
fn a_reserve_in_per_cent_is_left_for_others() {
    let world = limited("100/10s/50");
    world.run_command(&format!("{EXPORT} --daily-reserve 30%")).exits(9);
    let log = world.get_control("log");
    assert_eq!((&log["requests"], &log["refused"]), (&json!(35), &json!(0)));
}

#[test]
fn a_quota_that_others_have_used_up_is_noticed_at_the_first_answer() {
    let world = World::with_settings(|settings| {
        settings.limit = "100/10s/1000".parse().unwrap();
        settings.daily_used = 990;
    });
    world.run_command(EXPORT).exits(9);
    let log = world.get_control("log");
    assert_eq!((&log["requests"], &log["refused"]), (&json!(10), &json!(0)));
}

#[test]
fn with_wait_it_sleeps_until_the_next_days_quota_and_ctrl_c_still_ends_it() {
    let world = limited("100/10s/50");
    let mut export = RunningCommand::start(&world, &format!("{EXPORT} --wait"));
    export.wait_for_stderr("waiting for the next day's quota");
    export.send_signal("INT");
    export.wait_for_exit().exits(130).says("resume: ghl-bulk resume ");
    assert_eq!(world.get_control("log")["refused"], 0);
    world.control_request("POST", "settings", &json!({"limit": "none"}));
    world.run_command("resume").exits(0);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn a_deadline_that_has_passed_stops_before_the_first_request() {
    let world = World::new();
    world
        .run_command(&format!("{EXPORT} --deadline 2020-01-01T00:00:00Z"))
        .exits(9)
        .says("the deadline");
    assert_eq!(world.get_control("log")["requests"], 0);
    world.run_command("resume").exits(0);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}

#[test]
fn at_the_deadline_what_is_in_flight_is_stored() {
    let world = World::with_faults(&["GET /contacts/*/notes hold after=20"]);
    let mut export = RunningCommand::start(&world, &format!("{EXPORT} --deadline 1s"));
    export.wait_for_stderr("the deadline has passed");
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "release", &Value::Null);
    export.wait_for_exit().exits(9).says("resume: ghl-bulk resume ");
    world.control_request("DELETE", "log", &Value::Null);
    world.run_command("resume").exits(0);
    assert!(world.get_control("log")["requests"].as_u64() < Some(60));
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
}
