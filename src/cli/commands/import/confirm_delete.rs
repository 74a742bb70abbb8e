//! Confirming a deletion by the number of records that it deletes.
//!
//! A plain yes is not enough. On a terminal the number is typed; elsewhere `--confirm-delete` gives it, so
//! that a script that expected ten contacts never deletes ten thousand.

use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::question::{QuestionAnswer, ask_question, can_ask};
use crate::event::CancelSignal;
use crate::import::{DeletionSummary, ImportPlan, PriorConsent};
use crate::text::{escape_for_terminal, format_plural};

/// How a deletion is confirmed.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct ConfirmDeleteArgs {
    /// Delete without prompting if the plan deletes exactly N contacts, notes or tasks
    #[arg(long, value_name = "N")]
    confirm_delete: Option<u64>,
}

/// Whether the deletions of a plan are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeletionAnswer {
    /// The plan deletes nothing.
    NotNeeded,
    /// The number was given.
    Confirmed,
    /// The user says no.
    Declined,
}

impl ConfirmDeleteArgs {
    /// What the user agrees to before there is a plan. A dry run agrees to nothing.
    pub(crate) fn prior_consent(self, yes: bool, dry_run: bool) -> PriorConsent {
        if dry_run {
            return PriorConsent::default();
        }
        PriorConsent { yes, deletions: self.confirm_delete }
    }

    /// The number given here or, without one, an earlier one.
    pub(crate) fn or(self, earlier: Option<u64>) -> Self {
        Self { confirm_delete: self.confirm_delete.or(earlier) }
    }

    /// Makes sure that the deletions of the plan are wanted.
    ///
    /// # Errors
    /// When the number is missing or differs; nothing was sent then.
    pub(crate) async fn confirm_deletion(
        self,
        planned: &ImportPlan,
        stop: &CancelSignal,
        screen: &CliReporter,
    ) -> Result<DeletionAnswer, CliError> {
        let removal = planned.summary.removal.as_ref().filter(|removal| removal.count > 0);
        match (removal, self.confirm_delete) {
            (None, None) => Ok(DeletionAnswer::NotNeeded),
            (None, Some(_)) if planned.summary.removal.is_some() => Ok(DeletionAnswer::Confirmed),
            (None, Some(_)) => Err(not_sent_error(
                planned,
                "nothing was sent: `--confirm-delete` is for plans that delete, and this plan deletes \
                 nothing",
            )),
            (Some(removal), Some(number)) if number == removal.count => {
                Ok(DeletionAnswer::Confirmed)
            }
            (Some(removal), Some(number)) => Err(not_sent_error(
                planned,
                format!(
                    "nothing was sent: `--confirm-delete {number}` is not what the plan deletes: {}",
                    deletion_count_text(removal)
                ),
            )
            .with_hint(review_hint(planned))
            .with_apply(planned.run_id().clone(), &confirm_flag(removal))),
            (Some(removal), None) => prompt_for_count(planned, removal, stop, screen).await,
        }
    }
}

/// `12 contacts`.
pub(crate) fn deletion_count_text(removal: &DeletionSummary) -> String {
    format_plural(removal.count, removal.what.singular_name())
}

fn not_sent_error(planned: &ImportPlan, message: impl Into<String>) -> CliError {
    CliError::usage(message).with_apply(planned.run_id().clone(), "")
}

fn review_hint(planned: &ImportPlan) -> String {
    format!("review {}, then apply the plan", planned.out.join("plan.csv").display())
}

/// The flag that confirms the deletions.
pub(crate) fn confirm_flag(removal: &DeletionSummary) -> String {
    format!("--confirm-delete {}", removal.count)
}

async fn prompt_for_count(
    planned: &ImportPlan,
    removal: &DeletionSummary,
    stop: &CancelSignal,
    screen: &CliReporter,
) -> Result<DeletionAnswer, CliError> {
    let what = deletion_count_text(removal);
    if !can_ask() {
        let message = format!(
            "nothing was sent: deleting {what} requires `--confirm-delete {}`; `--yes` is not enough",
            removal.count
        );
        return Err(not_sent_error(planned, message)
            .with_hint(review_hint(planned))
            .with_apply(planned.run_id().clone(), &confirm_flag(removal)));
    }
    let name = planned.location_name().unwrap_or_default();
    let question = format!(
        "Delete {what} from {}? Type `delete {}` to do it: ",
        escape_for_terminal(&name),
        removal.count
    );
    match ask_question(&question, stop, screen).await {
        QuestionAnswer::Line(line) if confirms_count(&line, removal.count) => {
            Ok(DeletionAnswer::Confirmed)
        }
        QuestionAnswer::Line(line) if line.chars().any(|c| c.is_ascii_digit()) => {
            let message = format!("nothing was sent: the plan deletes {what}, not that number");
            Err(not_sent_error(planned, message))
        }
        QuestionAnswer::Line(_) => Ok(DeletionAnswer::Declined),
        answer => Err(unanswered_error(&answer, planned)),
    }
}

/// The error of a question without an answer: the plan stays as it is.
pub(crate) fn unanswered_error(answer: &QuestionAnswer, planned: &ImportPlan) -> CliError {
    let (code, message) = match answer {
        QuestionAnswer::Cancelled => (CliExitCode::Interrupted, "interrupted; nothing was sent"),
        QuestionAnswer::EndOfInput | QuestionAnswer::Line(_) => {
            (CliExitCode::Usage, "nothing was sent: there was no answer")
        }
    };
    CliError::new(code, message).with_apply(planned.run_id().clone(), "")
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
