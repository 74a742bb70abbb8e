//! The files that an import reads: whether they exist, and several of them one after the other.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use super::many_files::worst_of;
use crate::cli::config::dirs;
use crate::cli::output::error::CliError;
use crate::cli::output::exit_code::CliExitCode;
use crate::cli::output::progress::CliReporter;
use crate::event::CancelSignal;
use crate::import::PipedInput;
use crate::publish;
use crate::text::{escape_for_terminal, format_plural};

/// The refusal of a web address in place of a file.
fn web_address_error(text: &str) -> Option<CliError> {
    let lower = text.to_ascii_lowercase();
    let is_address = ["http://", "https://", "docs.google.com/", "www."]
        .iter()
        .any(|start| lower.starts_with(start));
    if !is_address {
        return None;
    }
    let hint = if lower.contains("docs.google.com/") || lower.contains("drive.google.com/") {
        "open it, choose File > Download > Microsoft Excel or CSV, and import that file"
    } else {
        "download it and import that file, or pipe it: `curl -L ADDRESS | ghl-bulk import -`"
    };
    let message = format!("`{text}` is a web address, not a file; nothing is downloaded");
    Some(CliError::new(CliExitCode::Refused, message).with_hint(hint))
}

/// Whether there is a file to read.
pub(crate) fn ensure_file_exists(file: &Path) -> Result<(), CliError> {
    if file.exists() {
        return Ok(());
    }
    if let Some(refusal) = file.to_str().and_then(web_address_error) {
        return Err(refusal);
    }
    let failure = CliError::usage(format!("`{}`: no such file", file.display()));
    Err(match file.to_str() {
        Some("-") => {
            failure.with_hint("a sheet is read more than once: save the piped data to a file first")
        }
        _ => failure,
    })
}

/// Refuses a file of a masked export: its values are not those of any contact.
pub(super) fn ensure_not_masked(file: &Path) -> Result<(), CliError> {
    if !publish::is_masked_file(file) {
        return Ok(());
    }
    let message = format!("`{}` is of a masked export, whose values are not real", file.display());
    Err(CliError::new(CliExitCode::Refused, message)
        .with_hint("import an export that was made without `--mask`"))
}

/// Reads what is piped to the command if its only file is `-`.
pub(super) fn read_piped_input(files: &[PathBuf]) -> Result<Option<PipedInput>, CliError> {
    if !files.iter().any(|file| file == Path::new("-")) {
        return Ok(None);
    }
    if files.len() > 1 {
        return Err(CliError::usage("`-` (standard input) cannot be combined with other files"));
    }
    let input = std::io::stdin();
    if input.is_terminal() {
        return Err(CliError::usage("nothing is piped to standard input").with_hint(
            "pipe a sheet to it, as in `ghl-bulk import - < leads.csv`, or name a file",
        ));
    }
    PipedInput::read_from(input.lock(), &dirs::runs_home()?).map(Some).map_err(CliError::from)
}

/// The directory below that of the command for the result files of one of several files: named after the file, with
/// a number if another one has the same name. `None` for a single file.
pub(super) fn own_directory(files: &[PathBuf], file: &Path) -> Option<PathBuf> {
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_owned();
    let at = files.iter().position(|other| other == file).filter(|_| files.len() > 1)?;
    let earlier = files[..at].iter().filter(|other| stem(other) == stem(file)).count();
    let mut name = stem(file);
    if earlier > 0 {
        name.push(format!("-{}", earlier + 1));
    }
    Some(name.into())
}

/// Imports each file, each with a plan of its own, until one fails or the command is stopped. Ends with the worst
/// code.
pub(super) async fn for_each_file(
    files: &[PathBuf],
    screen: &CliReporter,
    stop: &CancelSignal,
    work: impl AsyncFn(&Path) -> Result<CliExitCode, CliError>,
) -> Result<CliExitCode, CliError> {
    let mut codes = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let left = format_plural((files.len() - at) as u64, "file");
        if stop.is_cancelled() {
            screen.print_note(&format!("stopped; {left} not begun"));
            break;
        }
        let shown = file.display().to_string();
        screen.print_note(&format!("file {}:", escape_for_terminal(&shown)));
        match work(file).await {
            Ok(code) => codes.push(code),
            Err(failure) => {
                screen.print_note(&format!("{left} not imported, beginning with this one"));
                return Err(failure);
            }
        }
    }
    Ok(worst_of(&codes))
}
