//! The walk over the contacts, page by page, oldest first.
//!
//! The order is the one of `dateAdded`, which no edit changes; so a contact that is edited during the
//! walk stays where it is, and a new one comes at the end.

use std::collections::HashSet;

use tokio::sync::mpsc;

use super::{Error, Pull};
use crate::api::{Answer, ContactHead, ContactPage, Cursor, Kind, SEARCH_LIMIT};
use crate::flight;
use crate::id::ContactId;
use crate::run::{Failure, Progress, Reader, Write, stream};

/// A committed page, as those who ask for its contacts' children see it.
#[derive(Debug)]
pub(super) struct Page {
    /// Its place among the committed pages, from 0.
    pub(super) ordinal: u64,
    /// Its contacts; nothing where a row is none or was on the page before.
    pub(super) contacts: Vec<Option<ContactId>>,
}

/// The state of the walk.
struct Walk {
    progress: Progress,
    ordinal: u64,
    limit: usize,
    /// The ids of the page before: a server that is unsure about equal dates repeats rows there.
    before: HashSet<ContactId>,
}

impl Pull {
    /// Walks the contacts, and sends each committed page to `pages` if somebody listens. Pages from
    /// `backlog` on that an earlier process committed go first.
    pub(super) async fn walk(
        &self,
        pages: Option<mpsc::Sender<Page>>,
        backlog: u64,
    ) -> Result<(), Error> {
        let mut walk = self.take_up(pages.as_ref(), backlog).await?;
        while !walk.progress.done {
            let page = match self.next_page(&mut walk).await {
                Err(Error::Api(error)) if error.kind == Kind::Refused && walk.ordinal == 0 => {
                    return self.walk_business(error).await;
                }
                page => page?,
            };
            let ordinal = walk.ordinal;
            let contacts = self.commit(&mut walk, page).await?;
            let page = Page { ordinal, contacts };
            if let Some(pages) = &pages
                && pages.send(page).await.is_err()
            {
                // Whoever asks for the children has failed, and says why.
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads what an earlier process committed.
    async fn take_up(
        &self,
        pages: Option<&mpsc::Sender<Page>>,
        backlog: u64,
    ) -> Result<Walk, Error> {
        let progress = self.progress(stream::CONTACTS)?;
        let mut walk = Walk { progress, ordinal: 0, limit: SEARCH_LIMIT, before: HashSet::new() };
        let (mut seq, db) = (0, self.db.clone());
        loop {
            let db = db.clone();
            let next = flight::blocking(move || Reader::open(&db)?.next(stream::CONTACTS, seq));
            let Some(entry) = next.await? else { return Ok(walk) };
            seq = entry.seq;
            if entry.stream != stream::CONTACTS {
                continue;
            }
            let ordinal = walk.ordinal;
            walk.ordinal += 1;
            let last = pages.is_none() || walk.progress.done;
            if last && ordinal < backlog {
                continue;
            }
            let rows =
                ContactPage::read(&entry.body).map_err(|error| crate::run::Error::Damaged {
                    path: self.db.clone(),
                    why: format!("entry {seq}: {error}"),
                })?;
            let contacts = new_contacts(&mut walk.before, rows.rows);
            if let Some(pages) = pages.filter(|_| ordinal >= backlog)
                && pages.send(Page { ordinal, contacts }).await.is_err()
            {
                return Ok(walk);
            }
        }
    }

    async fn next_page(&self, walk: &mut Walk) -> Result<Answer<ContactPage>, Error> {
        let cursor = walk.progress.cursor.as_deref().map(Cursor::parse).transpose();
        let cursor = cursor.map_err(|error| crate::run::Error::Damaged {
            path: self.db.clone(),
            why: format!("the cursor: {error}"),
        })?;
        loop {
            let asked =
                self.client.search_contacts(&self.plan.filter, walk.limit, cursor.as_ref()).await;
            match asked {
                // Contacts with very large fields: fewer of them at a time.
                Err(error) if error.kind == Kind::TooLarge && walk.limit > 1 => walk.limit /= 2,
                other => return Ok(other?),
            }
        }
    }

    async fn commit(
        &self,
        walk: &mut Walk,
        page: Answer<ContactPage>,
    ) -> Result<Vec<Option<ContactId>>, Error> {
        let Answer { body, head: ContactPage { rows, total, next } } = page;
        let count = rows.len();
        let unusable = rows.iter().filter(|row| row.is_none()).count();
        let contacts = new_contacts(&mut walk.before, rows);
        let fresh = contacts.iter().flatten().count() + unusable;

        let progress = &mut walk.progress;
        progress.rows += fresh as u64;
        progress.total = progress.total.max(total);
        let stuck = next.as_ref().map(Cursor::as_str) == progress.cursor.as_deref() && fresh == 0;
        progress.cursor = next.map(|next| next.as_str().to_owned()).or(progress.cursor.take());
        // The server may send less than asked for, so a short page alone ends nothing where the total
        // is known; and where the total fell, contacts that we have no longer count in it.
        let short = count < walk.limit;
        let fell = progress.total > total;
        progress.done = count == 0
            || stuck
            || total.map_or(short, |total| progress.rows >= total && (short || !fell));

        if unusable > 0 {
            self.store(Write::Failed(unusable_rows(walk.ordinal, unusable))).await?;
        }
        if count > 0 {
            let (stream, rows) = (stream::CONTACTS.to_owned(), u32::try_from(count).unwrap_or(0));
            let progress = walk.progress.clone();
            self.store(Write::Entry { stream, rows, body, progress }).await?;
            walk.ordinal += 1;
        } else {
            let (stream, progress) = (stream::CONTACTS.to_owned(), walk.progress.clone());
            self.store(Write::Moved { stream, progress }).await?;
        }
        self.tell("contacts", walk.progress.rows, walk.progress.total);
        Ok(contacts)
    }
}

/// The contacts that the page before did not have.
fn new_contacts(
    before: &mut HashSet<ContactId>,
    rows: Vec<Option<ContactHead>>,
) -> Vec<Option<ContactId>> {
    let mut seen = HashSet::with_capacity(rows.len());
    let fresh = rows.into_iter().map(|row| {
        let id = row?.id;
        let fresh = !before.contains(&id) && seen.insert(id.clone());
        fresh.then_some(id)
    });
    let fresh: Vec<_> = fresh.collect();
    *before = seen;
    fresh
}

fn unusable_rows(ordinal: u64, count: usize) -> Failure {
    let rows = if count == 1 { "1 row is no contact" } else { "some rows are no contacts" };
    Failure {
        stream: stream::CONTACTS.to_owned(),
        subject: format!("page {}", ordinal + 1),
        code: "no_id".to_owned(),
        message: format!(
            "{rows}, or without an id that can stand in a path ({count}); their children were not read"
        ),
        status: None,
        trace_id: None,
        passing: false,
    }
}
