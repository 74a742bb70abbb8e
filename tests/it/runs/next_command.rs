//! The last line of `ghl-bulk runs show`: the command to run next.

use serde_json::Value;

use super::{finished, unfinished};
use crate::import_world::empty_world;
use crate::world::{World, short_id};

/// The command after `next: ghl-bulk`, which is the last line for people and a field for programs.
#[track_caller]
fn next_command(world: &World, run: &str) -> Option<String> {
    let text = world.run_command(&format!("runs show {run}")).exits(0).stdout;
    let line = text.lines().last().unwrap().strip_prefix("next: ");
    let json = world.run_command(&format!("runs show {run} --json")).exits(0).summary();
    assert_eq!(json["next"].as_str(), line, "{text}");
    if line.is_none() {
        assert_eq!((&json["next"], text.contains("next:")), (&Value::Null, false), "{text}");
    }
    line.map(|line| line.strip_prefix("ghl-bulk ").unwrap().to_owned())
}

#[test]
fn of_an_export_it_is_resume_then_the_files_in_another_format() {
    let (world, run) = unfinished();
    let short = short_id(&run);
    assert_eq!(next_command(&world, &run), Some(format!("resume {short}")));
    let world = world.with_env("GHL_TOKEN", ghl_bulk::sandbox::TOKEN);
    let next = next_command(&world, &run).unwrap();
    world.run_command(&next).exits(0);
    let next = next_command(&world, &run).unwrap();
    assert_eq!(next, format!("runs publish {short} --format csv"));
    world.run_command(&next).exits(0);
    assert!(world.path("out/contacts.csv").exists());
}

#[test]
fn of_an_export_with_unreadable_records_it_is_to_read_those_again() {
    let world = World::with_faults(&["GET /contacts/*/notes status=422 times=1"]);
    world.run_command("export --out out").exits(3);
    let run = world.only_run_id();
    let next = next_command(&world, &run).unwrap();
    assert_eq!(next, format!("resume {} --retry-errors", short_id(&run)));
    world.run_command(&next).exits(0);
}

#[test]
fn of_an_import_it_is_apply_then_the_rejected_rows_and_at_last_undo() {
    let world = empty_world();
    world.write_sheet("in.csv", "Email\nada@example.com\nbad@example\n");
    world.run_command("import in.csv --dry-run --out 'the results'").exits(3);
    let import = world.last_run("import");
    let short = short_id(&import).to_owned();
    assert_eq!(next_command(&world, &import), Some(format!("apply {short}")));
    world.run_command(&format!("{} --yes", next_command(&world, &import).unwrap())).exits(3);
    let next = next_command(&world, &import).unwrap();
    let rejected = world.path("the results/rejected.csv");
    assert_eq!(next, format!("import '{}'", rejected.display()));
    let fixed = std::fs::read_to_string(&rejected).unwrap().replace("bad@example", "b@example.com");
    std::fs::write(&rejected, fixed).unwrap();
    world.run_command(&format!("{next} --yes --out res2")).exits(0);
    let second = world.last_run("import");
    let next = next_command(&world, &second).unwrap();
    assert_eq!(next, format!("undo {}", short_id(&second)));
    world.run_command(&format!("{next} --yes --out undone")).exits(0);
    assert_eq!(next_command(&world, &second), None, "it is undone");
    assert_eq!(next_command(&world, &world.last_run("undo")), None);
}

#[test]
fn of_a_finished_export_that_needs_nothing_it_is_a_command_with_its_short_id() {
    let (world, run) = finished();
    assert!(next_command(&world, &run).unwrap().contains(&format!(" {} ", short_id(&run))));
}
