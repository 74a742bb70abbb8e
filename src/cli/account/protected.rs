//! Protected locations: what would change one needs the location's name.
//!
//! A location is protected by the profile that was chosen and by every other protected profile that names
//! it, so that leaving the profile away is no way round. Reading and planning are free.

use std::io::{self, BufRead, IsTerminal, Write};

use crate::cli::args::global::Global;
use crate::cli::output::error::Failure;
use crate::cli::output::exit_code::Code;
use crate::cli::output::progress::Screen;
use crate::cli::output::text_format::safe;
use crate::id::LocationId;
use crate::import::Planned;

/// The check that it is the right location.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Confirm {
    /// Apply to a protected profile: the location's name, as a check that it is the right one
    #[arg(long, value_name = "NAME")]
    confirm_location: Option<String>,
}

/// What has to be confirmed before something is sent that changes a location.
#[derive(Debug)]
pub(crate) struct Guard {
    /// The profile that protects the location, if one does.
    profile: Option<String>,
    /// The name that was given.
    name: Option<String>,
    location: LocationId,
}

impl Guard {
    /// The guard of a location, with the profile that its run was begun with, if any. Nothing protects
    /// what the embedded sandbox serves.
    pub(crate) fn new(
        global: &Global,
        location: &LocationId,
        begun_with: Option<&str>,
        sandbox: bool,
        confirm: &Confirm,
    ) -> Self {
        let chosen = global.profile.as_ref().filter(|profile| profile.is_protected());
        let by = chosen.or_else(|| global.sources.config.protecting(location, begun_with));
        let profile = by.filter(|_| !sandbox).map(|profile| profile.name.clone());
        Self { profile, name: confirm.confirm_location.clone(), location: location.clone() }
    }

    /// Refuses what nobody could confirm, before anything is asked of the account. `asks` is whether the
    /// command would ask on a terminal.
    pub(crate) fn early(&self, asks: bool) -> Result<(), Failure> {
        let Some(profile) = self.profile.as_ref().filter(|_| self.name.is_none()) else {
            return Ok(());
        };
        if asks && is_terminal() {
            return Ok(());
        }
        let why = if asks { "there is no terminal to ask on" } else { "`--yes` alone does not do" };
        Err(Failure::usage(format!(
            "nothing was sent: the profile `{profile}` is protected, and {why}"
        ))
        .hint("give `--confirm-location NAME` with the location's name; `--dry-run` needs none"))
    }

    /// Checks the name that was given against the location's. A location whose name is not known is
    /// called by its id.
    pub(crate) fn check(&self, planned: &Planned) -> Result<(), Failure> {
        let known = self.known(planned);
        match &self.name {
            Some(given) if *given != known => Err(Failure::usage(format!(
                "`--confirm-location {given}`: the location is called `{known}`"
            ))
            .hint("nothing was sent; check `--location`")),
            _ => Ok(()),
        }
    }

    /// Whether the location's name has yet to be typed.
    pub(crate) fn asks(&self) -> bool {
        self.profile.is_some() && self.name.is_none()
    }

    /// Asks for the location's name.
    pub(crate) fn ask(&self, planned: &Planned, screen: &Screen) -> Result<(), Failure> {
        // Without a terminal, nothing can be typed.
        self.early(true).map_err(|failure| failure.resumes(planned.run().clone()))?;
        screen.finish();
        let name = self.known(planned);
        let profile = self.profile.as_deref().unwrap_or_default();
        let answer = question(&format!(
            "The profile `{}` is protected. Type the location's name, `{}`, to apply this: ",
            safe(profile),
            safe(&name)
        ));
        if answer.as_deref() == Some(name.trim()) {
            return Ok(());
        }
        Err(Failure::new(Code::Done, "nothing was sent").resumes(planned.run().clone()))
    }

    /// What the location is called.
    fn known(&self, planned: &Planned) -> String {
        planned.location_name().unwrap_or_else(|| self.location.to_string())
    }
}

/// Whether somebody can be asked.
pub(crate) fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks a question and reads a line.
pub(crate) fn question(text: &str) -> Option<String> {
    let mut err = io::stderr().lock();
    // When stderr is gone, nobody answers either.
    let _ = write!(err, "{text}");
    let _ = err.flush();
    drop(err);
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).ok()?;
    Some(answer.trim().to_owned())
}
