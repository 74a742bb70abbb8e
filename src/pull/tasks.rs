//! Tasks: all of the location by search, or those of the contacts that are pulled.
//!
//! The search gives 500 tasks a request (api.md §4). A token without its scope is no obstacle, but
//! then every contact costs a request.

use std::pin::pin;

use futures::StreamExt;
use serde::{Deserialize, Serialize};

use super::{ChildKind, Pull, PullError, retry_failed};
use crate::api::{
    self, ApiClient, ApiErrorKind, ApiResponse, ContactPage, SEARCH_LIMIT, TaskPage,
    TaskSearchPosition,
};
use crate::concurrency;
use crate::id::ContactId;
use crate::run::{FetchFailure, SpoolReader, SpoolWrite, StreamProgress, stream};

/// Contacts named in one task search; its bound is unknown (api.md §4).
const CONTACTS: usize = 100;

/// How this run's tasks are read. Stored as the cursor, so that a resumed run does the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum TaskStrategy {
    /// By search over the location, and where it goes on.
    Location(TaskSearchPosition),
    /// By search over the contacts; how many lots of contacts are done.
    Contacts(usize),
    /// Contact by contact.
    Each,
}

impl Pull {
    /// Decides how tasks are read: true when every contact has to be asked.
    pub(super) async fn decide_tasks_per_contact(&self) -> Result<bool, PullError> {
        if let Some((way, _)) = self.task_strategy()? {
            return Ok(way == TaskStrategy::Each);
        }
        let asked = self.client.search_tasks(&[], SEARCH_LIMIT, &TaskSearchPosition::START).await;
        match asked {
            Ok(_) if !self.plan.covers_all_contacts() => {
                self.store_task_strategy(&TaskStrategy::Contacts(0), StreamProgress::default())
                    .await?;
                Ok(false)
            }
            Ok(answer) => {
                self.store_task_page(
                    answer,
                    StreamProgress::default(),
                    &TaskSearchPosition::START,
                    None,
                )
                .await?;
                self.flush_writes().await?;
                Ok(false)
            }
            Err(error)
                if error.kind == ApiErrorKind::Scope
                    || retry_failed::is_query_rejected(error.kind) =>
            {
                let why = match error.kind {
                    ApiErrorKind::Scope => super::missing_scope_message(error.route),
                    _ => error.to_string(),
                };
                self.report_warning(
                    "tasks_per_contact",
                    format!("tasks are read contact by contact, one request each, which doubles the requests of an export with notes: {why}"),
                );
                let progress = StreamProgress { done: true, ..StreamProgress::default() };
                self.store_task_strategy(&TaskStrategy::Each, progress).await?;
                self.flush_writes().await?;
                Ok(true)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// All tasks of the location.
    pub(super) async fn pull_location_tasks(&self) -> Result<(), PullError> {
        let Some((TaskStrategy::Location(mut place), mut progress)) = self.task_strategy()? else {
            return Ok(());
        };
        let mut first = None;
        while !progress.done {
            let answer = self.client.search_tasks(&[], SEARCH_LIMIT, &place).await?;
            let begins = answer.head.first.clone();
            (place, progress) = self.store_task_page(answer, progress, &place, first).await?;
            first = begins;
        }
        Ok(())
    }

    /// Stores a page that began at a place. `first` is how the page before began.
    async fn store_task_page(
        &self,
        answer: ApiResponse<TaskPage>,
        mut progress: StreamProgress,
        place: &TaskSearchPosition,
        first: Option<String>,
    ) -> Result<(TaskSearchPosition, StreamProgress), PullError> {
        let page = &answer.head;
        let behind = page.position_after(place);
        let again = page.rows > 0 && (behind == *place || (first.is_some() && page.first == first));
        // A first page that is short may be all the server gives at a time; a later one is the last.
        let short = page.rows < SEARCH_LIMIT && progress.rows > 0;
        progress.done = page.rows == 0 || again || short;
        progress.rows += page.rows as u64;
        progress.cursor = Some(encode_strategy(&TaskStrategy::Location(behind.clone())));
        if again {
            self.write_to_spool(SpoolWrite::Failed(repeated_page_failure())).await?;
        }
        let rows = u32::try_from(page.rows).unwrap_or(u32::MAX);
        let stream = stream::TASKS.to_owned();
        let write =
            SpoolWrite::Entry { stream, rows, body: answer.body, progress: progress.clone() };
        self.write_to_spool(write).await?;
        self.report_progress("tasks", progress.rows, None);
        Ok((behind, progress))
    }

    /// The tasks of the contacts that were pulled, where those are not all.
    pub(super) async fn pull_tasks_of_contacts(&self) -> Result<(), PullError> {
        self.flush_writes().await?;
        let Some((TaskStrategy::Contacts(done), mut progress)) = self.task_strategy()? else {
            return Ok(());
        };
        let lots = futures::stream::iter(self.load_contact_batches(done).await?);
        let client = self.client.clone();
        let asked = concurrency::run_in_order(lots, self.request_concurrency(), move |lot| {
            let client = client.clone();
            async move { fetch_tasks_of(&client, &lot).await }
        });
        let (mut asked, mut done) = (pin!(asked), done);
        while let Some(pages) = asked.next().await {
            let pages = pages?;
            done += 1;
            for (page, answer) in pages.iter().enumerate() {
                progress.rows += answer.head.rows as u64;
                // The lot counts as done with its last page.
                let through = if page + 1 == pages.len() { done } else { done - 1 };
                progress.cursor = Some(encode_strategy(&TaskStrategy::Contacts(through)));
                let rows = u32::try_from(answer.head.rows).unwrap_or(u32::MAX);
                let (stream, body) = (stream::TASKS.to_owned(), answer.body.clone());
                self.write_to_spool(SpoolWrite::Entry {
                    stream,
                    rows,
                    body,
                    progress: progress.clone(),
                })
                .await?;
            }
            self.report_progress("tasks", progress.rows, None);
        }
        progress.done = true;
        self.write_to_spool(SpoolWrite::Moved { stream: stream::TASKS.to_owned(), progress }).await
    }

    /// The contacts in the spool, in lots for one search each, without the first so many.
    async fn load_contact_batches(&self, skip: usize) -> Result<Vec<Vec<ContactId>>, PullError> {
        let db = self.db.clone();
        let ids = concurrency::run_blocking(move || {
            let reader = SpoolReader::open(&db)?;
            let (mut ids, mut seq) = (Vec::new(), 0);
            while let Some(entry) = reader.next_entry(stream::CONTACTS, seq)? {
                seq = entry.seq;
                let page = ContactPage::from_json(&entry.body).unwrap_or_default();
                ids.extend(page.rows.into_iter().flatten().map(|row| row.id));
            }
            Ok::<_, crate::run::RunError>(ids)
        });
        let ids = ids.await?;
        Ok(ids.chunks(CONTACTS).skip(skip).map(<[_]>::to_vec).collect())
    }

    /// How tasks are read, and how far that has come; nothing before it is decided.
    fn task_strategy(&self) -> Result<Option<(TaskStrategy, StreamProgress)>, PullError> {
        if !self.includes_child(ChildKind::Tasks) {
            return Ok(None);
        }
        let progress = self.stream_progress(stream::TASKS)?;
        let way = progress.cursor.as_deref().and_then(|cursor| serde_json::from_str(cursor).ok());
        Ok(way.map(|way| (way, progress)))
    }

    async fn store_task_strategy(
        &self,
        way: &TaskStrategy,
        progress: StreamProgress,
    ) -> Result<(), PullError> {
        let progress = StreamProgress { cursor: Some(encode_strategy(way)), ..progress };
        self.write_to_spool(SpoolWrite::Moved { stream: stream::TASKS.to_owned(), progress }).await
    }
}

fn encode_strategy(way: &TaskStrategy) -> String {
    serde_json::to_string(way).expect("a way is plain JSON")
}

/// The task search gave the same page twice: what is behind it cannot be had.
fn repeated_page_failure() -> FetchFailure {
    FetchFailure {
        stream: stream::TASKS.to_owned(),
        subject: "*".to_owned(),
        code: "stuck".to_owned(),
        message: "the task search gives the same page again and again; later tasks are missing"
            .to_owned(),
        status: None,
        trace_id: None,
        transient: false,
    }
}

/// Every page of these contacts' tasks.
async fn fetch_tasks_of(
    client: &ApiClient,
    contacts: &[ContactId],
) -> Result<Vec<ApiResponse<TaskPage>>, api::ApiError> {
    let (mut pages, mut place) = (Vec::<ApiResponse<TaskPage>>::new(), TaskSearchPosition::START);
    loop {
        let answer = client.search_tasks(contacts, SEARCH_LIMIT, &place).await?;
        let behind = answer.head.position_after(&place);
        let same = pages.last().is_some_and(|page| page.head.first == answer.head.first);
        let last = answer.head.rows < SEARCH_LIMIT || behind == place || same;
        pages.push(answer);
        if last {
            return Ok(pages);
        }
        place = behind;
    }
}
