//! Children that are read contact by contact: notes always, tasks and appointments where the API or
//! the token knows no other way.
//!
//! Answers are stored in the order of the contacts, some hundreds together; so one position says what
//! is done, and a kill costs what has not been stored for a second.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::contacts::CommittedPage;
use super::{Pull, PullError};
use crate::api::{self, ApiClient, ApiErrorKind, ApiResponse, ChildList, RetryPolicy};
use crate::concurrency;
use crate::id::ContactId;
use crate::run::{SpoolWrite, StreamProgress, pack_responses, stream};

/// Answers stored together, at most.
const PACK: usize = 250;
/// Their size at most, in bytes.
const PACK_BYTES: usize = 1 << 20;
/// How long an answer may wait to be stored.
const PACK_TIME: Duration = Duration::from_secs(1);

/// What is read contact by contact.
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

    pub(super) async fn fetch_for_contact(
        self,
        client: &ApiClient,
        id: &ContactId,
        bounds: RetryPolicy,
    ) -> Result<ApiResponse<ChildList>, api::ApiError> {
        match self {
            Self::Notes => client.list_contact_notes(id, bounds).await,
            Self::Tasks => client.list_contact_tasks(id, bounds).await,
            Self::Appointments => client.list_contact_appointments(id, bounds).await,
        }
    }
}

/// A place in the walk: a page, and a contact of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct ChildCursor {
    page: u64,
    contact: usize,
}

/// A contact to be asked about, and the place behind it.
struct ChildRequest {
    child: ChildKind,
    contact: ContactId,
    behind: ChildCursor,
}

type ChildResponse = (ChildRequest, Result<ApiResponse<ChildList>, api::ApiError>);

impl Pull {
    /// Walks the contacts and reads their children, both at once.
    pub(super) async fn pull_contacts_and_children(
        &self,
        children: &[ChildKind],
    ) -> Result<(), PullError> {
        if children.is_empty() {
            return self.walk_contacts(None, 0).await;
        }
        let begin = self.earliest_child_cursor(children)?;
        // One page waits here while the children of the one before run.
        let (pages, read) = mpsc::channel(1);
        let (walked, followed) = tokio::join!(
            self.walk_contacts(Some(pages), begin.page),
            self.pull_children_of_pages(children, begin, read)
        );
        followed.and(walked)?;
        self.mark_children_done(children).await
    }

    /// Notes that every contact was asked.
    async fn mark_children_done(&self, children: &[ChildKind]) -> Result<(), PullError> {
        self.flush_writes().await?;
        for child in children {
            let progress = self.stream_progress(child.stream_name())?;
            let progress = StreamProgress { done: true, total: Some(progress.rows), ..progress };
            self.write_to_spool(SpoolWrite::Moved {
                stream: child.stream_name().to_owned(),
                progress,
            })
            .await?;
        }
        Ok(())
    }

    /// Where the reading of the children goes on: the earliest place of all kinds.
    fn earliest_child_cursor(&self, children: &[ChildKind]) -> Result<ChildCursor, PullError> {
        let mut first: Option<ChildCursor> = None;
        for child in children {
            let cursor = self.stream_progress(child.stream_name())?.cursor;
            let place = cursor.and_then(|cursor| serde_json::from_str(&cursor).ok());
            let place = place.unwrap_or_default();
            first = Some(first.map_or(place, |first| first.min(place)));
        }
        Ok(first.unwrap_or_default())
    }

    async fn pull_children_of_pages(
        &self,
        children: &[ChildKind],
        begin: ChildCursor,
        pages: mpsc::Receiver<CommittedPage>,
    ) -> Result<(), PullError> {
        let targets = child_requests(pages, children.to_vec(), begin);
        let client = self.client.clone();
        let asked = concurrency::run_in_order(targets, self.request_concurrency(), move |target| {
            send_child_request(client.clone(), target, RetryPolicy::BEST_EFFORT)
        });
        let mut packs = ChildBatchWriter::new(self, children)?;
        let result = packs.collect_responses(asked).await;
        // Also after a failure: what was answered before it is kept.
        packs.flush().await?;
        result
    }
}

async fn send_child_request(
    client: ApiClient,
    target: ChildRequest,
    bounds: RetryPolicy,
) -> ChildResponse {
    let answer = target.child.fetch_for_contact(&client, &target.contact, bounds).await;
    (target, answer)
}

/// The contacts of the pages, from a place on, once for each kind of child.
fn child_requests(
    pages: mpsc::Receiver<CommittedPage>,
    children: Vec<ChildKind>,
    begin: ChildCursor,
) -> impl Stream<Item = ChildRequest> {
    let pages = futures::stream::unfold(pages, |mut pages| async move {
        pages.recv().await.map(|page| (page, pages))
    });
    pages.flat_map(move |page| {
        let children = children.clone();
        let contacts = page.contacts.into_iter().enumerate();
        let targets = contacts.filter_map(move |(at, contact)| {
            let place = ChildCursor { page: page.ordinal, contact: at };
            let behind = ChildCursor { page: page.ordinal, contact: at + 1 };
            contact.filter(|_| place >= begin).map(|contact| (contact, behind))
        });
        futures::stream::iter(targets.flat_map(move |(contact, behind)| {
            let target = move |child| ChildRequest { child, contact: contact.clone(), behind };
            children.clone().into_iter().map(target)
        }))
    })
}

/// Answers of one kind, not stored yet, and where the kind's stream stands.
struct ChildBuffer {
    child: ChildKind,
    progress: StreamProgress,
    answers: Vec<(ContactId, Bytes)>,
}

/// Answers on their way into the spool.
struct ChildBatchWriter<'a> {
    pull: &'a Pull,
    kinds: Vec<ChildBuffer>,
    answers: usize,
    bytes: usize,
    due: Option<Instant>,
    done: u64,
    place: Option<ChildCursor>,
}

impl<'a> ChildBatchWriter<'a> {
    fn new(pull: &'a Pull, children: &[ChildKind]) -> Result<Self, PullError> {
        let kind = |child: &ChildKind| {
            let progress = pull.stream_progress(child.stream_name())?;
            Ok(ChildBuffer { child: *child, progress, answers: Vec::new() })
        };
        let kinds = children.iter().map(kind).collect::<Result<Vec<_>, PullError>>()?;
        let done = kinds.iter().map(|kind| kind.progress.rows).min().unwrap_or(0);
        Ok(Self { pull, kinds, answers: 0, bytes: 0, due: None, done, place: None })
    }

    async fn collect_responses(
        &mut self,
        asked: impl Stream<Item = ChildResponse>,
    ) -> Result<(), PullError> {
        let mut asked = pin!(asked);
        loop {
            let next = match self.due {
                None => asked.next().await,
                Some(due) => {
                    let Ok(next) = tokio::time::timeout_at(due, asked.next()).await else {
                        self.flush().await?;
                        continue;
                    };
                    next
                }
            };
            match next {
                None => return Ok(()),
                Some((target, answer)) => self.add_response(target, answer).await?,
            }
        }
    }

    async fn add_response(
        &mut self,
        target: ChildRequest,
        answer: Result<ApiResponse<ChildList>, api::ApiError>,
    ) -> Result<(), PullError> {
        match answer {
            Ok(answer) => {
                self.answers += 1;
                self.bytes += answer.body.len();
                let kind = self.kinds.iter_mut().find(|kind| kind.child == target.child);
                let kind = kind.expect("every target is of an asked-for kind");
                kind.answers.push((target.contact, answer.body));
            }
            // Held back behind a slow one, many of these would fill the memory.
            Err(error) if error.kind == ApiErrorKind::TooLarge => {
                self.pull.defer_child_request(target.child, &target.contact).await?;
            }
            Err(error) => {
                let stream = target.child.stream_name();
                self.pull.record_failure(stream, target.contact.as_str(), error).await?;
            }
        }
        let last = self.kinds.last().map(|kind| kind.child);
        if last == Some(target.child) {
            self.place = Some(target.behind);
            self.done += 1;
            self.due.get_or_insert_with(|| Instant::now() + PACK_TIME);
        }
        if self.answers >= PACK || self.bytes >= PACK_BYTES { self.flush().await } else { Ok(()) }
    }

    /// Stores what has gathered, with the place behind it.
    async fn flush(&mut self) -> Result<(), PullError> {
        let cursor = self.place.map(|place| serde_json::to_string(&place).expect("two numbers"));
        let mut total = None;
        for ChildBuffer { child, progress, answers } in &mut self.kinds {
            let count = answers.len();
            progress.cursor = cursor.clone().or(progress.cursor.take());
            progress.rows = self.done;
            let stream = child.stream_name().to_owned();
            let body =
                pack_responses(answers.iter().map(|(id, body)| (id.as_str(), body.as_ref())));
            answers.clear();
            let progress = progress.clone();
            let write = match u32::try_from(count).expect("a pack is small") {
                0 if cursor.is_none() => continue,
                0 => SpoolWrite::Moved { stream, progress },
                rows => SpoolWrite::Entry { stream, rows, body, progress },
            };
            total = Some(self.done);
            self.pull.write_to_spool(write).await?;
        }
        (self.answers, self.bytes, self.due) = (0, 0, None);
        if let Some(done) = total {
            self.pull.report_progress("contacts_done", done, None);
        }
        Ok(())
    }
}
