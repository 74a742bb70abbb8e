//! The pages of contacts in the order of their updates, the last one first.

use super::{MirrorScope, Pull, PullError};
use crate::api::{ApiErrorKind, ContactPage, RepeatedPages, SEARCH_LIMIT, SearchCursor};
use crate::run::{RunError, SpoolWrite, StreamProgress, stream};

/// The state of reading the updated contacts.
struct UpdatedPages {
    progress: StreamProgress,
    limit: usize,
    seen: RepeatedPages,
    /// When the last contact so far was updated.
    last: Option<i64>,
}

impl Pull {
    /// Reads pages until one has a contact that was updated before the scope begins.
    pub(super) async fn pull_updated_pages(&self, scope: &MirrorScope) -> Result<(), PullError> {
        let mut pages = UpdatedPages {
            progress: self.stream_progress(stream::CONTACTS)?,
            limit: SEARCH_LIMIT,
            seen: RepeatedPages::default(),
            last: None,
        };
        while !pages.progress.done {
            let cursor = pages.progress.cursor.as_deref().map(SearchCursor::parse).transpose();
            let cursor = cursor.map_err(|error| RunError::Damaged {
                path: self.db.clone(),
                why: format!("the cursor: {error}"),
            })?;
            let page = self.client.search_recently_updated(pages.limit, cursor.as_ref()).await;
            let page = match page {
                // Contacts with very large fields: request fewer at a time.
                Err(error) if error.kind == ApiErrorKind::TooLarge && pages.limit > 1 => {
                    pages.limit /= 2;
                    continue;
                }
                page => page?,
            };
            let is_in_order = pages.follow_order(&page.head);
            pages.advance(&page.head, cursor.as_ref(), scope.since_ms);
            self.record_broken(stream::CONTACTS, None, "a page", &page.broken).await?;
            if !is_in_order {
                // The server ignores the order, so that a change may be anywhere: everything is read.
                self.reread_all(scope).await?;
                pages.progress.done = true;
            }
            let rows = u32::try_from(page.head.rows.len()).unwrap_or(u32::MAX);
            let (stream, progress) = (stream::CONTACTS.to_owned(), pages.progress.clone());
            self.write_to_spool(SpoolWrite::Entry { stream, rows, body: page.body, progress })
                .await?;
            self.report_progress("contacts", pages.progress.rows, None);
        }
        Ok(())
    }

    async fn reread_all(&self, scope: &MirrorScope) -> Result<(), PullError> {
        self.read_range(scope, (None, None)).await.map(drop)
    }
}

impl UpdatedPages {
    /// Whether the page is in the order that was asked for.
    fn follow_order(&mut self, page: &ContactPage) -> bool {
        let dates = page.rows.iter().flatten().filter_map(|row| row.updated);
        let mut is_in_order = true;
        for date in dates {
            is_in_order &= self.last.is_none_or(|last| date <= last);
            self.last = Some(date);
        }
        is_in_order
    }

    fn advance(&mut self, page: &ContactPage, cursor: Option<&SearchCursor>, since_ms: i64) {
        let is_old = |updated: Option<i64>| updated.is_some_and(|updated| updated < since_ms);
        let reached = page.rows.iter().flatten().any(|row| is_old(row.updated));
        let is_circle = self.seen.add_page(page.rows.iter().flatten().map(|row| &row.id));
        let progress = &mut self.progress;
        progress.rows += page.rows.len() as u64;
        // The first page counts what was there before anything was read.
        progress.total = progress.total.or(page.total);
        progress.done = reached
            || is_circle
            || page.rows.is_empty()
            || page.next.is_none()
            || page.next.as_ref() == cursor;
        let next = page.next.as_ref().map(|next| next.as_str().to_owned());
        progress.cursor = next.or(progress.cursor.take());
    }
}
