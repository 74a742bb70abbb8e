//! Opening `run.db`, and the checks that make damage show itself.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};

use super::error::RunError;

/// The format of `run.db`. It moves when an older version could no longer read it.
pub(super) const FORMAT: i64 = 1;

const SCHEMA: &str = "
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
    status INTEGER, trace_id TEXT, passing INTEGER NOT NULL, sum BLOB NOT NULL,
    PRIMARY KEY (stream, subject)
) WITHOUT ROWID;
";

/// Makes a new database.
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

/// Opens a database for writing what must not be lost: a commit ends when it is on the disk.
pub(super) fn open_durable(path: &Path) -> Result<Connection, RunError> {
    let connection = open(path)?;
    connection
        .pragma_update(None, "synchronous", "FULL")
        // Apple's systems else end a sync before the disk has written anything.
        .and_then(|()| connection.pragma_update(None, "fullfsync", true))
        .map_err(|source| RunError::from_sqlite(path, source))?;
    // The run's directory, the one of all runs, and the home.
    for dir in path.ancestors().skip(1).take(3).filter(|dir| !dir.as_os_str().is_empty()) {
        sync_directory(dir).map_err(|source| RunError::from_io(dir, source))?;
    }
    Ok(connection)
}

/// A file survives a power cut only if its directory does.
#[cfg(unix)]
fn sync_directory(dir: &Path) -> std::io::Result<()> {
    use std::io::ErrorKind::{InvalidInput, Unsupported};
    match std::fs::File::open(dir)?.sync_all() {
        // File systems that cannot do it leave nothing to be done.
        Err(error) if matches!(error.kind(), InvalidInput | Unsupported) => Ok(()),
        result => result,
    }
}

/// Other systems do not sync directories.
#[cfg(not(unix))]
fn sync_directory(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Looks at every page of the database file. Takes about a second per gigabyte.
pub(super) fn check_integrity(path: &Path, connection: &Connection) -> Result<(), RunError> {
    let said: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|source| RunError::from_sqlite(path, source))?;
    if said == "ok" { Ok(()) } else { Err(RunError::damaged(path, said)) }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, RunError> {
    let open = || {
        let connection =
            Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        // Reading is repeatable: losing the last moments to a power cut costs a few requests.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(connection)
    };
    open().map_err(|source| RunError::from_sqlite(path, source))
}

fn check_format_version(path: &Path, connection: &Connection) -> Result<(), RunError> {
    let found: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(|source| RunError::from_sqlite(path, source))?;
    match found {
        FORMAT => Ok(()),
        found if found > FORMAT => {
            Err(RunError::Newer { path: path.to_owned(), found, known: FORMAT })
        }
        _ => Err(RunError::damaged(path, format!("its format number is {found}"))),
    }
}

/// A checksum over parts, so that a flipped bit in a row is noticed. Eight bytes: damage, not malice.
pub(super) fn checksum(parts: &[&[u8]]) -> [u8; 8] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    std::array::from_fn(|i| digest[i])
}
