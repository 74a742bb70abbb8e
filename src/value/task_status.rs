//! Task statuses of other systems: done, or still to do. The API knows only `completed`, true or false.

use super::boolean;
use super::quote::QuotedText;
use crate::diagnostic::{Diagnostic, DiagnosticCode};

const DONE: &[&str] = &["completed", "complete", "done", "closed", "finished"];

const TO_DO: &[&str] = &[
    "pending",
    "open",
    "todo",
    "to do",
    "incomplete",
    "incompleted",
    "not completed",
    "not started",
    "in progress",
    "upcoming",
    "past due",
    "pastdue",
    "overdue",
    "due",
];

/// Whether a task with this status is done; an empty status means not done.
///
/// # Errors
/// `R_TASK_STATUS` for a word that means neither.
pub fn parse_task_status(text: &str) -> Result<bool, Diagnostic> {
    let word = text.trim().to_lowercase().replace(['_', '-'], " ");
    if word.is_empty() || TO_DO.contains(&word.as_str()) {
        return Ok(false);
    }
    if DONE.contains(&word.as_str()) {
        return Ok(true);
    }
    boolean::match_boolean_word(&word).ok_or_else(|| {
        Diagnostic::new(
            DiagnosticCode::R_TASK_STATUS,
            format!("{} is not a known status; use `completed` or `pending`", QuotedText(text)),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_done_or_to_do() {
        for text in ["Completed", "complete", "DONE", "closed", "true", "yes", "1", "x"] {
            assert_eq!(parse_task_status(text), Ok(true), "{text}");
        }
        for text in [
            "pending",
            "Open",
            "todo",
            "incomplete",
            "In Progress",
            "in_progress",
            "upcoming",
            "past_due",
            "overdue",
            "false",
            "no",
            "0",
            "",
            " ",
        ] {
            assert_eq!(parse_task_status(text), Ok(false), "{text}");
        }
    }

    #[test]
    fn other_words_are_refused() {
        for text in ["halfway", "cancelled", "50%", "N/A"] {
            assert_eq!(parse_task_status(text).unwrap_err().code, "R_TASK_STATUS", "{text}");
        }
    }
}
