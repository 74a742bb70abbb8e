//! Reads a file of lines, and proves while it does that the file is the one in the manifest.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::atomic::Ordering;

use super::encryption::{self, Identities};
use super::error::RepositoryError;
use super::hash_reader::{HashReader, Proof};
use super::layout;
use super::line::SnapshotLine;
use super::manifest::SnapshotFile;
use super::store::ObjectStore;

/// The longest line: no record is as large.
const MAX_LINE: u64 = 256 << 20;
/// The largest window of a frame: what this program writes has frames of a megabyte, or of one long line.
const WINDOW_LOG: u32 = 28;
/// The bytes that are decompressed ahead.
const BUFFER: usize = 64 << 10;

/// The lines of a file, in order.
pub(super) struct LineReader {
    object: String,
    from: BufReader<Box<dyn Read + Send>>,
    proof: Proof,
    expected: SnapshotFile,
    last_key: Option<(i64, String)>,
    line: Vec<u8>,
    puts: u64,
    dels: u64,
    plain_bytes: u64,
    is_done: bool,
}

impl LineReader {
    /// Opens a file of a snapshot.
    pub(super) fn open(
        store: &dyn ObjectStore,
        object: &str,
        file: &SnapshotFile,
        identities: Option<&Identities>,
    ) -> Result<Self, RepositoryError> {
        let stored = open_file(store, object)?;
        let (hashed, proof) = HashReader::new(stored, file.bytes, &file.sha256);
        let plain = match layout::is_encrypted_file(&file.table, &file.name) {
            Some(true) => {
                let object = object.to_owned();
                let missing = || RepositoryError::NoIdentity { object: object.clone() };
                let identities = identities.ok_or_else(missing)?;
                encryption::decrypt_from(Box::new(hashed), identities, &object)?
            }
            _ => Box::new(hashed),
        };
        let fail = |source| RepositoryError::from_read(object, source);
        let mut lines = zstd::stream::read::Decoder::new(plain).map_err(fail)?;
        lines.window_log_max(WINDOW_LOG).map_err(fail)?;
        Ok(Self {
            object: object.to_owned(),
            from: BufReader::with_capacity(BUFFER, Box::new(lines)),
            proof,
            expected: file.clone(),
            last_key: None,
            line: Vec::new(),
            puts: 0,
            dels: 0,
            plain_bytes: 0,
            is_done: false,
        })
    }

    /// The next line; `None` once the file was read to its end and is what the manifest says.
    pub(super) fn next_line(&mut self) -> Result<Option<SnapshotLine>, RepositoryError> {
        if self.is_done {
            return Ok(None);
        }
        self.line.clear();
        let read = (&mut self.from).take(MAX_LINE).read_until(b'\n', &mut self.line);
        let read = read.map_err(|source| RepositoryError::from_read(&self.object, source))?;
        if read == 0 {
            self.check_end()?;
            self.is_done = true;
            return Ok(None);
        }
        let damaged = |why: &dyn std::fmt::Display| RepositoryError::damaged(&self.object, why);
        if self.line.pop() != Some(b'\n') {
            return Err(damaged(&"its last line has no end"));
        }
        self.plain_bytes += read as u64;
        let line = SnapshotLine::parse(&self.line).map_err(|why| damaged(&why))?;
        match &line {
            SnapshotLine::Put(_) => self.puts += 1,
            SnapshotLine::Del { .. } => self.dels += 1,
        }
        let key = line.sort_key();
        let is_sorted = self.last_key.as_ref().is_none_or(|last| (last.0, &*last.1) < key);
        if !is_sorted {
            return Err(damaged(&"its lines are not in order"));
        }
        self.last_key = Some((key.0, key.1.to_owned()));
        Ok(Some(line))
    }

    fn check_end(&self) -> Result<(), RepositoryError> {
        let SnapshotFile { puts, dels, plain_bytes, .. } = self.expected;
        let is_whole = (self.puts, self.dels, self.plain_bytes) == (puts, dels, plain_bytes);
        if is_whole && self.proof.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(RepositoryError::damaged(&self.object, "it does not have the lines in its manifest"))
    }
}

/// Opens a file of a snapshot. One that is missing is damage.
pub(super) fn open_file(
    store: &dyn ObjectStore,
    object: &str,
) -> Result<Box<dyn Read + Send>, RepositoryError> {
    store.get(object).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => RepositoryError::damaged(object, "it is missing"),
        _ => RepositoryError::from_io(object, source),
    })
}
