//! Looks for what names a person in the files of runs, and in other files of the program's home.
//!
//! Databases are read row by row, with what is compressed in them; other files, and the databases again, byte by byte:
//! what was removed from a table may still be in an unused part of its file.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use memchr::memmem;
use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::db;
use super::error::RunError;
use super::home::RunStore;
use crate::id::RunId;

/// The bytes of a file that are looked at together.
const CHUNK: usize = 1 << 20;
/// The bytes that two chunks have in common: no trace is longer.
const OVERLAP: usize = 512;
/// The digits of a phone number that are looked for, from its end: sheets have numbers without the country.
const DIGITS: usize = 10;
/// How a frame of zstd begins.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// What names a person: ids, addresses and numbers.
#[derive(Clone, Default)]
pub struct PersonTraces {
    texts: Vec<Vec<u8>>,
    numbers: Vec<Vec<u8>>,
}

/// Says how many there are: they are personal data.
impl std::fmt::Debug for PersonTraces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PersonTraces({})", self.texts.len() + self.numbers.len())
    }
}

impl PersonTraces {
    /// Adds an id or an e-mail address, in any letter case.
    pub fn add_text(&mut self, text: &str) {
        let text = text.trim().to_ascii_lowercase().into_bytes();
        if !text.is_empty() && text.len() < OVERLAP && !self.texts.contains(&text) {
            self.texts.push(text);
        }
    }

    /// Adds a phone number, however it is written.
    pub fn add_phone(&mut self, phone: &str) {
        let digits: Vec<u8> = phone.bytes().filter(u8::is_ascii_digit).collect();
        let digits = digits[digits.len().saturating_sub(DIGITS)..].to_vec();
        // Fewer digits are in too many numbers of other things.
        if digits.len() >= 7 && !self.numbers.contains(&digits) {
            self.numbers.push(digits);
        }
    }

    /// Whether bytes have one of them.
    #[must_use]
    pub fn are_in(&self, bytes: &[u8]) -> bool {
        let lower = bytes.to_ascii_lowercase();
        let has = |bytes: &[u8], all: &[Vec<u8>]| {
            all.iter().any(|trace| memmem::find(bytes, trace).is_some())
        };
        if has(&lower, &self.texts) {
            return true;
        }
        if self.numbers.is_empty() {
            return false;
        }
        let is_separator = |byte: &u8| matches!(byte, b' ' | b'(' | b')' | b'-' | b'.' | b'/');
        let compact: Vec<u8> = lower.into_iter().filter(|byte| !is_separator(byte)).collect();
        has(&compact, &self.numbers)
    }

    /// Whether a file has one of them.
    fn are_in_file(&self, path: &Path) -> io::Result<bool> {
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            file => file?,
        };
        let mut chunk = Vec::with_capacity(CHUNK + OVERLAP);
        loop {
            let read = (&mut file).take(CHUNK as u64).read_to_end(&mut chunk)?;
            if self.are_in(&chunk) {
                return Ok(true);
            }
            if read == 0 {
                return Ok(false);
            }
            let kept = chunk.len().saturating_sub(OVERLAP);
            chunk.drain(..kept);
        }
    }

    /// Whether a row of a database has one of them.
    fn are_in_database(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let mut names =
            connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
        let names = names.query_map([], |row| row.get(0))?;
        for name in names.collect::<rusqlite::Result<Vec<String>>>()? {
            let query = format!("SELECT * FROM \"{}\"", name.replace('"', "\"\""));
            let mut query = connection.prepare(&query)?;
            let columns = query.column_count();
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                for column in 0..columns {
                    let found = match row.get_ref(column)? {
                        ValueRef::Text(text) => self.are_in(text),
                        ValueRef::Blob(blob) => self.are_in_blob(blob),
                        _ => false,
                    };
                    if found {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    fn are_in_blob(&self, blob: &[u8]) -> bool {
        if blob.starts_with(&ZSTD)
            && let Ok(content) = zstd::stream::decode_all(blob)
        {
            return self.are_in(&content);
        }
        self.are_in(blob)
    }
}

impl RunStore {
    /// Whether a run's directory has any of these traces. Reads all of it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn run_has_traces(&self, id: &RunId, traces: &PersonTraces) -> Result<bool, RunError> {
        let dir = self.run_dir(id);
        for path in list_files(&dir).map_err(|source| RunError::from_io(&dir, source))? {
            let is_database = path.extension().is_some_and(|extension| extension == "db");
            if is_database {
                let connection = db::connect_database(&path, false)?;
                let found = traces.are_in_database(&connection);
                if found.map_err(|source| RunError::from_sqlite(&path, source))? {
                    return Ok(true);
                }
            }
            if traces.are_in_file(&path).map_err(|source| RunError::from_io(&path, source))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The files of the home, other than those of runs and mirrors, that have any of these traces.
    ///
    /// # Errors
    /// When a directory cannot be read.
    pub fn list_files_with_traces(&self, traces: &PersonTraces) -> Result<Vec<PathBuf>, RunError> {
        let home = self.home_dir();
        let fail = |source| RunError::from_io(home, source);
        let mut found = Vec::new();
        let entries = match fs::read_dir(home) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
            entries => entries.map_err(fail)?,
        };
        for entry in entries {
            let path = entry.map_err(fail)?.path();
            if path == self.run_dirs() || path == self.mirrors_dir() {
                continue;
            }
            for file in list_files(&path).map_err(fail)? {
                // What its owner has made unreadable is not this program's.
                if traces.are_in_file(&file).unwrap_or(false) {
                    found.push(file);
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

/// The files in a directory and those below; a file itself.
fn list_files(path: &Path) -> io::Result<Vec<PathBuf>> {
    let kind = fs::symlink_metadata(path)?.file_type();
    if !kind.is_dir() {
        return Ok(if kind.is_file() { vec![path.to_owned()] } else { Vec::new() });
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path)? {
        found.extend(list_files(&entry?.path())?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ann() -> PersonTraces {
        let mut traces = PersonTraces::default();
        traces.add_text("Ann@Example.com");
        traces.add_phone("+1 (202) 555-0143");
        traces
    }

    #[test]
    fn a_person_is_found_however_the_address_and_the_number_are_written() {
        for text in ["x,ANN@example.COM,y", "(202) 555-0143", "+12025550143", "202.555.0143"] {
            assert!(ann().are_in(text.as_bytes()), "{text}");
        }
        for text in ["", "bob@example.com", "202 555 0144", "2025550", "ann@example.co"] {
            assert!(!ann().are_in(text.as_bytes()), "{text}");
        }
        assert!(!PersonTraces::default().are_in(b"anything"));
    }

    #[test]
    fn a_trace_across_two_chunks_of_a_file_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        for before in [0, 3, CHUNK - 5, CHUNK, CHUNK + 1, 2 * CHUNK - 9] {
            fs::write(&path, [&vec![b'x'; before], &b"ann@example.com"[..]].concat()).unwrap();
            assert!(ann().are_in_file(&path).unwrap(), "{before}");
        }
        fs::write(&path, vec![b'x'; 3 * CHUNK]).unwrap();
        assert!(!ann().are_in_file(&path).unwrap());
        assert!(!ann().are_in_file(&dir.path().join("none")).unwrap());
    }

    #[test]
    fn compressed_parts_of_a_database_are_searched() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a, b)").unwrap();
        assert!(!ann().are_in_database(&connection).unwrap());
        let packed = zstd::encode_all(&b"{\"email\":\"ann@example.com\"}"[..], 1).unwrap();
        connection.execute("INSERT INTO t VALUES (1, ?)", [packed]).unwrap();
        assert!(ann().are_in_database(&connection).unwrap());
    }
}
