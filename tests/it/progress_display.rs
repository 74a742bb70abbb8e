//! What a terminal shows while a command works: recorded on terminals of several widths, and after resizing.

use serde_json::{Value, json};

use crate::import_world::empty_world;
use crate::terminal::{TerminalCommand, shown_on_terminal};
use crate::world::World;

const EXPORT: &str = "export --format jsonl --out out --concurrency 1";

/// A world whose exports stop when the notes of 20 contacts are read, until [`release`].
fn world_with_barrier() -> World {
    let world = World::new().with_env("TERM", "xterm-256color");
    let faults = ["GET /contacts/*/notes hold after=20", "GET /locations/*/tags status=404"];
    world.control_request("POST", "faults", &json!(faults));
    world
}

fn release(world: &World) {
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "release", &Value::Null);
}

/// Whether the display shows that the export is at the barrier.
fn is_at_barrier(screen: &str) -> bool {
    screen.contains("60 of 60") && screen.contains("20 of 60") && screen.contains("tasks")
}

/// An export at the barrier, on a terminal of a width.
fn start_export(world: &World, columns: u16) -> (TerminalCommand, String) {
    let mut export = TerminalCommand::start(world, EXPORT, columns);
    world.get_control("held?at_least=1");
    let screen = export.wait_for_screen(is_at_barrier);
    (export, screen)
}

/// The screen without what depends on how fast the machine is.
fn stable_screen(screen: &str) -> String {
    let is_measured = |part: &str| part.ends_with("/s") || part.ends_with(" left");
    let mask = |part: &str| match part.strip_suffix(" elapsed") {
        Some(_) => "TIME elapsed".to_owned(),
        None => part.to_owned(),
    };
    let lines = screen.lines().map(|line| {
        // A count without a total has a spinner.
        let line = match line.split_once("tasks  ") {
            Some((_, count)) => format!("tasks  {}", count.replace(['\\', '|', '/'], "-")),
            None => line.to_owned(),
        };
        let (text, parts) = line.split_at(line.rfind("] ").map_or(0, |at| at + 2));
        let parts = parts.split("  ").filter(|part| !is_measured(part)).map(mask);
        format!("{text}{}", parts.collect::<Vec<_>>().join("  "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_display_of_an_export_on_80_columns() {
    let world = world_with_barrier();
    let (export, screen) = start_export(&world, 80);
    insta::assert_snapshot!(stable_screen(&screen));
    release(&world);
    let (code, screen) = export.wait_for_exit();
    assert_eq!(code, 3, "{screen}");
    assert!(!screen.contains("reading the account"), "{screen}");
}

#[test]
fn the_display_of_an_export_on_40_columns() {
    let world = world_with_barrier();
    let (export, screen) = start_export(&world, 40);
    assert!(screen.lines().all(|line| line.chars().count() < 40), "{screen}");
    insta::assert_snapshot!(stable_screen(&screen));
    release(&world);
    assert_eq!(export.wait_for_exit().0, 3);
}

#[test]
fn a_terminal_that_is_resized_shows_every_line_once() {
    let world = world_with_barrier();
    let (mut export, _) = start_export(&world, 80);
    // Narrower, so that lines that were drawn are wrapped; then wider than at first.
    for columns in [44, 30, 120, 200, 80] {
        export.resize(columns);
        let is_drawn_again = |screen: &str| {
            let display: Vec<_> = screen
                .lines()
                .skip_while(|line| !line.starts_with("reading the account"))
                .collect();
            let names = ["reading the account", "contacts  ", "notes  ", "tasks  "];
            display.len() == names.len()
                && display.iter().zip(names).all(|(line, name)| line.starts_with(name))
                && display.iter().all(|line| line.chars().count() < columns.into())
                && screen.replace('\n', "").matches("`tags` will be empty").count() == 1
        };
        export.wait_for_screen(is_drawn_again);
    }
    release(&world);
    let (code, screen) = export.wait_for_exit();
    assert_eq!(code, 3, "{screen}");
    for once in ["`tags` will be empty", "exported to"] {
        assert_eq!(screen.matches(once).count(), 1, "{screen}");
    }
    assert!(!screen.contains("of 60"), "{screen}");
}

#[test]
fn after_a_kill_the_shell_goes_on_below_the_display() {
    let world = world_with_barrier();
    let (export, _) = start_export(&world, 80);
    let screen = export.kill_and_write("$ ");
    assert!(screen.contains("20 of 60"), "{screen}");
    assert_eq!(screen.lines().last(), Some("$"), "{screen}");
    release(&world);
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    for term in ["dumb", ""] {
        let world = World::new();
        let world = if term.is_empty() { world } else { world.with_env("TERM", term) };
        let shown = shown_on_terminal(&world, EXPORT, 80);
        assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
        assert!(shown.contains("reading the account: contacts 60 of 60"), "{shown}");
        assert!(shown.contains("exported to"), "{shown}");
    }
}

#[test]
fn a_question_on_a_narrow_terminal_breaks_at_spaces() {
    let world = empty_world().with_env("TERM", "xterm-256color");
    world.write_sheet("in.csv", "Email\na@example.com\nb@example.com\n");
    let mut import = TerminalCommand::start(&world, "import in.csv --out res", 40);
    let screen = import.wait_for_screen(|screen| screen.ends_with("[y/N]"));
    let question = "Apply 2 creates to Sandbox Location 1?\n[y/N]";
    assert!(screen.ends_with(question), "{screen}");
}
