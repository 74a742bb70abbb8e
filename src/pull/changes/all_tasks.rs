//! All tasks of the location, between walks.

use super::{Pull, PullError};
use crate::api::TaskSearchPosition;
use crate::pull::ChildKind;
use crate::pull::tasks::TaskStrategy;
use crate::run::{FetchFailure, RunError, SpoolReader, StreamProgress, stream};

/// Whether a spool has all tasks of the location. `walked` is whether everything was read, in which case tasks may also have
/// been read contact by contact.
///
/// # Errors
/// When the spool cannot be read.
pub fn has_all_tasks(spool: &SpoolReader, walked: bool) -> Result<bool, RunError> {
    let is_of_list = |failure: &FetchFailure| failure.stream == stream::TASKS;
    if spool.load_failures()?.iter().any(is_of_list) {
        return Ok(false);
    }
    let progress = spool.stream_progress(stream::TASKS)?;
    let strategy = progress.cursor.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let is_whole = matches!(strategy, Some(TaskStrategy::Location(_))) && progress.done;
    Ok(walked || is_whole)
}

impl Pull {
    /// Reads all tasks of the location; false if the search for them is refused.
    pub(super) async fn pull_all_tasks(&self) -> Result<bool, PullError> {
        if !self.includes_child(ChildKind::Tasks) {
            return Ok(false);
        }
        if self.task_strategy()?.is_none() {
            let start = TaskSearchPosition::default();
            match self.client.search_tasks(&[], &start).await {
                Ok(page) => {
                    self.store_task_page(page, StreamProgress::default(), &start).await?;
                    self.flush_writes().await?;
                }
                Err(error) if error.is_fatal() => return Err(error.into()),
                // A walk says so, and reads them contact by contact.
                Err(_) => return Ok(false),
            }
        }
        self.pull_location_tasks().await?;
        self.flush_writes().await?;
        Ok(has_all_tasks(&self.open_reader()?, false)?)
    }
}
