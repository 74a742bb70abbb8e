//! Reads the current state of the account, as far as an import wrote to it.
//!
//! The search returns contacts in bulk and lags behind writes (api.md §2.10). So while the import is recent,
//! everything in a search result that would prevent a write from being undone is read again by the contact's
//! id; a contact that is to be deleted always is.

use futures::StreamExt;

use super::super::ImportError;
use super::super::planning::fetch_remote::RemoteFetcher;
use super::super::planning::refetch_contacts::refetch_contacts;
use super::{CreatedContactRule, UndoContext, UndoRequest, applied_ops};
use crate::api;
use crate::concurrency;
use crate::context::EngineContext;
use crate::id::ContactId;
use crate::model::OpChange;
use crate::run::{ContactPart, ImportStore, RowMark, Run};

/// How long after a write the search may return outdated data, in milliseconds: 105 s were observed.
const LAG: i64 = 10 * 60 * 1000;
/// Contacts read between two writes to the store.
const LOT: usize = 200;

/// Reads the records that an undo concerns.
pub(super) struct UndoRemoteFetcher<'a> {
    pub(super) context: &'a EngineContext,
    pub(super) run: &'a Run,
    pub(super) of: &'a Run,
    pub(super) undo: &'a UndoRequest,
}

impl UndoRemoteFetcher<'_> {
    /// Reads everything that the import wrote to into the undo's store.
    pub(super) async fn fetch_all(&self) -> Result<(), ImportError> {
        let db = self.run.db_path();
        let made = concurrency::run_blocking(move || {
            Ok::<_, ImportError>(ImportStore::open(&db)?.distinct_values_after(
                RowMark::CreatedContact,
                "",
                usize::MAX,
            )?)
        });
        let made = made.await?;
        // Only the search returns opportunities, which a deletion would delete as well.
        let whole = self.undo.created == CreatedContactRule::Delete && !made.is_empty();
        RemoteFetcher::new(self.context, self.run.db_path(), None)
            .with_full_scan(whole)
            .fetch_all()
            .await?;
        self.fetch_appointments(&made).await?;
        let (db, taking) = (
            self.run.db_path(),
            UndoContext::from_runs(self.context, self.run, self.of, self.undo)?,
        );
        let doubtful = concurrency::run_blocking(move || contacts_to_refetch(&db, &taking)).await?;
        // What the token may not read cannot be undone either.
        refetch_contacts(self.context, &self.run.db_path(), &doubtful).await?;
        Ok(())
    }

    /// Reads the appointments of contacts that may be deleted.
    async fn fetch_appointments(&self, made: &[String]) -> Result<(), ImportError> {
        for lot in made.chunks(LOT) {
            let client = self.context.client.clone();
            let counts = concurrency::run_unordered(
                futures::stream::iter(lot.to_vec()),
                self.context.concurrency,
                move |contact| {
                    let client = client.clone();
                    async move {
                        let Ok(id) = contact.parse::<ContactId>() else { return Ok((contact, 0)) };
                        let answer = client
                            .list_contact_appointments(&id, api::RetryPolicy::PERSISTENT)
                            .await;
                        let route = api::ApiEndpoint::ContactAppointments;
                        match answer.and_then(|answer| answer.require_whole(route)) {
                            Err(error) if error.kind == api::ApiErrorKind::Gone => Ok((contact, 0)),
                            Err(error) => Err(ImportError::from(error)),
                            Ok(answer) => Ok((contact, answer.head.rows)),
                        }
                    }
                },
            );
            let counts: Vec<_> = counts.collect().await;
            let counts: Vec<(String, usize)> = counts.into_iter().collect::<Result<_, _>>()?;
            self.update_store(move |rows| {
                for (contact, count) in &counts {
                    for n in 0..*count {
                        rows.put_child(ContactPart::Appointments, contact, &n.to_string(), "{}")?;
                    }
                }
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    async fn update_store(
        &self,
        work: impl FnOnce(&ImportStore) -> Result<(), ImportError> + Send + 'static,
    ) -> Result<(), ImportError> {
        let db = self.run.db_path();
        concurrency::run_blocking(move || ImportStore::open(&db)?.in_transaction(work)).await
    }
}

/// The contacts for which the search result alone is not trusted.
fn contacts_to_refetch(
    db: &std::path::Path,
    taking: &UndoContext,
) -> Result<Vec<String>, ImportError> {
    let rows = ImportStore::open(db)?;
    let now = jiff::Timestamp::now().as_millisecond();
    let young = applied_ops::last_sent_ms(&taking.of)?.is_some_and(|sent| now - sent < LAG);
    let mut doubtful = Vec::new();
    taking.for_each_row(&rows, |_, contact, undone| {
        let Some(contact) = contact else { return Ok(()) };
        let deletes = undone.steps.iter().any(|taken| taken.step.change == OpChange::Delete);
        let stays = undone.reason.is_some() || !undone.conflicts.is_empty();
        let unseen = !undone.recreates && rows.find_contact(contact)?.is_none();
        if !undone.kept && (deletes || unseen || (young && stays)) {
            doubtful.push(contact.to_owned());
        }
        Ok(())
    })?;
    doubtful.sort_unstable();
    doubtful.dedup();
    Ok(doubtful)
}
