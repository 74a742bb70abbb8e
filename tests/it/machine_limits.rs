//! Machines that give the program little: few open files, no standard streams.

use std::process::{Command, Stdio};

use crate::export_files::ExportFiles;
use crate::import_world::empty_world;
use crate::world::World;

/// Runs a command in a shell, after `prelude` and with these redirections; its exit code.
fn run_in_shell(world: &World, prelude: &str, line: &str, redirections: &str) -> Option<i32> {
    let plain = world.command(line);
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("{prelude}; exec \"$0\" \"$@\" {redirections}"));
    command.arg(plain.get_program()).args(plain.get_args()).env_clear();
    for (name, value) in plain.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.current_dir(plain.get_current_dir().unwrap());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap().code()
}

#[test]
fn sixty_four_open_files_are_enough() {
    let world = World::new();
    let export = "export --format jsonl --notes-by contact --out out";
    assert_eq!(run_in_shell(&world, "ulimit -n 64", export, ""), Some(0));
    ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));

    let world = empty_world();
    let people = (0..200).map(|n| format!("Person {n},p{n}@example.com,note {n}"));
    let lines: Vec<String> = std::iter::once("Name,Email,Notes".to_owned()).chain(people).collect();
    world.write_sheet("in.csv", &(lines.join("\n") + "\n"));
    let import = "import in.csv --yes --out res";
    assert_eq!(run_in_shell(&world, "ulimit -n 64", import, ""), Some(0));
    assert_eq!(world.count_results(), [200, 0, 0, 0, 0]);
}

#[test]
fn few_open_files_are_enough_for_many_locations() {
    let names: Vec<String> = (1..=12).map(ghl_bulk::sandbox::numbered_location).collect();
    let world = World::with_settings(|settings| {
        (settings.contacts, settings.contacts_elsewhere) = (40, 40);
        settings.locations.clone_from(&names);
    });
    let world = world.without_env("GHL_LOCATION_ID");
    std::fs::write(world.path("clients.csv"), names.join("\n")).unwrap();
    let export = "export --notes-by contact --out out --locations clients.csv";
    assert_eq!(run_in_shell(&world, "ulimit -n 160", export, ""), Some(0));
    assert_eq!(world.list_files("out").len(), 12);
}

#[test]
fn closed_standard_streams_change_no_result() {
    for closed in ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"] {
        let world = World::new();
        let export = "export --format jsonl --notes-by contact --out out";
        assert_eq!(run_in_shell(&world, ":", export, closed), Some(0), "{closed}");
        ExportFiles::of_undisturbed_export(60).assert_same(&ExportFiles::read_from(&world, "out"));
    }
}
