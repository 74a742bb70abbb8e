//! How old what a mirror says of notes may be.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::MirrorError;
use super::mirror_reader::MirrorReader;
use super::note_facts::NoteRefreshMode;
use super::note_readings::NoteAges;

/// How old what a mirror says of notes may be. Times are the server's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoteCoverage {
    /// How notes are read.
    pub read_by: NoteRefreshMode,
    /// The contacts that exist.
    pub contacts: u64,
    /// Those whose notes were never read.
    pub unread: u64,
    /// Those that have changed since their notes were read.
    pub outdated: u64,
    /// Those whose notes were read longer ago than the bound.
    pub overdue: u64,
    /// The oldest reading of a contact's notes.
    pub oldest: Option<Timestamp>,
    /// The reading in the middle.
    pub median: Option<Timestamp>,
    /// How old a reading may be, in seconds; `None` without a bound.
    pub bound_s: Option<u64>,
    /// The share of the contacts whose notes were read within the bound, from 0 to 1.
    pub within_bound: f64,
    /// Up to when the search has shown every new note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
    /// Contacts whose notes differed when they were read again, and whose `dateUpdated` had moved.
    pub announced: u64,
    /// Contacts whose notes differed although their `dateUpdated` had not moved.
    pub silent: u64,
}

impl NoteCoverage {
    /// Whether the notes of every contact are known as they were within the bound. What a walk reads as a whole has no
    /// bound to keep.
    #[must_use]
    pub fn keeps_bound(&self) -> bool {
        self.read_by != NoteRefreshMode::Rotation || self.unread + self.outdated + self.overdue == 0
    }

    /// How old a reading is, in seconds; `None` if there is none.
    #[must_use]
    pub fn age_s(reading: Option<Timestamp>, now: Timestamp) -> Option<u64> {
        reading.map(|reading| u64::try_from(now.as_second() - reading.as_second()).unwrap_or(0))
    }
}

impl MirrorReader {
    /// How old what the mirror says of notes is at a time of the server's clock.
    pub fn note_coverage(&self, now: Timestamp) -> Result<NoteCoverage, MirrorError> {
        let facts = self.last_sync()?.map(|sync| sync.facts.notes).unwrap_or_default();
        let bound_ms = facts.bound_s.and_then(|bound_s| i64::try_from(bound_s).ok());
        let bound_ms = bound_ms.and_then(|bound_s| bound_s.checked_mul(1000));
        let since_ms =
            bound_ms.map_or(i64::MIN, |bound| now.as_millisecond().saturating_sub(bound));
        let ages = self.measure_note_ages(since_ms)?;
        let NoteAges { contacts, unread, outdated, recent, oldest_ms, median_ms } = ages;
        let time = |ms: Option<i64>| ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        Ok(NoteCoverage {
            read_by: facts.reading,
            contacts,
            unread,
            outdated,
            overdue: contacts.saturating_sub(unread + recent),
            oldest: time(oldest_ms),
            median: time(median_ms),
            bound_s: facts.bound_s,
            within_bound: share_of(recent, contacts),
            newest: time(facts.newest_ms),
            announced: facts.announced,
            silent: facts.silent,
        })
    }
}

/// A share with four digits, so that files have the same number for the same share; 1 if there is nothing to share.
fn share_of(part: u64, all: u64) -> f64 {
    if all == 0 {
        return 1.0;
    }
    let share = part.saturating_mul(10_000) / all;
    f64::from(u32::try_from(share).unwrap_or(10_000)) / 10_000.0
}
