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

use super::contacts::Page;
use super::{Error, Pull};
use crate::api::{self, Answer, Bounds, ChildPage, Client, Kind};
use crate::concurrency;
use crate::id::ContactId;
use crate::run::{Progress, Write, pack, stream};

/// Answers stored together, at most.
const PACK: usize = 250;
/// Their size at most, in bytes.
const PACK_BYTES: usize = 1 << 20;
/// How long an answer may wait to be stored.
const PACK_TIME: Duration = Duration::from_secs(1);

/// What is read contact by contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Child {
    /// Notes.
    Notes,
    /// Tasks.
    Tasks,
    /// Appointments.
    Appointments,
}

impl Child {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Notes, Self::Tasks, Self::Appointments];

    /// Its stream in the spool.
    #[must_use]
    pub fn stream(self) -> &'static str {
        match self {
            Self::Notes => stream::NOTES,
            Self::Tasks => stream::CONTACT_TASKS,
            Self::Appointments => stream::CONTACT_APPOINTMENTS,
        }
    }

    pub(super) async fn ask(
        self,
        client: &Client,
        id: &ContactId,
        bounds: Bounds,
    ) -> Result<Answer<ChildPage>, api::Error> {
        match self {
            Self::Notes => client.contact_notes(id, bounds).await,
            Self::Tasks => client.contact_tasks(id, bounds).await,
            Self::Appointments => client.contact_appointments(id, bounds).await,
        }
    }
}

/// A place in the walk: a page, and a contact of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Place {
    page: u64,
    contact: usize,
}

/// A contact to be asked about, and the place behind it.
struct Target {
    child: Child,
    contact: ContactId,
    behind: Place,
}

type Asked = (Target, Result<Answer<ChildPage>, api::Error>);

impl Pull {
    /// Walks the contacts and reads their children, both at once.
    pub(super) async fn contacts_and_children(&self, children: &[Child]) -> Result<(), Error> {
        if children.is_empty() {
            return self.walk(None, 0).await;
        }
        let begin = self.place(children)?;
        // One page waits here while the children of the one before run.
        let (pages, read) = mpsc::channel(1);
        let (walked, followed) =
            tokio::join!(self.walk(Some(pages), begin.page), self.follow(children, begin, read));
        followed.and(walked)?;
        self.close(children).await
    }

    /// Notes that every contact was asked.
    async fn close(&self, children: &[Child]) -> Result<(), Error> {
        self.settle_writes().await?;
        for child in children {
            let progress = self.progress(child.stream())?;
            let progress = Progress { done: true, total: Some(progress.rows), ..progress };
            self.store(Write::Moved { stream: child.stream().to_owned(), progress }).await?;
        }
        Ok(())
    }

    /// Where the reading of the children goes on: the earliest place of all kinds.
    fn place(&self, children: &[Child]) -> Result<Place, Error> {
        let mut first: Option<Place> = None;
        for child in children {
            let cursor = self.progress(child.stream())?.cursor;
            let place = cursor.and_then(|cursor| serde_json::from_str(&cursor).ok());
            let place = place.unwrap_or_default();
            first = Some(first.map_or(place, |first| first.min(place)));
        }
        Ok(first.unwrap_or_default())
    }

    async fn follow(
        &self,
        children: &[Child],
        begin: Place,
        pages: mpsc::Receiver<Page>,
    ) -> Result<(), Error> {
        let targets = targets(pages, children.to_vec(), begin);
        let client = self.client.clone();
        let asked = concurrency::ordered(targets, self.width(), move |target| {
            ask(client.clone(), target, Bounds::BRIEF)
        });
        let mut packs = Packs::begin(self, children)?;
        let result = packs.take_all(asked).await;
        // Also after a failure: what was answered before it is kept.
        packs.store().await?;
        result
    }
}

async fn ask(client: Client, target: Target, bounds: Bounds) -> Asked {
    let answer = target.child.ask(&client, &target.contact, bounds).await;
    (target, answer)
}

/// The contacts of the pages, from a place on, once for each kind of child.
fn targets(
    pages: mpsc::Receiver<Page>,
    children: Vec<Child>,
    begin: Place,
) -> impl Stream<Item = Target> {
    let pages = futures::stream::unfold(pages, |mut pages| async move {
        pages.recv().await.map(|page| (page, pages))
    });
    pages.flat_map(move |page| {
        let children = children.clone();
        let contacts = page.contacts.into_iter().enumerate();
        let targets = contacts.filter_map(move |(at, contact)| {
            let place = Place { page: page.ordinal, contact: at };
            let behind = Place { page: page.ordinal, contact: at + 1 };
            contact.filter(|_| place >= begin).map(|contact| (contact, behind))
        });
        futures::stream::iter(targets.flat_map(move |(contact, behind)| {
            let target = move |child| Target { child, contact: contact.clone(), behind };
            children.clone().into_iter().map(target)
        }))
    })
}

/// Answers of one kind, not stored yet, and where the kind's stream stands.
struct Gathered {
    child: Child,
    progress: Progress,
    answers: Vec<(ContactId, Bytes)>,
}

/// Answers on their way into the spool.
struct Packs<'a> {
    pull: &'a Pull,
    kinds: Vec<Gathered>,
    answers: usize,
    bytes: usize,
    due: Option<Instant>,
    done: u64,
    place: Option<Place>,
}

impl<'a> Packs<'a> {
    fn begin(pull: &'a Pull, children: &[Child]) -> Result<Self, Error> {
        let kind = |child: &Child| {
            let progress = pull.progress(child.stream())?;
            Ok(Gathered { child: *child, progress, answers: Vec::new() })
        };
        let kinds = children.iter().map(kind).collect::<Result<Vec<_>, Error>>()?;
        let done = kinds.iter().map(|kind| kind.progress.rows).min().unwrap_or(0);
        Ok(Self { pull, kinds, answers: 0, bytes: 0, due: None, done, place: None })
    }

    async fn take_all(&mut self, asked: impl Stream<Item = Asked>) -> Result<(), Error> {
        let mut asked = pin!(asked);
        loop {
            let next = match self.due {
                None => asked.next().await,
                Some(due) => {
                    let Ok(next) = tokio::time::timeout_at(due, asked.next()).await else {
                        self.store().await?;
                        continue;
                    };
                    next
                }
            };
            match next {
                None => return Ok(()),
                Some((target, answer)) => self.take(target, answer).await?,
            }
        }
    }

    async fn take(
        &mut self,
        target: Target,
        answer: Result<Answer<ChildPage>, api::Error>,
    ) -> Result<(), Error> {
        match answer {
            Ok(answer) => {
                self.answers += 1;
                self.bytes += answer.body.len();
                let kind = self.kinds.iter_mut().find(|kind| kind.child == target.child);
                let kind = kind.expect("every target is of an asked-for kind");
                kind.answers.push((target.contact, answer.body));
            }
            // Held back behind a slow one, many of these would fill the memory.
            Err(error) if error.kind == Kind::TooLarge => {
                self.pull.ask_later(target.child, &target.contact).await?;
            }
            Err(error) => {
                let stream = target.child.stream();
                self.pull.set_aside(stream, target.contact.as_str(), error).await?;
            }
        }
        let last = self.kinds.last().map(|kind| kind.child);
        if last == Some(target.child) {
            self.place = Some(target.behind);
            self.done += 1;
            self.due.get_or_insert_with(|| Instant::now() + PACK_TIME);
        }
        if self.answers >= PACK || self.bytes >= PACK_BYTES { self.store().await } else { Ok(()) }
    }

    /// Stores what has gathered, with the place behind it.
    async fn store(&mut self) -> Result<(), Error> {
        let cursor = self.place.map(|place| serde_json::to_string(&place).expect("two numbers"));
        let mut total = None;
        for Gathered { child, progress, answers } in &mut self.kinds {
            let count = answers.len();
            progress.cursor = cursor.clone().or(progress.cursor.take());
            progress.rows = self.done;
            let stream = child.stream().to_owned();
            let body = pack(answers.iter().map(|(id, body)| (id.as_str(), body.as_ref())));
            answers.clear();
            let progress = progress.clone();
            let write = match u32::try_from(count).expect("a pack is small") {
                0 if cursor.is_none() => continue,
                0 => Write::Moved { stream, progress },
                rows => Write::Entry { stream, rows, body, progress },
            };
            total = Some(self.done);
            self.pull.store(write).await?;
        }
        (self.answers, self.bytes, self.due) = (0, 0, None);
        if let Some(done) = total {
            self.pull.tell("contacts_done", done, None);
        }
        Ok(())
    }
}
