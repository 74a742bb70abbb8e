//! Questions to the user, which Ctrl-C and the deadline end.

use std::io::{self, BufRead, IsTerminal, Write};

use tokio::sync::oneshot;

use super::progress::CliReporter;
use super::text_format::{terminal_width, wrap_line};
use crate::event::CancelSignal;

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum QuestionAnswer {
    /// A line, trimmed.
    Line(String),
    /// The input ended without a line.
    EndOfInput,
    /// Ctrl-C, SIGTERM or the deadline.
    Cancelled,
}

/// Whether there is a terminal to ask on.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question on stderr and reads a line. The question must be safe for a terminal.
pub(crate) async fn ask_question(
    text: &str,
    stop: &CancelSignal,
    screen: &CliReporter,
) -> QuestionAnswer {
    screen.suspend();
    let mut err = io::stderr().lock();
    // When stderr is closed there is no answer either.
    let _ = write!(err, "{}", wrap_line(text, terminal_width()));
    let _ = err.flush();
    drop(err);
    let (answered, answer) = oneshot::channel();
    // A thread of its own, since a read cannot be cancelled and the runtime would wait for it.
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        let read = read.ok().filter(|bytes| *bytes > 0).map(|_| line.trim().to_owned());
        // After Ctrl-C nothing waits for it.
        let _ = answered.send(read);
    });
    let answer = tokio::select! {
        line = answer => match line.ok().flatten() {
            Some(line) => QuestionAnswer::Line(line),
            None => QuestionAnswer::EndOfInput,
        },
        () = stop.wait_for_cancel() => QuestionAnswer::Cancelled,
    };
    screen.resume_after_question();
    answer
}
