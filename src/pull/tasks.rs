//! Tasks: all of the location by search, or those of the contacts that are pulled.
//!
//! The search gives 500 tasks a request (api.md §4). A token without its scope is no obstacle, but
//! then every contact costs a request.

use std::pin::pin;

use futures::StreamExt;
use serde::{Deserialize, Serialize};

use super::{Child, Error, Pull, retry_failed};
use crate::api::{self, Answer, Client, ContactPage, Kind, SEARCH_LIMIT, TaskPage, TaskPlace};
use crate::concurrency;
use crate::id::ContactId;
use crate::run::{Failure, Progress, Reader, Write, stream};

/// Contacts named in one task search; its bound is unknown (api.md §4).
const CONTACTS: usize = 100;

/// How this run's tasks are read. Stored as the cursor, so that a resumed run does the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Way {
    /// By search over the location, and where it goes on.
    Location(TaskPlace),
    /// By search over the contacts; how many lots of contacts are done.
    Contacts(usize),
    /// Contact by contact.
    Each,
}

impl Pull {
    /// Decides how tasks are read: true when every contact has to be asked.
    pub(super) async fn tasks_need_contacts(&self) -> Result<bool, Error> {
        if let Some((way, _)) = self.way()? {
            return Ok(way == Way::Each);
        }
        let asked = self.client.search_tasks(&[], SEARCH_LIMIT, &TaskPlace::START).await;
        match asked {
            Ok(_) if !self.plan.is_whole() => {
                self.store_way(&Way::Contacts(0), Progress::default()).await?;
                Ok(false)
            }
            Ok(answer) => {
                self.store_tasks(answer, Progress::default(), &TaskPlace::START, None).await?;
                self.settle_writes().await?;
                Ok(false)
            }
            Err(error) if error.kind == Kind::Scope || retry_failed::refused(error.kind) => {
                let why = match error.kind {
                    Kind::Scope => super::scope(error.route),
                    _ => error.to_string(),
                };
                self.warn(
                    "tasks_per_contact",
                    format!("tasks are read contact by contact, one request each, which doubles the requests of an export with notes: {why}"),
                );
                let progress = Progress { done: true, ..Progress::default() };
                self.store_way(&Way::Each, progress).await?;
                self.settle_writes().await?;
                Ok(true)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// All tasks of the location.
    pub(super) async fn location_tasks(&self) -> Result<(), Error> {
        let Some((Way::Location(mut place), mut progress)) = self.way()? else { return Ok(()) };
        let mut first = None;
        while !progress.done {
            let answer = self.client.search_tasks(&[], SEARCH_LIMIT, &place).await?;
            let begins = answer.head.first.clone();
            (place, progress) = self.store_tasks(answer, progress, &place, first).await?;
            first = begins;
        }
        Ok(())
    }

    /// Stores a page that began at a place. `first` is how the page before began.
    async fn store_tasks(
        &self,
        answer: Answer<TaskPage>,
        mut progress: Progress,
        place: &TaskPlace,
        first: Option<String>,
    ) -> Result<(TaskPlace, Progress), Error> {
        let page = &answer.head;
        let behind = page.behind(place);
        let again = page.rows > 0 && (behind == *place || (first.is_some() && page.first == first));
        // A first page that is short may be all the server gives at a time; a later one is the last.
        let short = page.rows < SEARCH_LIMIT && progress.rows > 0;
        progress.done = page.rows == 0 || again || short;
        progress.rows += page.rows as u64;
        progress.cursor = Some(encode(&Way::Location(behind.clone())));
        if again {
            self.store(Write::Failed(stuck())).await?;
        }
        let rows = u32::try_from(page.rows).unwrap_or(u32::MAX);
        let stream = stream::TASKS.to_owned();
        let write = Write::Entry { stream, rows, body: answer.body, progress: progress.clone() };
        self.store(write).await?;
        self.tell("tasks", progress.rows, None);
        Ok((behind, progress))
    }

    /// The tasks of the contacts that were pulled, where those are not all.
    pub(super) async fn tasks_of_contacts(&self) -> Result<(), Error> {
        self.settle_writes().await?;
        let Some((Way::Contacts(done), mut progress)) = self.way()? else { return Ok(()) };
        let lots = futures::stream::iter(self.lots(done).await?);
        let client = self.client.clone();
        let asked = concurrency::ordered(lots, self.width(), move |lot| {
            let client = client.clone();
            async move { tasks_of(&client, &lot).await }
        });
        let (mut asked, mut done) = (pin!(asked), done);
        while let Some(pages) = asked.next().await {
            let pages = pages?;
            done += 1;
            for (page, answer) in pages.iter().enumerate() {
                progress.rows += answer.head.rows as u64;
                // The lot counts as done with its last page.
                let through = if page + 1 == pages.len() { done } else { done - 1 };
                progress.cursor = Some(encode(&Way::Contacts(through)));
                let rows = u32::try_from(answer.head.rows).unwrap_or(u32::MAX);
                let (stream, body) = (stream::TASKS.to_owned(), answer.body.clone());
                self.store(Write::Entry { stream, rows, body, progress: progress.clone() }).await?;
            }
            self.tell("tasks", progress.rows, None);
        }
        progress.done = true;
        self.store(Write::Moved { stream: stream::TASKS.to_owned(), progress }).await
    }

    /// The contacts in the spool, in lots for one search each, without the first so many.
    async fn lots(&self, skip: usize) -> Result<Vec<Vec<ContactId>>, Error> {
        let db = self.db.clone();
        let ids = concurrency::blocking(move || {
            let reader = Reader::open(&db)?;
            let (mut ids, mut seq) = (Vec::new(), 0);
            while let Some(entry) = reader.next(stream::CONTACTS, seq)? {
                seq = entry.seq;
                let page = ContactPage::read(&entry.body).unwrap_or_default();
                ids.extend(page.rows.into_iter().flatten().map(|row| row.id));
            }
            Ok::<_, crate::run::Error>(ids)
        });
        let ids = ids.await?;
        Ok(ids.chunks(CONTACTS).skip(skip).map(<[_]>::to_vec).collect())
    }

    /// How tasks are read, and how far that has come; nothing before it is decided.
    fn way(&self) -> Result<Option<(Way, Progress)>, Error> {
        if !self.wants(Child::Tasks) {
            return Ok(None);
        }
        let progress = self.progress(stream::TASKS)?;
        let way = progress.cursor.as_deref().and_then(|cursor| serde_json::from_str(cursor).ok());
        Ok(way.map(|way| (way, progress)))
    }

    async fn store_way(&self, way: &Way, progress: Progress) -> Result<(), Error> {
        let progress = Progress { cursor: Some(encode(way)), ..progress };
        self.store(Write::Moved { stream: stream::TASKS.to_owned(), progress }).await
    }
}

fn encode(way: &Way) -> String {
    serde_json::to_string(way).expect("a way is plain JSON")
}

/// The task search gave the same page twice: what is behind it cannot be had.
fn stuck() -> Failure {
    Failure {
        stream: stream::TASKS.to_owned(),
        subject: "*".to_owned(),
        code: "stuck".to_owned(),
        message: "the task search gives the same page again and again; later tasks are missing"
            .to_owned(),
        status: None,
        trace_id: None,
        passing: false,
    }
}

/// Every page of these contacts' tasks.
async fn tasks_of(
    client: &Client,
    contacts: &[ContactId],
) -> Result<Vec<Answer<TaskPage>>, api::Error> {
    let (mut pages, mut place) = (Vec::<Answer<TaskPage>>::new(), TaskPlace::START);
    loop {
        let answer = client.search_tasks(contacts, SEARCH_LIMIT, &place).await?;
        let behind = answer.head.behind(&place);
        let same = pages.last().is_some_and(|page| page.head.first == answer.head.first);
        let last = answer.head.rows < SEARCH_LIMIT || behind == place || same;
        pages.push(answer);
        if last {
            return Ok(pages);
        }
        place = behind;
    }
}
