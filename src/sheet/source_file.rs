//! The file under a sheet: opened as often as needed, hashed as it is read, known again by its stamp.
//!
//! It promises that whoever reads a file to its end learns whether its bytes are those that were looked
//! over. It knows nothing of what is in them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::Refusal;

/// What the system says about a file: cheap to ask, and different after most changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) size: u64,
    modified: Option<SystemTime>,
}

/// Opens a file that can be read more than once.
pub(super) fn open(path: &Path) -> Result<(File, Stamp), Refusal> {
    // Asked before it is opened: opening a pipe would wait for somebody to write to it.
    let metadata = std::fs::metadata(path).map_err(|error| Refusal::io(path, &error))?;
    if !metadata.is_file() {
        return Err(irregular(path, metadata.is_dir()));
    }
    let file = File::open(path).map_err(|error| Refusal::io(path, &error))?;
    let metadata = file.metadata().map_err(|error| Refusal::io(path, &error))?;
    let stamp = Stamp { size: metadata.len(), modified: metadata.modified().ok() };
    Ok((file, stamp))
}

fn irregular(path: &Path, directory: bool) -> Refusal {
    if directory {
        let message = format!("`{}` is a directory", path.display());
        return Refusal::new("E_IO", message).hint("name one file in it");
    }
    Refusal::new("E_IO", format!("`{}` is not a regular file", path.display()))
        .hint("it is read more than once: save it to a file first")
}

/// A reader that hashes what passes through it.
pub(super) struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Hashing<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new() }
    }

    /// Reads what is left and gives the digest of everything, in lower-case hex.
    pub(super) fn finish(mut self) -> io::Result<String> {
        io::copy(&mut self, &mut io::sink())?;
        Ok(hexadecimal(&self.hash.finalize()))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Fills as much of the buffer as the reader has.
pub(super) fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
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
