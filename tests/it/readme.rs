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

/// The commands of each section about a system.
fn commands_of_systems() -> Vec<(&'static str, Vec<&'static str>)> {
    let systems = README.split("\n#### ").skip(1).map(|section| {
        let section = section.split("\n## ").next().unwrap_or_default();
        let (name, text) = section.split_once('\n').unwrap();
        let commands = text.lines().filter_map(|line| line.strip_prefix("ghl-bulk "));
        (name, commands.map(|it| it.split(" #").next().unwrap_or_default().trim()).collect())
    });
    systems.collect()
}

#[test]
fn the_commands_of_the_five_systems_run_on_the_samples() {
    let systems = commands_of_systems();
    assert_eq!(systems.len(), 5, "{systems:?}");
    for (name, commands) in systems {
        let world = World::with_settings(|settings| settings.contacts = 20);
        let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/formats");
        for sample in std::fs::read_dir(samples).unwrap() {
            let sample = sample.unwrap();
            if sample.path().extension().is_some_and(|end| end == "csv") {
                std::fs::copy(sample.path(), world.path("").join(sample.file_name())).unwrap();
            }
        }
        assert!(commands.len() >= 3, "{name}: {commands:?}");
        for command in commands {
            let yes = if command.starts_with("import") { " --yes" } else { "" };
            let done = world.run_command(&format!("{command}{yes}"));
            // Some rows of the samples are refused.
            assert!([0, 3].contains(&done.code), "{name}: {command}: {}", done.stderr);
        }
    }
}
