//! The request of a sync: stored in the run, so that a resumed run does the same.

use serde::{Deserialize, Serialize};

use super::note_plan::NoteTurn;
use crate::api::QuotaReserve;
use crate::id::ContactId;
use crate::mirror::{MirrorError, MirrorReader, NoteFacts, NoteReading, SyncKind};

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
    /// Contacts that are read first, with their notes and tasks.
    #[serde(default)]
    pub hints: Vec<ContactId>,
    /// How old a reading of a contact's notes may be, where each takes a request.
    #[serde(default)]
    pub notes_max_age: NotesMaxAge,
    /// How many seconds after the last time the newest notes are searched for again.
    #[serde(default)]
    pub notes_every_s: u64,
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
    /// Whether some of them are read because of the time that has passed.
    pub(super) rotates: bool,
    /// What the sync before knew of the notes.
    pub(super) notes: NoteFacts,
}

impl SyncPlan {
    /// The plan as its run stores it.
    pub(super) fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("a plan is plain JSON")
    }

    /// Decides how to read, by what the mirror has.
    pub(super) fn decide(
        request: SyncRequest,
        mirror: &MirrorReader,
        now: jiff::Timestamp,
    ) -> Result<Self, MirrorError> {
        let (last, walk) = (mirror.last_sync()?, mirror.last_walk()?);
        let is_due = walk.is_none_or(|walk| {
            let age_s = now.as_second() - walk.facts.started.as_second();
            // A walk in the future: the clock was set back, and nothing is known of its age.
            u64::try_from(age_s).is_ok_and(|age| age >= request.walk_every_s) || age_s < 0
        });
        let overlap_ms = i64::try_from(request.overlap_s).unwrap_or(i64::MAX).saturating_mul(1000);
        let since_ms = |time_ms: i64| time_ms.saturating_sub(overlap_ms);
        let notes = last.as_ref().map(|last| last.facts.notes.clone()).unwrap_or_default();
        let mut plan = Self {
            kind: SyncKind::Walk,
            since_ms: 0,
            trusts_counts: false,
            known_until_ms: last.as_ref().map(|last| since_ms(last.facts.watermark_ms)),
            newest_notes_since_ms: None,
            note_contacts: Vec::new(),
            rotates: false,
            notes,
            request,
        };
        let Some(last) = last.filter(|_| !is_due && !plan.request.full && !plan.notes.overflowed)
        else {
            return Ok(plan);
        };
        plan.kind = SyncKind::Newest;
        plan.since_ms = since_ms(last.facts.watermark_ms);
        plan.trusts_counts = last.facts.counts_agree;
        let newest_ms = plan.notes.newest_ms.filter(|_| plan.notes.reading == NoteReading::Search);
        plan.newest_notes_since_ms =
            newest_ms.filter(|at_ms| plan.searches_notes_at(now, *at_ms)).map(since_ms);
        Ok(plan)
    }

    /// Whether so much time has passed since the newest notes were searched for that it is done again. A time in the future
    /// says that a clock was wrong.
    fn searches_notes_at(&self, now: jiff::Timestamp, last_ms: i64) -> bool {
        let age_ms = now.as_millisecond().saturating_sub(last_ms);
        let every_ms = self.request.notes_every_s.saturating_mul(1000);
        u64::try_from(age_ms).map_or(true, |age_ms| age_ms >= every_ms)
    }

    /// The plan to read the notes of contacts whose turn it is.
    pub(super) fn for_notes(
        request: SyncRequest,
        mirror: &MirrorReader,
        turn: NoteTurn,
    ) -> Result<Self, MirrorError> {
        let notes = mirror.last_sync()?.map(|last| last.facts.notes).unwrap_or_default();
        Ok(Self {
            request,
            kind: SyncKind::Notes,
            since_ms: 0,
            trusts_counts: false,
            known_until_ms: None,
            newest_notes_since_ms: None,
            note_contacts: turn.contacts,
            rotates: turn.rotates,
            notes,
        })
    }
}
