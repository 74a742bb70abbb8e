//! `ghl-bulk mirror rm`: removes the local copy of a location.

use std::path::Path;

use super::find_mirror::{named_locations, no_mirror_error};
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::output::question::{QuestionAnswer, ask_question, can_ask};
use crate::cli::settings::Settings;
use crate::cli::signals;
use crate::id::{LocationId, RunId};
use crate::mirror;
use crate::run::RunError;
use crate::text::escape_for_terminal;

/// Removes the mirror of the location that the command names. `yes` is whether it does not ask.
pub(super) fn run(yes: bool, settings: &Settings) -> Result<CliExitCode, CliError> {
    let named = named_locations(settings)?;
    let [location] = named.as_slice() else {
        return Err(CliError::usage("`mirror rm` removes the copy of one location")
            .with_hint("give it with `--location ID`; `ghl-bulk mirror status` lists the copies"));
    };
    let home = dirs::runs_home()?;
    let dir = home.mirror_dir(location, settings.sandbox);
    // Also a damaged one, and what a killed process has left.
    if !dir.exists() {
        return Err(no_mirror_error(&named));
    }
    let screen = CliReporter::new(settings.output_style);
    if !yes && !confirm_removal(location, settings, &screen)? {
        return Err(CliError::usage("nothing was removed"));
    }
    // A watch between two syncs still has the mirror, and would go on with a file that is no longer there.
    let watch = home.lock_watch(location, settings.sandbox)?;
    // A process of its own for the messages of others.
    let lock = home.lock_mirror(location, settings.sandbox, &RunId::new(jiff::Timestamp::now()))?;
    remove_files(&dir)?;
    drop((watch, lock));
    // Empty but for the locks, unless a sync has begun a new one.
    for name in ["watch.lock", "lock"] {
        let _ = std::fs::remove_file(dir.join(name));
    }
    let _ = std::fs::remove_dir(&dir);
    screen.print_note(&format!(
        "removed the local copy of {location}; the next sync reads everything"
    ));
    Ok(CliExitCode::Done)
}

fn confirm_removal(
    location: &LocationId,
    settings: &Settings,
    screen: &CliReporter,
) -> Result<bool, CliError> {
    if !can_ask() {
        return Err(CliError::usage("there is no terminal to ask on")
            .with_hint("`--yes` removes the copy without asking"));
    }
    let location = escape_for_terminal(location.as_str());
    let question = format!(
        "remove the local copy of {location}? The former versions of its records are lost, and so are events that `watch` \
         has not delivered; the next sync reads everything. Exported files and the account stay as they are [y/N] "
    );
    signals::block_on(settings.deadline, screen, |stop| async move {
        let answer = ask_question(&question, &stop, screen).await;
        Ok(
            matches!(answer, QuestionAnswer::Line(line) if matches!(line.as_str(), "y" | "Y" | "yes")),
        )
    })
}

/// Removes the database first, so that a kill leaves no mirror that lacks its log.
fn remove_files(dir: &Path) -> Result<(), RunError> {
    let path = mirror::database_path(dir);
    let name = mirror::DATABASE;
    for name in
        [name.to_owned(), format!("{name}-wal"), format!("{name}-shm"), "mirror.new".to_owned()]
    {
        match std::fs::remove_file(dir.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(RunError::from_io(&path, error));
            }
            _ => {}
        }
    }
    Ok(())
}
