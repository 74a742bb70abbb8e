//! What a command says when another process works on the same location, run or directory.

use ghl_bulk::sandbox::LOCATION;
use serde_json::Value;

use crate::import_world::empty_world_with_faults;
use crate::running_command::RunningCommand;
use crate::world::{World, short_id};

/// An import that waits for the answer to its only create.
fn importing() -> (World, RunningCommand) {
    let world = empty_world_with_faults(&["POST /contacts/ hold times=1"]);
    world.write_sheet("in.csv", "Email\nada@example.com\n");
    let import = RunningCommand::start(&world, "import in.csv --yes --out res");
    world.get_control("held?at_least=1");
    (world, import)
}

/// An export that waits for an answer.
fn exporting() -> (World, RunningCommand) {
    let world = World::with_faults(&["GET /contacts/*/notes hold times=1"]);
    let export = RunningCommand::start(&world, "export --out out");
    world.get_control("held?at_least=1");
    (world, export)
}

fn host() -> String {
    let name = std::process::Command::new("uname").arg("-n").output().unwrap().stdout;
    String::from_utf8(name).unwrap().trim().to_owned()
}

#[test]
fn a_second_import_says_which_run_and_process_use_the_location() {
    let (world, import) = importing();
    let run = world.only_run_id();
    world
        .run_command("import in.csv --yes --out other")
        .exits(11)
        .says(&format!(
            "error: location `{LOCATION}` is in use by run `{}` (import in.csv) of process {} on {}, \
             since 20",
            short_id(&run),
            import.id(),
            host()
        ))
        .says(" UTC\n")
        .says("hint: wait for it to finish");
    world.control_request("POST", "release", &Value::Null);
    import.wait_for_exit().exits(0);
    world.run_command("import in.csv --yes --out other").exits(0);
}

#[test]
fn a_run_in_progress_is_said_to_be_in_use_by_its_process() {
    let (world, export) = exporting();
    let run = world.only_run_id();
    let lines = [
        format!("resume {run}"),
        format!("runs rm {run}"),
        format!("runs publish {run} --format csv"),
    ];
    for line in lines {
        world.run_command(&line).exits(11).says(&format!(
            "error: run `{run}` is in use by process {} (export) on {}, since 20",
            export.id(),
            host()
        ));
    }
    export.kill();
    world.run_command(&format!("runs rm {run}")).exits(0);
}

#[test]
fn a_second_export_says_which_run_writes_to_the_directory() {
    let (world, export) = exporting();
    let run = world.only_run_id();
    // What a killed run left behind is not what is at work.
    std::fs::create_dir(world.path(".out.20200101-000000-dead.partial")).unwrap();
    let out = world.path("out").canonicalize().unwrap();
    world
        .run_command("export --out out")
        .exits(11)
        .says(&format!(
            "error: `{}` is in use by run `{}` (export) of process {} on {}, since 20",
            out.display(),
            short_id(&run),
            export.id(),
            host()
        ))
        .says("or choose another directory with `--out`");
    world.control_request("POST", "release", &Value::Null);
    export.wait_for_exit().exits(0);
}

#[test]
fn a_damaged_lock_text_changes_nothing_but_the_message() {
    let (world, import) = importing();
    let lock = world.path(&format!("home/locations/{LOCATION}.lock"));
    for text in ["", "garbage", "{\"pid\":-1}", &"x".repeat(100_000)] {
        std::fs::write(&lock, text).unwrap();
        world
            .run_command("import in.csv --yes --out other")
            .exits(11)
            .says(&format!("error: location `{LOCATION}` is locked by another process\n"));
    }
    let nasty = r#"{"pid":1,"host":"\u001b[31m","since":"2026-11-29T14:03:00Z","run":"none","task":"\u009b2J"}"#;
    std::fs::write(&lock, nasty).unwrap();
    let said = world.run_command("import in.csv --yes --out other").exits(11).stderr;
    assert!(said.contains("process 1") && !said.contains(['\u{1b}', '\u{9b}']), "{said:?}");
    world.control_request("POST", "release", &Value::Null);
    import.wait_for_exit().exits(0);
}
