//! Opens `mirror.db` and checks it for damage.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::body_codec::dictionary_schema;
use super::error::MirrorError;
use super::note_readings::note_readings_schema;
use crate::id::LocationId;
use crate::run::{self, RunError};

/// The format of `mirror.db`. It changes when an older version could no longer read it.
const FORMAT: i64 = 2;
/// The format before bodies had dictionaries. It is read as it is, and becomes the present one with the first write.
const FORMAT_WITHOUT_DICTIONARIES: i64 = 1;

/// The memory for pages of the database during a merge, in KiB.
const MERGE_CACHE_KIB: i64 = 24 << 10;
/// Pages in the log of writes, of 4 KiB each, after which it is copied into the database.
const MERGE_LOG_PAGES: i64 = 8_000;

/// The columns of `record` and `version`, in the same order: a version is a copy of a record's row.
macro_rules! record_columns {
    () => {
        "kind INTEGER NOT NULL, added_ms INTEGER NOT NULL, id TEXT NOT NULL, parent TEXT,
    first_seq INTEGER NOT NULL, seq INTEGER NOT NULL, deleted_seq INTEGER, returned_seq INTEGER,
    state INTEGER NOT NULL, digest BLOB NOT NULL, read_at INTEGER NOT NULL, body BLOB NOT NULL,
    sum BLOB NOT NULL,"
    };
}

/// `record` is stored in the order in which its tables are published. `version` has what records said before the sync
/// that changed them last.
const SCHEMA: &str = concat!(
    "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, sum BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE record (
    ",
    record_columns!(),
    "
    PRIMARY KEY (kind, added_ms, id)
) WITHOUT ROWID;
CREATE TABLE version (
    ",
    record_columns!(),
    "
    PRIMARY KEY (kind, id, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX record_id ON record (kind, id);
CREATE INDEX record_state ON record (kind, state, added_ms);
CREATE INDEX record_seq ON record (kind, seq);
CREATE INDEX record_parent ON record (kind, parent) WHERE parent IS NOT NULL;
CREATE INDEX version_seq ON version (kind, seq);
CREATE TABLE sync (
    seq INTEGER PRIMARY KEY, run TEXT NOT NULL UNIQUE, state INTEGER NOT NULL, place INTEGER NOT NULL,
    facts TEXT NOT NULL, sum BLOB NOT NULL
);
CREATE TABLE failure (
    stream TEXT NOT NULL, subject TEXT NOT NULL, facts TEXT NOT NULL, sum BLOB NOT NULL,
    PRIMARY KEY (stream, subject)
) WITHOUT ROWID;
CREATE TABLE field_column (
    place INTEGER PRIMARY KEY, first_seq INTEGER NOT NULL, facts TEXT NOT NULL, sum BLOB NOT NULL
);
CREATE TABLE request_count (day TEXT PRIMARY KEY, requests INTEGER NOT NULL) WITHOUT ROWID;
",
    note_readings_schema!(),
    dictionary_schema!(),
    "
CREATE TABLE reader (
    name TEXT PRIMARY KEY, seq INTEGER NOT NULL, read_at INTEGER NOT NULL, pending_from INTEGER, pending_to INTEGER
) WITHOUT ROWID;
CREATE TABLE sink (
    name TEXT PRIMARY KEY, seq INTEGER NOT NULL, kind INTEGER NOT NULL, id TEXT NOT NULL,
    reminds_since_ms INTEGER, sum BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT, sink TEXT NOT NULL, event TEXT NOT NULL, record TEXT NOT NULL,
    body TEXT NOT NULL, attempts INTEGER NOT NULL, next_ms INTEGER NOT NULL, sum BLOB NOT NULL
);
CREATE INDEX outbox_record ON outbox (sink, record, number);
CREATE INDEX outbox_sink ON outbox (sink, number);
CREATE TABLE task_due (
    task TEXT PRIMARY KEY, due_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE reminded (
    sink TEXT NOT NULL, task TEXT NOT NULL, due_ms INTEGER NOT NULL,
    PRIMARY KEY (sink, task, due_ms)
) WITHOUT ROWID;
"
);

/// The keys of `meta`.
pub(super) mod meta_key {
    /// The mirror's id: a new mirror has a new one.
    pub(in crate::mirror) const ID: &str = "id";
    /// The location.
    pub(in crate::mirror) const LOCATION: &str = "location";
    /// The location's settings, as the server sent them.
    pub(in crate::mirror) const SETTINGS: &str = "location_settings";
    /// The run that was reading for the mirror when it was started.
    pub(in crate::mirror) const PENDING_RUN: &str = "pending_run";
    /// How long what is no longer current is kept, and when what is older was last removed.
    pub(in crate::mirror) const RETENTION: &str = "retention";
    /// Up to where the outbox knows when tasks are due.
    pub(in crate::mirror) const DUE_POSITION: &str = "due_position";
}

/// Opens a mirror for writes, or creates an empty one.
pub(super) fn open_or_create(
    path: &Path,
    location: &LocationId,
) -> Result<Connection, MirrorError> {
    if path.exists() {
        let connection = open_for_merge(path)?;
        update_format(path, &connection)?;
        return Ok(connection);
    }
    // Built under another name, so that a kill leaves no half of it under its own.
    let unfinished = path.with_extension("new");
    let _ = std::fs::remove_file(&unfinished);
    let connection = run::connect_database(&unfinished, true)?;
    let made = connection
        .execute_batch(SCHEMA)
        .and_then(|()| connection.pragma_update(None, "user_version", FORMAT));
    made.map_err(|source| RunError::from_sqlite(&unfinished, source))?;
    let id: String = std::iter::repeat_with(fastrand::alphanumeric).take(16).collect();
    write_meta(path, &connection, meta_key::ID, &id)?;
    write_meta(path, &connection, meta_key::LOCATION, location.as_str())?;
    connection.close().map_err(|(_, source)| RunError::from_sqlite(&unfinished, source))?;
    std::fs::rename(&unfinished, path).map_err(|source| RunError::from_io(path, source))?;
    open_for_merge(path)
}

/// Opens a mirror for many writes all over its tables: its indexes stay in memory, and what a transaction has changed is
/// copied from the log into the database less often. What a kill or a power cut may lose stays the same.
pub(super) fn open_for_merge(path: &Path) -> Result<Connection, MirrorError> {
    let connection = open(path)?;
    connection
        .pragma_update(None, "cache_size", -MERGE_CACHE_KIB)
        .and_then(|()| connection.pragma_update(None, "wal_autocheckpoint", MERGE_LOG_PAGES))
        .map_err(|source| RunError::from_sqlite(path, source))?;
    Ok(connection)
}

/// Opens a mirror.
pub(super) fn open(path: &Path) -> Result<Connection, MirrorError> {
    let fail = |source| RunError::from_sqlite(path, source);
    let connection = run::connect_database(path, false)?;
    let format: i64 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(fail)?;
    match format {
        FORMAT | FORMAT_WITHOUT_DICTIONARIES => {}
        0 => {
            let why = "it is no mirror".to_owned();
            return Err(MirrorError::Damaged { path: path.to_owned(), why });
        }
        format => return Err(MirrorError::OtherVersion { path: path.to_owned(), format }),
    }
    connection.pragma_update(None, "journal_mode", "WAL").map_err(fail)?;
    // What is replaced or removed must not stay in the unused parts of pages: it is what people were promised to be gone.
    connection.pragma_update(None, "secure_delete", true).map_err(fail)?;
    Ok(connection)
}

/// Gives a mirror of the format before the tables that it lacks.
fn update_format(path: &Path, connection: &Connection) -> Result<(), RunError> {
    let fail = |source| RunError::from_sqlite(path, source);
    let format: i64 =
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(fail)?;
    if format == FORMAT {
        return Ok(());
    }
    let update = format!("BEGIN; {} PRAGMA user_version = {FORMAT}; COMMIT;", dictionary_schema!());
    connection.execute_batch(&update).map_err(fail)
}

/// Checks every page of the database file. Takes about a second per gigabyte.
pub(super) fn check_integrity(path: &Path, connection: &Connection) -> Result<(), MirrorError> {
    let said: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|source| RunError::from_sqlite(path, source))?;
    if said == "ok" {
        return Ok(());
    }
    Err(MirrorError::Damaged { path: path.to_owned(), why: said })
}

pub(super) fn write_meta(
    path: &Path,
    connection: &Connection,
    key: &str,
    value: &str,
) -> Result<(), RunError> {
    let sum = run::checksum(&[key.as_bytes(), value.as_bytes()]);
    connection
        .execute("INSERT OR REPLACE INTO meta VALUES (?, ?, ?)", params![key, value, sum])
        .map(drop)
        .map_err(|source| RunError::from_sqlite(path, source))
}

pub(super) fn delete_meta(path: &Path, connection: &Connection, key: &str) -> Result<(), RunError> {
    connection
        .execute("DELETE FROM meta WHERE key = ?", [key])
        .map(drop)
        .map_err(|source| RunError::from_sqlite(path, source))
}

pub(super) fn read_meta(
    path: &Path,
    connection: &Connection,
    key: &str,
) -> Result<Option<String>, MirrorError> {
    let row: Option<(String, Vec<u8>)> = connection
        .query_row("SELECT value, sum FROM meta WHERE key = ?", [key], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
        .map_err(|source| RunError::from_sqlite(path, source))?;
    match row {
        Some((value, sum)) if run::checksum(&[key.as_bytes(), value.as_bytes()]) != sum[..] => {
            let why = format!("the checksum of `{key}` is wrong");
            Err(MirrorError::Damaged { path: path.to_owned(), why })
        }
        row => Ok(row.map(|(value, _)| value)),
    }
}
