//! The location itself: its settings, custom fields, users, tags and calendars.
//!
//! A list that cannot be read is missing from the export, with a warning and a row in `errors.csv`; contacts do not
//! depend on it. The location is read first and alone, because the
//! rate limiter learns the limits from the first response.

use std::future::Future;

use super::{Pull, PullError};
use crate::api::{self, ApiClient, ApiResponse, WholeList};
use crate::run::{FetchFailure, SpoolWrite, StreamProgress, stream};

impl Pull {
    pub(super) async fn pull_metadata(&self) -> Result<(), PullError> {
        let client = &self.client;
        self.pull_list(stream::LOCATION, ApiClient::get_location(client)).await?;
        tokio::try_join!(
            self.pull_list(stream::FIELDS, ApiClient::list_custom_fields(client)),
            self.pull_list(stream::USERS, ApiClient::list_users(client)),
            self.pull_list(stream::TAGS, ApiClient::list_tags(client)),
        )?;
        Ok(())
    }

    /// Stores one response that contains a whole list.
    pub(super) async fn pull_list<T: WholeList>(
        &self,
        name: &str,
        request: impl Future<Output = Result<ApiResponse<T>, api::ApiError>>,
    ) -> Result<(), PullError> {
        if self.stream_progress(name)?.done {
            return Ok(());
        }
        let progress = StreamProgress { done: true, rows: 1, ..StreamProgress::default() };
        match request.await {
            Ok(response) => {
                if !matches!(name, stream::LOCATION | stream::CALENDARS) {
                    self.record_broken(name, None, "the list", &response.broken).await?;
                }
                self.record_missing_rows(
                    name,
                    FetchFailure::WHOLE_LIST,
                    response.head.missing_rows(),
                )
                .await?;
                let stream = name.to_owned();
                self.write_to_spool(SpoolWrite::Entry {
                    stream,
                    rows: 1,
                    body: response.body,
                    progress,
                })
                .await
            }
            Err(error) => {
                self.record_missing_list(name, error).await?;
                let stream = name.to_owned();
                self.write_to_spool(SpoolWrite::ProgressOnly { stream, progress }).await
            }
        }
    }
}
