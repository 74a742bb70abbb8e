//! The pages of the walk once they are committed, and those who read the children of their contacts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::id::ContactId;

/// A position in the walk: a page and the index of a contact on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct ChildCursor {
    pub(super) page: u64,
    pub(super) contact: usize,
}

/// A committed page, as the readers of its contacts' children receive it.
#[derive(Debug)]
pub(super) struct CommittedPage {
    /// Its index among the committed pages, from 0.
    pub(super) ordinal: u64,
    /// Its contacts; `None` for an unusable row and for a row repeated from the previous page.
    pub(super) contacts: Vec<Option<ContactId>>,
    /// When each of them was last changed, in milliseconds since 1970.
    pub(super) updated: Vec<Option<i64>>,
}

impl CommittedPage {
    /// The contacts from a position of the walk on, each with the position after it.
    pub(super) fn positions_from(
        &self,
        start: ChildCursor,
    ) -> impl Iterator<Item = (ContactId, ChildCursor)> + '_ {
        let page = self.ordinal;
        self.contacts.iter().enumerate().filter_map(move |(at, contact)| {
            let cursor = ChildCursor { page, contact: at };
            let next = ChildCursor { page, contact: at + 1 };
            contact.clone().filter(|_| cursor >= start).map(|contact| (contact, next))
        })
    }
}

/// The readers of committed pages, each with the first page that it needs.
#[derive(Debug, Default)]
pub(super) struct PageReaders {
    readers: Vec<(u64, mpsc::Sender<Arc<CommittedPage>>)>,
}

impl PageReaders {
    /// Adds a reader, which receives the pages from `first` on.
    pub(super) fn add_reader(&mut self, first: u64) -> mpsc::Receiver<Arc<CommittedPage>> {
        // Buffers one page while the children of the previous one are read.
        let (sender, receiver) = mpsc::channel(1);
        self.readers.push((first, sender));
        receiver
    }

    pub(super) fn is_empty(&self) -> bool {
        self.readers.is_empty()
    }

    /// The first page that any reader needs.
    pub(super) fn first_page(&self) -> u64 {
        self.readers.iter().map(|(first, _)| *first).min().unwrap_or(0)
    }

    /// Sends a page to those who need it; false if one of them has ended, which then reports the reason.
    pub(super) async fn send_page(&self, page: CommittedPage) -> bool {
        let page = Arc::new(page);
        for (_, reader) in self.readers.iter().filter(|(first, _)| page.ordinal >= *first) {
            if reader.send(Arc::clone(&page)).await.is_err() {
                return false;
            }
        }
        true
    }
}
