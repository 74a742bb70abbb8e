//! Reminders: events about open tasks that fall due soon.

use std::time::Duration;

use super::error::WatchError;
use super::event_body::{EventBody, event_id, format_time};
use super::event_feed::{EventFeed, record_key};
use super::event_name::EventName;
use super::row_reader::RowReader;
use crate::mirror::{ChangePosition, DeletedRows, DueTask, NewEvent, RecordKind, TaskDueChange};

/// Tasks that are looked at in one transaction.
const BATCH: usize = 500;

impl EventFeed {
    /// Stores an event for each open task that falls due within `lead` and of which the sink has not been reminded. `now_ms`
    /// is the server's time in milliseconds since 1970. Tasks that were due before the first call are left out.
    ///
    /// # Errors
    /// When the mirror is damaged or cannot be written.
    pub fn fill_reminders(
        &mut self,
        sink: &str,
        lead: Duration,
        now_ms: i64,
    ) -> Result<u64, WatchError> {
        if !self.options.events.includes(EventName::TaskDue) {
            return Ok(0);
        }
        let mut rows = self.new_row_reader()?;
        self.update_due_dates(&mut rows)?;
        let lead_ms = i64::try_from(lead.as_millis()).unwrap_or(i64::MAX);
        let mut stored = 0;
        for due in self.outbox.find_due_tasks(sink, now_ms, now_ms.saturating_add(lead_ms))? {
            let event = self.build_reminder(&due, now_ms, &mut rows)?;
            self.outbox.append_reminder(sink, &due, event.as_ref())?;
            stored += u64::from(event.is_some());
        }
        Ok(stored)
    }

    fn build_reminder(
        &mut self,
        due: &DueTask,
        now_ms: i64,
        rows: &mut RowReader,
    ) -> Result<Option<NewEvent>, WatchError> {
        let Some(task) = self.reader.find_latest_version(RecordKind::Task, &due.task)? else {
            return Ok(None);
        };
        let Ok(row) = rows.read_row(RecordKind::Task, &task.body) else { return Ok(None) };
        let Some(data) = self.word_row(RecordKind::Task, &row, rows)? else { return Ok(None) };
        let id = event_id(&self.mirror_id, EventName::TaskDue, &due.task, due.due_ms);
        let body = EventBody {
            id: &id,
            name: EventName::TaskDue.spelling(),
            at: format_time(now_ms),
            location: &self.location,
            seq: task.seq,
            data,
            changed: None,
            before: None,
        };
        let body = body.to_json();
        Ok(Some(NewEvent { record: record_key(RecordKind::Task, &due.task), body, id }))
    }

    /// Brings up to date when tasks are due.
    fn update_due_dates(&mut self, rows: &mut RowReader) -> Result<(), WatchError> {
        let last = self.last_seq()?;
        let Some(mut position) = self.outbox.due_position()? else {
            return self.scan_due_dates(last, rows);
        };
        while position.seq <= last {
            let after = (position.seq, position.id.as_str());
            let changes = self.reader.load_changes(RecordKind::Task, after, last, BATCH)?;
            let found: Vec<TaskDueChange> =
                changes.iter().map(|change| rows.read_due_date(change)).collect();
            position = match changes.last() {
                Some(last) => {
                    ChangePosition { seq: last.seq, id: last.id.clone(), kind: RecordKind::Task }
                }
                None => ChangePosition::before_sync(last + 1),
            };
            self.outbox.store_due_changes(&found, &position)?;
        }
        Ok(())
    }

    /// Reads from all tasks when they are due.
    fn scan_due_dates(&mut self, last_seq: i64, rows: &mut RowReader) -> Result<(), WatchError> {
        // A task that changes meanwhile is read again from the change log.
        let mut after: Option<(i64, String)> = None;
        let mut found = Vec::new();
        loop {
            let from = after.as_ref().map(|(added, id)| (*added, id.as_str()));
            let tasks = self.reader.load_rows(RecordKind::Task, from, DeletedRows::Drop, BATCH)?;
            let Some(last) = tasks.last() else { break };
            after = Some((last.added_ms, last.id.clone()));
            let due = tasks.iter().map(|task| rows.read_due_date_of(&task.id, &task.body));
            found.extend(due.filter(|due| due.due_ms.is_some()));
        }
        Ok(self.outbox.store_due_changes(&found, &ChangePosition::before_sync(last_seq + 1))?)
    }
}
