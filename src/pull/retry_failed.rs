//! The second try: records that were set aside, or that came to light late.

use std::collections::BTreeMap;
use std::pin::pin;

use futures::StreamExt;

use super::children::ChildKind;
use super::{Pull, PullError};
use crate::api::{ApiErrorKind, RetryPolicy};
use crate::concurrency;
use crate::event::{RunEvent, WaitReason};
use crate::id::ContactId;
use crate::run::{FetchFailure, SpoolWrite, StreamProgress, pack_responses, stream};

/// The code of a child that has not been asked for yet.
pub(super) const LATE: &str = "late";

impl Pull {
    /// Notes that a contact's children are still to be asked for.
    pub(super) async fn defer_child_request(
        &self,
        child: ChildKind,
        contact: &ContactId,
    ) -> Result<(), PullError> {
        let failure = FetchFailure {
            stream: child.stream_name().to_owned(),
            subject: contact.to_string(),
            code: LATE.to_owned(),
            message: "not asked for yet".to_owned(),
            status: None,
            trace_id: None,
            transient: true,
        };
        self.write_to_spool(SpoolWrite::Failed(failure)).await
    }

    /// Asks once more for what could not be read.
    pub(super) async fn retry_failed_records(&self) -> Result<(), PullError> {
        self.flush_writes().await?;
        let failures = self.open_reader()?.load_failures()?;
        let wanted =
            failures.into_iter().filter(|failure| failure.transient || self.plan.errors_only);
        let wanted: Vec<_> = wanted.collect();
        for failure in &wanted {
            self.retry_list(failure).await?;
        }
        let children = wanted.iter().filter_map(parse_failed_child);
        let client = self.client.clone();
        let asked = concurrency::run_in_order(
            futures::stream::iter(children.collect::<Vec<_>>()),
            self.low_memory_concurrency(),
            move |(child, contact)| {
                let client = client.clone();
                async move {
                    let answer =
                        child.fetch_for_contact(&client, &contact, RetryPolicy::PERSISTENT).await;
                    (child, contact, answer)
                }
            },
        );
        let mut asked = pin!(asked);
        let reader = self.open_reader()?;
        let place = |child: ChildKind| Ok((child, reader.stream_progress(child.stream_name())?));
        let places =
            ChildKind::ALL.into_iter().map(place).collect::<Result<BTreeMap<_, _>, PullError>>()?;
        while let Some((child, contact, answer)) = asked.next().await {
            let stream = child.stream_name().to_owned();
            match answer {
                Ok(answer) => {
                    let body = pack_responses([(contact.as_str(), answer.body.as_ref())]);
                    // Committed in this order: a kill in between asks again, which is harmless.
                    let progress = places[&child].clone();
                    self.write_to_spool(SpoolWrite::Entry {
                        stream: stream.clone(),
                        rows: 1,
                        body,
                        progress,
                    })
                    .await?;
                    let subject = contact.to_string();
                    self.write_to_spool(SpoolWrite::Mended { stream, subject }).await?;
                }
                Err(error) => self.record_failure(&stream, contact.as_str(), error).await?,
            }
        }
        Ok(())
    }

    /// A list of the location that could not be read.
    async fn retry_list(&self, failure: &FetchFailure) -> Result<(), PullError> {
        let client = &self.client;
        let name = failure.stream.as_str();
        let answer = match name {
            stream::FIELDS => client.list_custom_fields().await,
            stream::USERS => client.list_users().await,
            stream::TAGS => client.list_tags().await,
            _ => return Ok(()),
        };
        let progress = StreamProgress { done: true, rows: 1, ..StreamProgress::default() };
        match answer {
            Ok(answer) => {
                let stream = name.to_owned();
                let body = answer.body;
                self.write_to_spool(SpoolWrite::Entry { stream, rows: 1, body, progress }).await?;
                let (stream, subject) = (name.to_owned(), failure.subject.clone());
                self.write_to_spool(SpoolWrite::Mended { stream, subject }).await
            }
            Err(error) => self.record_failure(name, &failure.subject, error).await,
        }
    }

    /// Waits before the search is asked again for what it may be hiding.
    pub(super) async fn wait_for_index(&self, time: std::time::Duration) -> bool {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.observer.observe(&RunEvent::Waiting { reason: WaitReason::IndexLag, ms });
        tokio::select! {
            () = tokio::time::sleep(time) => true,
            () = self.stop.wait_for_cancel() => false,
        }
    }

    /// Waits until everything handed over so far is committed, so that it can be read.
    pub(super) async fn flush_writes(&self) -> Result<(), PullError> {
        let (done, committed) = tokio::sync::oneshot::channel();
        self.write_to_spool(SpoolWrite::Barrier(done)).await?;
        committed.await.map_err(|_| PullError::Store)
    }
}

fn parse_failed_child(failure: &FetchFailure) -> Option<(ChildKind, ContactId)> {
    let child = ChildKind::ALL.into_iter().find(|child| child.stream_name() == failure.stream)?;
    Some((child, failure.subject.parse().ok()?))
}

/// Whether a search was refused because of what it asked for.
pub(super) fn is_query_rejected(kind: ApiErrorKind) -> bool {
    matches!(kind, ApiErrorKind::Refused | ApiErrorKind::Gone)
}
