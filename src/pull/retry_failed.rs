//! The second attempt at records that were set aside or that appeared late.

use std::collections::BTreeMap;
use std::pin::pin;

use futures::StreamExt;

use super::children::ChildKind;
use super::{Pull, PullError, broken_records};
use crate::api::{ApiEndpoint, ApiErrorKind, RetryPolicy};
use crate::concurrency;
use crate::diagnostic::FetchFailureCode;
use crate::event::{RunEvent, WaitReason};
use crate::id::ContactId;
use crate::run::{FetchFailure, SpoolWrite, pack_responses};

impl Pull {
    /// Records that a contact's children still have to be requested.
    pub(super) async fn defer_child_request(
        &self,
        child: ChildKind,
        contact: &ContactId,
    ) -> Result<(), PullError> {
        let failure = FetchFailure {
            stream: child.stream_name().to_owned(),
            subject: contact.to_string(),
            code: FetchFailureCode::Late,
            message: "not requested yet".to_owned(),
            status: None,
            trace_id: None,
            transient: true,
            records: 1,
        };
        self.write_to_spool(SpoolWrite::Failed(failure)).await
    }

    /// Notes that another attempt may succeed for the records of an endpoint that was given up: the error was not theirs.
    pub(super) async fn mark_failures_of_endpoint(
        &self,
        route: ApiEndpoint,
    ) -> Result<(), PullError> {
        let child = ChildKind::ALL.into_iter().find(|child| child.endpoint() == route);
        let Some(child) = child else { return Ok(()) };
        self.flush_writes().await?;
        for failure in self.open_reader()?.load_failures()? {
            let is_of_endpoint = failure.stream == child.stream_name()
                && matches!(failure.code, FetchFailureCode::Scope | FetchFailureCode::Refused);
            if is_of_endpoint {
                let failure = FetchFailure { transient: true, ..failure };
                self.write_to_spool(SpoolWrite::Failed(failure)).await?;
            }
        }
        Ok(())
    }

    /// Requests once more what could not be read.
    pub(super) async fn retry_failed_records(&self) -> Result<(), PullError> {
        Box::pin(self.recover_tasks()).await?;
        self.flush_writes().await?;
        let failures = self.open_reader()?.load_failures()?;
        let pending =
            failures.into_iter().filter(|failure| failure.transient || self.options.errors_only);
        let pending: Vec<_> = pending.collect();
        Box::pin(self.to_second_try().retry_lists(&pending)).await?;
        self.retry_broken_contacts(&pending).await?;
        self.retry_failed_children(&pending).await
    }

    async fn retry_failed_children(&self, pending: &[FetchFailure]) -> Result<(), PullError> {
        let mut subjects = BTreeMap::<(ChildKind, ContactId), Vec<String>>::new();
        for failure in pending {
            if let Some(request) = parse_failed_child(failure) {
                subjects.entry(request).or_default().push(failure.subject.clone());
            }
        }
        let children: Vec<_> = subjects.keys().cloned().collect();
        let client = self.client.clone();
        let responses = concurrency::run_in_order(
            futures::stream::iter(children),
            self.low_memory_concurrency(),
            move |(child, contact)| {
                let client = client.clone();
                async move {
                    let response =
                        child.fetch_for_contact(&client, &contact, RetryPolicy::SECOND_TRY).await;
                    (child, contact, response)
                }
            },
        );
        let mut responses = pin!(responses);
        let reader = self.open_reader()?;
        let with_progress =
            |child: ChildKind| Ok((child, reader.stream_progress(child.stream_name())?));
        let progress_by_child = ChildKind::ALL
            .into_iter()
            .map(with_progress)
            .collect::<Result<BTreeMap<_, _>, PullError>>()?;
        while let Some((child, contact, response)) = responses.next().await {
            let stream = child.stream_name().to_owned();
            match response {
                Ok(response) => {
                    let body = pack_responses([(contact.as_str(), response.body.as_ref())]);
                    // Committed in this order: a kill in between repeats the request, which is
                    // harmless.
                    let progress = progress_by_child[&child].clone();
                    self.write_to_spool(SpoolWrite::Entry {
                        stream: stream.clone(),
                        rows: 1,
                        body,
                        progress,
                    })
                    .await?;
                    let subjects = subjects.remove(&(child, contact.clone())).unwrap_or_default();
                    for subject in subjects {
                        let stream = stream.clone();
                        self.write_to_spool(SpoolWrite::FailureResolved { stream, subject })
                            .await?;
                    }
                    self.record_broken(&stream, Some(&contact), "its list", &response.broken)
                        .await?;
                    let missing = response.head.missing;
                    self.record_missing_rows(&stream, contact.as_str(), missing).await?;
                }
                Err(error) => self.record_failure(&stream, contact.as_str(), error).await?,
            }
        }
        Ok(())
    }

    /// Waits before the search is repeated for contacts that it may be hiding.
    pub(super) async fn wait_for_index(&self, time: std::time::Duration) -> bool {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.observer.observe(&RunEvent::Waiting { reason: WaitReason::IndexLag, ms });
        tokio::select! {
            () = tokio::time::sleep(time) => true,
            () = self.cancel.wait_for_cancel() => false,
        }
    }

    /// Waits until all earlier writes are committed and can be read.
    pub(super) async fn flush_writes(&self) -> Result<(), PullError> {
        let (done, committed) = tokio::sync::oneshot::channel();
        self.write_to_spool(SpoolWrite::Barrier(done)).await?;
        committed.await.map_err(|_| PullError::Store)
    }
}

fn parse_failed_child(failure: &FetchFailure) -> Option<(ChildKind, ContactId)> {
    let child = ChildKind::ALL.into_iter().find(|child| child.stream_name() == failure.stream)?;
    Some((child, broken_records::parse_owner(failure)?))
}

/// Whether the server rejected the query itself.
pub(super) fn is_query_rejected(kind: ApiErrorKind) -> bool {
    matches!(kind, ApiErrorKind::Refused | ApiErrorKind::Gone)
}
