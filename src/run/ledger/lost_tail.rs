//! Finds out whether the database has lost its last commits, by comparing it with the intent log.
//!
//! The database stores the position in the log after its last group of intents, and that group. A kill between the
//! transaction and the log leaves the log one group behind, which is completed. If the log has more groups, the
//! database has lost them; if the log is damaged or has fewer, nothing is proven. In both cases nothing may be sent
//! before every write that may have been sent is looked up.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};

use super::super::db;
use super::super::error::RunError;
use super::intent_log::{self, IntentGroup, IntentLog, LogContent, LogPosition, LoggedIntent};
use super::sql::{from_sql_integer, to_sql_integer};

/// Where the intents of the database end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct IntentMark {
    /// The number of the log. A new one begins when an old one no longer proves anything.
    generation: u64,
    end: LogPosition,
    /// The last group, to complete the log with.
    last_group: String,
}

/// What the comparison of database and log has shown.
#[derive(Debug)]
pub(super) enum TailState {
    /// The database has every intent.
    Complete(LogContent),
    /// The database has lost these intents.
    Lost { intents: Vec<LoggedIntent>, end: IntentMark },
    /// It is not known whether it has.
    Unproven(&'static str),
}

/// The log of a generation, beside the database.
fn log_path(db: &Path, generation: u64) -> PathBuf {
    db.with_file_name(format!("intents-{}.log", generation + 1))
}

/// Checks that the database has every intent of its log.
pub(in crate::run) fn ensure_tail_complete(
    path: &Path,
    connection: &Connection,
) -> Result<(), RunError> {
    check_tail(path, connection)?.into_content(path).map(drop)
}

impl TailState {
    /// The log's content if the database is complete.
    pub(super) fn into_content(self, path: &Path) -> Result<LogContent, RunError> {
        let path = path.to_owned();
        match self {
            Self::Complete(content) => Ok(content),
            Self::Lost { intents, .. } => {
                Err(RunError::LostTail { path, lost: intents.len() as u64 })
            }
            Self::Unproven(why) => Err(RunError::UnprovenTail { path, why }),
        }
    }
}

/// Compares the database with its intent log.
pub(super) fn check_tail(path: &Path, connection: &Connection) -> Result<TailState, RunError> {
    let mark = read_mark(path, connection)?;
    if log_path(path, mark.generation + 1).exists() {
        return Ok(TailState::Unproven("there is a newer intent log than it knows"));
    }
    let content = intent_log::read_log(&log_path(path, mark.generation), mark.end.groups)?;
    Ok(compare_with_log(&mark, content))
}

fn compare_with_log(mark: &IntentMark, content: LogContent) -> TailState {
    let log = content.end.groups;
    match &content.at_mark {
        Some(at_mark) if *at_mark != mark.end => {
            TailState::Unproven("its intent log is that of another run or another copy")
        }
        // A group is begun in the log only after its transaction.
        Some(_) if content.has_invalid_end => TailState::Unproven("its intent log is damaged"),
        Some(_) if log == mark.end.groups => TailState::Complete(content),
        Some(_) => {
            let (intents, generation) = (content.later, mark.generation);
            // The log has the last group; a kill here leaves nothing to complete.
            let end = IntentMark { generation, end: content.end, last_group: String::new() };
            TailState::Lost { intents, end }
        }
        None if log + 1 == mark.end.groups && mark.follows(&content.end) => {
            TailState::Complete(content)
        }
        None => TailState::Unproven("its intent log is missing, or has lost its end"),
    }
}

impl IntentMark {
    /// Whether the mark's last group comes right after this position.
    fn follows(&self, begin: &LogPosition) -> bool {
        self.group_after(begin).end == self.end
    }

    fn group_after(&self, begin: &LogPosition) -> IntentGroup {
        IntentGroup::from_json(begin, self.last_group.clone())
    }

    fn checksum(&self) -> [u8; 8] {
        db::checksum(&[
            &self.generation.to_le_bytes(),
            &self.end.groups.to_le_bytes(),
            self.end.sum.as_bytes(),
            self.last_group.as_bytes(),
        ])
    }

    /// The mark of a new log.
    pub(super) fn next_generation(path: &Path, connection: &Connection) -> Result<Self, RunError> {
        let mut generation = read_mark(path, connection)?.generation + 1;
        while log_path(path, generation).exists() {
            generation += 1;
        }
        Ok(Self { generation, ..Self::default() })
    }
}

/// Opens the log of a complete ledger for appending, and completes it.
pub(super) fn open_log(
    path: &Path,
    connection: &Connection,
    content: &LogContent,
) -> Result<(IntentLog, u64), RunError> {
    let mark = read_mark(path, connection)?;
    let mut log = IntentLog::open(&log_path(path, mark.generation), content)?;
    if content.end != mark.end {
        log.append(&mark.group_after(&content.end))?;
    }
    Ok((log, mark.generation))
}

/// Stores, in the transaction of a group of intents, that it is the last one.
pub(super) fn write_group_mark(
    to: &Connection,
    generation: u64,
    group: &IntentGroup,
) -> rusqlite::Result<()> {
    let (end, last_group) = (group.end.clone(), group.json.clone());
    write_mark(to, &IntentMark { generation, end, last_group })
}

pub(super) fn write_mark(to: &Connection, mark: &IntentMark) -> rusqlite::Result<()> {
    to.prepare_cached("INSERT OR REPLACE INTO intent_mark VALUES (1, ?, ?, ?, ?, ?)")?
        .execute(params![
            to_sql_integer(mark.generation),
            to_sql_integer(mark.end.groups),
            mark.end.sum,
            mark.last_group,
            mark.checksum()
        ])
        .map(drop)
}

fn read_mark(path: &Path, connection: &Connection) -> Result<IntentMark, RunError> {
    let has_table = connection
        .table_exists(None, "intent_mark")
        .map_err(|source| RunError::from_sqlite(path, source))?;
    if !has_table {
        return Ok(IntentMark::default());
    }
    let found = connection
        .query_row(
            "SELECT generation, groups, log_sum, last_group, sum FROM intent_mark",
            [],
            |row| {
                let end = LogPosition { groups: from_sql_integer(row.get(1)?), sum: row.get(2)? };
                let generation = from_sql_integer(row.get(0)?);
                let mark = IntentMark { generation, end, last_group: row.get(3)? };
                Ok((mark, row.get::<_, Vec<u8>>(4)?))
            },
        )
        .optional()
        .map_err(|source| RunError::from_sqlite(path, source))?;
    match found {
        None => Ok(IntentMark::default()),
        Some((mark, sum)) if mark.checksum() == sum[..] => Ok(mark),
        Some(_) => {
            Err(RunError::damaged(path, "the mark of its last intents is not what was stored"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log of so many groups of one intent each, and the mark after `groups` of them.
    fn log_and_mark(log: u64, groups: u64) -> (LogContent, IntentMark) {
        let mut content = LogContent::default();
        let mut mark = IntentMark::default();
        content.at_mark = (groups == 0).then(LogPosition::default);
        let mut end = LogPosition::default();
        for n in 1..=log.max(groups) {
            let intent = LoggedIntent {
                op: n,
                attempt: 1,
                at_ms: 0,
                line: "POST /contacts/".to_owned(),
                body_sum: "00".to_owned(),
                reference: None,
            };
            let group = IntentGroup::new(&end, std::slice::from_ref(&intent));
            end = group.end;
            if n == groups {
                mark = IntentMark { generation: 0, end: end.clone(), last_group: group.json };
            }
            if n <= log {
                content.end = end.clone();
                content.at_mark = if n == groups { Some(end.clone()) } else { content.at_mark };
                content.later.extend((n > groups).then_some(intent));
            }
        }
        (content, mark)
    }

    #[test]
    fn a_database_is_complete_if_it_has_every_group_of_its_log() {
        for (log, groups, expected) in [
            (0, 0, "complete"),
            (3, 3, "complete"),
            // A kill between the transaction and the log.
            (2, 3, "complete"),
            (0, 1, "complete"),
            (1, 3, "unproven"),
            (0, 2, "unproven"),
            (3, 2, "lost 1"),
            (3, 0, "lost 3"),
        ] {
            let (content, mark) = log_and_mark(log, groups);
            let found = match compare_with_log(&mark, content) {
                TailState::Complete(_) => "complete".to_owned(),
                TailState::Lost { intents, .. } => format!("lost {}", intents.len()),
                TailState::Unproven(_) => "unproven".to_owned(),
            };
            assert_eq!(found, expected, "{log} {groups}");
        }
    }

    #[test]
    fn a_log_that_is_damaged_or_of_another_run_proves_nothing() {
        let is_unproven = |change: fn(&mut LogContent, &mut IntentMark), log, groups| {
            let (mut content, mut mark) = log_and_mark(log, groups);
            change(&mut content, &mut mark);
            matches!(compare_with_log(&mark, content), TailState::Unproven(_))
        };
        assert!(is_unproven(|content, _| content.has_invalid_end = true, 3, 3));
        assert!(is_unproven(|content, _| content.has_invalid_end = true, 4, 3));
        assert!(!is_unproven(|content, _| content.has_invalid_end = true, 2, 3), "a torn line");
        assert!(is_unproven(|_, mark| mark.end.sum.push('0'), 3, 3));
        assert!(is_unproven(|_, mark| mark.last_group.push(' '), 2, 3));
    }
}
