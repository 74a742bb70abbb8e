//! The window in which a change happened: it is known only by the syncs before and after it.

use jiff::Timestamp;
use serde::Serialize;

use crate::inspect::RecordRow;
use crate::mirror::{
    ChangeKind, MirrorError, MirrorReader, NoteRefreshMode, RecordChange, RecordKind, SyncRecord,
};

/// From the start of the last sync that would have seen the change to the end of the reading that saw it; the beginning is
/// unknown if no sync was before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ChangeWindow(pub Option<Timestamp>, pub Timestamp);

/// Finds windows, and remembers the syncs of the last one.
pub(super) struct ChangeWindows<'a> {
    mirror: &'a MirrorReader,
    last: Option<KnownSyncs>,
}

/// A sync, and those before it.
#[derive(Clone)]
struct KnownSyncs {
    seq: i64,
    sync: Option<SyncRecord>,
    before: Option<SyncRecord>,
    walk_before: Option<SyncRecord>,
}

impl<'a> ChangeWindows<'a> {
    pub(super) fn new(mirror: &'a MirrorReader) -> Self {
        Self { mirror, last: None }
    }

    /// The window of a version; `None` if its sync is not done yet.
    pub(super) fn find_window(
        &mut self,
        kind: RecordKind,
        version: &RecordChange,
        before: Option<&RecordRow>,
        row: &RecordRow,
    ) -> Result<Option<ChangeWindow>, MirrorError> {
        let known = self.find_syncs(version.seq)?;
        let Some(sync) = &known.sync else { return Ok(None) };
        let every_sync_sees_it =
            is_announced(kind, version.change, before, row, known.before.as_ref());
        let from = if every_sync_sees_it {
            known.before.as_ref().map(|sync| sync.facts.started)
        } else {
            find_last_reading(kind, &known)
        };
        Ok(Some(ChangeWindow(from, sync.facts.read_until.unwrap_or(sync.facts.started))))
    }

    fn find_syncs(&mut self, seq: i64) -> Result<KnownSyncs, MirrorError> {
        if let Some(known) = self.last.as_ref().filter(|known| known.seq == seq) {
            return Ok(known.clone());
        }
        let known = KnownSyncs {
            seq,
            sync: self.mirror.find_sync(seq)?,
            before: self.mirror.sync_before(seq, false)?,
            walk_before: self.mirror.sync_before(seq, true)?,
        };
        self.last = Some(known.clone());
        Ok(known)
    }
}

/// When all records of a kind were last read before a sync. Of notes that are read in rotation, no such time is known.
fn find_last_reading(kind: RecordKind, known: &KnownSyncs) -> Option<Timestamp> {
    let is_whole = |sync: &&SyncRecord| {
        kind != RecordKind::Note || sync.facts.notes.reading != NoteRefreshMode::Rotation
    };
    match kind {
        RecordKind::Task => {
            let read_ms = known.before.as_ref()?.facts.tasks_ms?;
            Timestamp::from_millisecond(read_ms).ok()
        }
        _ => known.walk_before.as_ref().filter(is_whole).map(|sync| sync.facts.started),
    }
}

/// Whether every sync sees such a change, not only one that reads everything: an edit that moved the contact's
/// `dateUpdated`, a new contact, and, where the search's count agreed, a deletion. What happens to notes and tasks
/// need not show in their contact.
fn is_announced(
    kind: RecordKind,
    change: ChangeKind,
    before: Option<&RecordRow>,
    row: &RecordRow,
    last: Option<&SyncRecord>,
) -> bool {
    if kind != RecordKind::Contact {
        return false;
    }
    match change {
        ChangeKind::Insert | ChangeKind::Return => true,
        ChangeKind::Delete => last.is_some_and(|sync| sync.facts.counts_agree),
        ChangeKind::Update => {
            before.is_some_and(|before| before.value("date_updated") != row.value("date_updated"))
        }
    }
}
