//! The feed: from the mirror's change log into the outboxes of sinks.

use std::path::Path;

use arrow_array::RecordBatch;

use super::error::WatchError;
use super::event_body::{EventBody, event_id, format_time};
use super::event_name::{EventFilter, EventName};
use super::own_writes::{ChangeToExplain, OwnWrites};
use super::row_members::RowMembers;
use super::row_reader::RowReader;
use super::watched_mirror::WatchedMirror;
use crate::failpoint::{self, FailPoint};
use crate::id::LocationId;
use crate::mirror::{
    ChangeKind, ChangePosition, MirrorReader, NewEvent, Outbox, RecordChange, RecordKind, SyncKind,
};
use crate::publish::{self, NamedTemplate, TemplateRows};
use crate::run::RunStore;

/// The kinds of records that have events, in the order of the events of one sync: a contact comes before its tasks and
/// notes.
pub(super) const KINDS: [RecordKind; 3] = [RecordKind::Contact, RecordKind::Task, RecordKind::Note];

/// Changes that become events in one transaction.
const BATCH: usize = 200;

/// Events that wait for a sink at most. The change log has what comes after them.
const MOST_WAITING: u64 = 10_000;

/// What a sink is sent.
#[derive(Debug, Clone, Default)]
pub struct FeedOptions {
    /// Which events.
    pub events: EventFilter,
    /// The templates of the system in whose words events are; none for the columns of the exports' tables.
    pub layout: Vec<NamedTemplate>,
    /// The runs whose writes are left out when they come back as changes.
    pub leave_out_own: Option<RunStore>,
}

impl FeedOptions {
    /// The tables of which the layout has no rows: there are no events about them.
    #[must_use]
    pub fn tables_without_layout(&self) -> Vec<&'static str> {
        let has = |table: &str| self.layout.iter().any(|it| it.template.tables.contains(&table));
        let names = KINDS.into_iter().map(RecordKind::table_name);
        names.filter(|table| !self.layout.is_empty() && !has(table)).collect()
    }
}

/// Where a sink starts that no command has named before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkStart {
    /// After what the mirror has: only later changes become events.
    Now,
    /// At the first change that the mirror knows.
    Beginning,
}

/// What the events about one sync's changes are made with.
struct ChangeBatch<'a> {
    /// The server's time of the sync.
    at_ms: i64,
    own: Option<OwnWrites>,
    rows: &'a mut RowReader,
}

impl ChangeBatch<'_> {
    /// Whether a change is the echo of an import, and such are left out.
    fn is_own(
        &self,
        kind: RecordKind,
        change: &RecordChange,
        (row, former): (&RecordBatch, Option<&RecordBatch>),
    ) -> bool {
        let Some(own) = &self.own else { return false };
        let row = RowMembers::from_row(row);
        let before = former.map(|former| row.differing_from(&RowMembers::from_row(former)));
        let change = ChangeToExplain {
            kind,
            id: &change.id,
            parent: change.parent.as_deref(),
            change: change.change,
            row: &row,
            before: before.as_ref(),
        };
        own.explain(&change, self.rows.table(kind))
    }
}

/// The feed of one location.
pub struct EventFeed {
    pub(super) reader: MirrorReader,
    pub(super) outbox: Outbox,
    pub(super) options: FeedOptions,
    pub(super) layout: Option<TemplateRows>,
    pub(super) location: LocationId,
    pub(super) mirror_id: String,
}

impl EventFeed {
    /// Opens the feed of a mirror, which a sync has made.
    ///
    /// # Errors
    /// When the mirror does not exist, is damaged or cannot be opened.
    pub fn open(
        dir: &Path,
        location: &LocationId,
        options: FeedOptions,
    ) -> Result<Self, WatchError> {
        let missing = || WatchError::NoMirror(location.clone());
        let reader = MirrorReader::open(dir)?.ok_or_else(missing)?;
        let (outbox, mirror_id) = (Outbox::open(dir)?, reader.mirror_id()?);
        let has_layout = !options.layout.is_empty();
        let layout = has_layout.then(|| TemplateRows::new(&options.layout)).transpose()?;
        Ok(Self { reader, outbox, options, layout, location: location.clone(), mirror_id })
    }

    /// The id of the mirror.
    #[must_use]
    pub fn mirror_id(&self) -> &str {
        &self.mirror_id
    }

    /// Gives a sink a position, unless it has one. Gives whether it had one in a mirror that was lost, until
    /// [`WatchedMirror::remember`] is called.
    ///
    /// # Errors
    /// When the mirror is damaged or cannot be written.
    pub fn start_sink(
        &mut self,
        sink: &str,
        start: SinkStart,
        watched: &WatchedMirror,
    ) -> Result<bool, WatchError> {
        let has_lost_place = watched.was_other(sink, &self.mirror_id);
        if self.outbox.position(sink)?.is_some() {
            return Ok(has_lost_place);
        }
        let seq = match start {
            SinkStart::Beginning => 1,
            SinkStart::Now => self.last_seq()? + 1,
        };
        self.outbox.append(sink, &[], &ChangePosition::before_sync(seq))?;
        Ok(has_lost_place)
    }

    /// Turns the changes after a sink's position into events. Gives how many were stored.
    ///
    /// # Errors
    /// When the mirror is damaged or cannot be written. Another call goes on from the last transaction.
    pub fn fill_outbox(&mut self, sink: &str) -> Result<u64, WatchError> {
        let last = self.last_seq()?;
        let missing = || WatchError::NoMirror(self.location.clone());
        let mut position = self.outbox.position(sink)?.ok_or_else(missing)?;
        if position.seq > last {
            return Ok(0);
        }
        let mut rows = self.new_row_reader()?;
        let mut stored = 0;
        while position.seq <= last {
            if self.outbox.count_waiting(sink)? >= MOST_WAITING {
                return Ok(stored);
            }
            stored += self.fill_next_batch(sink, &mut position, &mut rows)?;
        }
        self.outbox.append(sink, &[], &position)?;
        Ok(stored)
    }

    /// Stores the events about the next changes of one kind, and moves the position behind them, or to the next sync if
    /// there are no more.
    fn fill_next_batch(
        &mut self,
        sink: &str,
        position: &mut ChangePosition,
        rows: &mut RowReader,
    ) -> Result<u64, WatchError> {
        let after = (position.seq, position.id.as_str());
        let changes = self.reader.load_changes(position.kind, after, position.seq, BATCH)?;
        let Some(last) = changes.last() else {
            *position = next_kind(position);
            return Ok(0);
        };
        let next = ChangePosition { id: last.id.clone(), ..position.clone() };
        let sync = self.reader.find_sync(position.seq)?;
        let at_ms = sync.map_or(last.read_at_ms, |sync| sync.facts.changes_ms);
        let mut batch = ChangeBatch { at_ms, own: self.load_own_writes(position.seq)?, rows };
        let mut events = Vec::new();
        for change in &changes {
            events.extend(self.build_event(position.kind, change, &mut batch)?);
        }
        self.outbox.append(sink, &events, &next)?;
        failpoint::kill_if_due(FailPoint::DuringFill);
        *position = next;
        Ok(events.len() as u64)
    }

    /// The event about a change, if it is wanted.
    fn build_event(
        &mut self,
        kind: RecordKind,
        change: &RecordChange,
        batch: &mut ChangeBatch<'_>,
    ) -> Result<Option<NewEvent>, WatchError> {
        let name = EventName::from_change(kind, change.change);
        let Some(name) = name.filter(|name| self.options.events.includes(*name)) else {
            return Ok(None);
        };
        // The merge stored it, so it is a row.
        let Ok(row) = batch.rows.read_row(kind, &change.body) else { return Ok(None) };
        let former = match change.change {
            ChangeKind::Update => self.reader.find_former_version(kind, &change.id, change.seq)?,
            _ => None,
        };
        let former = former.and_then(|former| batch.rows.read_row(kind, &former.body).ok());
        if batch.is_own(kind, change, (&row, former.as_ref())) {
            return Ok(None);
        }
        let Some(data) = self.word_row(kind, &row, batch.rows)? else { return Ok(None) };
        let former = match former {
            Some(former) => self.word_row(kind, &former, batch.rows)?,
            None => None,
        };
        let before = former.map(|former| data.differing_from(&former));
        let id = event_id(&self.mirror_id, name, &change.id, change.seq);
        let body = EventBody {
            id: &id,
            name: name.spelling(),
            at: format_time(batch.at_ms),
            location: &self.location,
            seq: change.seq,
            data,
            changed: before.as_ref().map(RowMembers::names),
            before: before.as_ref(),
        };
        let body = body.to_json();
        Ok(Some(NewEvent { record: record_key(kind, &change.id), body, id }))
    }

    /// What imports have written since the sync before this one; `None` if their echo is wanted.
    fn load_own_writes(&self, seq: i64) -> Result<Option<OwnWrites>, WatchError> {
        let Some(home) = &self.options.leave_out_own else { return Ok(None) };
        let before = self.reader.find_sync(seq - 1)?;
        let mut since_ms = before.map_or(0, |sync| sync.facts.started.as_millisecond());
        if let Some(sync) = self.reader.find_sync(seq)?
            && sync.facts.kind == SyncKind::Notes
        {
            // What was imported long before is read when it is the contact's turn.
            let bound_ms = sync.facts.notes.bound_s.and_then(|bound_s| bound_s.checked_mul(1000));
            let bound_ms = bound_ms.and_then(|bound_ms| i64::try_from(bound_ms).ok());
            let started_ms = sync.facts.started.as_millisecond();
            since_ms =
                bound_ms.map_or(0, |bound_ms| since_ms.min(started_ms.saturating_sub(bound_ms)));
        }
        Ok(Some(OwnWrites::load(home, &self.location, since_ms)))
    }

    pub(super) fn new_row_reader(&self) -> Result<RowReader, WatchError> {
        Ok(RowReader::new(&KINDS, &publish::load_mirror_fields(&self.reader, i64::MAX)?))
    }

    pub(super) fn last_seq(&self) -> Result<i64, WatchError> {
        Ok(self.reader.last_sync()?.map_or(0, |sync| sync.seq))
    }
}

/// What tells the records of all kinds apart.
pub(super) fn record_key(kind: RecordKind, id: &str) -> String {
    format!("{} {id}", kind.table_name())
}

fn next_kind(position: &ChangePosition) -> ChangePosition {
    let place = KINDS.iter().position(|kind| *kind == position.kind);
    match place.and_then(|place| KINDS.get(place + 1)) {
        Some(kind) => ChangePosition { kind: *kind, id: String::new(), seq: position.seq },
        None => ChangePosition::before_sync(position.seq + 1),
    }
}
