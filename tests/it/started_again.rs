//! A command that was interrupted is started again, with the same words.

use serde_json::{Value, json};

use crate::export_files::ExportFiles;
use crate::import_world::empty_world;
use crate::running_command::RunningCommand;
use crate::terminal::{CTRL_C, run_on_terminal};
use crate::world::{World, short_id};

const EXPORT: &str = "export --format jsonl --out out --concurrency 1";

/// A world whose export was killed in the middle.
fn interrupted() -> World {
    let world = World::new();
    world.control_request("POST", "faults", &json!(["GET /contacts/*/notes hold after=20"]));
    let export = RunningCommand::start(&world, EXPORT);
    world.get_control("held?at_least=1");
    export.kill();
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "release", &Value::Null);
    world
}

#[test]
fn with_continue_an_export_goes_on_where_it_was() {
    let world = interrupted();
    let run = world.only_run_id();
    world.run_command(&format!("{EXPORT} --continue")).exits(0);
    assert_eq!(world.only_run_id(), run);
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
    // The next night there is nothing to continue, and a new run begins.
    world.run_command(&format!("{EXPORT} --continue")).exits(0);
    assert_eq!(world.list_files("home/runs").len(), 2);
}

#[test]
fn without_a_terminal_it_starts_a_new_export_and_says_how_to_go_on() {
    let world = interrupted();
    let run = world.only_run_id();
    let done = world.run_command(EXPORT).exits(0);
    done.says(&format!("run {} of the same export was interrupted", short_id(&run)))
        .says("--continue");
    assert_eq!(world.list_files("home/runs").len(), 2);
}

#[test]
fn an_export_of_something_else_is_not_continued() {
    for other in
        ["--tag vip", "--with notes", "--out elsewhere", "--jsonl flat", "--file-mode 0640"]
    {
        let world = interrupted();
        let line = format!("export --format jsonl --continue {other}");
        let line = if other.contains("--out") { line } else { format!("{line} --out out") };
        world.run_command(&line).exits(0);
        assert_eq!(world.list_files("home/runs").len(), 2, "{other}");
    }
}

#[test]
fn an_interrupted_export_is_not_continued_once_a_newer_one_has_finished() {
    let world = interrupted();
    world.run_command(EXPORT).exits(0);
    let done = world.run_command(&format!("{EXPORT} --continue")).exits(0);
    assert!(!done.stderr.contains("was interrupted"), "{}", done.stderr);
    assert!(!done.stderr.contains("resuming"), "{}", done.stderr);
    assert_eq!(world.list_files("home/runs").len(), 3);
}

#[test]
fn on_a_terminal_it_asks_whether_to_go_on() {
    for (answer, runs, term) in [("", 1, "dumb"), ("y", 1, "xterm"), ("n", 2, "xterm")] {
        let world = interrupted().with_env("TERM", term);
        let (code, shown) = run_on_terminal(&world, EXPORT, "Continue it? [Y/n]", answer);
        assert_eq!(code, 0, "{shown}");
        assert_eq!(world.list_files("home/runs").len(), runs, "{answer}");
    }
}

#[test]
fn with_continue_an_import_goes_on_where_it_was() {
    let world = empty_world().with_env("GHL_BULK_SETTLE_S", "0.1");
    world.write_sheet("in.csv", "Email\na@example.com\nb@example.com\nc@example.com\n");
    let killed = world.with_env("GHL_BULK_FAILPOINT", "after_response:1");
    let import = "import in.csv --yes --out res --concurrency 1";
    killed.run_command(import).exits(-1);
    let world = killed.without_env("GHL_BULK_FAILPOINT");
    let run = world.only_run_id();
    world.run_command(&format!("{import} --continue")).exits(0);
    assert_eq!(world.only_run_id(), run);
    assert_eq!(world.read_contacts().len(), 3);
    assert_eq!(world.count_results(), [3, 0, 0, 0, 0]);
}

#[test]
fn a_no_on_a_terminal_closes_the_plan_and_a_yes_applies_it() {
    let world = empty_world().with_env("TERM", "xterm");
    world.write_sheet("in.csv", "Email\na@example.com\nb@example.com\n");
    let (code, shown) = run_on_terminal(&world, "import in.csv --out res", "[y/N]", "n");
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("Apply 2 creates to Sandbox Location 1? [y/N]"), "{shown}");
    assert!(shown.contains("nothing was sent, and the plan is closed"), "{shown}");
    let run = world.only_run_id();
    world.run_command(&format!("apply {run} --yes")).exits(2).says("was declined");
    world.run_command("resume").exits(10);
    assert!(world.read_contacts().is_empty());
    let (code, shown) = run_on_terminal(&world, "import in.csv --out res", "[y/N]", "y");
    assert_eq!(code, 0, "{shown}");
    assert_eq!(world.read_contacts().len(), 2);
}

#[test]
fn ctrl_c_at_the_question_ends_the_command_and_leaves_the_plan() {
    let world = empty_world();
    world.write_sheet("in.csv", "Email\na@example.com\n");
    // The end of the input is no answer, either.
    for (answer, expected) in [(CTRL_C, 130), ("\u{4}", 2)] {
        let (code, shown) = run_on_terminal(&world, "import in.csv --out res", "[y/N]", answer);
        assert_eq!(code, expected, "{shown}");
        assert!(shown.contains("  apply: ghl-bulk apply "), "{shown}");
    }
    assert!(world.read_contacts().is_empty());
}

#[test]
fn rejected_rows_are_imported_again_with_the_mapping_and_options_of_their_run() {
    let world = empty_world();
    world.write_sheet(
        "in.csv",
        "Who,Phone number,Wann\na@example.com,030 901820,01.02.2026\nbad@@,030 901821,02.02.2026\n",
    );
    let options =
        "--map Who=email --map Wann=dateOfBirth --default-country DE --map 'Phone number=phone'";
    world.run_command(&format!("import in.csv --yes --out res {options}")).exits(3);
    let run = world.only_run_id();
    let text = std::fs::read_to_string(world.path("res/rejected.csv")).unwrap();
    std::fs::write(world.path("res/rejected.csv"), text.replace("bad@@", "b@example.com")).unwrap();
    let done = world.run_command("import res/rejected.csv --yes --out again").exits(0);
    done.says(&format!("with the mapping and options of run {run}"));
    let contact = world.contact_by_email("b@example.com");
    assert_eq!(contact["contact"]["phone"], "+4930901821");
}
