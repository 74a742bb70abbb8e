//! Appointments: calendar by calendar, window by window.
//!
//! The cost does not depend on the number of contacts (api.md §4). How large a window the server
//! takes is unknown, so a window that it refuses is halved, down to a week. The events of deleted
//! calendars cannot be had this way.

use super::{Child, Error, Pull, retry_failed};
use crate::api::{Client, Kind};
use crate::id::CalendarId;
use crate::run::{Write, stream};

/// HighLevel's first year, in milliseconds since 1970: 2018-01-01.
const FIRST: i64 = 1_514_764_800_000;
/// A week in milliseconds: no server refuses so little.
const WEEK: i64 = 7 * 24 * 3_600_000;
/// How far ahead appointments are booked at most: three years.
const AHEAD: i64 = 3 * 366 * 24 * 3_600_000;

impl Pull {
    /// Whether appointments are read contact by contact: for an export of some contacts, which are few.
    pub(super) fn appointments_need_contacts(&self) -> bool {
        !self.plan.is_whole()
    }

    /// All events of all calendars.
    pub(super) async fn calendar_events(&self) -> Result<(), Error> {
        if !self.wants(Child::Appointments) || self.appointments_need_contacts() {
            return Ok(());
        }
        self.list(stream::CALENDARS, Client::calendars(&self.client)).await?;
        self.settle_writes().await?;
        for calendar in self.calendars()? {
            self.events_of(&calendar).await?;
        }
        Ok(())
    }

    fn calendars(&self) -> Result<Vec<CalendarId>, Error> {
        let Some(entry) = self.reader()?.next(stream::CALENDARS, 0)? else { return Ok(Vec::new()) };
        let page = crate::api::CalendarPage::read(&entry.body).unwrap_or_default();
        Ok(page.calendars.into_iter().map(|calendar| calendar.id).collect())
    }

    async fn events_of(&self, calendar: &CalendarId) -> Result<(), Error> {
        let name = format!("{}{}", stream::EVENTS, calendar.segment());
        let mut progress = self.progress(&name)?;
        let end = jiff::Timestamp::now().as_millisecond() + AHEAD;
        let mut from = progress.cursor.as_deref().and_then(|at| at.parse().ok()).unwrap_or(FIRST);
        let mut length = end - from;
        while !progress.done {
            let to = (from + length).min(end);
            let answer = match self.client.calendar_events(calendar, from..to).await {
                Ok(answer) => answer,
                Err(error)
                    if length > WEEK
                        && (retry_failed::refused(error.kind) || error.kind == Kind::TooLarge) =>
                {
                    length = (length / 2).max(WEEK);
                    continue;
                }
                Err(error) => {
                    self.set_aside(&name, "*", error).await?;
                    progress.done = true;
                    let write = Write::Moved { stream: name, progress };
                    return self.store(write).await;
                }
            };
            from = to;
            progress.rows += answer.head.rows as u64;
            progress.cursor = Some(from.to_string());
            progress.done = from >= end;
            let rows = u32::try_from(answer.head.rows).unwrap_or(u32::MAX);
            let (stream, body) = (name.clone(), answer.body);
            self.store(Write::Entry { stream, rows, body, progress: progress.clone() }).await?;
            self.tell("appointments", progress.rows, None);
        }
        Ok(())
    }
}
