//! The records that could not be read, as the last syncs left them: they are in `errors.csv`, and read again.

use std::path::Path;

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::error::MirrorError;
use crate::diagnostic::FetchFailureCode;
use crate::run::{self, FetchFailure, RunError};

/// A failure without its stream and subject.
#[derive(Serialize, Deserialize)]
struct FailureFacts {
    code: String,
    message: String,
    status: Option<u16>,
    trace_id: Option<String>,
    transient: bool,
    records: u64,
}

fn row_checksum(stream: &str, subject: &str, facts: &str) -> [u8; 8] {
    run::checksum(&[stream.as_bytes(), subject.as_bytes(), facts.as_bytes()])
}

pub(super) fn replace_failures(
    path: &Path,
    connection: &Connection,
    failures: &[FetchFailure],
) -> Result<(), RunError> {
    let fail = |source| RunError::from_sqlite(path, source);
    connection.execute("DELETE FROM failure", []).map_err(fail)?;
    for failure in failures {
        let facts = serde_json::to_string(&FailureFacts {
            code: failure.code.spelling().to_owned(),
            message: failure.message.clone(),
            status: failure.status,
            trace_id: failure.trace_id.clone(),
            transient: failure.transient,
            records: failure.records,
        });
        let facts = facts.expect("a failure is plain JSON");
        let sum = row_checksum(&failure.stream, &failure.subject, &facts);
        let row = params![failure.stream, failure.subject, facts, sum];
        connection
            .execute("INSERT OR REPLACE INTO failure VALUES (?, ?, ?, ?)", row)
            .map_err(fail)?;
    }
    Ok(())
}

pub(super) fn load_failures(
    path: &Path,
    connection: &Connection,
) -> Result<Vec<FetchFailure>, MirrorError> {
    let rows = || {
        connection
            .prepare("SELECT stream, subject, facts, sum FROM failure ORDER BY stream, subject")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?
            .collect::<rusqlite::Result<Vec<(String, String, String, Vec<u8>)>>>()
    };
    let rows = rows().map_err(|source| RunError::from_sqlite(path, source))?;
    let read = |(stream, subject, facts, sum): (String, String, String, Vec<u8>)| {
        let is_sound = row_checksum(&stream, &subject, &facts) == sum[..];
        let facts: FailureFacts = serde_json::from_str(&facts).ok().filter(|_| is_sound)?;
        let code: FetchFailureCode = facts.code.parse().ok()?;
        let FailureFacts { message, status, trace_id, transient, records, .. } = facts;
        Some(FetchFailure { stream, subject, code, message, status, trace_id, transient, records })
    };
    let why = "the record of what could not be read is wrong";
    let damaged = || MirrorError::Damaged { path: path.to_owned(), why: why.to_owned() };
    rows.into_iter().map(|row| read(row).ok_or_else(damaged)).collect()
}
