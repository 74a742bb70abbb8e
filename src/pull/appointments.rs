//! Appointments: calendar by calendar, window by window.
//!
//! The cost does not depend on the number of contacts (api.md §4). How large a window the server
//! takes is unknown, so a window that it refuses is halved, down to a week. The events of deleted
//! calendars cannot be had this way.

use super::{ChildKind, Pull, PullError, retry_failed};
use crate::api::{ApiClient, ApiErrorKind};
use crate::id::CalendarId;
use crate::run::{SpoolWrite, stream};

/// HighLevel's first year, in milliseconds since 1970: 2018-01-01.
const FIRST: i64 = 1_514_764_800_000;
/// A week in milliseconds: no server refuses so little.
const WEEK: i64 = 7 * 24 * 3_600_000;
/// How far ahead appointments are booked at most: three years.
const AHEAD: i64 = 3 * 366 * 24 * 3_600_000;

impl Pull {
    /// Whether appointments are read contact by contact: for an export of some contacts, which are few.
    pub(super) fn reads_appointments_per_contact(&self) -> bool {
        !self.plan.covers_all_contacts()
    }

    /// All events of all calendars.
    pub(super) async fn pull_calendar_events(&self) -> Result<(), PullError> {
        if !self.includes_child(ChildKind::Appointments) || self.reads_appointments_per_contact() {
            return Ok(());
        }
        self.pull_list(stream::CALENDARS, ApiClient::list_calendars(&self.client)).await?;
        self.flush_writes().await?;
        for calendar in self.stored_calendar_ids()? {
            self.pull_events_of_calendar(&calendar).await?;
        }
        Ok(())
    }

    fn stored_calendar_ids(&self) -> Result<Vec<CalendarId>, PullError> {
        let Some(entry) = self.open_reader()?.next_entry(stream::CALENDARS, 0)? else {
            return Ok(Vec::new());
        };
        let page = crate::api::CalendarList::from_json(&entry.body).unwrap_or_default();
        Ok(page.calendars.into_iter().map(|calendar| calendar.id).collect())
    }

    async fn pull_events_of_calendar(&self, calendar: &CalendarId) -> Result<(), PullError> {
        let name = format!("{}{}", stream::EVENTS, calendar.escaped_segment());
        let mut progress = self.stream_progress(&name)?;
        let end = jiff::Timestamp::now().as_millisecond() + AHEAD;
        let mut from = progress.cursor.as_deref().and_then(|at| at.parse().ok()).unwrap_or(FIRST);
        let mut length = end - from;
        while !progress.done {
            let to = (from + length).min(end);
            let answer = match self.client.list_calendar_events(calendar, from..to).await {
                Ok(answer) => answer,
                Err(error)
                    if length > WEEK
                        && (retry_failed::is_query_rejected(error.kind)
                            || error.kind == ApiErrorKind::TooLarge) =>
                {
                    length = (length / 2).max(WEEK);
                    continue;
                }
                Err(error) => {
                    self.record_failure(&name, "*", error).await?;
                    progress.done = true;
                    let write = SpoolWrite::Moved { stream: name, progress };
                    return self.write_to_spool(write).await;
                }
            };
            from = to;
            progress.rows += answer.head.rows as u64;
            progress.cursor = Some(from.to_string());
            progress.done = from >= end;
            let rows = u32::try_from(answer.head.rows).unwrap_or(u32::MAX);
            let (stream, body) = (name.clone(), answer.body);
            self.write_to_spool(SpoolWrite::Entry {
                stream,
                rows,
                body,
                progress: progress.clone(),
            })
            .await?;
            self.report_progress("appointments", progress.rows, None);
        }
        Ok(())
    }
}
