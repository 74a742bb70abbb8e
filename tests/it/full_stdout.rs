//! Data that cannot be written to stdout is an error; a reader that has seen enough is none.

use std::fs::File;
use std::process::Stdio;

use crate::world::World;

const COMMANDS: [&str; 9] = [
    "--help",
    "completions bash",
    "doctor",
    "doctor --json",
    "whoami",
    "whoami --json",
    "runs list --json",
    "schema",
    "export --with none --out out --json",
];

#[test]
fn a_full_device_is_an_error_with_a_sentence() {
    let world = World::new();
    for line in COMMANDS {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = world.command(line).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(
            line == "--help" || stderr.contains("stdout cannot be written"),
            "{line}: {stderr}"
        );
    }
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let world = World::new();
    for line in COMMANDS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = world.command(line).stdout(Stdio::from(writer)).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{line}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("stdout"), "{line}: {stderr}");
    }
}

#[test]
fn a_concurrency_that_is_no_sensible_number_is_a_usage_error() {
    let world = World::new();
    for number in ["18446744073709551615", "1001", "0", "-1", "many"] {
        let done = world.run_command(&format!("whoami --concurrency={number}")).exits(2);
        done.says("expected a number from 1 to 1,000");
    }
    world.run_command("whoami --concurrency 1000").exits(0);
}
