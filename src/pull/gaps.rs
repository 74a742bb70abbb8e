//! Looking again: the index behind the search hides a record for a moment (api.md §2.10).
//!
//! When the walk has as many contacts as the search ever counted, nothing was hidden and nothing is
//! asked. Otherwise counts over ranges of `dateAdded`, one request each, close in on the place where
//! the search has more than the walk saw, and that place alone is read again.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::children::ChildKind;
use super::{Pull, PullError};
use crate::api::{ApiResponse, ContactPage, ContactSearchFilter, SEARCH_LIMIT, SearchCursor};
use crate::concurrency;
use crate::run::{FetchFailure, SpoolReader, SpoolWrite, StreamProgress, stream};

/// Into how many parts the walk is cut at first: a contact hidden in one part is not outweighed by one
/// that was deleted in another.
const PARTS: usize = 16;

/// The code and the subject of the failure that contacts are missing.
const HIDDEN: &str = "hidden";
const COUNT: &str = "count";

/// The contacts the spool holds: when they were added, and a hash of their id.
type KnownContacts = BTreeSet<(i64, u64)>;

/// A range of `dateAdded` in milliseconds, open at an end where nothing is given.
type DateAddedRange = (Option<i64>, Option<i64>);

impl Pull {
    /// Fills what the walk has missed.
    pub(super) async fn fill_gaps(&self, children: &[ChildKind]) -> Result<(), PullError> {
        self.flush_writes().await?;
        let walk = self.stream_progress(stream::CONTACTS)?;
        let Some(most) = walk.total.filter(|most| walk.rows < *most) else { return Ok(()) };
        let begun = Instant::now();
        let mut known = self.load_known_contacts().await?;
        let mut pause = Duration::from_millis(500);
        loop {
            let found = self.find_missing_contacts(children, &mut known).await?;
            let now = self.count_matches(&self.plan.filter).await?;
            let ours = known.len() as u64;
            if ours >= most.max(now) {
                return self.clear_hidden_failure().await;
            }
            let over = begun.elapsed() + pause > self.plan.settle;
            if over || !self.wait_for_index(pause).await {
                // Fewer than once, and no more than now: those that are missing were deleted.
                return if ours >= now {
                    self.clear_hidden_failure().await
                } else {
                    self.record_hidden_contacts(ours, now).await
                };
            }
            pause = if found { Duration::from_millis(500) } else { pause * 2 };
        }
    }

    /// Whether an earlier comparison ended with contacts missing.
    pub(super) fn had_hidden_contacts(&self) -> Result<bool, PullError> {
        let failures = self.open_reader()?.load_failures()?;
        Ok(failures
            .iter()
            .any(|failure| failure.stream == stream::CONTACTS && failure.code == HIDDEN))
    }

    /// Nothing is missing, or no longer.
    async fn clear_hidden_failure(&self) -> Result<(), PullError> {
        let (stream, subject) = (stream::CONTACTS.to_owned(), COUNT.to_owned());
        self.write_to_spool(SpoolWrite::Mended { stream, subject }).await
    }

    async fn record_hidden_contacts(&self, ours: u64, theirs: u64) -> Result<(), PullError> {
        let message = format!("the search counts {theirs} contacts and shows {ours}");
        self.report_warning("hidden_contacts", message.clone());
        self.write_to_spool(SpoolWrite::Failed(FetchFailure {
            stream: stream::CONTACTS.to_owned(),
            subject: COUNT.to_owned(),
            code: HIDDEN.to_owned(),
            message,
            status: None,
            trace_id: None,
            transient: false,
        }))
        .await
    }

    /// Every contact in the spool.
    async fn load_known_contacts(&self) -> Result<KnownContacts, PullError> {
        let db = self.db.clone();
        let known = concurrency::run_blocking(move || {
            let reader = SpoolReader::open(&db)?;
            let (mut known, mut seq) = (KnownContacts::new(), 0);
            while let Some(entry) = reader.next_entry(stream::CONTACTS, seq)? {
                seq = entry.seq;
                if let Ok(page) = ContactPage::from_json(&entry.body) {
                    known.extend(page.rows.iter().flatten().map(known_contact_key));
                }
            }
            Ok::<_, crate::run::RunError>(known)
        });
        Ok(known.await?)
    }

    async fn count_matches(&self, filter: &ContactSearchFilter) -> Result<u64, PullError> {
        let answer = self.client.search_contacts(filter, 1, None).await?;
        Ok(answer.head.total.unwrap_or(0))
    }

    /// Compares the counts part by part; reads what the search has more of. Whether anything was found.
    async fn find_missing_contacts(
        &self,
        children: &[ChildKind],
        known: &mut KnownContacts,
    ) -> Result<bool, PullError> {
        let mut ranges = split_range(known, (None, None), PARTS);
        let mut found = false;
        while let Some(range) = ranges.pop() {
            let filter = self.filter_for_range(range);
            let theirs = self.count_matches(&filter).await?;
            let ours = dates_in_range(known, range).count() as u64;
            if theirs <= ours {
                continue;
            }
            let halves = split_range(known, range, 2);
            if theirs <= SEARCH_LIMIT as u64 || halves.len() < 2 {
                found |= self.reread_contacts(&filter, children, known).await?;
            } else {
                ranges.extend(halves);
            }
        }
        Ok(found)
    }

    fn filter_for_range(&self, (from, before): DateAddedRange) -> ContactSearchFilter {
        let mut filter = self.plan.filter.clone();
        let mut range = serde_json::Map::new();
        range.extend(from.map(|from| ("gte".to_owned(), json!(from))));
        range.extend(before.map(|before| ("lt".to_owned(), json!(before))));
        if !range.is_empty() {
            filter.filters.push(json!({"field": "dateAdded", "operator": "range", "value": range}));
        }
        filter
    }

    async fn reread_contacts(
        &self,
        filter: &ContactSearchFilter,
        children: &[ChildKind],
        known: &mut KnownContacts,
    ) -> Result<bool, PullError> {
        let (mut cursor, mut found) = (None::<SearchCursor>, false);
        loop {
            let asked = self.client.search_contacts(filter, SEARCH_LIMIT, cursor.as_ref()).await?;
            let ApiResponse { body, head: ContactPage { rows, next, .. } } = asked;
            let fresh: Vec<_> =
                rows.iter().flatten().filter(|row| known.insert(known_contact_key(row))).collect();
            if !fresh.is_empty() {
                found = true;
                let progress =
                    StreamProgress { rows: known.len() as u64, ..StreamProgress::default() };
                let (stream, rows) = (stream::CONTACTS_AGAIN.to_owned(), fresh.len());
                let rows = u32::try_from(rows).expect("a page is small");
                for (child, row) in children.iter().flat_map(|c| fresh.iter().map(move |r| (c, r)))
                {
                    self.defer_child_request(*child, &row.id).await?;
                }
                self.write_to_spool(SpoolWrite::Entry { stream, rows, body, progress }).await?;
            }
            if rows.len() < SEARCH_LIMIT || next == cursor {
                return Ok(found);
            }
            cursor = next;
        }
    }
}

/// A contact without a date counts as older than all others.
fn known_contact_key(row: &crate::api::ContactRef) -> (i64, u64) {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    row.id.hash(&mut hasher);
    (row.added.unwrap_or(i64::MIN), hasher.finish())
}

fn dates_in_range(
    known: &KnownContacts,
    (from, before): DateAddedRange,
) -> impl Iterator<Item = i64> {
    let from = (from.unwrap_or(i64::MIN), 0);
    let before = (before.unwrap_or(i64::MAX), 0);
    known.range(from..before).map(|(added, _)| *added)
}

/// Cuts a range into so many parts of as many contacts each, fewer where dates do not tell them apart.
fn split_range(known: &KnownContacts, range: DateAddedRange, count: usize) -> Vec<DateAddedRange> {
    let size = (dates_in_range(known, range).count() / count).max(1);
    let mut cuts: Vec<_> = dates_in_range(known, range).skip(size).step_by(size).collect();
    cuts.dedup();
    // A cut at the beginning of the range would cut nothing off.
    cuts.retain(|cut| Some(*cut) != range.0 && dates_in_range(known, range).next() != Some(*cut));
    let mut parts = Vec::new();
    let mut from = range.0;
    for cut in cuts {
        parts.push((from, Some(cut)));
        from = Some(cut);
    }
    parts.push((from, range.1));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_a_range_without_overlap_whatever_the_dates() {
        let dates = [1, 1, 1, 1, 5, 9, 9, 20];
        let known: KnownContacts = dates.iter().zip(0..).map(|(date, n)| (*date, n)).collect();
        for count in 1..10 {
            let parts = split_range(&known, (None, None), count);
            assert_eq!(parts[0].0, None);
            assert_eq!(parts.last().unwrap().1, None);
            assert!(parts.windows(2).all(|pair| pair[0].1 == pair[1].0 && pair[0].1.is_some()));
            let sum: usize = parts.iter().map(|part| dates_in_range(&known, *part).count()).sum();
            assert_eq!(sum, dates.len());
        }
        assert_eq!(split_range(&known, (Some(1), Some(2)), 2), [(Some(1), Some(2))]);
    }
}
