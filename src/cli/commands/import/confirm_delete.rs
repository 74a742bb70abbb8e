//! Confirming a deletion: whoever applies it says how much it deletes.
//!
//! A plain yes is not enough. On a terminal the number is typed; elsewhere `--confirm-delete` gives it, so
//! that a script that expected ten contacts never deletes ten thousand.

use crate::cli::account::protected::{is_terminal, question};
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;
use crate::cli::output::progress::Screen;
use crate::cli::output::text_format::{plural, safe};
use crate::import::{Planned, Removal};

/// How a deletion is confirmed.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Confirmation {
    /// Delete, without asking, exactly so many contacts, notes or tasks as the plan says
    #[arg(long, value_name = "N")]
    confirm_delete: Option<u64>,
}

impl Confirmation {
    /// Makes sure that somebody wants what the plan deletes. Whether it deletes anything.
    ///
    /// # Errors
    /// When nobody says so, or another number; nothing was sent then.
    pub(crate) fn confirm(self, planned: &Planned, screen: &Screen) -> Result<bool, Failure> {
        let removal = planned.summary.removal.as_ref().filter(|removal| removal.count > 0);
        match (removal, self.confirm_delete) {
            (None, None) => Ok(false),
            (None, Some(_)) if planned.summary.removal.is_some() => Ok(true),
            (None, Some(_)) => Err(refused(
                planned,
                "nothing was sent: `--confirm-delete` is for `--mode delete`, and this plan deletes \
                 nothing",
            )),
            (Some(removal), Some(number)) if number == removal.count => Ok(true),
            (Some(removal), Some(number)) => Err(refused(
                planned,
                format!(
                    "nothing was sent: `--confirm-delete {number}` is not what the plan deletes: {}",
                    counted(removal)
                ),
            )
            .hint(again(planned, removal))),
            (Some(removal), None) => ask(planned, removal, screen).map(|()| true),
        }
    }
}

/// `12 contacts`.
pub(crate) fn counted(removal: &Removal) -> String {
    plural(removal.count, removal.what.one())
}

fn refused(planned: &Planned, message: impl Into<String>) -> Failure {
    Failure::usage(message).resumes(planned.run().clone())
}

/// How to go on.
pub(crate) fn again(planned: &Planned, removal: &Removal) -> String {
    let plan = planned.out.join("plan.csv").display().to_string();
    format!(
        "look at {}, and then `ghl-bulk resume {} --confirm-delete {}`",
        safe(&plan),
        planned.run(),
        removal.count
    )
}

fn ask(planned: &Planned, removal: &Removal, screen: &Screen) -> Result<(), Failure> {
    let what = counted(removal);
    if !is_terminal() {
        let message = format!(
            "nothing was sent: deleting {what} needs `--confirm-delete {}`; a `--yes` is not enough",
            removal.count
        );
        return Err(refused(planned, message).hint(again(planned, removal)));
    }
    screen.finish();
    let name = planned.location_name().unwrap_or_default();
    let answer = question(&format!(
        "Delete {what} from {}? Type `delete {}` to do it: ",
        safe(&name),
        removal.count
    ));
    if answer.is_some_and(|answer| is_yes(&answer, removal.count)) {
        return Ok(());
    }
    Err(Failure::new(Code::Done, "nothing was sent").resumes(planned.run().clone()))
}

/// Whether somebody typed the number, alone or behind `delete`.
fn is_yes(answer: &str, count: u64) -> bool {
    let answer = answer.trim().to_lowercase();
    let number = answer.strip_prefix("delete").unwrap_or(&answer).trim();
    number == count.to_string()
}

#[cfg(test)]
mod tests {
    use super::is_yes;

    #[test]
    fn only_the_number_is_a_yes() {
        for answer in ["12", " delete 12\n", "Delete 12"] {
            assert!(is_yes(answer, 12), "{answer}");
        }
        for answer in ["", "y", "yes", "delete", "delete 1", "112", "delete all 12"] {
            assert!(!is_yes(answer, 12), "{answer}");
        }
    }
}
