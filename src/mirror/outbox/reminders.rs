//! When open tasks are due, and which sinks have been reminded of them.

use rusqlite::{Connection, OptionalExtension, params};

use super::{ChangePosition, NewEvent, Outbox, insert_events};
use crate::mirror::mirror_db::{self, meta_key};
use crate::mirror::{MirrorError, RecordKind};

/// A task that falls due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueTask {
    /// The task's id.
    pub task: String,
    /// When it is due, in milliseconds since 1970.
    pub due_ms: i64,
}

/// What a change of a task says about when it is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskDueChange {
    /// The task's id.
    pub task: String,
    /// When it is due, in milliseconds since 1970; `None` if it is done, deleted or has no date.
    pub due_ms: Option<i64>,
}

impl Outbox {
    /// Up to where the changes of tasks are known here; `None` if they never were.
    pub fn due_position(&self) -> Result<Option<ChangePosition>, MirrorError> {
        let text = mirror_db::read_meta(&self.path, &self.connection, meta_key::DUE_POSITION)?;
        let position = text.and_then(|text| {
            let (seq, id) = text.split_once(' ')?;
            let (seq, kind, id) = (seq.parse().ok()?, RecordKind::Task, id.to_owned());
            Some(ChangePosition { seq, kind, id })
        });
        Ok(position)
    }

    /// Stores when tasks are due, and up to where their changes are known, in one transaction.
    pub fn store_due_changes(
        &mut self,
        changes: &[TaskDueChange],
        position: &ChangePosition,
    ) -> Result<(), MirrorError> {
        let path = self.path.clone();
        let fail = |source| crate::run::RunError::from_sqlite(&path, source);
        let transaction = self.connection.transaction().map_err(fail)?;
        for change in changes {
            store_due_change(&transaction, change).map_err(fail)?;
        }
        let text = format!("{} {}", position.seq, position.id);
        mirror_db::write_meta(&path, &transaction, meta_key::DUE_POSITION, &text)?;
        transaction.commit().map_err(fail)?;
        Ok(())
    }

    /// The open tasks that are due up to a time and of which a sink has not been reminded. Those that were due before the
    /// sink was first reminded of anything are left out. Times are in milliseconds since 1970.
    pub fn find_due_tasks(
        &self,
        sink: &str,
        now_ms: i64,
        until_ms: i64,
    ) -> Result<Vec<DueTask>, MirrorError> {
        let since =
            "UPDATE sink SET reminds_since_ms = ?2 WHERE name = ?1 AND reminds_since_ms IS NULL";
        let query = "SELECT task, due_ms FROM task_due
             WHERE due_ms >= (SELECT reminds_since_ms FROM sink WHERE name = ?1) AND due_ms <= ?2
             AND NOT EXISTS (
                 SELECT 1 FROM reminded WHERE sink = ?1 AND task = task_due.task AND due_ms = task_due.due_ms
             ) ORDER BY due_ms, task";
        let find = || {
            self.connection.execute(since, params![sink, now_ms])?;
            let mut query = self.connection.prepare_cached(query)?;
            let read =
                |row: &rusqlite::Row<'_>| Ok(DueTask { task: row.get(0)?, due_ms: row.get(1)? });
            query.query_map(params![sink, until_ms], read)?.collect::<rusqlite::Result<Vec<_>>>()
        };
        find().map_err(|source| self.sqlite_error(source))
    }

    /// Stores an event about a task that falls due, and that its sink was reminded, in one transaction.
    pub fn append_reminder(
        &mut self,
        sink: &str,
        due: &DueTask,
        event: Option<&NewEvent>,
    ) -> Result<(), MirrorError> {
        let path = self.path.clone();
        let store = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            insert_events(&transaction, sink, event.map_or(&[], std::slice::from_ref))?;
            let insert = "INSERT OR IGNORE INTO reminded VALUES (?, ?, ?)";
            transaction.execute(insert, params![sink, due.task, due.due_ms])?;
            transaction.commit()
        };
        store(&mut self.connection)
            .map_err(|source| crate::run::RunError::from_sqlite(&path, source).into())
    }
}

fn store_due_change(connection: &Connection, change: &TaskDueChange) -> rusqlite::Result<()> {
    let TaskDueChange { task, due_ms } = change;
    let known = "SELECT due_ms FROM task_due WHERE task = ?";
    let known: Option<i64> =
        connection.prepare_cached(known)?.query_row([task], |row| row.get(0)).optional()?;
    if known == *due_ms {
        return Ok(());
    }
    connection.execute("DELETE FROM task_due WHERE task = ?", [task])?;
    if let Some(due_ms) = due_ms {
        connection.execute("INSERT INTO task_due VALUES (?, ?)", params![task, due_ms])?;
    }
    Ok(())
}
