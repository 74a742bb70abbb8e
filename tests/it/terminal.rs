//! A command on a terminal, where lines are typed at its prompts.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::Command;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::world::World;

/// What Ctrl-C is, as an answer.
pub(crate) const CTRL_C: &str = "^C";

/// Runs a command on a terminal of 80 columns where a line is typed at its prompt; gives its code and its output.
pub(crate) fn run_on_terminal(
    world: &World,
    line: &str,
    asked: &str,
    answer: &str,
) -> (i32, String) {
    run_on_terminal_of_width(world, line, 80, asked, answer)
}

/// What a command shows on a terminal of a width, if it asks nothing and succeeds.
#[track_caller]
pub(crate) fn shown_on_terminal(world: &World, line: &str, columns: u16) -> String {
    let never = "\0";
    let (code, shown) = run_on_terminal_of_width(world, line, columns, never, "");
    assert_eq!(code, 0, "{shown}");
    shown.replace("\r\n", "\n")
}

fn run_on_terminal_of_width(
    world: &World,
    line: &str,
    columns: u16,
    asked: &str,
    answer: &str,
) -> (i32, String) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let size = Winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal, size).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let open_side = || File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut command = world.command(line);
    let mut child =
        command.stdin(open_side()).stdout(open_side()).stderr(open_side()).spawn().unwrap();
    // Its sides of the terminal are its own now, so that reading ends with it.
    drop(command);
    let mut terminal = File::from(terminal);
    let (mut shown, mut part, mut answered) = (String::new(), [0; 4096], false);
    // On Linux the end of the last side is an error.
    while let Ok(read @ 1..) = terminal.read(&mut part) {
        shown.push_str(&String::from_utf8_lossy(&part[..read]));
        if !answered && shown.contains(asked) {
            answered = true;
            if answer == CTRL_C {
                let kill = format!("kill -INT {}", child.id());
                assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
            } else {
                writeln!(terminal, "{answer}").unwrap();
            }
        }
    }
    (child.wait().unwrap().code().unwrap(), shown)
}
