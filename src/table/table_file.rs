//! The file of a sink: hashed and counted while it is written, synced at the end.
//!
//! It does not buffer: every format has its own buffer.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{TableWriteError, WrittenTable};
use crate::text::encode_hex;

/// A new file, with the hash and size of what was written so far.
#[derive(Debug)]
pub(super) struct HashedOutputFile {
    path: PathBuf,
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl HashedOutputFile {
    /// Creates the file; fails if it exists.
    pub(super) fn create(path: &Path) -> Result<Self, TableWriteError> {
        let path = path.to_owned();
        let file = match File::create_new(&path) {
            Ok(file) => file,
            Err(source) => return Err(TableWriteError::Create { path, source }),
        };
        Ok(Self { path, file, hash: Sha256::new(), bytes: 0 })
    }

    /// The file's path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until the file is on disk.
    pub(super) fn close(self, rows: u64) -> Result<WrittenTable, TableWriteError> {
        self.file.sync_all().map_err(|source| TableWriteError::write_error(&self.path, source))?;
        let hash = self.hash.finalize();
        Ok(WrittenTable { rows, bytes: self.bytes, sha256: encode_hex(&hash), cut_cells: 0 })
    }
}

impl Write for HashedOutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
