//! The file under a sheet: opened as often as needed, hashed while it is read, and identified by its stamp.
//!
//! Reading a file to its end reveals whether its bytes are those that were prescanned. This module does not know
//! the contents.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::error::io_error;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::text::encode_hex;

/// The file's metadata: cheap to read, and different after most changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileStamp {
    pub(super) size: u64,
    modified: Option<SystemTime>,
}

/// Opens a file that can be read more than once.
pub(super) fn open_file(path: &Path) -> Result<(File, FileStamp), Diagnostic> {
    // Checked before opening: opening a pipe would block until a writer appears.
    let metadata = std::fs::metadata(path).map_err(|error| io_error(path, &error))?;
    if !metadata.is_file() {
        return Err(not_a_file_error(path, metadata.is_dir()));
    }
    let file = File::open(path).map_err(|error| io_error(path, &error))?;
    let metadata = file.metadata().map_err(|error| io_error(path, &error))?;
    let stamp = FileStamp { size: metadata.len(), modified: metadata.modified().ok() };
    Ok((file, stamp))
}

fn not_a_file_error(path: &Path, directory: bool) -> Diagnostic {
    if directory {
        let message = format!("`{}` is a directory", path.display());
        return Diagnostic::new(DiagnosticCode::E_IO, message).with_hint("choose a file in it");
    }
    Diagnostic::new(DiagnosticCode::E_IO, format!("`{}` is not a regular file", path.display()))
        .with_hint("the file is read more than once; save the data to a file first")
}

/// A reader that hashes the bytes it reads.
pub(super) struct HashingReader<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> HashingReader<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new() }
    }

    /// Reads the rest, and returns the digest of everything in lower-case hex.
    pub(super) fn finish_digest(mut self) -> io::Result<String> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(encode_hex(&self.hash.finalize()))
    }
}

impl<R: Read> Read for HashingReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

/// Fills the buffer as far as the reader has data.
pub(super) fn fill_buffer(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
