//! A command on a terminal, where lines are typed at its prompts.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::world::World;

/// What Ctrl-C is, as an answer.
pub(crate) const CTRL_C: &str = "^C";

/// The lines of a terminal.
const ROWS: u16 = 24;

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
    let mut command = TerminalCommand::start(world, line, columns);
    let (mut shown, mut answered) = (String::new(), false);
    while let Some(part) = command.read() {
        shown.push_str(&part);
        if !answered && shown.contains(asked) {
            answered = true;
            if answer == CTRL_C {
                let kill = format!("kill -INT {}", command.child.id());
                assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
            } else {
                writeln!(command.terminal, "{answer}").unwrap();
            }
        }
    }
    (command.child.wait().unwrap().code().unwrap(), shown)
}

/// A command in progress on a terminal, and what is on its screen.
pub(crate) struct TerminalCommand {
    child: Child,
    terminal: File,
    screen: avt::Terminal,
    /// What was read of a character that is not complete yet.
    begun: Vec<u8>,
}

impl TerminalCommand {
    /// Starts a command on a terminal of 24 lines.
    pub(crate) fn start(world: &World, line: &str, columns: u16) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        tcsetwinsize(&terminal, winsize(columns)).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap();
        let open_side =
            || File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        let mut command = world.command(line);
        let child =
            command.stdin(open_side()).stdout(open_side()).stderr(open_side()).spawn().unwrap();
        // Its sides of the terminal are its own now, so that reading ends with it.
        drop(command);
        let mut screen = avt::Terminal::with_scrollback(columns.into(), ROWS.into(), None).unwrap();
        // As in a shell that was used before: the command is at the bottom, and what it shows moves up.
        screen.feed("\r\n".repeat(ROWS.into()).as_str());
        Self { child, terminal: File::from(terminal), screen, begun: Vec::new() }
    }

    /// What it writes next; `None` at the end.
    fn read(&mut self) -> Option<String> {
        let mut part = [0; 4096];
        // On Linux the end of the last side is an error.
        let Ok(read @ 1..) = self.terminal.read(&mut part) else { return None };
        self.begun.extend_from_slice(&part[..read]);
        let whole = match std::str::from_utf8(&self.begun) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let text = String::from_utf8(self.begun.drain(..whole).collect()).unwrap();
        self.screen.feed(text.as_str());
        Some(text)
    }

    /// Waits until the screen is as it should be; gives it with what was
    /// scrolled away, without blanks at the ends of lines. Something is drawn at
    /// least every second, so that a screen that never is as it should be fails the test.
    #[track_caller]
    pub(crate) fn wait_for_screen(&mut self, is_reached: impl Fn(&str) -> bool) -> String {
        for _ in 0..600 {
            let shown = self.screen_text();
            if is_reached(&shown) {
                return shown;
            }
            assert!(self.read().is_some(), "it has ended: {shown}");
        }
        panic!("the screen is: {}", self.screen_text());
    }

    fn screen_text(&self) -> String {
        let lines = self.screen.screen().all_lines();
        let lines: Vec<_> = lines.map(|line| line.text().trim_end().to_owned()).collect();
        lines.join("\n").trim().to_owned()
    }

    /// Makes the terminal wider or narrower, as a user does with its window: what is on it is wrapped again.
    pub(crate) fn resize(&mut self, columns: u16) {
        self.screen.resize(columns.into(), ROWS.into());
        tcsetwinsize(&self.terminal, winsize(columns)).unwrap();
    }

    /// Waits for its end; gives its code and what is left on the screen.
    pub(crate) fn wait_for_exit(mut self) -> (i32, String) {
        while self.read().is_some() {}
        (self.child.wait().unwrap().code().unwrap_or(-1), self.screen_text())
    }

    /// Kills it; gives what is left on the screen after something else, such as a shell, has written there.
    pub(crate) fn kill_and_write(mut self, text: &str) -> String {
        self.child.kill().unwrap();
        while self.read().is_some() {}
        self.screen.feed(text);
        self.screen_text()
    }
}

impl Drop for TerminalCommand {
    fn drop(&mut self) {
        // Both fail when it has ended, which is as it should be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn winsize(columns: u16) -> Winsize {
    Winsize { ws_row: ROWS, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}
