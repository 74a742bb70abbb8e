//! Protected locations: a command that changes one needs the location's name.
//!
//! A location is protected by the profile that was chosen and by every other protected profile that names
//! it, so that omitting the profile does not bypass it. Reading and planning are free.

use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::question::{QuestionAnswer, ask_question, can_ask};
use crate::cli::settings::Settings;
use crate::event::CancelSignal;
use crate::id::LocationId;
use crate::import::ImportPlan;
use crate::text::escape_for_terminal;

/// The check that it is the right location.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ConfirmLocationArgs {
    /// The location's name, to confirm changes to a protected location
    #[arg(long, value_name = "NAME")]
    confirm_location: Option<String>,
}

/// What the user has to confirm before a request may change a location.
#[derive(Debug)]
pub(crate) struct ProtectedLocationGuard {
    /// The profile that protects the location, if one does.
    profile: Option<String>,
    /// The name that was given.
    name: Option<String>,
    location: LocationId,
}

impl ProtectedLocationGuard {
    /// The guard of a location, with the profile that its run was begun with, if any. Nothing protects
    /// what the embedded sandbox serves.
    pub(crate) fn new(
        settings: &Settings,
        location: &LocationId,
        begun_with: Option<&str>,
        sandbox: bool,
        confirm: &ConfirmLocationArgs,
    ) -> Self {
        let chosen = settings.profile().filter(|profile| profile.is_protected());
        let by = chosen.or_else(|| settings.config().protecting_profile(location, begun_with));
        let profile = by.filter(|_| !sandbox).map(|profile| profile.name.clone());
        Self { profile, name: confirm.confirm_location.clone(), location: location.clone() }
    }

    /// Refuses what cannot be confirmed, before anything is asked of the account. `asks` is whether the
    /// command would ask on a terminal.
    pub(crate) fn ensure_confirmable(&self, asks: bool) -> Result<(), CliError> {
        let Some(profile) = self.profile.as_ref().filter(|_| self.name.is_none()) else {
            return Ok(());
        };
        if asks && can_ask() {
            return Ok(());
        }
        let why = if asks { "there is no terminal to ask on" } else { "`--yes` is not enough" };
        Err(CliError::usage(format!(
            "nothing was sent: the profile `{profile}` is protected, and {why}"
        ))
        .with_hint(
            "give `--confirm-location NAME` with the location's name; `--dry-run` does not need it",
        ))
    }

    /// Checks the name that was given against the location's. A location whose name is not known is
    /// called by its id.
    pub(crate) fn check_name(&self, planned: &ImportPlan) -> Result<(), CliError> {
        let known = self.location_name(planned);
        match &self.name {
            Some(given) if *given != known => Err(CliError::usage(format!(
                "`--confirm-location {given}`: the location is called `{known}`"
            ))
            .with_hint("nothing was sent; check `--location`")),
            _ => Ok(()),
        }
    }

    /// Whether the location's name has yet to be typed.
    pub(crate) fn needs_prompt(&self) -> bool {
        self.profile.is_some() && self.name.is_none()
    }

    /// Asks for the location's name; false if the user enters nothing, which is a no.
    pub(crate) async fn prompt_for_name(
        &self,
        planned: &ImportPlan,
        stop: &CancelSignal,
        screen: &CliReporter,
    ) -> Result<bool, CliError> {
        // Without a terminal, nothing can be typed.
        self.ensure_confirmable(true)
            .map_err(|failure| failure.with_apply(planned.run_id().clone(), ""))?;
        let name = self.location_name(planned);
        let profile = self.profile.as_deref().unwrap_or_default();
        let question = format!(
            "The profile `{}` is protected. Type the location's name, `{}`, to apply this: ",
            escape_for_terminal(profile),
            escape_for_terminal(&name)
        );
        let (code, message) = match ask_question(&question, stop, screen).await {
            QuestionAnswer::Line(line) if line == name.trim() => return Ok(true),
            QuestionAnswer::Line(line) if line.is_empty() => return Ok(false),
            QuestionAnswer::Cancelled => {
                (CliExitCode::Interrupted, "interrupted; nothing was sent")
            }
            QuestionAnswer::Line(_) | QuestionAnswer::EndOfInput => {
                (CliExitCode::Usage, "nothing was sent: that is not the location's name")
            }
        };
        Err(CliError::new(code, message).with_apply(planned.run_id().clone(), ""))
    }

    /// The location's name.
    fn location_name(&self, planned: &ImportPlan) -> String {
        planned.location_name().unwrap_or_else(|| self.location.to_string())
    }
}
