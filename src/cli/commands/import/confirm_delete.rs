//! Confirming a deletion by the number of records that it deletes.
//!
//! A plain yes is not enough. On a terminal the number is typed; elsewhere `--confirm-delete` gives it, so
//! that a script that expected ten contacts never deletes ten thousand.

use crate::cli::account::protected::{ask_question, is_terminal};
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::import::{DeletionSummary, ImportPlan};
use crate::text::{escape_for_terminal, format_plural};

/// How a deletion is confirmed.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct ConfirmDeleteArgs {
    /// Delete without prompting if the plan deletes exactly N contacts, notes or tasks
    #[arg(long, value_name = "N")]
    confirm_delete: Option<u64>,
}

impl ConfirmDeleteArgs {
    /// Makes sure that the deletions of the plan are wanted. Whether it deletes anything.
    ///
    /// # Errors
    /// When the number is missing or differs; nothing was sent then.
    pub(crate) fn confirm_deletion(
        self,
        planned: &ImportPlan,
        screen: &CliReporter,
    ) -> Result<bool, CliError> {
        let removal = planned.summary.removal.as_ref().filter(|removal| removal.count > 0);
        match (removal, self.confirm_delete) {
            (None, None) => Ok(false),
            (None, Some(_)) if planned.summary.removal.is_some() => Ok(true),
            (None, Some(_)) => Err(not_sent_error(
                planned,
                "nothing was sent: `--confirm-delete` is for `--mode delete`, and this plan deletes \
                 nothing",
            )),
            (Some(removal), Some(number)) if number == removal.count => Ok(true),
            (Some(removal), Some(number)) => Err(not_sent_error(
                planned,
                format!(
                    "nothing was sent: `--confirm-delete {number}` is not what the plan deletes: {}",
                    deletion_count_text(removal)
                ),
            )
            .with_hint(resume_hint(planned, removal))),
            (Some(removal), None) => prompt_for_count(planned, removal, screen).map(|()| true),
        }
    }
}

/// `12 contacts`.
pub(crate) fn deletion_count_text(removal: &DeletionSummary) -> String {
    format_plural(removal.count, removal.what.singular_name())
}

fn not_sent_error(planned: &ImportPlan, message: impl Into<String>) -> CliError {
    CliError::usage(message).with_resume(planned.run_id().clone())
}

/// How to go on.
pub(crate) fn resume_hint(planned: &ImportPlan, removal: &DeletionSummary) -> String {
    let plan = planned.out.join("plan.csv").display().to_string();
    format!(
        "review {}, then run `ghl-bulk resume {} --confirm-delete {}`",
        escape_for_terminal(&plan),
        planned.run_id(),
        removal.count
    )
}

fn prompt_for_count(
    planned: &ImportPlan,
    removal: &DeletionSummary,
    screen: &CliReporter,
) -> Result<(), CliError> {
    let what = deletion_count_text(removal);
    if !is_terminal() {
        let message = format!(
            "nothing was sent: deleting {what} requires `--confirm-delete {}`; `--yes` is not enough",
            removal.count
        );
        return Err(not_sent_error(planned, message).with_hint(resume_hint(planned, removal)));
    }
    screen.finish();
    let name = planned.location_name().unwrap_or_default();
    let answer = ask_question(&format!(
        "Delete {what} from {}? Type `delete {}` to do it: ",
        escape_for_terminal(&name),
        removal.count
    ));
    if answer.is_some_and(|answer| confirms_count(&answer, removal.count)) {
        return Ok(());
    }
    Err(CliError::new(CliExitCode::Done, "nothing was sent").with_resume(planned.run_id().clone()))
}

/// Whether the answer is the number, alone or behind `delete`.
fn confirms_count(answer: &str, count: u64) -> bool {
    let answer = answer.trim().to_lowercase();
    let number = answer.strip_prefix("delete").unwrap_or(&answer).trim();
    number == count.to_string()
}

#[cfg(test)]
mod tests {
    use super::confirms_count;

    #[test]
    fn only_the_number_is_a_yes() {
        for answer in ["12", " delete 12\n", "Delete 12"] {
            assert!(confirms_count(answer, 12), "{answer}");
        }
        for answer in ["", "y", "yes", "delete", "delete 1", "112", "delete all 12"] {
            assert!(!confirms_count(answer, 12), "{answer}");
        }
    }
}
