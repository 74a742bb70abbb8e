//! Appointments: calendar by calendar, window by window.
//!
//! The cost does not depend on the number of contacts (api.md §4). The largest window that the
//! server accepts is unknown, so a window that it rejects is halved, down to a week. Events of
//! deleted calendars cannot be read this way.

use super::{ChildKind, OptionalList, Pull, PullError, missing_lists, retry_failed};
use crate::api::{ApiClient, ApiErrorKind};
use crate::id::CalendarId;
use crate::run::{FetchFailure, SpoolWrite, StreamProgress, stream};

/// Start of the first window, in milliseconds since 1970: 2018-01-01, HighLevel's first year.
const FIRST_WINDOW_START: i64 = 1_514_764_800_000;
/// A week in milliseconds: the smallest window that is tried.
const MIN_WINDOW: i64 = 7 * 24 * 3_600_000;
/// How far ahead appointments are read: three years.
const BOOKING_HORIZON: i64 = 3 * 366 * 24 * 3_600_000;

impl Pull {
    /// Whether appointments are read contact by contact: only for an export of selected contacts,
    /// which are few.
    pub(super) fn reads_appointments_per_contact(&self) -> bool {
        !self.options.covers_all_contacts()
    }

    /// All events of all calendars; where appointments are read contact by contact, only the calendars, if their names
    /// are needed.
    pub(super) async fn pull_calendar_events(&self) -> Result<(), PullError> {
        let per_contact = self.reads_appointments_per_contact();
        let is_needed = !per_contact || self.options.lists.contains(&OptionalList::CalendarNames);
        if !self.includes_child(ChildKind::Appointments) || !is_needed {
            return Ok(());
        }
        self.pull_list(stream::CALENDARS, ApiClient::list_calendars(&self.client)).await?;
        if per_contact {
            return Ok(());
        }
        self.flush_writes().await?;
        for calendar in self.stored_calendar_ids()? {
            self.pull_events_of_calendar(&calendar).await?;
        }
        Ok(())
    }

    /// Requests once more the events of calendars that could not be read, and those of calendars that have only now
    /// been listed.
    pub(super) async fn retry_calendar_events(
        &self,
        pending: &[FetchFailure],
    ) -> Result<(), PullError> {
        let is_of_calendars = |failure: &FetchFailure| {
            failure.stream == stream::CALENDARS || failure.stream.starts_with(stream::EVENTS)
        };
        if self.reads_appointments_per_contact() || !pending.iter().any(is_of_calendars) {
            return Ok(());
        }
        self.flush_writes().await?;
        // A failure is resolved last: a kill before that repeats the requests.
        for calendar in self.stored_calendar_ids()? {
            let stream = events_stream(&calendar);
            if pending.iter().any(|it| it.stream == stream && it.is_of_whole_list()) {
                let progress = StreamProgress { done: false, ..self.stream_progress(&stream)? };
                self.write_to_spool(SpoolWrite::ProgressOnly { stream: stream.clone(), progress })
                    .await?;
                self.flush_writes().await?;
            }
            if self.pull_events_of_calendar(&calendar).await? {
                let subject = FetchFailure::WHOLE_LIST.to_owned();
                self.write_to_spool(SpoolWrite::FailureResolved { stream, subject }).await?;
            }
        }
        if self.open_reader()?.next_entry(stream::CALENDARS, 0)?.is_some() {
            let (stream, subject) =
                (stream::CALENDARS.to_owned(), FetchFailure::WHOLE_LIST.to_owned());
            self.write_to_spool(SpoolWrite::FailureResolved { stream, subject }).await?;
        }
        Ok(())
    }

    pub(super) fn stored_calendar_ids(&self) -> Result<Vec<CalendarId>, PullError> {
        let Some(entry) = self.open_reader()?.next_entry(stream::CALENDARS, 0)? else {
            return Ok(Vec::new());
        };
        let page = crate::api::CalendarList::from_json(&entry.body).unwrap_or_default();
        Ok(page.calendars.into_iter().map(|calendar| calendar.id).collect())
    }

    /// Reads the events of a calendar that were not read yet; false if that failed.
    async fn pull_events_of_calendar(&self, calendar: &CalendarId) -> Result<bool, PullError> {
        let name = events_stream(calendar);
        let mut progress = self.stream_progress(&name)?;
        let end = jiff::Timestamp::now().as_millisecond() + BOOKING_HORIZON;
        let mut from =
            progress.cursor.as_deref().and_then(|at| at.parse().ok()).unwrap_or(FIRST_WINDOW_START);
        let mut length = end - from;
        while !progress.done {
            let to = (from + length).min(end);
            let response = match self.client.list_calendar_events(calendar, from..to).await {
                Ok(response) => response,
                Err(error)
                    if length > MIN_WINDOW
                        && (retry_failed::is_query_rejected(error.kind)
                            || error.kind == ApiErrorKind::TooLarge) =>
                {
                    length = (length / 2).max(MIN_WINDOW);
                    continue;
                }
                Err(error) => {
                    if !missing_lists::is_only_of_list(&error) {
                        return Err(error.into());
                    }
                    self.store_missing_list(&name, &error).await?;
                    progress.done = true;
                    let write = SpoolWrite::ProgressOnly { stream: name, progress };
                    self.write_to_spool(write).await?;
                    return Ok(false);
                }
            };
            self.record_broken(&name, None, "a list of events", &response.broken).await?;
            let subject = format!("events from {from}");
            self.record_missing_rows(&name, &subject, response.head.missing).await?;
            from = to;
            progress.rows += response.head.rows as u64;
            progress.cursor = Some(from.to_string());
            progress.done = from >= end;
            let rows = u32::try_from(response.head.rows).unwrap_or(u32::MAX);
            let (stream, body) = (name.clone(), response.body);
            self.write_to_spool(SpoolWrite::Entry {
                stream,
                rows,
                body,
                progress: progress.clone(),
            })
            .await?;
            self.report_progress("appointments", progress.rows, None);
        }
        Ok(true)
    }
}

/// The stream of a calendar's events.
fn events_stream(calendar: &CalendarId) -> String {
    format!("{}{}", stream::EVENTS, calendar.escaped_segment())
}
