//! The location itself: its settings, custom fields, users, tags and calendars.
//!
//! A list that the token may not read is missing from the export, with a warning and a row in
//! `errors.csv`; contacts do not depend on it. The location is read first and alone, because the
//! rate limiter learns the limits from the first response.

use std::future::Future;

use super::{Pull, PullError};
use crate::api::{self, ApiClient, ApiErrorKind, ApiResponse};
use crate::diagnostic::EventWarningCode;
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

    /// Stores one response that contains a whole list.
    pub(super) async fn pull_list<T>(
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
                let unreadable = matches!(
                    error.kind,
                    ApiErrorKind::Scope | ApiErrorKind::Refused | ApiErrorKind::Gone
                );
                let subject = if name == stream::LOCATION { "the location" } else { name };
                if !unreadable && !error.is_fatal() {
                    return Err(error.into());
                }
                let reason = match error.kind {
                    ApiErrorKind::Scope => super::missing_scope_message(error.route),
                    _ => error.to_string(),
                };
                // The location has no table of its own, so nothing is missing from the export
                // without it.
                if name == stream::LOCATION && unreadable {
                    self.report_warning_about(
                        EventWarningCode::UnreadableList,
                        [name],
                        format!("{subject} cannot be read: {reason}"),
                    );
                    return self
                        .write_to_spool(SpoolWrite::ProgressOnly {
                            stream: name.to_owned(),
                            progress,
                        })
                        .await;
                }
                self.record_failure(name, "*", error).await?;
                self.report_warning_about(
                    EventWarningCode::UnreadableList,
                    [name],
                    format!("`{subject}` will be empty: {reason}"),
                );
                self.write_to_spool(SpoolWrite::ProgressOnly { stream: name.to_owned(), progress })
                    .await
            }
        }
    }
}
