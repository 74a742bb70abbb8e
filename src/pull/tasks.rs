//! Tasks: of the whole location by search, or of the pulled contacts.
//!
//! A search returns 500 tasks per request (api.md §4). Without its scope tasks can still be read,
//! but every contact costs a request.

use std::pin::pin;

use futures::StreamExt;
use serde::{Deserialize, Serialize};

use super::{ChildKind, Pull, PullError, retry_failed};
use crate::api::{
    self, ApiClient, ApiEndpoint, ApiErrorKind, ApiResponse, ContactPage, TaskPage,
    TaskSearchPosition, TaskWalkStep,
};
use crate::concurrency;
use crate::diagnostic::{EventWarningCode, FetchFailureCode};
use crate::id::ContactId;
use crate::run::{FetchFailure, SpoolReader, SpoolWrite, StreamProgress, stream};

/// Contacts per task search; the server's maximum is unknown (api.md §4).
pub(super) const CONTACTS_PER_SEARCH: usize = 100;

/// How this run reads tasks. Stored as the cursor, so that a resumed run does the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum TaskStrategy {
    /// By search over the location; the position to continue from.
    Location(TaskSearchPosition),
    /// By search over contacts; how many batches of contacts are done.
    Contacts(usize),
    /// Contact by contact.
    #[serde(rename = "Each")]
    PerContact,
}

impl Pull {
    /// Decides how tasks are read. Returns true if each contact needs its own request.
    pub(super) async fn decide_tasks_per_contact(&self) -> Result<bool, PullError> {
        if let Some((strategy, _)) = self.task_strategy()? {
            return Ok(strategy == TaskStrategy::PerContact);
        }
        let (start, progress) = (TaskSearchPosition::default(), StreamProgress::default());
        match self.client.search_tasks(&[], &start).await {
            Ok(_) if !self.options.covers_all_contacts() => {
                self.store_task_strategy(&TaskStrategy::Contacts(0), progress).await?;
                self.flush_writes().await?;
                Ok(false)
            }
            Ok(response) => {
                self.store_task_page(response, progress, &start).await?;
                self.flush_writes().await?;
                Ok(false)
            }
            Err(error)
                if error.kind == ApiErrorKind::Scope
                    || retry_failed::is_query_rejected(error.kind) =>
            {
                self.choose_tasks_per_contact(&error).await?;
                Ok(true)
            }
            Err(error) => {
                let strategy = if self.options.covers_all_contacts() {
                    TaskStrategy::Location(start)
                } else {
                    TaskStrategy::Contacts(0)
                };
                self.store_task_strategy(&strategy, progress).await?;
                self.record_missing_list(stream::TASKS, error).await?;
                self.flush_writes().await?;
                Ok(false)
            }
        }
    }

    /// From now on tasks are read contact by contact, because of this error of the search.
    pub(super) async fn choose_tasks_per_contact(
        &self,
        error: &api::ApiError,
    ) -> Result<(), PullError> {
        let why = match error.kind {
            ApiErrorKind::Scope => super::missing_scope_message(error.route),
            _ => error.to_string(),
        };
        self.report_warning(
            EventWarningCode::TasksPerContact,
            format!("tasks are read contact by contact, one request each, which doubles the requests of an export with notes: {why}"),
        );
        let progress = StreamProgress { done: true, ..StreamProgress::default() };
        self.store_task_strategy(&TaskStrategy::PerContact, progress).await?;
        self.flush_writes().await
    }

    /// All tasks of the location. Where the search fails, they are read at the end.
    pub(super) async fn pull_location_tasks(&self) -> Result<(), PullError> {
        if self.has_missing_tasks()? {
            return Ok(());
        }
        match self.search_location_tasks().await {
            Err(PullError::Api(error)) => self.record_missing_list(stream::TASKS, error).await,
            searched => searched,
        }
    }

    /// The tasks of the location that were not read yet.
    pub(super) async fn search_location_tasks(&self) -> Result<(), PullError> {
        let Some((TaskStrategy::Location(mut position), mut progress)) = self.task_strategy()?
        else {
            return Ok(());
        };
        while !progress.done {
            let response = self.client.search_tasks(&[], &position).await?;
            (position, progress) = self.store_task_page(response, progress, &position).await?;
        }
        Ok(())
    }

    /// Stores a page that began at `position`.
    pub(super) async fn store_task_page(
        &self,
        response: ApiResponse<TaskPage>,
        mut progress: StreamProgress,
        position: &TaskSearchPosition,
    ) -> Result<(TaskSearchPosition, StreamProgress), PullError> {
        let page = &response.head;
        let step = page.next_step(position);
        if step == TaskWalkStep::Repeated {
            self.write_to_spool(SpoolWrite::Failed(repeated_page_failure())).await?;
        }
        progress.done = !matches!(step, TaskWalkStep::Continue(_));
        let next = match step {
            TaskWalkStep::Continue(next) => next,
            TaskWalkStep::End | TaskWalkStep::Repeated => position.clone(),
        };
        progress.rows += page.rows as u64;
        progress.cursor = Some(encode_strategy(&TaskStrategy::Location(next.clone())));
        self.record_broken(stream::TASKS, None, "a page of tasks", &response.broken).await?;
        let rows = u32::try_from(page.rows).unwrap_or(u32::MAX);
        let stream = stream::TASKS.to_owned();
        let write =
            SpoolWrite::Entry { stream, rows, body: response.body, progress: progress.clone() };
        self.write_to_spool(write).await?;
        self.report_progress("tasks", progress.rows, None);
        Ok((next, progress))
    }

    /// Reads the tasks of the pulled contacts, when those are not all. Where the search fails, they are read at the end.
    pub(super) async fn pull_tasks_of_contacts(&self) -> Result<(), PullError> {
        self.flush_writes().await?;
        if self.has_missing_tasks()? {
            return Ok(());
        }
        match self.search_tasks_of_contacts().await {
            Err(PullError::Api(error)) => self.record_missing_list(stream::TASKS, error).await,
            searched => searched,
        }
    }

    /// The tasks of the pulled contacts that were not read yet, by searches for many contacts each.
    pub(super) async fn search_tasks_of_contacts(&self) -> Result<(), PullError> {
        let Some((TaskStrategy::Contacts(done), mut progress)) = self.task_strategy()? else {
            return Ok(());
        };
        if progress.done {
            return Ok(());
        }
        let batches = futures::stream::iter(self.load_contact_batches(done).await?);
        let client = self.client.clone();
        let responses =
            concurrency::run_in_order(batches, self.request_concurrency(), move |batch| {
                let client = client.clone();
                async move { fetch_tasks_of(&client, &batch).await }
            });
        let (mut responses, mut done) = (pin!(responses), done);
        while let Some(pages) = responses.next().await {
            let pages = pages?;
            done += 1;
            for (page, response) in pages.iter().enumerate() {
                self.record_broken(stream::TASKS, None, "a page of tasks", &response.broken)
                    .await?;
                progress.rows += response.head.rows as u64;
                // A batch counts as done with its last page.
                let batches_done = if page + 1 == pages.len() { done } else { done - 1 };
                progress.cursor = Some(encode_strategy(&TaskStrategy::Contacts(batches_done)));
                let rows = u32::try_from(response.head.rows).unwrap_or(u32::MAX);
                let (stream, body) = (stream::TASKS.to_owned(), response.body.clone());
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
        self.write_to_spool(SpoolWrite::ProgressOnly { stream: stream::TASKS.to_owned(), progress })
            .await
    }

    /// The contacts in the spool, in batches for one search each, without the first `skip` batches.
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
        Ok(ids.chunks(CONTACTS_PER_SEARCH).skip(skip).map(<[_]>::to_vec).collect())
    }

    /// How tasks are read, and the progress; `None` before that is decided.
    pub(super) fn task_strategy(
        &self,
    ) -> Result<Option<(TaskStrategy, StreamProgress)>, PullError> {
        if !self.includes_child(ChildKind::Tasks) {
            return Ok(None);
        }
        let progress = self.stream_progress(stream::TASKS)?;
        let strategy =
            progress.cursor.as_deref().and_then(|cursor| serde_json::from_str(cursor).ok());
        Ok(strategy.map(|strategy| (strategy, progress)))
    }

    pub(super) async fn store_task_strategy(
        &self,
        strategy: &TaskStrategy,
        progress: StreamProgress,
    ) -> Result<(), PullError> {
        let progress = StreamProgress { cursor: Some(encode_strategy(strategy)), ..progress };
        self.write_to_spool(SpoolWrite::ProgressOnly { stream: stream::TASKS.to_owned(), progress })
            .await
    }
}

fn encode_strategy(strategy: &TaskStrategy) -> String {
    serde_json::to_string(strategy).expect("a strategy is plain JSON")
}

/// The failure that the task search returned the same page twice, so that later pages cannot be
/// read.
fn repeated_page_failure() -> FetchFailure {
    FetchFailure {
        stream: stream::TASKS.to_owned(),
        subject: FetchFailure::WHOLE_LIST.to_owned(),
        code: FetchFailureCode::Stuck,
        message: "the task search keeps returning the same page; later tasks are missing"
            .to_owned(),
        status: None,
        trace_id: None,
        transient: false,
        records: 1,
    }
}

/// Every page of these contacts' tasks.
pub(super) async fn fetch_tasks_of(
    client: &ApiClient,
    contacts: &[ContactId],
) -> Result<Vec<ApiResponse<TaskPage>>, api::ApiError> {
    let (mut pages, mut position) = (Vec::new(), TaskSearchPosition::default());
    loop {
        let response = client.search_tasks(contacts, &position).await?;
        let next = response.head.next_step(&position);
        pages.push(response);
        match next {
            TaskWalkStep::Continue(next) => position = next,
            TaskWalkStep::End => return Ok(pages),
            TaskWalkStep::Repeated => {
                return Err(api::repeated_pages_error(ApiEndpoint::SearchTasks));
            }
        }
    }
}
