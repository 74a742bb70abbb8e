//! The mirrors on this machine, and the one that a command is about.

use std::path::PathBuf;

use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::settings::Settings;
use crate::id::LocationId;
use crate::mirror::{self, MirrorReader};
use crate::run::RunError;
use crate::sandbox;

/// The locations that a command names; the embedded sandbox has one of its own.
pub(super) fn named_locations(settings: &Settings) -> Result<Vec<LocationId>, CliError> {
    let mut named = settings.locations()?;
    if named.is_empty() && settings.sandbox {
        named.push(sandbox::LOCATION.parse().expect("the sandbox's location is an id"));
    }
    Ok(named)
}

/// The directories of the mirrors that a command is about: those of the locations that it names, or all.
pub(super) fn find_mirror_dirs(settings: &Settings) -> Result<Vec<PathBuf>, CliError> {
    let (home, named) = (dirs::runs_home()?, named_locations(settings)?);
    let dirs = match named.as_slice() {
        [] => list_mirror_dirs(&home.mirrors_dir().to_owned())?,
        named => named.iter().map(|location| home.mirror_dir(location, settings.sandbox)).collect(),
    };
    Ok(dirs.into_iter().filter(|dir| mirror::database_path(dir).exists()).collect())
}

fn list_mirror_dirs(all: &PathBuf) -> Result<Vec<PathBuf>, CliError> {
    let entries = match std::fs::read_dir(all) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(RunError::from_io(all, source).into()),
    };
    let dirs = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut dirs = dirs
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(|source| CliError::from(RunError::from_io(all, source)))?;
    dirs.sort();
    Ok(dirs)
}

/// Opens the only mirror that a command is about: that of its location, or the only one there is.
pub(crate) fn open_only_mirror(
    settings: &Settings,
    command: &str,
) -> Result<MirrorReader, CliError> {
    let dirs = find_mirror_dirs(settings)?;
    let named = named_locations(settings)?;
    match dirs.as_slice() {
        [dir] if named.len() < 2 => {
            let mirror = MirrorReader::open(dir)?;
            mirror.ok_or_else(|| no_mirror_error(&named))
        }
        [] => Err(no_mirror_error(&named)),
        _ => Err(CliError::usage(format!("`{command}` is about one location"))
            .with_hint("give it with `--location ID`; `ghl-bulk mirror status` lists the copies")),
    }
}

/// The error of a location that was never synced.
pub(super) fn no_mirror_error(named: &[LocationId]) -> CliError {
    let message = match named {
        [location] => format!("there is no local copy of location `{location}`"),
        _ => "there is no local copy of any location".to_owned(),
    };
    CliError::new(CliExitCode::Missing, message).with_hint("`ghl-bulk sync` makes one")
}
