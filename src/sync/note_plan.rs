//! How the notes of a location are read, and whose turn it is.
//!
//! Where the search of notes is proven, a walk reads all of them with few requests. Where it is not, each contact takes a
//! request, so they are read in rotation: contacts that have changed, those whose notes were never read, and of the others
//! as many in each sync as keep every reading younger than a bound.

use std::collections::{BTreeSet, HashSet};

use super::request::{NotesMaxAge, SyncRequest};
use crate::api::RateLimits;
use crate::id::ContactId;
use crate::mirror::{MirrorError, MirrorReader, NoteFacts, NoteRefreshMode, RecordKind};
use crate::pull::{self, SpooledNotes};
use crate::run::{RunError, SpoolReader, stream};

/// How old a reading may be where nothing else is asked for, in seconds.
const USUAL_BOUND_S: u64 = 7 * DAY_S;
const DAY_S: u64 = 24 * 3600;
/// The rotation takes at most this part of a day's requests where nothing else is asked for: one of so many.
const LARGEST_PART: u64 = 4;
/// Contacts whose notes one run reads: 8 minutes at the usual limit.
const CONTACTS_PER_RUN: usize = 5_000;

/// The rotation goes on after so long: a sync right after another one takes one request.
const SHORTEST_PAUSE_MS: u64 = 60_000;

/// What a pull of everything says of how notes are read.
pub(super) fn facts_of_walk(
    spool: &SpoolReader,
    before: &NoteFacts,
    time_ms: i64,
) -> Result<NoteFacts, RunError> {
    let contacts = spool.stream_progress(stream::CONTACTS)?.rows;
    let reading = match pull::find_spooled_notes(spool)? {
        SpooledNotes::Searched => NoteRefreshMode::Search,
        // An export reads the lists of many contacts, too, if there is no other way.
        SpooledNotes::Lists if contacts <= pull::FEW_CONTACTS => NoteRefreshMode::EachContact,
        SpooledNotes::Lists | SpooledNotes::Left => NoteRefreshMode::Rotation,
    };
    let is_searched = reading == NoteRefreshMode::Search;
    Ok(NoteFacts {
        reading,
        newest_ms: is_searched.then_some(time_ms),
        overflowed: false,
        unsettled: false,
        rotated_ms: before
            .rotated_ms
            .or(Some(time_ms))
            .filter(|_| reading == NoteRefreshMode::Rotation),
        ..before.clone()
    })
}

/// How old a reading of notes may be, in seconds; `None` without a bound.
pub(super) fn choose_bound(
    request: &SyncRequest,
    reading: NoteRefreshMode,
    contacts: u64,
    limits: RateLimits,
) -> Option<u64> {
    if reading != NoteRefreshMode::Rotation {
        return Some(request.walk_every_s);
    }
    match request.notes_max_age {
        NotesMaxAge::Off => None,
        NotesMaxAge::Within(bound_s) => Some(bound_s),
        NotesMaxAge::Auto => {
            let budget = request.max_requests.map(|most| most.reserved_requests(limits.daily));
            let day = budget.unwrap_or(limits.daily).min(limits.daily);
            let most_per_day = (day / LARGEST_PART).max(1);
            Some(USUAL_BOUND_S.max(contacts.div_ceil(most_per_day).saturating_mul(DAY_S)))
        }
    }
}

/// Whether the bound is longer than usual because the rotation would take too large a part of the day's requests.
pub(super) fn has_longer_bound(request: &SyncRequest, facts: &NoteFacts) -> bool {
    facts.reading == NoteRefreshMode::Rotation
        && request.notes_max_age == NotesMaxAge::Auto
        && facts.bound_s.is_some_and(|bound_s| bound_s > USUAL_BOUND_S)
}

/// Whose notes are read after the contacts of a sync.
pub(super) struct NoteRotation {
    /// The sync before the rotation: no contact's turn comes twice after it.
    after_seq: i64,
    /// Contacts that are read first: those that were hinted at, and those whose notes could not be read before.
    first: BTreeSet<String>,
    /// Contacts that are read although nothing says that they have changed.
    left: u64,
    /// Whether there were any.
    rotates: bool,
}

/// The contacts whose notes a run reads.
pub(super) struct NoteTurn {
    pub(super) contacts: Vec<ContactId>,
    /// Whether the time until the next turn begins with the run: it reads contacts because of the time that has passed, or
    /// so many that it takes long.
    pub(super) rotates: bool,
}

impl NoteRotation {
    /// Decides how many contacts are read; `None` if notes are not read in rotation.
    pub(super) fn begin(
        mirror: &MirrorReader,
        request: &SyncRequest,
        now_ms: i64,
    ) -> Result<Option<Self>, MirrorError> {
        let Some(last) = mirror.last_sync()? else { return Ok(None) };
        let facts = last.facts.notes;
        if facts.reading != NoteRefreshMode::Rotation {
            return Ok(None);
        }
        let left = if request.full {
            mirror.count_live(RecordKind::Contact)?
        } else {
            count_turns(mirror, &facts, now_ms)?
        };
        let failures = mirror.load_failures()?.into_iter();
        let unread = failures.filter(|failure| failure.stream == stream::NOTES);
        let unread = unread.filter_map(|it| it.subject.split(' ').next().map(str::to_owned));
        let first = request.hints.iter().map(ToString::to_string).chain(unread).collect();
        Ok(Some(Self { after_seq: last.seq, first, left, rotates: left > 0 }))
    }

    /// The next contacts; `None` if that is all.
    pub(super) fn next_turn(
        &mut self,
        mirror: &MirrorReader,
    ) -> Result<Option<NoteTurn>, MirrorError> {
        let mut turn = Vec::new();
        for id in std::mem::take(&mut self.first) {
            let known = mirror.find_version(RecordKind::Contact, &id)?;
            turn.extend(known.filter(|known| known.is_live).map(|_| id));
        }
        let due = mirror.contacts_with_due_notes(self.after_seq, CONTACTS_PER_RUN)?;
        let room = CONTACTS_PER_RUN.saturating_sub(due.len());
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(room);
        let oldest = mirror.contacts_with_oldest_notes(self.after_seq, most)?;
        self.left -= (oldest.len() as u64).min(self.left);
        let mut known = HashSet::new();
        turn.extend(due.into_iter().chain(oldest));
        turn.retain(|id| known.insert(id.clone()));
        let contacts: Vec<ContactId> = turn.iter().filter_map(|id| id.parse().ok()).collect();
        let rotates = self.rotates || contacts.len() as u64 > pull::FEW_CONTACTS;
        Ok((!contacts.is_empty()).then_some(NoteTurn { contacts, rotates }))
    }
}

/// How many contacts are read because of the time that has passed: as many as keep the bound if they are spread evenly,
/// and at least those that are past it.
fn count_turns(mirror: &MirrorReader, facts: &NoteFacts, now_ms: i64) -> Result<u64, MirrorError> {
    let Some(bound_s) = facts.bound_s else { return Ok(0) };
    let longest_ms = bound_s.saturating_mul(1000).max(1);
    let since_ms = now_ms.saturating_sub(i64::try_from(longest_ms).unwrap_or(i64::MAX));
    let ages = mirror.measure_note_ages(since_ms)?;
    let overdue = ages.contacts.saturating_sub(ages.unread + ages.recent);
    let passed_ms = facts.rotated_ms.map_or(0, |rotated| now_ms.saturating_sub(rotated));
    let passed_ms = u64::try_from(passed_ms).unwrap_or(0);
    if passed_ms < SHORTEST_PAUSE_MS {
        return Ok(overdue);
    }
    let share = u128::from(ages.contacts) * u128::from(passed_ms) / u128::from(longest_ms);
    let share = u64::try_from(share).unwrap_or(u64::MAX);
    Ok(share.max(overdue).min(ages.contacts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::RequestedRetention;
    use crate::sync::ExtraTables;

    fn bound_days(
        notes_max_age: NotesMaxAge,
        max_requests: Option<&str>,
        contacts: u64,
    ) -> Option<u64> {
        let request = SyncRequest {
            url: String::new(),
            token_variable: None,
            profile: None,
            sandbox: false,
            full: false,
            walk_every_s: DAY_S,
            overlap_s: 0,
            accept_empty: false,
            max_requests: max_requests.map(|text| text.parse().unwrap()),
            hints: Vec::new(),
            notes_max_age,
            notes_every_s: 0,
            tasks_every_s: None,
            with: ExtraTables::default(),
            retention: RequestedRetention::default(),
        };
        let limits = RateLimits::default();
        let bound_s = choose_bound(&request, NoteRefreshMode::Rotation, contacts, limits);
        bound_s.map(|bound_s| bound_s / DAY_S)
    }

    #[test]
    fn the_bound_is_seven_days_or_what_a_quarter_of_the_day_reads() {
        let auto = NotesMaxAge::Auto;
        assert_eq!(bound_days(auto, None, 100_000), Some(7));
        assert_eq!(bound_days(auto, None, 350_000), Some(7));
        assert_eq!(bound_days(auto, None, 1_000_000), Some(20));
        assert_eq!(bound_days(auto, Some("5%"), 100_000), Some(40));
        assert_eq!(bound_days(auto, Some("1"), 100), Some(100));
        assert_eq!(bound_days(NotesMaxAge::Within(30 * DAY_S), Some("1"), 100_000), Some(30));
        assert_eq!(bound_days(NotesMaxAge::Off, None, 100_000), None);
    }
}
