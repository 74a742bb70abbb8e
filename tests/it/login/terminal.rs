//! A user at a real terminal, which `script` provides to the command.

use std::io::{Read, Write as _};
use std::process::{Child, Command, Stdio};

use ghl_bulk::sandbox::TOKEN;

use super::{assert_nothing_kept, world};
use crate::world::World;

/// Starts a command at a terminal of its own.
fn at_a_terminal(world: &World, line: &str) -> Child {
    let command = world.command("");
    let program = command.get_program().to_str().unwrap();
    let mut script = Command::new("script");
    script.args(["-qec", &format!("{program} {line}"), "/dev/null"]);
    script.current_dir(command.get_current_dir().unwrap()).env_clear();
    let set = command.get_envs().filter_map(|(key, value)| Some((key, value?)));
    script.envs(set).env("PATH", "/usr/bin:/bin").env("SHELL", "/bin/sh").env("TERM", "dumb");
    script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

/// Reads until a text has come, which need not end a line.
fn until(output: &mut impl Read, part: &str) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&text).contains(part) {
        let read = output.read(&mut byte).unwrap();
        assert!(read > 0, "no `{part}` in {}", String::from_utf8_lossy(&text));
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

/// Answers prompts, one after the other; gives all that the terminal showed, and the exit code.
fn answered(world: &World, line: &str, answers: &[(&str, &str)]) -> (String, i32) {
    let mut child = at_a_terminal(world, line);
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut shown = String::new();
    for (prompt, answer) in answers {
        shown += &until(&mut stdout, prompt);
        stdin.write_all(answer.as_bytes()).unwrap();
    }
    // The end of its input would end the terminal: it stays open until the command has ended.
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    shown += &String::from_utf8_lossy(&rest);
    (shown, child.wait().unwrap().code().unwrap_or(-1))
}

#[test]
fn a_token_is_typed_without_being_shown() {
    let world = world();
    let answer = format!("{TOKEN}\r");
    let (shown, code) = answered(&world, "login", &[("(not shown): ", &answer)]);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("logged in") && !shown.contains(TOKEN), "{shown}");
    world.run_command("export --with none --out out").exits(0);
}

#[test]
fn a_location_that_is_not_given_is_asked_for() {
    let world = world().without_env("GHL_LOCATION_ID");
    let id = format!("{}\r", ghl_bulk::sandbox::LOCATION);
    let answer = format!("{TOKEN}\r");
    let prompts = [("`/location/`): ", id.as_str()), ("(not shown): ", answer.as_str())];
    let (shown, code) = answered(&world, "login", &prompts);
    assert_eq!(code, 0, "{shown}");
    world.run_command("export --with none --out out").exits(0);
}

#[test]
fn ctrl_c_at_the_prompt_stores_nothing() {
    let world = world();
    let (shown, code) = answered(&world, "login", &[("(not shown): ", "pit-half\u{3}")]);
    assert_eq!(code, 130, "{shown}");
    assert!(shown.contains("nothing was stored") && !shown.contains("pit-half"), "{shown}");
    assert_nothing_kept(&world);
}

#[test]
fn a_new_passphrase_is_typed_twice() {
    let world = world();
    let token = format!("{TOKEN}\r");
    let prompts = |again| {
        [("(not shown): ", token.as_str()), ("(not shown): ", "horse\r"), ("Once more: ", again)]
    };
    let (shown, code) = answered(&world, "login --store age", &prompts("house\r"));
    assert!(code == 8 && shown.contains("differ"), "{code} {shown}");
    assert_nothing_kept(&world);
    let (shown, code) = answered(&world, "login --store age", &prompts("horse\r"));
    assert_eq!(code, 0, "{shown}");
    assert!(!shown.contains("horse"), "{shown}");
    let world = world.with_env("GHL_BULK_PASSPHRASE", "horse");
    world.run_command("export --with none --out out").exits(0);
}
