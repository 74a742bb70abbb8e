//! Confirming a plan before anything of it is sent: by a question, by `--yes`, or by the number of deletions.

use super::confirm_delete::{ConfirmDeleteArgs, DeletionAnswer, unanswered_error};
use crate::cli::account::protected::ProtectedLocationGuard;
use crate::cli::output::error::CliError;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::question::{QuestionAnswer, ask_question, can_ask};
use crate::event::CancelSignal;
use crate::import::{ImportPlan, PlanSummary};
use crate::run::RowAction;
use crate::text::{escape_for_terminal, format_plural};

/// How a plan is confirmed.
#[derive(Debug)]
pub(crate) struct PlanConfirmation<'a> {
    /// Whether the user agrees to any plan (`--yes`).
    pub(crate) yes: bool,
    /// The number of deletions, if it is given.
    pub(crate) deletion: ConfirmDeleteArgs,
    /// The check of a protected location.
    pub(crate) guard: &'a ProtectedLocationGuard,
}

/// Whether a plan is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlanAnswer {
    /// The user agrees.
    Apply,
    /// The user says no, and the plan is closed.
    Declined,
}

impl PlanConfirmation<'_> {
    /// Makes sure that the user wants the plan. What was begun already needs no further answer.
    ///
    /// # Errors
    /// When there is no terminal to ask on, or the answer is neither yes nor no; the plan can be applied later.
    pub(crate) async fn confirm(
        &self,
        planned: &ImportPlan,
        stop: &CancelSignal,
        screen: &CliReporter,
    ) -> Result<PlanAnswer, CliError> {
        let started = planned.has_started_applying().map_err(CliError::from)?;
        if !started {
            let deletion = self.deletion.or(planned.prior_consent().deletions);
            match deletion.confirm_deletion(planned, stop, screen).await? {
                DeletionAnswer::Declined => return Ok(PlanAnswer::Declined),
                DeletionAnswer::Confirmed if !self.guard.needs_prompt() => {
                    return Ok(PlanAnswer::Apply);
                }
                DeletionAnswer::Confirmed | DeletionAnswer::NotNeeded => {}
            }
        }
        if self.guard.needs_prompt() {
            let agreed = self.guard.prompt_for_name(planned, stop, screen).await?;
            return Ok(if agreed { PlanAnswer::Apply } else { PlanAnswer::Declined });
        }
        if started || self.yes || planned.prior_consent().yes {
            return Ok(PlanAnswer::Apply);
        }
        ask_for_yes(planned, stop, screen).await
    }
}

/// Asks whether to apply the plan.
async fn ask_for_yes(
    planned: &ImportPlan,
    stop: &CancelSignal,
    screen: &CliReporter,
) -> Result<PlanAnswer, CliError> {
    let run = planned.run_id();
    if !can_ask() {
        let plan = planned.out.join("plan.csv").display().to_string();
        return Err(CliError::usage(
            "nothing was sent: confirmation is required, and there is no terminal to ask on",
        )
        .with_hint(format!("review {plan}, then apply the plan; or use `--yes`"))
        .with_apply(run.clone(), "--yes"));
    }
    let name = planned.location_name().unwrap_or_default();
    let question = format!(
        "Apply {} to {}? [y/N] ",
        write_counts(&planned.summary),
        escape_for_terminal(&name)
    );
    match ask_question(&question, stop, screen).await {
        QuestionAnswer::Line(line) if matches!(line.to_lowercase().as_str(), "y" | "yes") => {
            Ok(PlanAnswer::Apply)
        }
        QuestionAnswer::Line(_) => Ok(PlanAnswer::Declined),
        answer => Err(unanswered_error(&answer, planned)),
    }
}

/// What a plan does, for a question: `312 creates, 240 updates`.
fn write_counts(summary: &PlanSummary) -> String {
    let counts = summary.actions.iter().filter_map(|(action, rows)| {
        let noun = match action {
            RowAction::Create => "create",
            RowAction::Update => "update",
            RowAction::Tag => "tagging",
            RowAction::Untag => "untagging",
            RowAction::NotesAndTasks => "row of notes and tasks",
            RowAction::Delete | RowAction::DeleteCreated => "deletion",
            RowAction::DeleteNote => "deletion of a note",
            RowAction::DeleteTask => "deletion of a task",
            RowAction::Recreate => "recreation",
            RowAction::Restore => "restoration",
            RowAction::TagCreated => "tagging of a created contact",
            RowAction::AlreadyGone
            | RowAction::DoneEarlier
            | RowAction::Merged
            | RowAction::Pending
            | RowAction::Rejected
            | RowAction::Skip
            | RowAction::Superseded
            | RowAction::Unchanged => return None,
        };
        Some(match noun.split_once(" of ") {
            Some((head, rest)) => format!("{} of {rest}", format_plural(*rows, head)),
            None => format_plural(*rows, noun),
        })
    });
    let fields = |count: usize, adjective| {
        let noun = format_plural(count as u64, "custom field");
        let noun = noun.split_once(' ').unwrap_or_default();
        (count > 0).then(|| format!("{} {adjective} {}", noun.0, noun.1))
    };
    let created = fields(summary.new_fields.len(), "new");
    let deleted = fields(summary.unused_fields.len(), "unused");
    let counts: Vec<_> = created.into_iter().chain(counts).chain(deleted).collect();
    if counts.is_empty() { format_plural(summary.rows, "row") } else { counts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NewField, NewFieldType};

    #[test]
    fn the_question_counts_new_and_unused_custom_fields() {
        let field = NewField {
            column: "A".to_owned(),
            name: "A".to_owned(),
            data_type: NewFieldType::Text,
        };
        let summary = PlanSummary {
            actions: [(RowAction::Create, 2)].into(),
            new_fields: vec![field],
            unused_fields: vec!["B".to_owned(), "C".to_owned()],
            ..PlanSummary::default()
        };
        let counts = "1 new custom field, 2 creates, 2 unused custom fields";
        assert_eq!(write_counts(&summary), counts);
    }

    #[test]
    fn the_question_counts_only_what_is_written() {
        let actions = [
            (RowAction::Create, 1),
            (RowAction::Update, 1_240),
            (RowAction::Unchanged, 7),
            (RowAction::DeleteNote, 2),
        ];
        let summary = PlanSummary { actions: actions.into(), ..PlanSummary::default() };
        assert_eq!(write_counts(&summary), "1 create, 2 deletions of a note, 1,240 updates");
    }
}
