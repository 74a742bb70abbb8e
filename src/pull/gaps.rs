//! Rereading: for a moment the search index hides records (api.md §2.10).
//!
//! When the walk has as many contacts as the search ever counted, nothing was hidden and no request
//! is sent. Otherwise counts over ranges of `dateAdded`, one request each, locate the range in
//! which the search has more contacts than the walk saw, and only that range is read again. Without a count, the newest
//! contact must be among those that the walk saw.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::children::ChildKind;
use super::{Pull, PullError};
use crate::api::{
    ApiResponse, ContactPage, ContactRef, ContactSearchFilter, RepeatedPages, SEARCH_LIMIT,
    SearchCursor,
};
use crate::concurrency;
use crate::diagnostic::{EventWarningCode, FetchFailureCode};
use crate::run::{FetchFailure, SpoolReader, SpoolWrite, StreamProgress, stream};
use crate::text::{format_count, hash_text};

/// How many ranges are compared at first, so that a contact hidden in one range is not offset by a
/// deletion in another.
const INITIAL_RANGES: usize = 16;

/// The subject of the failure that contacts are missing.
const COUNT_SUBJECT: &str = "count";

/// The contacts in the spool: when they were added, and a hash of their id.
type KnownContacts = BTreeSet<(i64, u64)>;

/// A range of `dateAdded` in milliseconds; `None` leaves an end open.
type DateAddedRange = (Option<i64>, Option<i64>);

impl Pull {
    /// Reads the contacts that the walk missed.
    pub(super) async fn fill_gaps(&self, children: &[ChildKind]) -> Result<(), PullError> {
        self.flush_writes().await?;
        let walk = self.stream_progress(stream::CONTACTS)?;
        let highest = match walk.total {
            Some(total) if walk.rows < total => total,
            // The total ends somewhere, but the counts of ranges do not.
            Some(total) if total > 0 && walk.rows > total => walk.rows,
            Some(total) if walk.rows == total => return Ok(()),
            _ => return self.read_to_newest_contact(children).await,
        };
        let started = Instant::now();
        let mut known = self.load_known_contacts().await?;
        let mut pause = Duration::from_millis(500);
        loop {
            let found = self.find_missing_contacts(children, &mut known).await?;
            let now = self.count_matches(&self.options.filter).await?;
            let known_count = known.len() as u64;
            if known_count >= highest.max(now) {
                return self.clear_hidden_failure().await;
            }
            let timed_out = started.elapsed() + pause > self.options.settle;
            if timed_out || !self.wait_for_index(pause).await {
                // Fewer than the highest count, but as many as now: the difference was deleted.
                return if known_count >= now {
                    self.clear_hidden_failure().await
                } else {
                    let message =
                        format!("the search counts {now} contacts and shows {known_count}");
                    self.record_hidden_contacts(message, now - known_count).await
                };
            }
            pause = if found { Duration::from_millis(500) } else { pause * 2 };
        }
    }

    /// Proves the end of a walk that no total did: the newest contact that the search shows must be known. Blank pages
    /// in the middle may have ended the walk; what is behind them is found by its date.
    async fn read_to_newest_contact(&self, children: &[ChildKind]) -> Result<(), PullError> {
        let started = Instant::now();
        let mut known = self.load_known_contacts().await?;
        let mut pause = Duration::from_millis(500);
        loop {
            let newest = self.client.search_newest_contacts(&self.options.filter, 1).await?.head;
            let is_known = |row: &ContactRef| known.contains(&known_contact_key(row));
            if newest.rows.iter().flatten().all(is_known) {
                return self.clear_hidden_failure().await;
            }
            let latest = known.last().map(|(added, _)| *added).filter(|added| *added > i64::MIN);
            let rest = self.filter_for_range((latest, None));
            if self.reread_contacts(&rest, children, &mut known).await? {
                continue;
            }
            let timed_out = started.elapsed() + pause > self.options.settle;
            if timed_out || !self.wait_for_index(pause).await {
                let known = format_count(known.len() as u64);
                let message =
                    format!("the search shows {known} contacts and then no more, but a newer one");
                return self.record_hidden_contacts(message, 1).await;
            }
            pause *= 2;
        }
    }

    /// Whether an earlier comparison ended with contacts missing.
    pub(super) fn had_hidden_contacts(&self) -> Result<bool, PullError> {
        let failures = self.open_reader()?.load_failures()?;
        Ok(failures.iter().any(|failure| {
            failure.stream == stream::CONTACTS && failure.code == FetchFailureCode::Hidden
        }))
    }

    /// Clears the failure once nothing is missing.
    async fn clear_hidden_failure(&self) -> Result<(), PullError> {
        let (stream, subject) = (stream::CONTACTS.to_owned(), COUNT_SUBJECT.to_owned());
        self.write_to_spool(SpoolWrite::FailureResolved { stream, subject }).await
    }

    async fn record_hidden_contacts(&self, message: String, records: u64) -> Result<(), PullError> {
        self.report_warning(EventWarningCode::HiddenContacts, message.clone());
        self.write_to_spool(SpoolWrite::Failed(FetchFailure {
            stream: stream::CONTACTS.to_owned(),
            subject: COUNT_SUBJECT.to_owned(),
            code: FetchFailureCode::Hidden,
            message,
            status: None,
            trace_id: None,
            transient: false,
            records,
        }))
        .await
    }

    /// Loads the keys of every contact in the spool.
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

    /// Compares the counts range by range and rereads the ranges in which the search has more.
    /// Returns whether it found any contact.
    async fn find_missing_contacts(
        &self,
        children: &[ChildKind],
        known: &mut KnownContacts,
    ) -> Result<bool, PullError> {
        let mut ranges = split_range(known, (None, None), INITIAL_RANGES);
        let mut found = false;
        while let Some(range) = ranges.pop() {
            let filter = self.filter_for_range(range);
            let counted = self.count_matches(&filter).await?;
            let known_count = dates_in_range(known, range).count() as u64;
            if counted <= known_count {
                continue;
            }
            let halves = split_range(known, range, 2);
            if counted <= SEARCH_LIMIT as u64 || halves.len() < 2 {
                found |= self.reread_contacts(&filter, children, known).await?;
            } else {
                ranges.extend(halves);
            }
        }
        Ok(found)
    }

    fn filter_for_range(&self, (from, before): DateAddedRange) -> ContactSearchFilter {
        let mut filter = self.options.filter.clone();
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
        let (mut cursor, mut found, mut read) = (None::<SearchCursor>, false, 0);
        let mut pages = RepeatedPages::default();
        loop {
            let page = self.client.search_contacts(filter, SEARCH_LIMIT, cursor.as_ref()).await?;
            let ApiResponse { body, head, broken } = page;
            read += head.rows.len() as u64;
            let is_circle = pages.add_page(head.rows.iter().flatten().map(|row| &row.id));
            let is_last = head.is_last(read) || head.next == cursor || is_circle;
            let ContactPage { rows, next, .. } = head;
            let fresh: Vec<_> =
                rows.iter().flatten().filter(|row| known.insert(known_contact_key(row))).collect();
            if !fresh.is_empty() {
                found = true;
                let progress =
                    StreamProgress { rows: known.len() as u64, ..StreamProgress::default() };
                let (stream, rows) = (stream::REREAD_CONTACTS.to_owned(), fresh.len());
                let rows = u32::try_from(rows).expect("a page is small");
                for (child, row) in children.iter().flat_map(|c| fresh.iter().map(move |r| (c, r)))
                {
                    self.defer_child_request(*child, &row.id).await?;
                }
                self.record_broken(stream::CONTACTS, None, "a page read again", &broken).await?;
                self.write_to_spool(SpoolWrite::Entry { stream, rows, body, progress }).await?;
            }
            if is_last {
                return Ok(found);
            }
            cursor = next;
        }
    }
}

/// A contact without a date sorts before all others.
fn known_contact_key(row: &ContactRef) -> (i64, u64) {
    (row.added.unwrap_or(i64::MIN), hash_text(row.id.as_str()))
}

fn dates_in_range(
    known: &KnownContacts,
    (from, before): DateAddedRange,
) -> impl Iterator<Item = i64> {
    let from = (from.unwrap_or(i64::MIN), 0);
    let before = (before.unwrap_or(i64::MAX), 0);
    known.range(from..before).map(|(added, _)| *added)
}

/// Splits a range into `count` parts of equal size, or fewer where equal dates cannot be separated.
fn split_range(known: &KnownContacts, range: DateAddedRange, count: usize) -> Vec<DateAddedRange> {
    let size = (dates_in_range(known, range).count() / count).max(1);
    let mut splits: Vec<_> = dates_in_range(known, range).skip(size).step_by(size).collect();
    splits.dedup();
    // A split at the start of the range would leave an empty part.
    splits.retain(|split| {
        Some(*split) != range.0 && dates_in_range(known, range).next() != Some(*split)
    });
    let mut parts = Vec::new();
    let mut from = range.0;
    for split in splits {
        parts.push((from, Some(split)));
        from = Some(split);
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
