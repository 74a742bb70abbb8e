//! Lists that cannot be read: the export goes on without them, says what is missing, and asks once more at the end.

use bytes::Bytes;

use super::{Pull, PullError, failure_from_api_error, missing_scope_message};
use crate::api::{
    ApiError, ApiErrorKind, ApiResponse, BrokenRecord, ContactSearchFilter, MissingRows,
    RetryPolicy, WholeList,
};
use crate::diagnostic::EventWarningCode;
use crate::run::{FetchFailure, SpoolWrite, StreamProgress, stream};

/// Whether the run goes on without a list that failed like this.
pub(super) fn is_only_of_list(error: &ApiError) -> bool {
    !error.is_fatal() || matches!(error.kind, ApiErrorKind::EndpointFailing(_))
}

impl Pull {
    /// Records that a list cannot be read, and warns of it. If contacts cannot be read either, this is an error: such a
    /// run ends and is resumed later.
    pub(super) async fn record_missing_list(
        &self,
        name: &str,
        error: ApiError,
    ) -> Result<(), PullError> {
        if !is_only_of_list(&error) {
            return Err(error.into());
        }
        if error.kind == ApiErrorKind::Exhausted && !self.can_read_contacts().await? {
            return Err(error.into());
        }
        let reason = match error.kind {
            ApiErrorKind::Scope => missing_scope_message(error.route),
            _ => error.to_string(),
        };
        let gap = self.describe_gap(name);
        let message = match name {
            stream::LOCATION => format!("the location cannot be read: {reason}; without it {gap}"),
            stream::CALENDARS if self.reads_appointments_per_contact() => {
                format!("`calendars` cannot be read: {reason}; without it {gap}")
            }
            _ if error.kind == ApiErrorKind::Exhausted => {
                format!(
                    "`{name}` cannot be read: {reason}; it is requested once more at the end, and without it {gap}"
                )
            }
            _ => format!("`{name}` will be empty: {reason}; without it {gap}"),
        };
        self.report_warning_about(EventWarningCode::UnreadableList, [name], message);
        // The location has no table of its own: a token that may not read it gets all the same.
        let is_refusal =
            matches!(error.kind, ApiErrorKind::Scope | ApiErrorKind::Refused | ApiErrorKind::Gone);
        if name == stream::LOCATION && is_refusal {
            return Ok(());
        }
        self.store_missing_list(name, &error).await
    }

    pub(super) async fn store_missing_list(
        &self,
        name: &str,
        error: &ApiError,
    ) -> Result<(), PullError> {
        let failure = failure_from_api_error(name, FetchFailure::WHOLE_LIST, error);
        let message = format!("{}; without it {}", failure.message, self.describe_gap(name));
        self.write_to_spool(SpoolWrite::Failed(FetchFailure { message, records: 0, ..failure }))
            .await
    }

    /// What an export without the list means.
    fn describe_gap(&self, name: &str) -> &'static str {
        match name {
            stream::LOCATION => "`manifest.json` lacks its name",
            stream::FIELDS => {
                "the values of custom fields are in the column `extra`, by the ids of their fields"
            }
            stream::USERS => "users are known by their ids only",
            stream::TAGS => "contacts still have their tags",
            stream::CALENDARS if self.reads_appointments_per_contact() => {
                "calendars are known by their ids only"
            }
            stream::CALENDARS => "appointments are missing",
            stream::BUSINESSES => "contacts still have the ids of their businesses",
            stream::TASKS => "tasks are missing",
            _ => "its rows are missing",
        }
    }

    /// Whether contacts can be read, tried briefly.
    async fn can_read_contacts(&self) -> Result<bool, PullError> {
        let client = self.client.with_retry_policy(RetryPolicy::SECOND_TRY);
        match client.search_contacts(&ContactSearchFilter::default(), 1, None).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_fatal() => Err(error.into()),
            Err(error) => Ok(error.kind != ApiErrorKind::Exhausted),
        }
    }

    /// The same pull for lists that have failed before: in the same run they are tried briefly.
    pub(super) fn to_second_try(&self) -> Self {
        if self.options.errors_only {
            return self.clone();
        }
        Self { client: self.client.with_retry_policy(RetryPolicy::SECOND_TRY), ..self.clone() }
    }

    /// Retries the lists of the location that could not be read, or not completely.
    pub(super) async fn retry_lists(&self, pending: &[FetchFailure]) -> Result<(), PullError> {
        for name in
            [stream::LOCATION, stream::FIELDS, stream::USERS, stream::TAGS, stream::CALENDARS]
        {
            let failures = pending.iter().filter(|failure| failure.stream == name);
            let subjects: Vec<String> = failures.map(|failure| failure.subject.clone()).collect();
            if !subjects.is_empty() {
                self.retry_list(name, subjects).await?;
            }
        }
        self.retry_businesses(pending).await?;
        self.retry_calendar_events(pending).await
    }

    async fn retry_list(&self, name: &str, subjects: Vec<String>) -> Result<(), PullError> {
        let client = &self.client;
        let response = match name {
            stream::LOCATION => client.get_location().await.map(RetriedList::whole),
            stream::CALENDARS => client.list_calendars().await.map(RetriedList::whole),
            stream::FIELDS => client.list_custom_fields().await.map(RetriedList::from_response),
            stream::USERS => client.list_users().await.map(RetriedList::from_response),
            _ => client.list_tags().await.map(RetriedList::from_response),
        };
        let progress = StreamProgress { done: true, rows: 1, ..StreamProgress::default() };
        match response {
            Ok(RetriedList { body, broken, missing }) => {
                let stream = name.to_owned();
                self.write_to_spool(SpoolWrite::Entry { stream, rows: 1, body, progress }).await?;
                // Those of the calendars when their events are read, too.
                let has_events =
                    name == stream::CALENDARS && !self.reads_appointments_per_contact();
                for subject in subjects.into_iter().filter(|_| !has_events) {
                    let stream = name.to_owned();
                    self.write_to_spool(SpoolWrite::FailureResolved { stream, subject }).await?;
                }
                self.record_missing_rows(name, FetchFailure::WHOLE_LIST, missing).await?;
                self.record_broken(name, None, "the list", &broken).await
            }
            Err(error) if !is_only_of_list(&error) => Err(error.into()),
            // What is known of single records stays.
            Err(_) if !subjects.iter().any(|subject| subject == FetchFailure::WHOLE_LIST) => Ok(()),
            Err(error) => self.store_missing_list(name, &error).await,
        }
    }
}

/// A list that was requested once more.
struct RetriedList {
    body: Bytes,
    broken: Vec<BrokenRecord>,
    missing: Option<MissingRows>,
}

impl RetriedList {
    fn from_response<T: WholeList>(response: ApiResponse<T>) -> Self {
        let missing = response.head.missing_rows();
        Self { body: response.body, broken: response.broken, missing }
    }

    /// Of a response whose records are not reported one by one.
    fn whole<T: WholeList>(response: ApiResponse<T>) -> Self {
        Self { broken: Vec::new(), ..Self::from_response(response) }
    }
}
