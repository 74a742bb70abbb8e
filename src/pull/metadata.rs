//! What the location itself is made of: its settings, custom fields, users, tags and calendars.
//!
//! A list that the token may not read is missing from the export, with a warning and a line in
//! `errors.csv`; contacts do not wait for it. The location goes first and alone, since the pace learns
//! the limits from the first answer.

use std::future::Future;

use super::{Error, Pull};
use crate::api::{self, Answer, Client, Kind};
use crate::run::{Progress, Write, stream};

impl Pull {
    pub(super) async fn metadata(&self) -> Result<(), Error> {
        let client = &self.client;
        self.list(stream::LOCATION, Client::location_details(client)).await?;
        tokio::try_join!(
            self.list(stream::FIELDS, Client::custom_fields(client)),
            self.list(stream::USERS, Client::users(client)),
            self.list(stream::TAGS, Client::tags(client)),
        )?;
        Ok(())
    }

    /// Stores one answer that is a whole list.
    pub(super) async fn list<T>(
        &self,
        name: &str,
        ask: impl Future<Output = Result<Answer<T>, api::Error>>,
    ) -> Result<(), Error> {
        if self.progress(name)?.done {
            return Ok(());
        }
        let progress = Progress { done: true, rows: 1, ..Progress::default() };
        match ask.await {
            Ok(answer) => {
                let stream = name.to_owned();
                self.store(Write::Entry { stream, rows: 1, body: answer.body, progress }).await
            }
            Err(error) => {
                let lost = matches!(error.kind, Kind::Scope | Kind::Refused | Kind::Gone);
                let what = if name == stream::LOCATION { "the location" } else { name };
                if !lost && !error.fatal() {
                    return Err(error.into());
                }
                let said = match error.kind {
                    Kind::Scope => super::scope(error.route),
                    _ => error.to_string(),
                };
                // No table is made of the location, so that nothing is missing without it.
                if name == stream::LOCATION && lost {
                    self.warn("unreadable_list", format!("{what} cannot be read: {said}"));
                    return self.store(Write::Moved { stream: name.to_owned(), progress }).await;
                }
                self.set_aside(name, "*", error).await?;
                self.warn("unreadable_list", format!("`{what}` will be empty: {said}"));
                self.store(Write::Moved { stream: name.to_owned(), progress }).await
            }
        }
    }
}
