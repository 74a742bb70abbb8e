//! What the location itself is made of: its settings, custom fields, users, tags and calendars.
//!
//! A list that the token may not read is missing from the export, with a warning and a line in
//! `errors.csv`; contacts do not wait for it. The location goes first and alone, since the pace learns
//! the limits from the first answer.

use std::future::Future;

use super::{Pull, PullError};
use crate::api::{self, ApiClient, ApiErrorKind, ApiResponse};
use crate::run::{SpoolWrite, StreamProgress, stream};

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

    /// Stores one answer that is a whole list.
    pub(super) async fn pull_list<T>(
        &self,
        name: &str,
        ask: impl Future<Output = Result<ApiResponse<T>, api::ApiError>>,
    ) -> Result<(), PullError> {
        if self.stream_progress(name)?.done {
            return Ok(());
        }
        let progress = StreamProgress { done: true, rows: 1, ..StreamProgress::default() };
        match ask.await {
            Ok(answer) => {
                let stream = name.to_owned();
                self.write_to_spool(SpoolWrite::Entry {
                    stream,
                    rows: 1,
                    body: answer.body,
                    progress,
                })
                .await
            }
            Err(error) => {
                let lost = matches!(
                    error.kind,
                    ApiErrorKind::Scope | ApiErrorKind::Refused | ApiErrorKind::Gone
                );
                let what = if name == stream::LOCATION { "the location" } else { name };
                if !lost && !error.is_fatal() {
                    return Err(error.into());
                }
                let said = match error.kind {
                    ApiErrorKind::Scope => super::missing_scope_message(error.route),
                    _ => error.to_string(),
                };
                // No table is made of the location, so that nothing is missing without it.
                if name == stream::LOCATION && lost {
                    self.report_warning(
                        "unreadable_list",
                        format!("{what} cannot be read: {said}"),
                    );
                    return self
                        .write_to_spool(SpoolWrite::Moved { stream: name.to_owned(), progress })
                        .await;
                }
                self.record_failure(name, "*", error).await?;
                self.report_warning("unreadable_list", format!("`{what}` will be empty: {said}"));
                self.write_to_spool(SpoolWrite::Moved { stream: name.to_owned(), progress }).await
            }
        }
    }
}
