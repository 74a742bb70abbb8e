//! A file of locations: one id a line, then perhaps a comma and the name of the environment variable that
//! holds the location's token. Empty lines and `#` lines are ignored.

use std::path::Path;

use crate::cli::output::error::CliError;
use crate::id::{InvalidId, LocationId};

/// A line of the file.
#[derive(Debug)]
pub(super) struct LocationListEntry {
    pub(super) location: LocationId,
    /// The environment variable that holds its token, where the line names one.
    pub(super) variable: Option<String>,
    /// Counted from 1.
    pub(super) line: usize,
}

/// Reads the file.
pub(super) fn read_location_list(path: &Path) -> Result<Vec<LocationListEntry>, CliError> {
    let shown = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| CliError::usage(format!("`{shown}`: {error}")))?;
    let mut all: Vec<LocationListEntry> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim().trim_start_matches('\u{feff}');
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (id, variable) = match line.split_once([',', ';', '\t']) {
            Some((id, variable)) => (id.trim(), variable.trim()),
            None => (line, ""),
        };
        if number == 0 && ["location", "location_id", "id"].contains(&id.to_lowercase().as_str()) {
            continue;
        }
        let line = number + 1;
        let location: LocationId =
            id.parse().map_err(|error: InvalidId| line_error(path, line, &error.to_string()))?;
        if all.iter().any(|listed| listed.location == location) {
            let said = format!("location `{location}` is listed twice");
            return Err(line_error(path, line, &said));
        }
        let variable = (!variable.is_empty()).then(|| variable.to_owned());
        all.push(LocationListEntry { location, variable, line });
    }
    if all.is_empty() {
        return Err(CliError::usage(format!("`{shown}` does not name a location")));
    }
    Ok(all)
}

/// The error in a line.
pub(super) fn line_error(path: &Path, line: usize, why: &str) -> CliError {
    CliError::usage(format!("`{}` line {line}: {why}", path.display()))
}
