//! Child records that are read contact by contact: always notes; tasks and appointments where the
//! API or the token allows nothing else.
//!
//! Responses are stored in contact order, a few hundred at a time, so that one position records all
//! progress and a kill loses at most a second of responses.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::committed_page::{ChildCursor, CommittedPage};
use super::{Pull, PullError};
use crate::api::{self, ApiClient, ApiEndpoint, ApiErrorKind, ApiResponse, ChildList, RetryPolicy};
use crate::concurrency;
use crate::id::ContactId;
use crate::run::{SpoolWrite, StreamProgress, pack_responses, stream};

/// Most responses stored together.
const BATCH_RESPONSES: usize = 250;
/// Most bytes of responses stored together.
const BATCH_BYTES: usize = 1 << 20;
/// How long a response may wait to be stored.
const BATCH_DELAY: Duration = Duration::from_secs(1);

/// A kind of child record that is read contact by contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChildKind {
    /// Notes.
    Notes,
    /// Tasks.
    Tasks,
    /// Appointments.
    Appointments,
}

impl ChildKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Notes, Self::Tasks, Self::Appointments];

    /// Its stream in the spool.
    #[must_use]
    pub fn stream_name(self) -> &'static str {
        match self {
            Self::Notes => stream::NOTES,
            Self::Tasks => stream::CONTACT_TASKS,
            Self::Appointments => stream::CONTACT_APPOINTMENTS,
        }
    }

    /// The endpoint that returns it for one contact.
    pub(super) fn endpoint(self) -> ApiEndpoint {
        match self {
            Self::Notes => ApiEndpoint::ContactNotes,
            Self::Tasks => ApiEndpoint::ContactTasks,
            Self::Appointments => ApiEndpoint::ContactAppointments,
        }
    }

    pub(super) async fn fetch_for_contact(
        self,
        client: &ApiClient,
        id: &ContactId,
        policy: RetryPolicy,
    ) -> Result<ApiResponse<ChildList>, api::ApiError> {
        match self {
            Self::Notes => client.list_contact_notes(id, policy).await,
            Self::Tasks => client.list_contact_tasks(id, policy).await,
            Self::Appointments => client.list_contact_appointments(id, policy).await,
        }
    }
}

/// A request for one contact's children, and the position after that contact.
struct ChildRequest {
    child: ChildKind,
    contact: ContactId,
    next_cursor: ChildCursor,
}

type ChildResponse = (ChildRequest, Result<ApiResponse<ChildList>, api::ApiError>);

impl Pull {
    /// Marks the streams of the children as complete.
    pub(super) async fn mark_children_done(&self, children: &[ChildKind]) -> Result<(), PullError> {
        self.flush_writes().await?;
        for child in children {
            let progress = self.stream_progress(child.stream_name())?;
            let progress = StreamProgress { done: true, total: Some(progress.rows), ..progress };
            self.write_to_spool(SpoolWrite::ProgressOnly {
                stream: child.stream_name().to_owned(),
                progress,
            })
            .await?;
        }
        Ok(())
    }

    /// Where reading children resumes: the earliest position of all kinds.
    pub(super) fn earliest_child_cursor(
        &self,
        children: &[ChildKind],
    ) -> Result<ChildCursor, PullError> {
        let mut first: Option<ChildCursor> = None;
        for child in children {
            let cursor = self.stream_progress(child.stream_name())?.cursor;
            let cursor = cursor.and_then(|cursor| serde_json::from_str(&cursor).ok());
            let cursor = cursor.unwrap_or_default();
            first = Some(first.map_or(cursor, |first| first.min(cursor)));
        }
        Ok(first.unwrap_or_default())
    }

    pub(super) async fn pull_children_of_pages(
        &self,
        children: &[ChildKind],
        start: ChildCursor,
        pages: mpsc::Receiver<Arc<CommittedPage>>,
    ) -> Result<(), PullError> {
        let requests = child_requests(pages, children.to_vec(), start);
        let client = self.client.clone();
        let responses =
            concurrency::run_in_order(requests, self.request_concurrency(), move |request| {
                send_child_request(client.clone(), request, RetryPolicy::BEST_EFFORT)
            });
        let mut writer = ChildBatchWriter::new(self, children)?;
        let result = writer.collect_responses(responses).await;
        // Also after an error: the responses before it are stored.
        writer.flush().await?;
        result
    }
}

async fn send_child_request(
    client: ApiClient,
    request: ChildRequest,
    policy: RetryPolicy,
) -> ChildResponse {
    let response = request.child.fetch_for_contact(&client, &request.contact, policy).await;
    (request, response)
}

/// One request per contact and kind of child, from a position on.
fn child_requests(
    pages: mpsc::Receiver<Arc<CommittedPage>>,
    children: Vec<ChildKind>,
    start: ChildCursor,
) -> impl Stream<Item = ChildRequest> {
    let pages = futures::stream::unfold(pages, |mut pages| async move {
        pages.recv().await.map(|page| (page, pages))
    });
    pages.flat_map(move |page| {
        let children = children.clone();
        let contacts: Vec<_> = page.positions_from(start).collect();
        futures::stream::iter(contacts.into_iter().flat_map(move |(contact, next_cursor)| {
            let request =
                move |child| ChildRequest { child, contact: contact.clone(), next_cursor };
            children.clone().into_iter().map(request)
        }))
    })
}

/// Responses for one kind of child that are not stored yet, and that stream's progress.
struct ChildBuffer {
    child: ChildKind,
    progress: StreamProgress,
    responses: Vec<(ContactId, Bytes)>,
}

/// Buffers responses and writes them to the spool in batches.
struct ChildBatchWriter<'a> {
    pull: &'a Pull,
    buffers: Vec<ChildBuffer>,
    responses: usize,
    bytes: usize,
    flush_due: Option<Instant>,
    done: u64,
    cursor: Option<ChildCursor>,
}

impl<'a> ChildBatchWriter<'a> {
    fn new(pull: &'a Pull, children: &[ChildKind]) -> Result<Self, PullError> {
        let kind = |child: &ChildKind| {
            let progress = pull.stream_progress(child.stream_name())?;
            Ok(ChildBuffer { child: *child, progress, responses: Vec::new() })
        };
        let buffers = children.iter().map(kind).collect::<Result<Vec<_>, PullError>>()?;
        let done = buffers.iter().map(|kind| kind.progress.rows).min().unwrap_or(0);
        Ok(Self { pull, buffers, responses: 0, bytes: 0, flush_due: None, done, cursor: None })
    }

    async fn collect_responses(
        &mut self,
        responses: impl Stream<Item = ChildResponse>,
    ) -> Result<(), PullError> {
        let mut responses = pin!(responses);
        loop {
            let next = match self.flush_due {
                None => responses.next().await,
                Some(flush_due) => {
                    let Ok(next) = tokio::time::timeout_at(flush_due, responses.next()).await
                    else {
                        self.flush().await?;
                        continue;
                    };
                    next
                }
            };
            match next {
                None => return Ok(()),
                Some((request, response)) => self.add_response(request, response).await?,
            }
        }
    }

    async fn add_response(
        &mut self,
        request: ChildRequest,
        response: Result<ApiResponse<ChildList>, api::ApiError>,
    ) -> Result<(), PullError> {
        match response {
            Ok(response) => {
                let (stream, contact) = (request.child.stream_name(), &request.contact);
                self.pull
                    .record_broken(stream, Some(contact), "its list", &response.broken)
                    .await?;
                let missing = response.head.missing;
                self.pull.record_missing_rows(stream, contact.as_str(), missing).await?;
                self.responses += 1;
                self.bytes += response.body.len();
                let kind = self.buffers.iter_mut().find(|kind| kind.child == request.child);
                let kind = kind.expect("every request is of a known kind");
                kind.responses.push((request.contact, response.body));
            }
            // Buffered behind a slow response, many of these would exhaust memory.
            Err(error) if error.kind == ApiErrorKind::TooLarge => {
                self.pull.defer_child_request(request.child, &request.contact).await?;
            }
            Err(error) => {
                let stream = request.child.stream_name();
                self.pull.record_failure(stream, request.contact.as_str(), error).await?;
            }
        }
        let last = self.buffers.last().map(|kind| kind.child);
        if last == Some(request.child) {
            self.cursor = Some(request.next_cursor);
            self.done += 1;
            self.flush_due.get_or_insert_with(|| Instant::now() + BATCH_DELAY);
        }
        if self.responses >= BATCH_RESPONSES || self.bytes >= BATCH_BYTES {
            self.flush().await
        } else {
            Ok(())
        }
    }

    /// Stores the buffered responses with the position after them.
    async fn flush(&mut self) -> Result<(), PullError> {
        let cursor = self.cursor.map(|cursor| serde_json::to_string(&cursor).expect("two numbers"));
        let mut total = None;
        for ChildBuffer { child, progress, responses } in &mut self.buffers {
            let count = responses.len();
            progress.cursor = cursor.clone().or(progress.cursor.take());
            progress.rows = self.done;
            let stream = child.stream_name().to_owned();
            let body =
                pack_responses(responses.iter().map(|(id, body)| (id.as_str(), body.as_ref())));
            responses.clear();
            let progress = progress.clone();
            let write = match u32::try_from(count).expect("a batch is small") {
                0 if cursor.is_none() => continue,
                0 => SpoolWrite::ProgressOnly { stream, progress },
                rows => SpoolWrite::Entry { stream, rows, body, progress },
            };
            total = Some(self.done);
            self.pull.write_to_spool(write).await?;
        }
        (self.responses, self.bytes, self.flush_due) = (0, 0, None);
        if let Some(done) = total {
            self.pull.report_progress("contacts_done", done, None);
        }
        Ok(())
    }
}
