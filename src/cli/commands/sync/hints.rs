//! `--hint`: a list of contacts that are read first.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::cli::output::error::CliError;
use crate::id::ContactId;

/// The most that is read of a list, in bytes.
const LONGEST: u64 = 1 << 20;
/// The most contacts in a list: each takes up to two requests.
const MOST: usize = 10_000;

/// The ids in a file, one a line; `-` is standard input. Each comes once.
pub(super) fn read_hints(file: &Path) -> Result<Vec<ContactId>, CliError> {
    let name = file.display();
    let unreadable = |error| CliError::usage(format!("the hints `{name}` cannot be read: {error}"));
    let text = if file == Path::new("-") {
        read_text(io::stdin().lock())
    } else {
        File::open(file).and_then(read_text)
    };
    let text = text.map_err(unreadable)?;
    let mut ids = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let refuse = |error| {
            CliError::usage(format!("{name} line {}: {error}", number + 1))
                .with_hint("`--hint` takes one contact id a line")
        };
        ids.push(line.parse::<ContactId>().map_err(refuse)?);
    }
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > MOST {
        return Err(CliError::usage(format!("`{name}` has more than {MOST} contacts"))
            .with_hint("`ghl-bulk sync --full` reads everything"));
    }
    Ok(ids)
}

fn read_text(from: impl Read) -> io::Result<String> {
    let mut text = String::new();
    let read = from.take(LONGEST + 1).read_to_string(&mut text)?;
    if read as u64 > LONGEST {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(text)
}
