//! The contacts that somebody named, by id, e-mail address or phone number, and no others.
//!
//! They are searched for, a hundred a request, or picked out of a walk over the whole account where that
//! takes fewer requests. Whom the search does not show is asked for alone: its index lags (api.md §2.10),
//! and a contact that exists must not be called missing. Rows are stored as the server sent them; what
//! nobody named is not stored.

mod id_list;
mod lookup_key;
mod strategy;

use std::collections::HashSet;
use std::pin::pin;

use bytes::Bytes;
use futures::StreamExt;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::contacts::{Page, Walk};
use super::{Error, Pull, failure};
use crate::api::{self, Client, Cursor, Filter, Kind, SEARCH_LIMIT};
use crate::concurrency;
use crate::id::ContactId;
use crate::run::{Write, stream};

pub use id_list::{List, is_listed};
pub use lookup_key::Key;
use lookup_key::Wanted;
pub use strategy::{Cost, cost};
use strategy::{Way, first, lots, pages};

/// Keys that are asked for alone after a search showed nobody; for more of them the search is believed.
const CHECKED: usize = 1_000;
/// Answers of single requests that are stored together.
const TOGETHER: usize = 50;
/// The code of a contact that was named and is not there.
const LACKING: &str = "lacking";

/// Rows that a search gave, or that it cannot be asked that way.
enum Found {
    Rows(Vec<Box<RawValue>>),
    Refused,
}

impl Pull {
    /// Finds the contacts that were chosen, and sends each committed lot to `pages` if somebody listens.
    pub(super) async fn walk_chosen(
        &self,
        pages: Option<mpsc::Sender<Page>>,
        backlog: u64,
    ) -> Result<(), Error> {
        let walk = self.take_up(pages.as_ref(), backlog).await?;
        if walk.progress.done {
            return Ok(());
        }
        let wanted = self.wanted().await?;
        let gone = false;
        Search { pull: self, walk, wanted, pages, gone, later: false }.carry_out().await
    }

    /// Asks once more for the contacts that were named and not found.
    pub(super) async fn ask_again_for_chosen(&self) -> Result<(), Error> {
        let walk = self.take_up(None, u64::MAX).await?;
        let mut wanted = self.wanted().await?;
        let failed = self.not_found()?;
        wanted.keys.retain(|key, _| failed.contains(key.text()));
        let keys: Vec<Key> = wanted.keys.keys().cloned().collect();
        let mut search = Search { pull: self, walk, wanted, pages: None, gone: false, later: true };
        search.ask_each(keys, Way::Ones { all: true }).await?;
        search.end().await
    }

    /// What an earlier try did not find, as it was named.
    fn not_found(&self) -> Result<HashSet<String>, Error> {
        let failures = self.reader()?.failures()?.into_iter();
        let contacts = failures.filter(|failure| failure.stream == stream::CONTACTS);
        Ok(contacts.map(|failure| failure.subject).collect())
    }
}

/// A search for chosen contacts.
struct Search<'p> {
    pull: &'p Pull,
    walk: Walk,
    wanted: Wanted,
    pages: Option<mpsc::Sender<Page>>,
    /// Whether nobody listens any more: whoever asks for the children has failed, and says why.
    gone: bool,
    /// Whether the children are asked for at the end, each by itself.
    later: bool,
}

impl Search<'_> {
    async fn carry_out(mut self) -> Result<(), Error> {
        let stored = self.walk.progress.cursor.as_deref();
        let mut way = match stored.and_then(|way| serde_json::from_str(way).ok()) {
            Some(way) => way,
            None => self.begin().await?,
        };
        while !self.gone {
            way = match way {
                Way::Lots(done) => self.search(done).await?,
                Way::Walk(cursor) => self.pick(cursor).await?,
                Way::Ones { all } => {
                    self.check(all).await?;
                    return if self.gone { Ok(()) } else { self.end().await };
                }
            };
        }
        Ok(())
    }

    async fn begin(&self) -> Result<Way, Error> {
        let lots = lots(self.wanted.keys.keys()).len();
        // What a walk costs matters only where it could be less.
        let total = if lots > 1 { self.total().await? } else { u64::MAX };
        Ok(first(self.wanted.keys.keys(), lots, total))
    }

    async fn total(&self) -> Result<u64, Error> {
        let answer = self.pull.client.search_contacts(&Filter::default(), 1, None).await?;
        Ok(answer.head.total.unwrap_or(u64::MAX))
    }

    /// By searches, from a lot on. How to go on.
    async fn search(&mut self, mut done: usize) -> Result<Way, Error> {
        let lots = lots(self.wanted.keys.keys()).into_iter().skip(done);
        let client = self.pull.client.clone();
        let asked =
            concurrency::ordered(futures::stream::iter(lots), self.pull.width(), move |lot| {
                let client = client.clone();
                async move { search_for(&client, &lot).await }
            });
        let mut asked = pin!(asked);
        while let Some(found) = asked.next().await {
            let Found::Rows(rows) = found? else { return self.instead().await };
            done += 1;
            self.keep(rows, &Way::Lots(done)).await?;
            if self.gone {
                break;
            }
        }
        Ok(Way::Ones { all: false })
    }

    /// The way where the server takes no such search.
    async fn instead(&self) -> Result<Way, Error> {
        let missing = self.wanted.missing().count() as u64;
        let walk = pages(self.total().await?) <= missing;
        Ok(if walk { Way::Walk(None) } else { Way::Ones { all: true } })
    }

    /// Out of a walk over all contacts, from a cursor on. How to go on.
    async fn pick(&mut self, cursor: Option<String>) -> Result<Way, Error> {
        let mut cursor = cursor.as_deref().map(Cursor::parse).transpose().map_err(|error| {
            let why = format!("the cursor: {error}");
            crate::run::Error::Damaged { path: self.pull.db.clone(), why }
        })?;
        let mut limit = SEARCH_LIMIT;
        let ids = self.wanted.keys.keys().all(|key| matches!(key, Key::Id(_)));
        while !self.gone {
            let asked =
                self.pull.client.search_contacts(&Filter::default(), limit, cursor.as_ref()).await;
            let page = match asked {
                // Contacts with very large fields: fewer of them at a time.
                Err(error) if error.kind == Kind::TooLarge && limit > 1 => {
                    limit /= 2;
                    continue;
                }
                page => page?,
            };
            let rows = own_rows(&page.body).map_err(|error| self.unreadable(&error))?;
            let end = rows.is_empty() || page.head.next.is_none() || page.head.next == cursor;
            cursor = page.head.next;
            let place = cursor.as_ref().map(|cursor| cursor.as_str().to_owned());
            self.keep(rows, &Way::Walk(place)).await?;
            // An address may be several people's; an id is one's.
            if end || (ids && self.wanted.missing().next().is_none()) {
                break;
            }
        }
        Ok(Way::Ones { all: false })
    }

    /// Asks for those that were not found: for all of them, or for so many that it is cheap.
    async fn check(&mut self, all: bool) -> Result<(), Error> {
        self.pull.settle_writes().await?;
        let failed = self.pull.not_found()?;
        let asked = |key: &&Key| !failed.contains(key.text());
        let most = if all { usize::MAX } else { CHECKED };
        let mut missing: Vec<Key> = self.wanted.missing().filter(asked).cloned().collect();
        let believed = missing.split_off(missing.len().min(most));
        self.ask_each(missing, Way::Ones { all }).await?;
        for key in believed {
            let why = "the search shows no such contact; `--retry-errors` asks for it by itself";
            let failure = id_list::failure(key.text(), LACKING, why.to_owned());
            self.pull.store(Write::Failed(failure)).await?;
        }
        Ok(())
    }

    async fn ask_each(&mut self, keys: Vec<Key>, way: Way) -> Result<(), Error> {
        let client = self.pull.client.clone();
        let asked =
            concurrency::ordered(futures::stream::iter(keys), self.pull.width(), move |key| {
                let client = client.clone();
                async move { (ask_for(&client, &key).await, key) }
            });
        let mut asked = pin!(asked.ready_chunks(TOGETHER));
        while let Some(answers) = asked.next().await {
            let mut rows = Vec::new();
            for (answer, key) in answers {
                match answer {
                    Ok(Some(row)) => {
                        rows.extend(self.wanted.take_for(&key, &row).map(|id| (id, row)));
                        self.mended(&key).await?;
                    }
                    Ok(None) => self.lacking(&key, "the location has no such contact").await?,
                    // Another location's contact is refused as the whole location would be.
                    Err(error) if error.kind == Kind::Location => {
                        self.lacking(&key, &error.to_string()).await?;
                    }
                    Err(error) if error.fatal() => return Err(error.into()),
                    Err(error) => {
                        let failure = failure(stream::CONTACTS, key.text(), &error);
                        self.pull.store(Write::Failed(failure)).await?;
                    }
                }
            }
            self.commit(rows, &way).await?;
            if self.gone {
                break;
            }
        }
        Ok(())
    }

    async fn lacking(&self, key: &Key, why: &str) -> Result<(), Error> {
        let failure = id_list::failure(key.text(), LACKING, why.to_owned());
        self.pull.store(Write::Failed(failure)).await
    }

    /// A contact that was missing in an earlier try, and is there.
    async fn mended(&self, key: &Key) -> Result<(), Error> {
        let (stream, subject) = (stream::CONTACTS.to_owned(), key.text().to_owned());
        self.pull.store(Write::Mended { stream, subject }).await
    }

    /// Stores those rows that are wanted and new.
    async fn keep(&mut self, rows: Vec<Box<RawValue>>, way: &Way) -> Result<(), Error> {
        let wanted = &mut self.wanted;
        let new = rows.into_iter().filter_map(|row| Some((wanted.take(&row)?, row)));
        let new = new.collect();
        self.commit(new, way).await
    }

    async fn commit(
        &mut self,
        rows: Vec<(ContactId, Box<RawValue>)>,
        way: &Way,
    ) -> Result<(), Error> {
        let progress = &mut self.walk.progress;
        progress.rows += rows.len() as u64;
        progress.cursor = Some(serde_json::to_string(way).expect("a way is plain JSON"));
        let (stream, progress) = (stream::CONTACTS.to_owned(), progress.clone());
        let named = self.wanted.keys.len() as u64;
        self.pull.tell("contacts", progress.rows, Some(named.max(progress.rows)));
        if rows.is_empty() {
            return self.pull.store(Write::Moved { stream, progress }).await;
        }
        let count = u32::try_from(rows.len()).expect("a page is small");
        let body = body(rows.iter().map(|(_, row)| row.as_ref()));
        if self.later {
            for child in &self.pull.plan.children {
                for (id, _) in &rows {
                    self.pull.ask_later(*child, id).await?;
                }
            }
        }
        self.pull.store(Write::Entry { stream, rows: count, body, progress }).await?;
        let contacts = rows.into_iter().map(|(id, _)| Some(id)).collect();
        let page = Page { ordinal: self.walk.ordinal, contacts };
        self.walk.ordinal += 1;
        if let Some(pages) = &self.pages {
            self.gone = pages.send(page).await.is_err();
        }
        Ok(())
    }

    /// Notes that everything was asked for, and tells who is missing.
    async fn end(mut self) -> Result<(), Error> {
        self.walk.progress.done = true;
        let (stream, progress) = (stream::CONTACTS.to_owned(), self.walk.progress.clone());
        self.pull.store(Write::Moved { stream, progress }).await?;
        let (named, missing) = (self.wanted.keys.len(), self.wanted.missing().count());
        if missing > 0 {
            let who: Vec<_> = self.wanted.missing().take(3).map(|key| format!("`{key}`")).collect();
            let more = if missing > 3 { ", …" } else { "" };
            self.pull.warn(
                "lacking_contacts",
                format!(
                    "{missing} of {named} contacts that were named could not be found: {}{more}; \
                     `errors.csv` lists them",
                    who.join(", ")
                ),
            );
        }
        Ok(())
    }

    fn unreadable(&self, error: &serde_json::Error) -> Error {
        let why = format!("a page of contacts: {error}");
        Error::Run(crate::run::Error::Damaged { path: self.pull.db.clone(), why })
    }
}

/// A list of rows in the form of an answer, each as it was sent.
fn body<'r>(rows: impl Iterator<Item = &'r RawValue>) -> Bytes {
    let rows: Vec<&str> = rows.map(RawValue::get).collect();
    Bytes::from(format!("{{\"contacts\":[{}]}}", rows.join(",")))
}

fn own_rows(body: &[u8]) -> Result<Vec<Box<RawValue>>, serde_json::Error> {
    Ok(api::rows(body, "contacts")?.into_iter().map(ToOwned::to_owned).collect())
}

/// All that one search shows of a lot.
async fn search_for(client: &Client, lot: &[Key]) -> Result<Found, api::Error> {
    let any: Vec<_> = lot.iter().filter_map(Key::filter).collect();
    let filter = Filter { filters: vec![json!({"group": "OR", "filters": any})], query: None };
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = match client.search_contacts(&filter, SEARCH_LIMIT, cursor.as_ref()).await {
            Err(error) if matches!(error.kind, Kind::Refused | Kind::TooLarge) => {
                return Ok(Found::Refused);
            }
            page => page?,
        };
        let Ok(rows) = own_rows(&page.body) else { return Ok(Found::Refused) };
        let named = |row: &RawValue| {
            lookup_key::names(row)
                .is_some_and(|(_, names)| names.iter().any(|name| lot.contains(name)))
        };
        // A server that does not know the filter gives everybody.
        if !rows.is_empty() && !rows.iter().any(|row| named(row)) {
            return Ok(Found::Refused);
        }
        let last = rows.len() < SEARCH_LIMIT || page.head.next == cursor;
        all.extend(rows.into_iter().filter(|row| named(row)));
        if last {
            return Ok(Found::Rows(all));
        }
        cursor = page.head.next;
    }
}

/// The contact of a key as the server finds it, if there is one.
async fn ask_for(client: &Client, key: &Key) -> Result<Option<Box<RawValue>>, api::Error> {
    let answer = match key {
        Key::Id(id) => client.contact_raw(id).await,
        Key::Email(email) => client.duplicate_contact(Some(email), None).await,
        Key::Phone(phone) => client.duplicate_contact(None, Some(phone)).await,
    };
    match answer {
        Err(error) if error.kind == Kind::Gone => Ok(None),
        answer => Ok(answer?.head),
    }
}
