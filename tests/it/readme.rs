//! The commands in README.md: those for the sandbox run, and all others have flags that exist.

use crate::world::World;

const README: &str = include_str!("../../README.md");

/// The commands in the code blocks, without comments and without what follows in a pipe.
fn commands() -> Vec<String> {
    let mut commands = Vec::new();
    let mut in_block = false;
    for line in README.lines() {
        if line.starts_with("```") {
            in_block = !in_block;
            continue;
        }
        let line = line.strip_prefix("$ ").unwrap_or(line);
        let (_, line) = line.split_once("* * *  ").unwrap_or(("", line));
        let Some(command) = line.strip_prefix("ghl-bulk ").filter(|_| in_block) else { continue };
        let command = command.split([';', '|', '>']).next().unwrap_or_default();
        let command = command.split(" #").next().unwrap_or_default();
        commands.push(command.trim().to_owned());
    }
    commands
}

#[test]
fn the_commands_for_the_sandbox_run() {
    let world = World::new();
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");
    let commands = commands();
    let of_sandbox: Vec<_> = commands.iter().filter(|it| it.contains("--sandbox")).collect();
    assert!(of_sandbox.len() >= 3, "{of_sandbox:?}");
    for command in of_sandbox {
        let line = command.replace("samples/", &format!("{samples}/"));
        let done = world.run_command(&line);
        assert!([0, 3].contains(&done.code), "{command}: {}", done.stderr);
        assert!(!done.stderr.contains("warning: ") || line.contains("import"), "{}", done.stderr);
    }
}

#[test]
fn all_commands_have_flags_that_exist() {
    let world = World::new();
    let commands = commands();
    assert!(commands.len() >= 20, "{commands:?}");
    for command in commands {
        let done = world.run_command(&format!("{command} --help"));
        assert_eq!(done.code, 0, "{command}: {}", done.stderr);
    }
}
