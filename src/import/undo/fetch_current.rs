//! The account as it stands, as far as an import wrote to it.
//!
//! The search gives contacts in bulk, and lags behind writes (api.md §2.10). So whatever it says of a
//! contact that would keep a write from being taken back is read again by the contact's id while the
//! import is young, and a contact that is to be deleted always is.

use futures::StreamExt;

use super::super::Error;
use super::super::planning::fetch_remote::Fetch;
use super::super::planning::validate_rows::{json, kind};
use super::{Created, Taking, Undo, applied_ops};
use crate::api;
use crate::concurrency;
use crate::context::Context;
use crate::event::Event;
use crate::id::ContactId;
use crate::model::Change;
use crate::model::remote::Live;
use crate::run::{Rows, Run};

/// How long after a write the search may say something else, in milliseconds: 105 s were seen.
const LAG: i64 = 10 * 60 * 1000;
/// Contacts read between two writes to the store.
const LOT: usize = 200;

/// What is looked at, and with what.
pub(super) struct Look<'a> {
    pub(super) context: &'a Context,
    pub(super) run: &'a Run,
    pub(super) of: &'a Run,
    pub(super) undo: &'a Undo,
}

/// A contact as a read by its id gave it, or nothing when it is gone.
type Answered = (String, Option<Live>);

impl Look<'_> {
    /// Reads all that the import wrote to into the undo's store.
    pub(super) async fn look(&self) -> Result<(), Error> {
        let db = self.run.db();
        let made = concurrency::blocking(move || {
            Ok::<_, Error>(Rows::open(&db)?.values(kind::MADE, "", usize::MAX)?)
        });
        let made = made.await?;
        // Only the search shows opportunities, which a deletion would take along.
        let whole = self.undo.created == Created::Delete && !made.is_empty();
        Fetch::new(self.context, self.run.db(), None).whole(whole).all().await?;
        self.appointments(&made).await?;
        let (db, taking) = (self.run.db(), Taking::of(self.context, self.run, self.of, self.undo)?);
        let doubtful = concurrency::blocking(move || doubtful(&db, &taking)).await?;
        self.again(&doubtful).await
    }

    /// The appointments of contacts that may be deleted.
    async fn appointments(&self, made: &[String]) -> Result<(), Error> {
        for lot in made.chunks(LOT) {
            let client = self.context.client.clone();
            let counts = concurrency::each(
                futures::stream::iter(lot.to_vec()),
                self.context.concurrency,
                move |contact| {
                    let client = client.clone();
                    async move {
                        let Ok(id) = contact.parse::<ContactId>() else { return Ok((contact, 0)) };
                        match client.contact_appointments(&id, api::Bounds::PATIENT).await {
                            Err(error) if error.kind == api::Kind::Gone => Ok((contact, 0)),
                            Err(error) => Err(Error::from(error)),
                            Ok(answer) => Ok((contact, answer.head.rows)),
                        }
                    }
                },
            );
            let counts: Vec<_> = counts.collect().await;
            let counts: Vec<(String, usize)> = counts.into_iter().collect::<Result<_, _>>()?;
            self.store(move |rows| {
                for (contact, count) in &counts {
                    for n in 0..*count {
                        rows.keep_child(kind::APPOINTMENTS, contact, &n.to_string(), "{}")?;
                    }
                }
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    /// Reads contacts by their ids, and keeps that instead of what a search said.
    async fn again(&self, contacts: &[String]) -> Result<(), Error> {
        let total = Some(contacts.len() as u64);
        let mut done = 0;
        for lot in contacts.chunks(LOT) {
            let client = self.context.client.clone();
            let found = concurrency::each(
                futures::stream::iter(lot.to_vec()),
                self.context.concurrency,
                move |contact| {
                    let client = client.clone();
                    async move { one(&client, contact).await }
                },
            );
            let found: Vec<_> = found.collect().await;
            let found: Vec<Answered> = found.into_iter().collect::<Result<_, _>>()?;
            done += found.len() as u64;
            self.store(move |rows| {
                for (contact, live) in &found {
                    match live {
                        Some(live) => rows.keep(contact, &json(live), &live.digest())?,
                        None => rows.forget_contact(contact)?,
                    }
                }
                Ok(())
            })
            .await?;
            let event = Event::Progress { what: "checked", done, total };
            self.context.watcher.observe(&event);
        }
        Ok(())
    }

    async fn store(
        &self,
        work: impl FnOnce(&Rows) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let db = self.run.db();
        concurrency::blocking(move || Rows::open(&db)?.together(work)).await
    }
}

async fn one(client: &api::Client, contact: String) -> Result<Answered, Error> {
    let Ok(id) = contact.parse::<ContactId>() else { return Ok((contact, None)) };
    match client.contact_raw(&id).await {
        Ok(answer) => {
            let live = answer.head.and_then(|row| Live::read(row.get().as_bytes()));
            Ok((contact, live))
        }
        Err(error) if error.kind == api::Kind::Gone => Ok((contact, None)),
        Err(error) => Err(error.into()),
    }
}

/// The contacts of which the search alone is not believed.
fn doubtful(db: &std::path::Path, taking: &Taking) -> Result<Vec<String>, Error> {
    let rows = Rows::open(db)?;
    let now = jiff::Timestamp::now().as_millisecond();
    let young = applied_ops::last_sent(&taking.of)?.is_some_and(|sent| now - sent < LAG);
    let mut doubtful = Vec::new();
    taking.each(&rows, |_, contact, undone| {
        let Some(contact) = contact else { return Ok(()) };
        let deletes = undone.steps.iter().any(|taken| taken.step.change == Change::Delete);
        let stays = undone.reason.is_some() || !undone.conflicts.is_empty();
        let unseen = !undone.anew && rows.kept(contact)?.is_none();
        if !undone.kept && (deletes || unseen || (young && stays)) {
            doubtful.push(contact.to_owned());
        }
        Ok(())
    })?;
    doubtful.sort_unstable();
    doubtful.dedup();
    Ok(doubtful)
}
