//! Writes a file of lines: in frames of zstd of a bounded size, encrypted on request, with its hash.

use std::io::{self, Write};

use sha2::{Digest as _, Sha256};

use super::encryption;
use super::error::RepositoryError;
use super::line::SnapshotLine;

/// The bytes of lines in a frame. Each frame can be decompressed by itself and has a checksum.
const FRAME_BYTES: usize = 1 << 20;
/// The zstd level: three times as fast as the next, and a tenth larger.
const LEVEL: i32 = 3;

/// What a file has, once it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSummary {
    pub(super) puts: u64,
    pub(super) dels: u64,
    pub(super) plain_bytes: u64,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// Takes the lines of a file, in order.
pub struct DataFileWriter<'w> {
    to: &'w mut dyn Write,
    object: &'w str,
    frame: Vec<u8>,
    compressor: zstd::bulk::Compressor<'static>,
    summary: FileSummary,
}

impl DataFileWriter<'_> {
    /// Adds a line.
    pub fn add_line(&mut self, line: &SnapshotLine) -> Result<(), RepositoryError> {
        let before = self.frame.len();
        let broken = |error: serde_json::Error| {
            RepositoryError::from_io(
                self.object,
                io::Error::new(io::ErrorKind::InvalidInput, error),
            )
        };
        line.write_to(&mut self.frame).map_err(broken)?;
        match line {
            SnapshotLine::Put(_) => self.summary.puts += 1,
            SnapshotLine::Del { .. } => self.summary.dels += 1,
        }
        self.summary.plain_bytes += (self.frame.len() - before) as u64;
        if self.frame.len() > FRAME_BYTES && before > 0 {
            let line = self.frame.split_off(before);
            self.write_frame()?;
            self.frame = line;
        }
        Ok(())
    }

    fn write_frame(&mut self) -> Result<(), RepositoryError> {
        if self.frame.is_empty() {
            return Ok(());
        }
        let written = self.compressor.compress(&self.frame);
        written
            .and_then(|frame| self.to.write_all(&frame))
            .map_err(|source| RepositoryError::from_io(self.object, source))?;
        self.frame.clear();
        Ok(())
    }
}

/// Counts and hashes what passes through.
struct HashWriter<'w> {
    to: &'w mut dyn Write,
    hash: Sha256,
    bytes: u64,
}

impl Write for HashWriter<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.to.write(buffer)?;
        self.hash.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Writes the lines that `fill` adds. `object` is the file's key, for messages.
pub(super) fn write_lines<E: From<RepositoryError>>(
    to: &mut dyn Write,
    object: &str,
    recipients: &[String],
    fill: impl FnOnce(&mut DataFileWriter<'_>) -> Result<(), E>,
) -> Result<FileSummary, E> {
    let mut hashed = HashWriter { to, hash: Sha256::new(), bytes: 0 };
    let mut failure = None;
    let write = |to: &mut dyn Write| match write_frames(to, object, fill) {
        Ok(summary) => Ok(Some(summary)),
        Err(error) => {
            failure = Some(error);
            Ok(None)
        }
    };
    let summary = if recipients.is_empty() {
        write(&mut hashed)?
    } else {
        encryption::encrypt_into(recipients, &mut hashed, object, write)?
    };
    if let Some(error) = failure {
        return Err(error);
    }
    let sha256 = base16ct::lower::encode_string(&hashed.hash.finalize());
    Ok(FileSummary { bytes: hashed.bytes, sha256, ..summary.unwrap_or_default() })
}

fn write_frames<E: From<RepositoryError>>(
    to: &mut dyn Write,
    object: &str,
    fill: impl FnOnce(&mut DataFileWriter<'_>) -> Result<(), E>,
) -> Result<FileSummary, E> {
    let compressor = new_compressor().map_err(|source| RepositoryError::from_io(object, source))?;
    let summary = FileSummary::default();
    let mut writer = DataFileWriter { to, object, frame: Vec::new(), compressor, summary };
    fill(&mut writer)?;
    writer.write_frame()?;
    Ok(writer.summary)
}

fn new_compressor() -> io::Result<zstd::bulk::Compressor<'static>> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
    compressor.include_checksum(true)?;
    Ok(compressor)
}
