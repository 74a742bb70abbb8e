//! Tasks that the search did not return: from where it failed, and where it fails again, in another way.

use super::missing_lists::is_only_of_list;
use super::tasks::TaskStrategy;
use super::{ChildKind, Pull, PullError, retry_failed};
use crate::api::{ApiError, ApiErrorKind, ContactPage, ContactSearchFilter, RetryPolicy};
use crate::diagnostic::FetchFailureCode;
use crate::run::{FetchFailure, SpoolWrite, StreamProgress, stream};

impl Pull {
    /// Whether the task search has failed.
    pub(super) fn has_missing_tasks(&self) -> Result<bool, PullError> {
        let failures = self.open_reader()?.load_failures()?;
        Ok(failures.iter().any(|failure| {
            failure.stream == stream::TASKS
                && failure.is_of_whole_list()
                && failure.code != FetchFailureCode::Stuck
        }))
    }

    /// Reads the tasks that are missing because their search failed.
    pub(super) async fn recover_tasks(&self) -> Result<(), PullError> {
        self.flush_writes().await?;
        let Some((strategy, _)) = self.task_strategy()? else { return Ok(()) };
        if !self.has_missing_tasks()? {
            return Ok(());
        }
        let again = self.to_second_try();
        let searched = match strategy {
            TaskStrategy::Location(_) => again.search_location_tasks().await,
            TaskStrategy::Contacts(_) => again.search_tasks_of_contacts().await,
            // Killed while this was done.
            TaskStrategy::PerContact => self.pull_tasks_per_contact().await,
        };
        match searched {
            Ok(()) => {
                let (stream, subject) =
                    (stream::TASKS.to_owned(), FetchFailure::WHOLE_LIST.to_owned());
                self.write_to_spool(SpoolWrite::FailureResolved { stream, subject }).await
            }
            Err(PullError::Api(error)) if is_only_of_list(&error) => {
                self.replace_task_search(&strategy, error).await
            }
            Err(error) => Err(error),
        }
    }

    /// Reads the tasks in another way than by the search that failed with this error, if there is one.
    async fn replace_task_search(
        &self,
        failed: &TaskStrategy,
        error: ApiError,
    ) -> Result<(), PullError> {
        let is_refusal = retry_failed::is_query_rejected(error.kind);
        match failed {
            TaskStrategy::PerContact => return Err(error.into()),
            // The search works, but not that far into the list.
            TaskStrategy::Location(position) if !position.is_start() && is_refusal => {
                let progress = StreamProgress::default();
                self.store_task_strategy(&TaskStrategy::Contacts(0), progress).await?;
            }
            _ if self.can_read_tasks_of_contact().await? => {
                self.choose_tasks_per_contact(&error).await?;
            }
            _ => return self.store_missing_list(stream::TASKS, &error).await,
        }
        Box::pin(self.recover_tasks()).await
    }

    /// Reads the tasks of all pulled contacts, contact by contact.
    async fn pull_tasks_per_contact(&self) -> Result<(), PullError> {
        if self.stream_progress(stream::CONTACT_TASKS)?.done {
            return Ok(());
        }
        // The contacts that the walk missed are not in its pages.
        let (reader, mut seq) = (self.open_reader()?, 0);
        while let Some(entry) = reader.next_entry(stream::REREAD_CONTACTS, seq)? {
            seq = entry.seq;
            let page = ContactPage::from_json(&entry.body).unwrap_or_default();
            for row in page.rows.iter().flatten() {
                self.defer_child_request(ChildKind::Tasks, &row.id).await?;
            }
        }
        self.pull_contacts_and_children(&[ChildKind::Tasks], None).await
    }

    /// Whether the tasks of one contact can be read.
    async fn can_read_tasks_of_contact(&self) -> Result<bool, PullError> {
        let page = self.client.search_contacts(&ContactSearchFilter::default(), 1, None).await?;
        let Some(row) = page.head.rows.into_iter().flatten().next() else { return Ok(true) };
        match self.client.list_contact_tasks(&row.id, RetryPolicy::BEST_EFFORT).await {
            Ok(_) => Ok(true),
            Err(error) if !is_only_of_list(&error) => Err(error.into()),
            Err(error) => Ok(error.kind == ApiErrorKind::Gone),
        }
    }
}
