//! Finds contacts that were deleted, or that the mirror lacks, by counting over ranges of `dateAdded`.

use std::collections::HashSet;

use serde_json::json;

use super::{ComparisonResult, DeletionCheck, MirrorScope, Pull, PullError, open_mirror};
use crate::api::{
    self, ApiResponse, ContactSearchFilter, RepeatedPages, SEARCH_LIMIT, SearchCursor,
};
use crate::mirror::{MirrorReader, RecordKind};
use crate::run::{SpoolWrite, StreamProgress, stream};
use crate::text::hash_text;

/// A range of `dateAdded` in milliseconds; `None` leaves an end open.
pub(super) type AddedRange = (Option<i64>, Option<i64>);

/// The contacts of the spool that the mirror does not have.
#[derive(Debug, Default)]
struct NewContacts {
    /// When they were added.
    dates: Vec<i64>,
    ids: HashSet<String>,
}

impl NewContacts {
    fn count_in(&self, (from, before): AddedRange) -> u64 {
        let is_in = |date: &&i64| {
            from.is_none_or(|from| **date >= from) && before.is_none_or(|before| **date < before)
        };
        self.dates.iter().filter(is_in).count() as u64
    }
}

/// What was found by comparing ranges.
#[derive(Debug, Default)]
struct RangeFindings {
    /// Contacts of the mirror that the search does not show.
    missing: Vec<String>,
    /// How many contacts were found that the mirror does not have.
    found: u64,
}

impl Pull {
    /// Compares the mirror with the search's count, and finds out what the difference is.
    pub(super) async fn compare_counts(
        &self,
        scope: &MirrorScope,
    ) -> Result<ComparisonResult, PullError> {
        let mirror = open_mirror(scope)?;
        let new = self.find_new_contacts(scope).await?;
        let expected = mirror.count_live(RecordKind::Contact)? + new.dates.len() as u64;
        let total = self.stream_progress(stream::CONTACTS)?.total;
        let counts_agree = scope.trusts_counts;
        if total == Some(expected) && counts_agree {
            let deletions = DeletionCheck::Counted;
            return Ok(ComparisonResult { deletions, counts_agree, ..<_>::default() });
        }
        // An account that seems empty is judged by the caller; a round number is where counts of search engines end.
        let total = api::believable_total(total, 1).filter(|_| counts_agree);
        let Some(total) = total else {
            return Ok(ComparisonResult { counts_agree, ..<_>::default() });
        };
        let findings = self.compare_ranges(scope, &mirror, &new, total).await?;
        let confirmed = self.confirm_missing_contacts(&mirror, findings.missing).await?;
        let explained = expected + findings.found - confirmed.deleted;
        // What the index hides is not in its count either.
        let counts_agree = [explained, explained - confirmed.hidden].contains(&total);
        let deletions = if counts_agree { DeletionCheck::Counted } else { DeletionCheck::Unknown };
        Ok(confirmed.into_result(deletions, counts_agree))
    }

    async fn find_new_contacts(&self, scope: &MirrorScope) -> Result<NewContacts, PullError> {
        let mirror = open_mirror(scope)?;
        self.scan_contacts(NewContacts::default(), move |new, id, added, _| {
            let known = mirror.find_version(RecordKind::Contact, id)?;
            if !known.is_some_and(|known| known.is_live) && new.ids.insert(id.to_owned()) {
                new.dates.push(added);
            }
            Ok(())
        })
        .await
    }

    /// Halves ranges in which the search's count differs from the mirror, and reads those that are small.
    async fn compare_ranges(
        &self,
        scope: &MirrorScope,
        mirror: &MirrorReader,
        new: &NewContacts,
        total: u64,
    ) -> Result<RangeFindings, PullError> {
        let mut findings = RangeFindings::default();
        let whole = mirror.count_live(RecordKind::Contact)?;
        let undated =
            whole - mirror.count_live_between(RecordKind::Contact, (None, Some(i64::MAX)))?;
        if is_walk_cheaper(total, (whole + new.dates.len() as u64).abs_diff(total)) {
            self.compare_range(scope, mirror, new, (None, None), &mut findings).await?;
            return Ok(findings);
        }
        let mut ranges = vec![((None, None), total.saturating_sub(undated))];
        while let Some((range, counted)) = ranges.pop() {
            let held = if range == (None, None) {
                whole - undated
            } else {
                mirror.count_live_between(RecordKind::Contact, range)?
            };
            if counted == held + new.count_in(range) {
                continue;
            }
            let middle = mirror.middle_date(RecordKind::Contact, range)?;
            match middle.filter(|_| counted.max(held) > SEARCH_LIMIT as u64) {
                Some(middle) => {
                    let (older, newer) = ((range.0, Some(middle)), (Some(middle), range.1));
                    // The other half follows, which saves every second request.
                    let count = self.count_range(older).await?;
                    ranges.push((newer, counted.saturating_sub(count)));
                    ranges.push((older, count));
                }
                None => self.compare_range(scope, mirror, new, range, &mut findings).await?,
            }
        }
        Ok(findings)
    }

    /// Reads a range and compares each contact.
    async fn compare_range(
        &self,
        scope: &MirrorScope,
        mirror: &MirrorReader,
        new: &NewContacts,
        range: AddedRange,
        findings: &mut RangeFindings,
    ) -> Result<(), PullError> {
        let shown = self.read_range(scope, range).await?;
        let ids = mirror.live_ids_between(RecordKind::Contact, range)?;
        findings.missing.extend(ids.into_iter().filter(|id| !shown.ids.contains(&hash_text(id))));
        findings.found += shown.new.iter().filter(|id| !new.ids.contains(*id)).count() as u64;
        Ok(())
    }

    async fn count_range(&self, range: AddedRange) -> Result<u64, PullError> {
        let answer = self.client.search_contacts(&range_filter(range), 1, None).await?;
        Ok(answer.head.total.unwrap_or(0))
    }

    /// Reads the contacts of a range into the spool, page by page.
    pub(super) async fn read_range(
        &self,
        scope: &MirrorScope,
        range: AddedRange,
    ) -> Result<ShownContacts, PullError> {
        let (filter, mirror) = (range_filter(range), open_mirror(scope)?);
        let (mut cursor, mut read) = (None::<SearchCursor>, 0);
        let (mut shown, mut pages) = (ShownContacts::default(), RepeatedPages::default());
        loop {
            let page = self.client.search_contacts(&filter, SEARCH_LIMIT, cursor.as_ref()).await?;
            let ApiResponse { body, head, broken } = page;
            read += head.rows.len() as u64;
            let is_circle = pages.add_page(head.rows.iter().flatten().map(|row| &row.id));
            let is_last = head.is_last(read) || head.next == cursor || is_circle;
            for row in head.rows.iter().flatten() {
                shown.ids.insert(hash_text(row.id.as_str()));
                let known = mirror.find_version(RecordKind::Contact, row.id.as_str())?;
                if !known.is_some_and(|known| known.is_live) {
                    shown.new.insert(row.id.to_string());
                }
            }
            self.record_broken(stream::CONTACTS, None, "a page of a range", &broken).await?;
            let rows = u32::try_from(head.rows.len()).unwrap_or(u32::MAX);
            let progress = StreamProgress { rows: read, ..StreamProgress::default() };
            let stream = stream::REREAD_CONTACTS.to_owned();
            self.write_to_spool(SpoolWrite::Entry { stream, rows, body, progress }).await?;
            if is_last {
                self.flush_writes().await?;
                return Ok(shown);
            }
            cursor = head.next;
        }
    }
}

/// The contacts that the search shows in a range.
#[derive(Debug, Default)]
pub(super) struct ShownContacts {
    /// All of them, as hashes: a collision keeps a contact that was deleted.
    ids: HashSet<u64>,
    /// Those that the mirror does not have.
    new: HashSet<String>,
}

fn range_filter((from, before): AddedRange) -> ContactSearchFilter {
    let mut range = serde_json::Map::new();
    range.extend(from.map(|from| ("gte".to_owned(), json!(from))));
    range.extend(before.map(|before| ("lt".to_owned(), json!(before))));
    let is_open = range.is_empty();
    let condition = json!({"field": "dateAdded", "operator": "range", "value": range});
    let filters = if is_open { Vec::new() } else { vec![condition] };
    ContactSearchFilter { filters, query: None }
}

/// Whether reading all contacts takes fewer requests than finding this many by halving.
fn is_walk_cheaper(total: u64, difference: u64) -> bool {
    let pages = total.div_ceil(SEARCH_LIMIT as u64).max(1);
    let halvings = u64::from(pages.next_power_of_two().ilog2()) + 1;
    difference.saturating_mul(halvings) >= pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_differences_are_halved_and_many_are_walked() {
        assert!(is_walk_cheaper(300, 1), "one page");
        assert!(!is_walk_cheaper(100_000, 1));
        assert!(!is_walk_cheaper(100_000, 20));
        assert!(is_walk_cheaper(100_000, 60));
        assert!(!is_walk_cheaper(1_000_000, 100));
        assert!(is_walk_cheaper(1_000_000, 700));
    }

    #[test]
    fn an_open_range_has_no_filter() {
        assert!(range_filter((None, None)).is_empty());
        let filter = json!(range_filter((Some(1), Some(2))).filters);
        assert_eq!(filter[0]["value"], json!({"gte": 1, "lt": 2}));
    }
}
