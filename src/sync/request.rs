//! The request of a sync: stored in the run, so that a resumed run does the same.

use serde::{Deserialize, Serialize};

use super::extra_tables::ExtraTables;
use super::notes_again;
use crate::api::QuotaReserve;
use crate::id::ContactId;
use crate::mirror::{
    MirrorError, MirrorReader, NoteFacts, NoteRefreshMode, RequestedRetention, SyncKind, SyncRecord,
};

/// What a sync is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncRequest {
    /// The URL of the API.
    pub url: String,
    /// The environment variable with the token, if it is not the usual one.
    pub token_variable: Option<String>,
    /// The selected profile, if any.
    pub profile: Option<String>,
    /// Whether the location is served by the embedded sandbox.
    pub sandbox: bool,
    /// Whether everything is read, whenever it was read last.
    pub full: bool,
    /// After how many seconds everything is read again.
    pub walk_every_s: u64,
    /// How many seconds before the last sync updates are read again, because the search lags.
    pub overlap_s: u64,
    /// Whether an account without contacts is believed.
    pub accept_empty: bool,
    /// How many requests all syncs of the location may send in a day.
    #[serde(default)]
    pub max_requests: Option<QuotaReserve>,
    /// The tables that are kept up to date in addition to the usual ones.
    #[serde(default)]
    pub with: ExtraTables,
    /// How long what is no longer current is kept.
    #[serde(default)]
    pub retention: RequestedRetention,
    /// Contacts that are read first, with their notes and tasks.
    #[serde(default)]
    pub hints: Vec<ContactId>,
    /// How old a reading of a contact's notes may be, where each takes a request.
    #[serde(default)]
    pub notes_max_age: NotesMaxAge,
    /// How many seconds after the last time the newest notes are searched for again.
    #[serde(default)]
    pub notes_every_s: u64,
    /// After how many seconds all tasks are read again; `None` whenever everything is.
    #[serde(default)]
    pub tasks_every_s: Option<u64>,
}

/// How old a reading of a contact's notes may be, where each takes a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotesMaxAge {
    /// Seven days, or longer where that takes more than a quarter of the day's requests.
    #[default]
    Auto,
    /// So many seconds.
    Within(u64),
    /// Any age: only the notes of contacts that have changed are read again.
    Off,
}

/// How a sync reads: decided once, when its run is created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SyncPlan {
    /// The request.
    pub(super) request: SyncRequest,
    /// Everything, or what was updated last.
    pub(super) kind: SyncKind,
    /// Updates from this time on are read, in milliseconds since 1970.
    pub(super) since_ms: i64,
    /// Whether the search's count of contacts is a proof.
    pub(super) trusts_counts: bool,
    /// What was updated before this time, in milliseconds since 1970, is in the mirror, as far as the records say so.
    #[serde(default)]
    pub(super) known_until_ms: Option<i64>,
    /// The newest notes are read that were written from this time on, in milliseconds since 1970; `None` if none are.
    pub(super) newest_notes_since_ms: Option<i64>,
    /// The contacts whose notes are read, if that is all.
    pub(super) note_contacts: Vec<ContactId>,
    /// The contacts whose notes are looked at again, because the search may not have shown all of them before.
    #[serde(default)]
    pub(super) notes_again: Vec<ContactId>,
    /// Whether the time until the next turn begins with this run.
    pub(super) rotates: bool,
    /// What the sync before knew of the notes.
    pub(super) notes: NoteFacts,
    /// Whether all tasks of the location are read, and not only those of contacts that have changed.
    pub(super) reads_all_tasks: bool,
    /// When they were last read, in milliseconds since 1970.
    pub(super) tasks_ms: Option<i64>,
    /// The tables that are read although only what was updated is read of the others.
    #[serde(default)]
    pub(super) due: ExtraTables,
}

impl SyncPlan {
    /// The plan as its run stores it.
    pub(super) fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("a plan is plain JSON")
    }

    /// When everything is read again at the latest, after a sync.
    pub(super) fn next_walk(
        &self,
        mirror: &MirrorReader,
        sync: &SyncRecord,
    ) -> Result<jiff::Timestamp, MirrorError> {
        let last = mirror.last_walk()?.map_or(sync.facts.started, |walk| walk.facts.started);
        let every = std::time::Duration::from_secs(self.request.walk_every_s);
        Ok(last.checked_add(every).unwrap_or(last))
    }

    /// Decides how to read, by what the mirror has.
    pub(super) fn decide(
        request: SyncRequest,
        mirror: &MirrorReader,
        now: jiff::Timestamp,
    ) -> Result<Self, MirrorError> {
        let (last, walk) = (mirror.last_sync()?, mirror.last_walk()?);
        let is_walk_due = walk.is_none_or(|walk| {
            is_due(now, walk.facts.started.as_millisecond(), request.walk_every_s)
        });
        let overlap_ms = i64::try_from(request.overlap_s).unwrap_or(i64::MAX).saturating_mul(1000);
        let since_ms = |time_ms: i64| time_ms.saturating_sub(overlap_ms);
        let notes = last.as_ref().map(|last| last.facts.notes.clone()).unwrap_or_default();
        let tasks_ms = last.as_ref().and_then(|last| last.facts.tasks_ms);
        let is_task_turn = |every_s: u64| tasks_ms.is_none_or(|at_ms| is_due(now, at_ms, every_s));
        let reads_all_tasks = request.tasks_every_s.map(is_task_turn);
        let mut plan = Self {
            reads_all_tasks: reads_all_tasks.unwrap_or(true) || request.full,
            tasks_ms,
            kind: SyncKind::Walk,
            since_ms: 0,
            trusts_counts: false,
            known_until_ms: last.as_ref().map(|last| since_ms(last.facts.watermark_ms)),
            newest_notes_since_ms: None,
            note_contacts: Vec::new(),
            notes_again: Vec::new(),
            rotates: false,
            notes,
            due: request.with.due(mirror, now)?,
            request,
        };
        let Some(last) =
            last.filter(|_| !is_walk_due && !plan.request.full && !plan.notes.overflowed)
        else {
            return Ok(plan);
        };
        plan.kind = SyncKind::Newest;
        plan.reads_all_tasks = reads_all_tasks.unwrap_or(false);
        plan.since_ms = since_ms(last.facts.watermark_ms);
        plan.trusts_counts = last.facts.counts_agree;
        let newest_ms =
            plan.notes.newest_ms.filter(|_| plan.notes.reading == NoteRefreshMode::Search);
        plan.newest_notes_since_ms =
            newest_ms.filter(|at_ms| is_due(now, *at_ms, plan.request.notes_every_s)).map(since_ms);
        if plan.notes.unsettled && plan.notes.reading == NoteRefreshMode::Search {
            let again = notes_again::find_notes_to_look_at_again(mirror, now)?;
            (plan.notes_again, plan.notes.unsettled) = (again.contacts, again.are_left);
        }
        Ok(plan)
    }

    /// The plan to read the notes of contacts whose turn it is.
    pub(super) fn for_notes(
        request: SyncRequest,
        mirror: &MirrorReader,
        (note_contacts, rotates): (Vec<ContactId>, bool),
    ) -> Result<Self, MirrorError> {
        let last = mirror.last_sync()?;
        let notes = last.as_ref().map(|last| last.facts.notes.clone()).unwrap_or_default();
        Ok(Self {
            request,
            kind: SyncKind::Notes,
            since_ms: 0,
            trusts_counts: false,
            known_until_ms: None,
            newest_notes_since_ms: None,
            note_contacts,
            notes_again: Vec::new(),
            rotates,
            notes,
            reads_all_tasks: false,
            due: ExtraTables::default(),
            tasks_ms: last.and_then(|last| last.facts.tasks_ms),
        })
    }
}

/// Whether something is done again that was last done at a time. A time in the future says that a clock was set back, and
/// nothing is known of its age.
fn is_due(now: jiff::Timestamp, last_ms: i64, every_s: u64) -> bool {
    let age_ms = now.as_millisecond().saturating_sub(last_ms);
    u64::try_from(age_ms).map_or(true, |age_ms| age_ms >= every_s.saturating_mul(1000))
}
