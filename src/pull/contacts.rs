//! The walk over the contacts, page by page, oldest first.
//!
//! The order is by `dateAdded`, which no edit changes: a contact that is edited during the walk
//! keeps its position, and a new one appears at the end.

use std::collections::HashSet;

use super::committed_page::{CommittedPage, PageReaders};
use super::{Pull, PullError};
use crate::api::{
    self, ApiErrorKind, ApiResponse, ContactPage, ContactRef, RepeatedPages, SEARCH_LIMIT,
    SearchCursor,
};
use crate::concurrency;
use crate::diagnostic::FetchFailureCode;
use crate::id::ContactId;
use crate::run::{FetchFailure, SpoolReader, SpoolWrite, StreamProgress, stream};
use crate::text::select_plural;

/// The state of the walk.
pub(super) struct ContactWalk {
    pub(super) progress: StreamProgress,
    pub(super) ordinal: u64,
    limit: usize,
    /// Empty pages in a row.
    blank_pages: u32,
    seen: SeenContacts,
}

/// What the walk remembers of earlier pages, to tell new rows from repeated ones.
#[derive(Default)]
struct SeenContacts {
    /// The ids of the previous page: a server that orders equal dates inconsistently repeats rows
    /// there.
    previous_page: HashSet<ContactId>,
    /// The latest `dateAdded` so far.
    latest_date: Option<i64>,
    /// All ids so far.
    pages: RepeatedPages,
    /// Whether the server goes round in a circle.
    is_circle: bool,
}

impl SeenContacts {
    /// The contacts of a page that the previous page did not have, and how many of them are certain
    /// to be new because they come in date order. Only those count towards the total. When the
    /// count falls short, the walk continues to an empty page and the counts are compared (`gaps`).
    fn filter_new_rows(&mut self, rows: &[Option<ContactRef>]) -> (Vec<Option<ContactId>>, u64) {
        let (mut this_page, mut certain) = (HashSet::with_capacity(rows.len()), 0);
        let mut fresh = Vec::with_capacity(rows.len());
        self.is_circle = self.pages.add_page(rows.iter().flatten().map(|row| &row.id));
        for row in rows {
            let Some(row) = row else {
                fresh.push(None);
                continue;
            };
            let repeated = self.previous_page.contains(&row.id);
            let new = this_page.insert(row.id.clone()) && !repeated;
            let in_order = row.added.is_none() || row.added >= self.latest_date;
            certain += u64::from(new && in_order);
            self.latest_date = self.latest_date.max(row.added);
            fresh.push(new.then(|| row.id.clone()));
        }
        self.previous_page = this_page;
        (fresh, certain)
    }
}

impl Pull {
    /// Walks the contacts and sends each committed page to its readers, those that an earlier process committed
    /// first.
    pub(super) async fn walk_contacts(&self, pages: PageReaders) -> Result<(), PullError> {
        if self.options.selected_only {
            return Box::pin(self.pull_selected_contacts(pages)).await;
        }
        let mut walk = self.load_committed_pages(&pages).await?;
        while !walk.progress.done {
            let page = match self.fetch_next_page(&mut walk).await {
                Err(PullError::Api(error))
                    if error.kind == ApiErrorKind::Refused && walk.ordinal == 0 =>
                {
                    return self.pull_business_contacts(error).await;
                }
                page => page?,
            };
            let page = self.commit_page(&mut walk, page).await?;
            if !pages.send_page(page).await {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads the first page of the walk, if no earlier process has, and returns the progress. `None` if the server
    /// refuses to search by business, which the walk itself deals with.
    pub(super) async fn pull_first_page(&self) -> Result<Option<StreamProgress>, PullError> {
        let mut walk = self.load_committed_pages(&PageReaders::default()).await?;
        if walk.ordinal == 0 && !walk.progress.done {
            match self.fetch_next_page(&mut walk).await {
                Err(PullError::Api(error))
                    if error.kind == ApiErrorKind::Refused && self.options.business.is_some() =>
                {
                    return Ok(None);
                }
                page => drop(self.commit_page(&mut walk, page?).await?),
            }
            self.flush_writes().await?;
        }
        Ok(Some(walk.progress))
    }

    /// Replays the pages that an earlier process committed.
    pub(super) async fn load_committed_pages(
        &self,
        pages: &PageReaders,
    ) -> Result<ContactWalk, PullError> {
        let progress = self.stream_progress(stream::CONTACTS)?;
        let mut walk = ContactWalk {
            progress,
            ordinal: 0,
            limit: SEARCH_LIMIT,
            blank_pages: 0,
            seen: SeenContacts::default(),
        };
        let (mut seq, db) = (0, self.db.clone());
        loop {
            let db = db.clone();
            let next = concurrency::run_blocking(move || {
                SpoolReader::open(&db)?.next_entry(stream::CONTACTS, seq)
            });
            let Some(entry) = next.await? else { return Ok(walk) };
            seq = entry.seq;
            if entry.stream != stream::CONTACTS {
                continue;
            }
            let ordinal = walk.ordinal;
            walk.ordinal += 1;
            let last = pages.is_empty() || walk.progress.done;
            if last && ordinal < pages.first_page() {
                continue;
            }
            let rows = ContactPage::from_json(&entry.body).map_err(|error| {
                crate::run::RunError::Damaged {
                    path: self.db.clone(),
                    why: format!("entry {seq}: {error}"),
                }
            })?;
            let updated = update_times(&rows.rows);
            let (contacts, _) = walk.seen.filter_new_rows(&rows.rows);
            if !pages.send_page(CommittedPage { ordinal, contacts, updated }).await {
                return Ok(walk);
            }
        }
    }

    async fn fetch_next_page(
        &self,
        walk: &mut ContactWalk,
    ) -> Result<ApiResponse<ContactPage>, PullError> {
        let cursor = walk.progress.cursor.as_deref().map(SearchCursor::parse).transpose();
        let cursor = cursor.map_err(|error| crate::run::RunError::Damaged {
            path: self.db.clone(),
            why: format!("the cursor: {error}"),
        })?;
        loop {
            let response = self
                .client
                .search_contacts(&self.options.filter, walk.limit, cursor.as_ref())
                .await;
            match response {
                // Contacts with very large fields: request fewer at a time.
                Err(error) if error.kind == ApiErrorKind::TooLarge && walk.limit > 1 => {
                    walk.limit /= 2;
                }
                other => return Ok(other?),
            }
        }
    }

    async fn commit_page(
        &self,
        walk: &mut ContactWalk,
        page: ApiResponse<ContactPage>,
    ) -> Result<CommittedPage, PullError> {
        let ApiResponse { body, head, broken } = page;
        let is_full = head.is_full();
        let ContactPage { rows, total, next, .. } = head;
        let (count, ordinal, updated) = (rows.len(), walk.ordinal, update_times(&rows));
        let unusable = rows.iter().filter(|row| row.is_none()).count();
        let (contacts, certain) = walk.seen.filter_new_rows(&rows);
        let fresh = contacts.iter().flatten().count() + unusable;

        let progress = &mut walk.progress;
        progress.rows += certain + unusable as u64;
        progress.total = progress.total.max(total);
        let stuck = count > 0
            && next.as_ref().map(SearchCursor::as_str) == progress.cursor.as_deref()
            && fresh == 0;
        progress.cursor = next.map(|next| next.as_str().to_owned()).or(progress.cursor.take());
        walk.blank_pages = if count == 0 { walk.blank_pages + 1 } else { 0 };
        // A full page never ends the walk, and neither does a short one: the server may send fewer rows than requested.
        // Only a total can say that everything was read, if it can be believed and did not fall (what was read and then
        // deleted no longer counts in it); without one the walk goes on until the server has nothing more, twice.
        let fell = progress.total > total;
        let is_circle = walk.seen.is_circle && count > 0;
        progress.done = stuck
            || is_circle
            || match api::believable_total(total, progress.rows) {
                Some(_) if count == 0 => true,
                Some(total) => progress.rows >= total && !is_full && !fell,
                None => walk.blank_pages > 1,
            };

        let position = format!("page {}", walk.ordinal + 1);
        self.record_broken(stream::CONTACTS, None, &position, &broken).await?;
        self.record_foreign_contacts(rows.iter().flatten()).await?;
        let unusable = unusable - broken.iter().filter(|record| !record.is_kept).count();
        if unusable > 0 {
            self.write_to_spool(SpoolWrite::Failed(unusable_rows_failure(walk.ordinal, unusable)))
                .await?;
        }
        if is_circle {
            self.write_to_spool(SpoolWrite::Failed(repeated_pages_failure())).await?;
        }
        if count > 0 {
            let (stream, rows) = (stream::CONTACTS.to_owned(), u32::try_from(count).unwrap_or(0));
            let progress = walk.progress.clone();
            self.write_to_spool(SpoolWrite::Entry { stream, rows, body, progress }).await?;
            walk.ordinal += 1;
        } else {
            let (stream, progress) = (stream::CONTACTS.to_owned(), walk.progress.clone());
            self.write_to_spool(SpoolWrite::ProgressOnly { stream, progress }).await?;
        }
        self.report_progress("contacts", walk.progress.rows, walk.progress.total);
        Ok(CommittedPage { ordinal, contacts, updated })
    }
}

fn update_times(rows: &[Option<ContactRef>]) -> Vec<Option<i64>> {
    rows.iter().map(|row| row.as_ref().and_then(|row| row.updated)).collect()
}

/// The failure that the search goes round in a circle.
fn repeated_pages_failure() -> FetchFailure {
    FetchFailure {
        stream: stream::CONTACTS.to_owned(),
        subject: FetchFailure::WHOLE_LIST.to_owned(),
        code: FetchFailureCode::Stuck,
        message: "the search for contacts keeps returning contacts that it has returned before; later contacts may \
                  be missing"
            .to_owned(),
        status: None,
        trace_id: None,
        transient: false,
        records: 1,
    }
}

fn unusable_rows_failure(ordinal: u64, count: usize) -> FetchFailure {
    let rows = select_plural(count as u64, "1 row is not a contact", "some rows are not contacts");
    FetchFailure {
        stream: stream::CONTACTS.to_owned(),
        subject: format!("page {}", ordinal + 1),
        code: FetchFailureCode::NoId,
        message: format!(
            "{rows}, or lack an id that is valid in a URL path ({count}); their children were not read"
        ),
        status: None,
        trace_id: None,
        transient: false,
        records: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_contact_does_not_count_towards_the_total() {
        let row = |id: &str, added| {
            Some(ContactRef {
                id: id.parse().unwrap(),
                added: Some(added),
                updated: None,
                location: None,
            })
        };
        let mut seen = SeenContacts::default();
        let (fresh, certain) = seen.filter_new_rows(&[row("a", 1), row("b", 2), row("b", 2), None]);
        assert_eq!((fresh.iter().flatten().count(), certain), (2, 2));
        // On the next page the repetition is known; later it is recognised by being out of order.
        let (fresh, certain) = seen.filter_new_rows(&[row("b", 2), row("c", 2), row("d", 5)]);
        assert_eq!((fresh.iter().flatten().count(), certain), (2, 2));
        let (fresh, certain) = seen.filter_new_rows(&[row("b", 2), row("a", 1), row("e", 5)]);
        assert_eq!((fresh.iter().flatten().count(), certain), (2, 1));
    }
}
