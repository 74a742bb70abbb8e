//! Opens `run.db` and checks it for damage.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};

use super::error::RunError;

/// The format of `run.db`. It changes when an older version could no longer read it.
pub(super) const FORMAT: i64 = 2;
/// The format of version 0.1.0.
const FORMAT_0_1: i64 = 1;

/// What creates every table of a new database.
pub(super) const SCHEMA: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, sum BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE stream (
    name TEXT PRIMARY KEY, cursor TEXT, rows INTEGER NOT NULL, total INTEGER,
    done INTEGER NOT NULL, sum BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE entry (
    seq INTEGER PRIMARY KEY, stream TEXT NOT NULL, rows INTEGER NOT NULL,
    body BLOB NOT NULL, sum BLOB NOT NULL
);
CREATE TABLE failure (
    stream TEXT NOT NULL, subject TEXT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
    status INTEGER, trace_id TEXT, transient INTEGER NOT NULL, records INTEGER NOT NULL,
    sum BLOB NOT NULL,
    PRIMARY KEY (stream, subject)
) WITHOUT ROWID;
";

/// Creates a new database.
pub(super) fn create(path: &Path) -> Result<Connection, RunError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = connect(path, flags)?;
    let made = connection
        .pragma_update(None, "journal_mode", "WAL")
        .and_then(|()| connection.execute_batch(SCHEMA))
        .and_then(|()| connection.pragma_update(None, "user_version", FORMAT));
    made.map_err(|source| RunError::from_sqlite(path, source))?;
    Ok(connection)
}

/// Opens a database for writing.
pub(super) fn open(path: &Path) -> Result<Connection, RunError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    check_format_version(path, &connection)?;
    Ok(connection)
}

/// Opens a database of this or an earlier format to read what its run has done. Also returns the
/// format.
pub(super) fn open_receipt(path: &Path) -> Result<(Connection, i64), RunError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    match read_format(path, &connection)? {
        format @ (FORMAT_0_1 | FORMAT) => Ok((connection, format)),
        format => Err(other_format_error(path, &connection, format)),
    }
}

/// Opens a database for writes that must not be lost: a commit returns when it is on disk.
pub(super) fn open_durable(path: &Path) -> Result<Connection, RunError> {
    let connection = open(path)?;
    connection
        .pragma_update(None, "synchronous", "FULL")
        // On Apple systems, a sync otherwise returns before the disk has written anything.
        .and_then(|()| connection.pragma_update(None, "fullfsync", true))
        .map_err(|source| RunError::from_sqlite(path, source))?;
    // The run's directory, the directory of all runs, and the home.
    for dir in path.ancestors().skip(1).take(3).filter(|dir| !dir.as_os_str().is_empty()) {
        sync_directory(dir).map_err(|source| RunError::from_io(dir, source))?;
    }
    Ok(connection)
}

/// A file survives a power failure only if its directory entry does.
#[cfg(unix)]
fn sync_directory(dir: &Path) -> std::io::Result<()> {
    use std::io::ErrorKind::{InvalidInput, Unsupported};
    match std::fs::File::open(dir)?.sync_all() {
        // On file systems without directory sync nothing can be done.
        Err(error) if matches!(error.kind(), InvalidInput | Unsupported) => Ok(()),
        result => result,
    }
}

/// Other systems do not sync directories.
#[cfg(not(unix))]
fn sync_directory(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Checks every page of the database file. Takes about a second per gigabyte.
pub(super) fn check_integrity(path: &Path, connection: &Connection) -> Result<(), RunError> {
    let said: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|source| RunError::from_sqlite(path, source))?;
    if said == "ok" { Ok(()) } else { Err(RunError::damaged(path, said)) }
}

/// Opens a database file, whatever is in it; `create` makes an empty one if the file is missing.
pub fn connect_database(path: &Path, create: bool) -> Result<Connection, RunError> {
    let created = if create { OpenFlags::SQLITE_OPEN_CREATE } else { OpenFlags::empty() };
    connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | created)
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, RunError> {
    let open = || {
        let connection =
            Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        // Reads can be repeated: losing the last moments in a power failure costs a few requests.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(connection)
    };
    open().map_err(|source| RunError::from_sqlite(path, source))
}

fn check_format_version(path: &Path, connection: &Connection) -> Result<(), RunError> {
    match read_format(path, connection)? {
        FORMAT => Ok(()),
        format => Err(other_format_error(path, connection, format)),
    }
}

fn read_format(path: &Path, connection: &Connection) -> Result<i64, RunError> {
    connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|source| RunError::from_sqlite(path, source))
}

/// The error for a database of another format: its run says which version wrote it.
fn other_format_error(path: &Path, connection: &Connection, format: i64) -> RunError {
    #[derive(serde::Deserialize)]
    struct WrittenBy {
        run: String,
        tool: String,
    }
    let meta = connection
        .query_row("SELECT value FROM meta WHERE key = 'run'", [], |row| row.get::<_, String>(0));
    let written = meta.ok().and_then(|text| serde_json::from_str::<WrittenBy>(&text).ok());
    match written {
        Some(WrittenBy { run, tool }) if format > 0 => {
            RunError::OtherVersion { run, written_by: tool, newer: format > FORMAT }
        }
        _ => RunError::damaged(path, format!("its format number is {format}")),
    }
}

/// A checksum over parts that detects a flipped bit in a row. Eight bytes: against damage, not
/// malice.
///
/// Each part is a stored value in a fixed encoding: texts as UTF-8, numbers as eight or four bytes
/// in little-endian order, optional values by `optional_text` or `optional_number`. Names of
/// types and fields are not included, so that a rename never makes a run look damaged.
#[must_use]
pub fn checksum(parts: &[&[u8]]) -> [u8; 8] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    std::array::from_fn(|i| digest[i])
}

/// Encodes an optional text so that missing and empty differ.
pub(super) fn optional_text(text: Option<&str>) -> Vec<u8> {
    match text {
        None => Vec::new(),
        Some(text) => [b"=", text.as_bytes()].concat(),
    }
}

/// Encodes an optional number so that missing and zero differ.
pub(super) fn optional_number(number: Option<u64>) -> Vec<u8> {
    number.map_or_else(Vec::new, |number| number.to_le_bytes().to_vec())
}
