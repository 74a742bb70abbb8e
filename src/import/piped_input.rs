//! Piped input: read to its end before anything else, and kept in the run, so that the run can be resumed.

use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

use super::source::ImportSource;
use super::{ImportError, ImportRequest};
use crate::run::RunStore;

/// The number of bytes by which JSON Lines are recognized, which have no name here.
const HEAD: u64 = 64;

/// What was piped to the command, in a temporary file that is removed when this is dropped.
#[derive(Debug)]
pub struct PipedInput {
    file: tempfile::NamedTempFile,
}

impl PipedInput {
    /// Reads everything from `input`.
    ///
    /// # Errors
    /// When it cannot be read or stored.
    pub fn read_from(mut input: impl Read, home: &RunStore) -> Result<Self, ImportError> {
        let failed = |source| ImportError::File { path: PathBuf::from("-"), source };
        let mut head = Vec::new();
        input.by_ref().take(HEAD).read_to_end(&mut head).map_err(failed)?;
        let is_object = head.trim_ascii_start().starts_with(b"{");
        let mut file = home.create_temporary_file(if is_object { ".jsonl" } else { "" })?;
        file.write_all(&head).map_err(failed)?;
        std::io::copy(&mut input, &mut file).map_err(failed)?;
        file.flush().map_err(failed)?;
        Ok(Self { file })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

/// Where a run keeps its piped input.
pub(super) fn copy_path(run: &Path, piped: &Path) -> PathBuf {
    let name = PathBuf::from("stdin");
    run.join(match piped.extension() {
        Some(extension) => name.with_extension(extension),
        None => name,
    })
}

/// Copies the piped input into its run, and opens the copy, which the request names.
pub(super) fn store_copy(
    piped: &Path,
    request: ImportRequest,
) -> Result<(ImportSource, ImportRequest), ImportError> {
    let failed = |source| ImportError::File { path: request.file.clone(), source };
    // The permissions of the original are copied, too: only the owner can read it.
    std::fs::copy(piped, &request.file).map_err(failed)?;
    std::fs::File::open(&request.file).and_then(|file| file.sync_all()).map_err(failed)?;
    Ok((ImportSource::open(&request)?, request))
}
