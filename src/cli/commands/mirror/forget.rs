//! `ghl-bulk mirror forget`: a directory or sink that no longer reads a local copy holds nothing back.

use super::find_mirror::{named_locations, no_mirror_error};
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::cli::settings::Settings;
use crate::id::RunId;
use crate::mirror::{MirrorReader, ReaderProgress};

/// Forgets a reader of the mirror of the location that the command names.
pub(super) fn run(reader: &str, settings: &Settings) -> Result<CliExitCode, CliError> {
    let named = named_locations(settings)?;
    let [location] = named.as_slice() else {
        return Err(CliError::usage("`mirror forget` is about the copy of one location")
            .with_hint("give it with `--location ID`; `ghl-bulk mirror status` lists the copies"));
    };
    let home = dirs::runs_home()?;
    let dir = home.mirror_dir(location, settings.sandbox);
    let mirror = MirrorReader::open(&dir)?.ok_or_else(|| no_mirror_error(&named))?;
    let screen = CliReporter::new(settings.output_style);
    // A watch or an export at work would go on with the place that it has.
    let watch = home.lock_watch(location, settings.sandbox)?;
    let lock = home.lock_mirror(location, settings.sandbox, &RunId::new(jiff::Timestamp::now()))?;
    let known = mirror.list_reader_progress()?;
    let name = find_name(reader, &known)?;
    mirror.forget_reader(name)?;
    drop((watch, lock));
    screen.print_note(&format!("forgot {name}; nothing is kept for it"));
    Ok(CliExitCode::Done)
}

/// The name of a reader as `mirror status` shows it; a directory may be given by any path to it.
fn find_name<'a>(reader: &str, known: &'a [ReaderProgress]) -> Result<&'a str, CliError> {
    let path = std::fs::canonicalize(reader).or_else(|_| std::path::absolute(reader));
    let path = path.map(|path| path.display().to_string()).unwrap_or_default();
    let found = known.iter().find(|it| it.name == reader || it.name == path);
    found.map(|it| it.name.as_str()).ok_or_else(|| {
        let names = known.iter().map(|it| it.name.clone()).collect();
        let message = format!("nothing that reads the local copy is called `{reader}`");
        let error = CliError::new(CliExitCode::Missing, message).with_lines(names);
        error.with_hint("`ghl-bulk mirror status` shows what reads it")
    })
}
