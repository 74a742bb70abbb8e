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

use super::contacts::{CommittedPage, ContactWalk};
use super::{Pull, PullError, failure_from_api_error};
use crate::api::{self, ApiClient, ApiErrorKind, ContactSearchFilter, SEARCH_LIMIT, SearchCursor};
use crate::concurrency;
use crate::id::ContactId;
use crate::run::{SpoolWrite, stream};

pub use id_list::{ContactKeyList, has_stored_list};
pub use lookup_key::ContactKey;
use lookup_key::SelectedContacts;
pub use strategy::{SelectionCost, estimate_cost};
use strategy::{SelectionStrategy, cheapest_strategy, page_count, searchable_batches};

/// Keys that are asked for alone after a search showed nobody; for more of them the search is believed.
const CHECKED: usize = 1_000;
/// Answers of single requests that are stored together.
const TOGETHER: usize = 50;
/// The code of a contact that was named and is not there.
const LACKING: &str = "lacking";

/// Rows that a search gave, or that it cannot be asked that way.
enum KeySearchResult {
    Rows(Vec<Box<RawValue>>),
    Refused,
}

impl Pull {
    /// Finds the contacts that were chosen, and sends each committed lot to `pages` if somebody listens.
    pub(super) async fn pull_selected_contacts(
        &self,
        pages: Option<mpsc::Sender<CommittedPage>>,
        backlog: u64,
    ) -> Result<(), PullError> {
        let walk = self.load_committed_pages(pages.as_ref(), backlog).await?;
        if walk.progress.done {
            return Ok(());
        }
        let wanted = self.load_selected_contacts().await?;
        let gone = false;
        SelectedContactSearch { pull: self, walk, wanted, pages, gone, later: false }.run().await
    }

    /// Asks once more for the contacts that were named and not found.
    pub(super) async fn retry_selected_contacts(&self) -> Result<(), PullError> {
        let walk = self.load_committed_pages(None, u64::MAX).await?;
        let mut wanted = self.load_selected_contacts().await?;
        let failed = self.previously_not_found()?;
        wanted.keys.retain(|key, _| failed.contains(key.as_str()));
        let keys: Vec<ContactKey> = wanted.keys.keys().cloned().collect();
        let mut search = SelectedContactSearch {
            pull: self,
            walk,
            wanted,
            pages: None,
            gone: false,
            later: true,
        };
        search.fetch_each_key(keys, SelectionStrategy::Ones { all: true }).await?;
        search.finish().await
    }

    /// What an earlier try did not find, as it was named.
    fn previously_not_found(&self) -> Result<HashSet<String>, PullError> {
        let failures = self.open_reader()?.load_failures()?.into_iter();
        let contacts = failures.filter(|failure| failure.stream == stream::CONTACTS);
        Ok(contacts.map(|failure| failure.subject).collect())
    }
}

/// A search for chosen contacts.
struct SelectedContactSearch<'p> {
    pull: &'p Pull,
    walk: ContactWalk,
    wanted: SelectedContacts,
    pages: Option<mpsc::Sender<CommittedPage>>,
    /// Whether nobody listens any more: whoever asks for the children has failed, and says why.
    gone: bool,
    /// Whether the children are asked for at the end, each by itself.
    later: bool,
}

impl SelectedContactSearch<'_> {
    async fn run(mut self) -> Result<(), PullError> {
        let stored = self.walk.progress.cursor.as_deref();
        let mut way = match stored.and_then(|way| serde_json::from_str(way).ok()) {
            Some(way) => way,
            None => self.choose_strategy().await?,
        };
        while !self.gone {
            way = match way {
                SelectionStrategy::Lots(done) => self.search_batches(done).await?,
                SelectionStrategy::Walk(cursor) => self.scan_all_contacts(cursor).await?,
                SelectionStrategy::Ones { all } => {
                    self.verify_missing_keys(all).await?;
                    return if self.gone { Ok(()) } else { self.finish().await };
                }
            };
        }
        Ok(())
    }

    async fn choose_strategy(&self) -> Result<SelectionStrategy, PullError> {
        let lots = searchable_batches(self.wanted.keys.keys()).len();
        // What a walk costs matters only where it could be less.
        let total = if lots > 1 { self.count_contacts().await? } else { u64::MAX };
        Ok(cheapest_strategy(self.wanted.keys.keys(), lots, total))
    }

    async fn count_contacts(&self) -> Result<u64, PullError> {
        let answer =
            self.pull.client.search_contacts(&ContactSearchFilter::default(), 1, None).await?;
        Ok(answer.head.total.unwrap_or(u64::MAX))
    }

    /// By searches, from a lot on. How to go on.
    async fn search_batches(&mut self, mut done: usize) -> Result<SelectionStrategy, PullError> {
        let lots = searchable_batches(self.wanted.keys.keys()).into_iter().skip(done);
        let client = self.pull.client.clone();
        let asked = concurrency::run_in_order(
            futures::stream::iter(lots),
            self.pull.request_concurrency(),
            move |lot| {
                let client = client.clone();
                async move { search_keys(&client, &lot).await }
            },
        );
        let mut asked = pin!(asked);
        while let Some(found) = asked.next().await {
            let KeySearchResult::Rows(rows) = found? else { return self.fallback_strategy().await };
            done += 1;
            self.store_wanted_rows(rows, &SelectionStrategy::Lots(done)).await?;
            if self.gone {
                break;
            }
        }
        Ok(SelectionStrategy::Ones { all: false })
    }

    /// The way where the server takes no such search.
    async fn fallback_strategy(&self) -> Result<SelectionStrategy, PullError> {
        let missing = self.wanted.missing_keys().count() as u64;
        let walk = page_count(self.count_contacts().await?) <= missing;
        Ok(if walk { SelectionStrategy::Walk(None) } else { SelectionStrategy::Ones { all: true } })
    }

    /// Out of a walk over all contacts, from a cursor on. How to go on.
    async fn scan_all_contacts(
        &mut self,
        cursor: Option<String>,
    ) -> Result<SelectionStrategy, PullError> {
        let mut cursor =
            cursor.as_deref().map(SearchCursor::parse).transpose().map_err(|error| {
                let why = format!("the cursor: {error}");
                crate::run::RunError::Damaged { path: self.pull.db.clone(), why }
            })?;
        let mut limit = SEARCH_LIMIT;
        let ids = self.wanted.keys.keys().all(|key| matches!(key, ContactKey::Id(_)));
        while !self.gone {
            let asked = self
                .pull
                .client
                .search_contacts(&ContactSearchFilter::default(), limit, cursor.as_ref())
                .await;
            let page = match asked {
                // Contacts with very large fields: fewer of them at a time.
                Err(error) if error.kind == ApiErrorKind::TooLarge && limit > 1 => {
                    limit /= 2;
                    continue;
                }
                page => page?,
            };
            let rows = decode_rows(&page.body).map_err(|error| self.damaged_page_error(&error))?;
            let end = rows.is_empty() || page.head.next.is_none() || page.head.next == cursor;
            cursor = page.head.next;
            let place = cursor.as_ref().map(|cursor| cursor.as_str().to_owned());
            self.store_wanted_rows(rows, &SelectionStrategy::Walk(place)).await?;
            // An address may be several people's; an id is one's.
            if end || (ids && self.wanted.missing_keys().next().is_none()) {
                break;
            }
        }
        Ok(SelectionStrategy::Ones { all: false })
    }

    /// Asks for those that were not found: for all of them, or for so many that it is cheap.
    async fn verify_missing_keys(&mut self, all: bool) -> Result<(), PullError> {
        self.pull.flush_writes().await?;
        let failed = self.pull.previously_not_found()?;
        let asked = |key: &&ContactKey| !failed.contains(key.as_str());
        let most = if all { usize::MAX } else { CHECKED };
        let mut missing: Vec<ContactKey> =
            self.wanted.missing_keys().filter(asked).cloned().collect();
        let believed = missing.split_off(missing.len().min(most));
        self.fetch_each_key(missing, SelectionStrategy::Ones { all }).await?;
        for key in believed {
            let why = "the search shows no such contact; `--retry-errors` asks for it by itself";
            let failure = id_list::contact_failure(key.as_str(), LACKING, why.to_owned());
            self.pull.write_to_spool(SpoolWrite::Failed(failure)).await?;
        }
        Ok(())
    }

    async fn fetch_each_key(
        &mut self,
        keys: Vec<ContactKey>,
        way: SelectionStrategy,
    ) -> Result<(), PullError> {
        let client = self.pull.client.clone();
        let asked = concurrency::run_in_order(
            futures::stream::iter(keys),
            self.pull.request_concurrency(),
            move |key| {
                let client = client.clone();
                async move { (fetch_by_key(&client, &key).await, key) }
            },
        );
        let mut asked = pin!(asked.ready_chunks(TOGETHER));
        while let Some(answers) = asked.next().await {
            let mut rows = Vec::new();
            for (answer, key) in answers {
                match answer {
                    Ok(Some(row)) => {
                        rows.extend(self.wanted.match_row_for_key(&key, &row).map(|id| (id, row)));
                        self.clear_failure(&key).await?;
                    }
                    Ok(None) => {
                        self.record_missing_contact(&key, "the location has no such contact")
                            .await?;
                    }
                    // Another location's contact is refused as the whole location would be.
                    Err(error) if error.kind == ApiErrorKind::Location => {
                        self.record_missing_contact(&key, &error.to_string()).await?;
                    }
                    Err(error) if error.is_fatal() => return Err(error.into()),
                    Err(error) => {
                        let failure =
                            failure_from_api_error(stream::CONTACTS, key.as_str(), &error);
                        self.pull.write_to_spool(SpoolWrite::Failed(failure)).await?;
                    }
                }
            }
            self.commit_rows(rows, &way).await?;
            if self.gone {
                break;
            }
        }
        Ok(())
    }

    async fn record_missing_contact(&self, key: &ContactKey, why: &str) -> Result<(), PullError> {
        let failure = id_list::contact_failure(key.as_str(), LACKING, why.to_owned());
        self.pull.write_to_spool(SpoolWrite::Failed(failure)).await
    }

    /// A contact that was missing in an earlier try, and is there.
    async fn clear_failure(&self, key: &ContactKey) -> Result<(), PullError> {
        let (stream, subject) = (stream::CONTACTS.to_owned(), key.as_str().to_owned());
        self.pull.write_to_spool(SpoolWrite::Mended { stream, subject }).await
    }

    /// Stores those rows that are wanted and new.
    async fn store_wanted_rows(
        &mut self,
        rows: Vec<Box<RawValue>>,
        way: &SelectionStrategy,
    ) -> Result<(), PullError> {
        let wanted = &mut self.wanted;
        let new = rows.into_iter().filter_map(|row| Some((wanted.match_row(&row)?, row)));
        let new = new.collect();
        self.commit_rows(new, way).await
    }

    async fn commit_rows(
        &mut self,
        rows: Vec<(ContactId, Box<RawValue>)>,
        way: &SelectionStrategy,
    ) -> Result<(), PullError> {
        let progress = &mut self.walk.progress;
        progress.rows += rows.len() as u64;
        progress.cursor = Some(serde_json::to_string(way).expect("a way is plain JSON"));
        let (stream, progress) = (stream::CONTACTS.to_owned(), progress.clone());
        let named = self.wanted.keys.len() as u64;
        self.pull.report_progress("contacts", progress.rows, Some(named.max(progress.rows)));
        if rows.is_empty() {
            return self.pull.write_to_spool(SpoolWrite::Moved { stream, progress }).await;
        }
        let count = u32::try_from(rows.len()).expect("a page is small");
        let body = encode_rows(rows.iter().map(|(_, row)| row.as_ref()));
        if self.later {
            for child in &self.pull.plan.children {
                for (id, _) in &rows {
                    self.pull.defer_child_request(*child, id).await?;
                }
            }
        }
        self.pull.write_to_spool(SpoolWrite::Entry { stream, rows: count, body, progress }).await?;
        let contacts = rows.into_iter().map(|(id, _)| Some(id)).collect();
        let page = CommittedPage { ordinal: self.walk.ordinal, contacts };
        self.walk.ordinal += 1;
        if let Some(pages) = &self.pages {
            self.gone = pages.send(page).await.is_err();
        }
        Ok(())
    }

    /// Notes that everything was asked for, and tells who is missing.
    async fn finish(mut self) -> Result<(), PullError> {
        self.walk.progress.done = true;
        let (stream, progress) = (stream::CONTACTS.to_owned(), self.walk.progress.clone());
        self.pull.write_to_spool(SpoolWrite::Moved { stream, progress }).await?;
        let (named, missing) = (self.wanted.keys.len(), self.wanted.missing_keys().count());
        if missing > 0 {
            let who: Vec<_> =
                self.wanted.missing_keys().take(3).map(|key| format!("`{key}`")).collect();
            let more = if missing > 3 { ", …" } else { "" };
            self.pull.report_warning(
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

    fn damaged_page_error(&self, error: &serde_json::Error) -> PullError {
        let why = format!("a page of contacts: {error}");
        PullError::Run(crate::run::RunError::Damaged { path: self.pull.db.clone(), why })
    }
}

/// A list of rows in the form of an answer, each as it was sent.
fn encode_rows<'r>(rows: impl Iterator<Item = &'r RawValue>) -> Bytes {
    let rows: Vec<&str> = rows.map(RawValue::get).collect();
    Bytes::from(format!("{{\"contacts\":[{}]}}", rows.join(",")))
}

fn decode_rows(body: &[u8]) -> Result<Vec<Box<RawValue>>, serde_json::Error> {
    Ok(api::parse_list_rows(body, "contacts")?.into_iter().map(ToOwned::to_owned).collect())
}

/// All that one search shows of a lot.
async fn search_keys(
    client: &ApiClient,
    lot: &[ContactKey],
) -> Result<KeySearchResult, api::ApiError> {
    let any: Vec<_> = lot.iter().filter_map(ContactKey::search_filter).collect();
    let filter =
        ContactSearchFilter { filters: vec![json!({"group": "OR", "filters": any})], query: None };
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let page = match client.search_contacts(&filter, SEARCH_LIMIT, cursor.as_ref()).await {
            Err(error) if matches!(error.kind, ApiErrorKind::Refused | ApiErrorKind::TooLarge) => {
                return Ok(KeySearchResult::Refused);
            }
            page => page?,
        };
        let Ok(rows) = decode_rows(&page.body) else { return Ok(KeySearchResult::Refused) };
        let named = |row: &RawValue| {
            lookup_key::parse_contact_keys(row)
                .is_some_and(|(_, names)| names.iter().any(|name| lot.contains(name)))
        };
        // A server that does not know the filter gives everybody.
        if !rows.is_empty() && !rows.iter().any(|row| named(row)) {
            return Ok(KeySearchResult::Refused);
        }
        let last = rows.len() < SEARCH_LIMIT || page.head.next == cursor;
        all.extend(rows.into_iter().filter(|row| named(row)));
        if last {
            return Ok(KeySearchResult::Rows(all));
        }
        cursor = page.head.next;
    }
}

/// The contact of a key as the server finds it, if there is one.
async fn fetch_by_key(
    client: &ApiClient,
    key: &ContactKey,
) -> Result<Option<Box<RawValue>>, api::ApiError> {
    let answer = match key {
        ContactKey::Id(id) => client.get_raw_contact(id).await,
        ContactKey::Email(email) => client.find_duplicate_contact(Some(email), None).await,
        ContactKey::Phone(phone) => client.find_duplicate_contact(None, Some(phone)).await,
    };
    match answer {
        Err(error) if error.kind == ApiErrorKind::Gone => Ok(None),
        answer => Ok(answer?.head),
    }
}
