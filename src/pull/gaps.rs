//! Looking again: the index behind the search hides a record for a moment (api.md §2.10).
//!
//! When the walk has as many contacts as the search ever counted, nothing was hidden and nothing is
//! asked. Otherwise counts over ranges of `dateAdded`, one request each, close in on the place where
//! the search has more than the walk saw, and that place alone is read again.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::children::Child;
use super::{Error, Pull};
use crate::api::{Answer, ContactPage, Cursor, Filter, SEARCH_LIMIT};
use crate::concurrency;
use crate::run::{Failure, Progress, Reader, Write, stream};

/// Into how many parts the walk is cut at first: a contact hidden in one part is not outweighed by one
/// that was deleted in another.
const PARTS: usize = 16;

/// The code and the subject of the failure that contacts are missing.
const HIDDEN: &str = "hidden";
const COUNT: &str = "count";

/// The contacts the spool holds: when they were added, and a hash of their id.
type Known = BTreeSet<(i64, u64)>;

/// A range of `dateAdded` in milliseconds, open at an end where nothing is given.
type Range = (Option<i64>, Option<i64>);

impl Pull {
    /// Fills what the walk has missed.
    pub(super) async fn fill_gaps(&self, children: &[Child]) -> Result<(), Error> {
        self.settle_writes().await?;
        let walk = self.progress(stream::CONTACTS)?;
        let Some(most) = walk.total.filter(|most| walk.rows < *most) else { return Ok(()) };
        let begun = Instant::now();
        let mut known = self.known().await?;
        let mut pause = Duration::from_millis(500);
        loop {
            let found = self.compare(children, &mut known).await?;
            let now = self.count(&self.plan.filter).await?;
            let ours = known.len() as u64;
            if ours >= most.max(now) {
                return self.shown().await;
            }
            let over = begun.elapsed() + pause > self.plan.settle;
            if over || !self.wait_for_index(pause).await {
                // Fewer than once, and no more than now: those that are missing were deleted.
                return if ours >= now { self.shown().await } else { self.hidden(ours, now).await };
            }
            pause = if found { Duration::from_millis(500) } else { pause * 2 };
        }
    }

    /// Whether an earlier comparison ended with contacts missing.
    pub(super) fn were_hidden(&self) -> Result<bool, Error> {
        let failures = self.reader()?.failures()?;
        Ok(failures
            .iter()
            .any(|failure| failure.stream == stream::CONTACTS && failure.code == HIDDEN))
    }

    /// Nothing is missing, or no longer.
    async fn shown(&self) -> Result<(), Error> {
        let (stream, subject) = (stream::CONTACTS.to_owned(), COUNT.to_owned());
        self.store(Write::Mended { stream, subject }).await
    }

    async fn hidden(&self, ours: u64, theirs: u64) -> Result<(), Error> {
        let message = format!("the search counts {theirs} contacts and shows {ours}");
        self.warn("hidden_contacts", message.clone());
        self.store(Write::Failed(Failure {
            stream: stream::CONTACTS.to_owned(),
            subject: COUNT.to_owned(),
            code: HIDDEN.to_owned(),
            message,
            status: None,
            trace_id: None,
            passing: false,
        }))
        .await
    }

    /// Every contact in the spool.
    async fn known(&self) -> Result<Known, Error> {
        let db = self.db.clone();
        let known = concurrency::blocking(move || {
            let reader = Reader::open(&db)?;
            let (mut known, mut seq) = (Known::new(), 0);
            while let Some(entry) = reader.next(stream::CONTACTS, seq)? {
                seq = entry.seq;
                if let Ok(page) = ContactPage::read(&entry.body) {
                    known.extend(page.rows.iter().flatten().map(key));
                }
            }
            Ok::<_, crate::run::Error>(known)
        });
        Ok(known.await?)
    }

    async fn count(&self, filter: &Filter) -> Result<u64, Error> {
        let answer = self.client.search_contacts(filter, 1, None).await?;
        Ok(answer.head.total.unwrap_or(0))
    }

    /// Compares the counts part by part; reads what the search has more of. Whether anything was found.
    async fn compare(&self, children: &[Child], known: &mut Known) -> Result<bool, Error> {
        let mut ranges = parts(known, (None, None), PARTS);
        let mut found = false;
        while let Some(range) = ranges.pop() {
            let filter = self.within(range);
            let theirs = self.count(&filter).await?;
            let ours = inside(known, range).count() as u64;
            if theirs <= ours {
                continue;
            }
            let halves = parts(known, range, 2);
            if theirs <= SEARCH_LIMIT as u64 || halves.len() < 2 {
                found |= self.read_again(&filter, children, known).await?;
            } else {
                ranges.extend(halves);
            }
        }
        Ok(found)
    }

    fn within(&self, (from, before): Range) -> Filter {
        let mut filter = self.plan.filter.clone();
        let mut range = serde_json::Map::new();
        range.extend(from.map(|from| ("gte".to_owned(), json!(from))));
        range.extend(before.map(|before| ("lt".to_owned(), json!(before))));
        if !range.is_empty() {
            filter.filters.push(json!({"field": "dateAdded", "operator": "range", "value": range}));
        }
        filter
    }

    async fn read_again(
        &self,
        filter: &Filter,
        children: &[Child],
        known: &mut Known,
    ) -> Result<bool, Error> {
        let (mut cursor, mut found) = (None::<Cursor>, false);
        loop {
            let asked = self.client.search_contacts(filter, SEARCH_LIMIT, cursor.as_ref()).await?;
            let Answer { body, head: ContactPage { rows, next, .. } } = asked;
            let fresh: Vec<_> =
                rows.iter().flatten().filter(|row| known.insert(key(row))).collect();
            if !fresh.is_empty() {
                found = true;
                let progress = Progress { rows: known.len() as u64, ..Progress::default() };
                let (stream, rows) = (stream::CONTACTS_AGAIN.to_owned(), fresh.len());
                let rows = u32::try_from(rows).expect("a page is small");
                for (child, row) in children.iter().flat_map(|c| fresh.iter().map(move |r| (c, r)))
                {
                    self.ask_later(*child, &row.id).await?;
                }
                self.store(Write::Entry { stream, rows, body, progress }).await?;
            }
            if rows.len() < SEARCH_LIMIT || next == cursor {
                return Ok(found);
            }
            cursor = next;
        }
    }
}

/// A contact without a date counts as older than all others.
fn key(row: &crate::api::ContactHead) -> (i64, u64) {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    row.id.hash(&mut hasher);
    (row.added.unwrap_or(i64::MIN), hasher.finish())
}

fn inside(known: &Known, (from, before): Range) -> impl Iterator<Item = i64> {
    let from = (from.unwrap_or(i64::MIN), 0);
    let before = (before.unwrap_or(i64::MAX), 0);
    known.range(from..before).map(|(added, _)| *added)
}

/// Cuts a range into so many parts of as many contacts each, fewer where dates do not tell them apart.
fn parts(known: &Known, range: Range, count: usize) -> Vec<Range> {
    let size = (inside(known, range).count() / count).max(1);
    let mut cuts: Vec<_> = inside(known, range).skip(size).step_by(size).collect();
    cuts.dedup();
    // A cut at the beginning of the range would cut nothing off.
    cuts.retain(|cut| Some(*cut) != range.0 && inside(known, range).next() != Some(*cut));
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
        let known: Known = dates.iter().zip(0..).map(|(date, n)| (*date, n)).collect();
        for count in 1..10 {
            let parts = parts(&known, (None, None), count);
            assert_eq!(parts[0].0, None);
            assert_eq!(parts.last().unwrap().1, None);
            assert!(parts.windows(2).all(|pair| pair[0].1 == pair[1].0 && pair[0].1.is_some()));
            let sum: usize = parts.iter().map(|part| inside(&known, *part).count()).sum();
            assert_eq!(sum, dates.len());
        }
        assert_eq!(parts(&known, (Some(1), Some(2)), 2), [(Some(1), Some(2))]);
    }
}
