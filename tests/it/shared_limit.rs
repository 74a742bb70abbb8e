//! Several processes at once: they share the rate limit of a location, and none of them fails for it.

use serde_json::{Value, json};

use crate::export_files::ExportFiles;
use crate::running_command::RunningCommand;
use crate::world::World;

const EXPORT: &str = "export --format jsonl --out";

fn limited(limit: &str) -> World {
    World::with_settings(|settings| settings.limit = limit.parse().unwrap())
}

/// No request was refused, and the window was filled.
#[track_caller]
fn assert_limit_was_shared(world: &World, limit: u64) {
    let log = world.get_control("log");
    assert_eq!(log["refused"], 0, "{}", log["by_status"]);
    assert_eq!(log["most_in_window"], limit);
}

#[test]
fn two_exports_at_once_fill_one_window_without_a_refusal() {
    let world = limited("40/1s");
    let both = ["a", "b"].map(|out| RunningCommand::start(&world, &format!("{EXPORT} {out}")));
    for export in both {
        export.wait_for_exit().exits(0);
    }
    assert_limit_was_shared(&world, 40);
    for out in ["a", "b"] {
        let files = ExportFiles::read_from(&world, out);
        ExportFiles::of_undisturbed_export(60).assert_same(&files);
    }
}

#[test]
fn an_import_beside_an_export_fills_the_window_without_a_refusal() {
    let world = limited("40/1s");
    let rows: Vec<_> = (0..60).map(|n| format!("p{n}@example.com")).collect();
    world.write_sheet("in.csv", &format!("Email\n{}\n", rows.join("\n")));
    let export = RunningCommand::start(&world, &format!("{EXPORT} out --with notes"));
    let import = RunningCommand::start(&world, "import in.csv --yes --out res");
    export.wait_for_exit().exits(0);
    import.wait_for_exit().exits(0);
    assert_limit_was_shared(&world, 40);
    assert_eq!(world.read_csv("res/succeeded.csv").len(), 60);
}

#[test]
fn ten_interactive_commands_are_answered_while_an_export_uses_the_limit() {
    let world = limited("20/500ms");
    let export = RunningCommand::start(&world, &format!("{EXPORT} out"));
    let questions: Vec<_> = (0..10).map(|_| RunningCommand::start(&world, "whoami")).collect();
    for question in questions {
        question.wait_for_exit().exits(0);
    }
    export.wait_for_exit().exits(0);
    assert_limit_was_shared(&world, 20);
}

#[test]
fn what_a_killed_process_has_sent_still_counts() {
    let world = limited("30/1s");
    world.control_request("POST", "faults", &json!(["GET /contacts/*/notes hold after=25"]));
    let export = RunningCommand::start(&world, &format!("{EXPORT} a"));
    world.get_control("held?at_least=1");
    export.kill();
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "release", &Value::Null);
    world.run_command(&format!("{EXPORT} b")).exits(0);
    assert_limit_was_shared(&world, 30);
}

#[test]
fn a_command_that_has_to_wait_names_the_run_that_uses_the_limit() {
    let world = limited("30/2s");
    let mut export = RunningCommand::start(&world, &format!("{EXPORT} a --progress plain"));
    export.wait_for_stderr("waiting");
    let run = world.only_run_id();
    let done = world.run_command("whoami").exits(0);
    done.says(&format!("the rate limit is shared with run {run} (process {})", export.id()));
    export.wait_for_exit().exits(0);
}

#[test]
fn a_rate_limit_that_refuses_again_and_again_never_ends_a_run() {
    let fault = "GET /contacts/*/notes status=429 times=20";
    let world = World::with_settings(|settings| {
        settings.limit = "100/50ms".parse().unwrap();
        settings.faults = vec![fault.parse().unwrap()];
    });
    let done = world.run_command(&format!("{EXPORT} out --concurrency 1")).exits(0);
    done.says("because of its rate limit");
    let files = ExportFiles::read_from(&world, "out");
    ExportFiles::of_undisturbed_export(60).assert_same(&files);
    assert_eq!(world.get_control("log")["refused"], 20);
}

#[test]
fn an_interactive_command_gives_up_when_the_rate_limit_stays_used_up() {
    let world = World::with_settings(|settings| {
        settings.limit = "100/50ms".parse().unwrap();
        settings.faults = vec!["GET /locations/* status=429".parse().unwrap()];
    });
    world.run_command("whoami").exits(2).says("the rate limit stays used up");
}

#[test]
fn a_damaged_window_file_costs_one_window_and_nothing_else() {
    let world = limited("30/200ms");
    world.run_command(&format!("{EXPORT} out --with none")).exits(0);
    let names = world.list_files("home/locations");
    let window = names.iter().find(|name| name.ends_with(".window")).unwrap();
    std::fs::write(world.path("home/locations").join(window), b"\xff{\"used\":").unwrap();
    world.run_command(&format!("{EXPORT} out --with none")).exits(0);
    assert_eq!(world.get_control("log")["refused"], 0);
}

#[test]
fn processes_leave_nothing_behind_but_the_window() {
    let world = limited("30/200ms");
    world.run_command(&format!("{EXPORT} out")).exits(0);
    world.run_command("whoami").exits(0);
    let names = world.list_files("home/locations");
    assert_eq!(names.iter().filter(|name| name.contains(".window")).count(), 1, "{names:?}");
}
