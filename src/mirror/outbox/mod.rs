//! The outbox: events about changes that a sink has not received yet.
//!
//! Every sink has a position in the change log: events about the changes before it were stored here, in the same
//! transaction that moved the position. An event is removed once its sink has it. So a sink that was killed, or did not
//! answer, is sent the same event again, with the same id; and nothing is stored for sinks that no command names, since
//! the change log keeps their changes. It knows events as texts, and neither sinks nor HTTP.

mod reminders;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::MirrorError;
use super::mirror_db;
use super::record::RecordKind;
use crate::run::{self, RunError};

pub use reminders::{DueTask, TaskDueChange};

/// The longest time for which an event is put off, in milliseconds. A later time shows that the clock was set back.
pub const LONGEST_DELAY_MS: i64 = 3_600_000;

/// A place in the change log: the change of a record by a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePosition {
    /// The number of the sync.
    pub seq: i64,
    /// The kind of record.
    pub kind: RecordKind,
    /// The record's id.
    pub id: String,
}

impl ChangePosition {
    /// The place before the first change of a sync.
    #[must_use]
    pub fn before_sync(seq: i64) -> Self {
        Self { seq, kind: RecordKind::ALL[0], id: String::new() }
    }
}

/// An event to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its id, which is the same whenever the event is made.
    pub id: String,
    /// The record that it is about: events about one record stay in order.
    pub record: String,
    /// Its text.
    pub body: String,
}

/// A stored event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEvent {
    /// Its number in the outbox.
    pub number: i64,
    /// The event.
    pub event: NewEvent,
    /// How often it could not be delivered.
    pub attempts: u32,
}

/// The outbox of a mirror. One command at a time delivers what it has for a sink.
#[derive(Debug)]
pub struct Outbox {
    path: PathBuf,
    connection: Connection,
}

impl Outbox {
    /// Opens the outbox of the mirror in a directory, which exists.
    ///
    /// # Errors
    /// When the mirror is damaged or of another version, or cannot be opened.
    pub fn open(dir: &Path) -> Result<Self, MirrorError> {
        let path = super::database_path(dir);
        let connection = mirror_db::open(&path)?;
        // A sink that starts silently must not be forgotten in a power cut: it would start silently once more.
        connection
            .pragma_update(None, "synchronous", "FULL")
            .map_err(|source| RunError::from_sqlite(&path, source))?;
        Ok(Self { path, connection })
    }

    /// Up to where the changes are in the outbox of a sink; `None` if the sink is new.
    pub fn position(&self, sink: &str) -> Result<Option<ChangePosition>, MirrorError> {
        let read = |row: &Row<'_>| {
            let place: (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok((place, row.get::<_, Vec<u8>>(3)?))
        };
        let query = "SELECT seq, kind, id, sum FROM sink WHERE name = ?";
        let found = self
            .connection
            .query_row(query, [sink], read)
            .optional()
            .map_err(|source| self.sqlite_error(source))?;
        let Some(((seq, code, id), sum)) = found else { return Ok(None) };
        let kind = RecordKind::from_code(code).ok_or_else(|| self.damaged("a sink"))?;
        let position = ChangePosition { seq, kind, id };
        if position_checksum(sink, &position) != sum[..] {
            return Err(self.damaged("a sink"));
        }
        Ok(Some(position))
    }

    /// Stores events of a sink and moves its position, in one transaction.
    pub fn append(
        &mut self,
        sink: &str,
        events: &[NewEvent],
        position: &ChangePosition,
    ) -> Result<(), MirrorError> {
        let path = self.path.clone();
        let store = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            insert_events(&transaction, sink, events)?;
            write_position(&transaction, sink, position)?;
            transaction.commit()
        };
        store(&mut self.connection).map_err(|source| RunError::from_sqlite(&path, source).into())
    }

    /// The next events that a sink can be sent, in their order: those that have not been put off, and no earlier event
    /// about the same record has. `now_ms` is the time in milliseconds since 1970.
    pub fn next_events(
        &self,
        sink: &str,
        now_ms: i64,
        limit: usize,
    ) -> Result<Vec<OutboxEvent>, MirrorError> {
        const WAITS: &str = "next_ms > ?2 AND next_ms <= ?3";
        let query = format!(
            "SELECT number, event, record, body, attempts, sum FROM outbox AS it
             WHERE sink = ?1 AND NOT ({WAITS}) AND NOT EXISTS (
                 SELECT 1 FROM outbox WHERE sink = ?1 AND record = it.record AND number < it.number AND {WAITS}
             ) ORDER BY number LIMIT ?4"
        );
        let read = |row: &Row<'_>| {
            let event = NewEvent { id: row.get(1)?, record: row.get(2)?, body: row.get(3)? };
            let (number, attempts) = (row.get(0)?, row.get(4)?);
            Ok((OutboxEvent { number, event, attempts }, row.get::<_, Vec<u8>>(5)?))
        };
        let latest = now_ms.saturating_add(LONGEST_DELAY_MS);
        let found = self
            .connection
            .prepare_cached(&query)
            .and_then(|mut query| {
                let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                let rows = query.query_map(params![sink, now_ms, latest, limit], read)?;
                rows.collect::<rusqlite::Result<Vec<_>>>()
            })
            .map_err(|source| self.sqlite_error(source))?;
        let verify = |(event, sum): (OutboxEvent, Vec<u8>)| {
            let is_sound = event_checksum(sink, &event.event) == sum[..];
            if is_sound { Ok(event) } else { Err(self.damaged("an event")) }
        };
        found.into_iter().map(verify).collect()
    }

    /// Removes events that their sink has, in one transaction.
    pub fn remove(&mut self, events: &[OutboxEvent]) -> Result<(), MirrorError> {
        let path = self.path.clone();
        let remove = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            for event in events {
                transaction
                    .prepare_cached("DELETE FROM outbox WHERE number = ?")?
                    .execute([event.number])?;
            }
            transaction.commit()
        };
        remove(&mut self.connection).map_err(|source| RunError::from_sqlite(&path, source).into())
    }

    /// Puts off an event that could not be delivered, until a time in milliseconds since 1970.
    pub fn postpone(&self, number: i64, until_ms: i64) -> Result<(), MirrorError> {
        let query = "UPDATE outbox SET attempts = attempts + 1, next_ms = ?2 WHERE number = ?1";
        let updated = self.connection.execute(query, [number, until_ms]);
        updated.map(drop).map_err(|source| self.sqlite_error(source))
    }

    /// How many events wait for a sink.
    pub fn count_waiting(&self, sink: &str) -> Result<u64, MirrorError> {
        let query = "SELECT count(*) FROM outbox WHERE sink = ?";
        let count = self.connection.query_row(query, [sink], |row| row.get::<_, i64>(0));
        Ok(count.map_err(|source| self.sqlite_error(source))?.cast_unsigned())
    }

    fn sqlite_error(&self, source: rusqlite::Error) -> MirrorError {
        RunError::from_sqlite(&self.path, source).into()
    }

    fn damaged(&self, what: &str) -> MirrorError {
        let why = format!("the outbox: the checksum of {what} is wrong");
        MirrorError::Damaged { path: self.path.clone(), why }
    }
}

fn insert_events(connection: &Connection, sink: &str, events: &[NewEvent]) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO outbox (sink, event, record, body, attempts, next_ms, sum) VALUES (?, ?, ?, ?, 0, 0, ?)",
    )?;
    for event in events {
        let sum = event_checksum(sink, event);
        insert.execute(params![sink, event.id, event.record, event.body, sum])?;
    }
    Ok(())
}

/// Writes the position of a sink.
pub(super) fn write_position(
    connection: &Connection,
    sink: &str,
    position: &ChangePosition,
) -> rusqlite::Result<()> {
    let sum = position_checksum(sink, position);
    let ChangePosition { seq, kind, id } = position;
    connection
        .execute(
            "INSERT INTO sink (name, seq, kind, id, sum) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (name) DO UPDATE SET seq = ?2, kind = ?3, id = ?4, sum = ?5",
            params![sink, seq, kind.code(), id, sum],
        )
        .map(drop)
}

fn position_checksum(sink: &str, position: &ChangePosition) -> [u8; 8] {
    let (seq, kind) = (position.seq.to_le_bytes(), position.kind.code().to_le_bytes());
    run::checksum(&[sink.as_bytes(), &seq, &kind, position.id.as_bytes()])
}

fn event_checksum(sink: &str, event: &NewEvent) -> [u8; 8] {
    let texts = [sink, &event.id, &event.record, &event.body].map(str::as_bytes);
    run::checksum(&texts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::MirrorWriter;

    fn outbox() -> (tempfile::TempDir, Outbox) {
        let dir = tempfile::tempdir().unwrap();
        drop(MirrorWriter::open(dir.path(), &"loc".parse().unwrap()).unwrap());
        let outbox = Outbox::open(dir.path()).unwrap();
        (dir, outbox)
    }

    fn event(id: &str, record: &str) -> NewEvent {
        NewEvent { id: id.to_owned(), record: record.to_owned(), body: format!("body of {id}") }
    }

    /// The ids of the events that a sink can be sent at a time, in order.
    fn deliver_all(outbox: &mut Outbox, sink: &str, now_ms: i64) -> Vec<String> {
        let together = ids_of(&outbox.next_events(sink, now_ms, 100).unwrap());
        let mut ids = Vec::new();
        loop {
            let next = outbox.next_events(sink, now_ms, 1).unwrap();
            if next.is_empty() {
                assert_eq!(ids, together, "a batch has what comes one by one");
                return ids;
            }
            outbox.remove(&next).unwrap();
            ids.extend(ids_of(&next));
        }
    }

    fn ids_of(events: &[OutboxEvent]) -> Vec<String> {
        events.iter().map(|event| event.event.id.clone()).collect()
    }

    #[test]
    fn an_event_that_waits_holds_back_only_later_ones_about_its_record() {
        let (_dir, mut outbox) = outbox();
        let events = [event("1", "a"), event("2", "b"), event("3", "a"), event("4", "b")];
        outbox.append("x", &events, &ChangePosition::before_sync(1)).unwrap();
        let first = outbox.next_events("x", 0, 1).unwrap().remove(0);
        outbox.postpone(first.number, 500).unwrap();
        assert_eq!(deliver_all(&mut outbox, "x", 0), ["2", "4"]);
        assert_eq!(outbox.count_waiting("x").unwrap(), 2);
        assert_eq!(deliver_all(&mut outbox, "x", 500), ["1", "3"]);
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_stop_an_event() {
        let (_dir, mut outbox) = outbox();
        outbox.append("x", &[event("1", "a")], &ChangePosition::before_sync(1)).unwrap();
        let first = outbox.next_events("x", 0, 1).unwrap().remove(0);
        outbox.postpone(first.number, 3 * LONGEST_DELAY_MS).unwrap();
        assert_eq!(deliver_all(&mut outbox, "x", 0), ["1"]);
    }

    #[test]
    fn each_sink_has_its_own_events_and_position() {
        let (_dir, mut outbox) = outbox();
        let position = ChangePosition { seq: 3, kind: RecordKind::Note, id: "n".to_owned() };
        outbox.append("x", &[event("1", "a")], &position).unwrap();
        assert_eq!(outbox.position("x").unwrap(), Some(position));
        assert_eq!(outbox.position("y").unwrap(), None);
        assert_eq!(outbox.next_events("y", 0, 9).unwrap(), []);
    }

    #[test]
    fn a_changed_event_is_damage() {
        let (_dir, mut outbox) = outbox();
        outbox.append("x", &[event("1", "a")], &ChangePosition::before_sync(1)).unwrap();
        outbox.connection.execute("UPDATE outbox SET body = 'other'", []).unwrap();
        assert!(matches!(outbox.next_events("x", 0, 9), Err(MirrorError::Damaged { .. })));
    }
}
