//! Pulls only the contacts selected by id, e-mail address or phone number.
//!
//! They are searched for, a hundred per request, or filtered out of a walk over the whole account
//! where that takes fewer requests. Contacts that the search does not return are requested one by
//! one: the search index lags (api.md §2.10), and an existing contact must not be reported missing.
//! Rows are stored as the server sent them; contacts that were not selected are not stored.

mod id_list;
mod infer_key;
mod key_search;
mod lookup_key;
mod strategy;

use std::collections::HashSet;
use std::pin::pin;

use futures::StreamExt;
use serde_json::value::RawValue;

use super::committed_page::{CommittedPage, PageReaders};
use super::contacts::ContactWalk;
use super::{Pull, PullError, failure_from_api_error};
use crate::api::{
    ApiErrorKind, BrokenRecord, ContactPage, ContactSearchFilter, RepeatedPages, SEARCH_LIMIT,
    SearchCursor,
};
use crate::concurrency;
use crate::diagnostic::{EventWarningCode, FetchFailureCode};
use crate::id::ContactId;
use crate::run::{SpoolWrite, stream};

pub use id_list::{ContactKeyList, has_stored_list};
pub use infer_key::{
    UnclearContactKey, infer_contact_key, looks_like_contact_id, parse_email_key, parse_id_key,
    parse_phone_key, trim_key_text,
};
pub(in crate::pull) use key_search::{KeySearchResult, encode_rows, search_keys};
use key_search::{decode_rows, fetch_by_key};
pub use key_search::{find_contacts, search_contacts_by_id};
pub use lookup_key::ContactKey;
use lookup_key::SelectedContacts;
pub(in crate::pull) use lookup_key::parse_row_id;
pub use strategy::{SelectionCost, estimate_cost};
use strategy::{SelectionStrategy, cheapest_strategy, page_count, searchable_batches};

/// Most keys that are requested one by one after a search without a result; beyond that the search
/// is trusted.
const MAX_SINGLE_LOOKUPS: usize = 1_000;
/// Responses to single requests that are stored together.
const SINGLES_PER_ENTRY: usize = 50;

impl Pull {
    /// Finds the selected contacts and sends each committed batch to its readers.
    pub(super) async fn pull_selected_contacts(&self, pages: PageReaders) -> Result<(), PullError> {
        let walk = self.load_committed_pages(&pages).await?;
        if walk.progress.done {
            return Ok(());
        }
        let selected = self.load_selected_contacts().await?;
        let receiver_closed = false;
        SelectedContactSearch {
            pull: self,
            walk,
            selected,
            pages,
            receiver_closed,
            defer_children: false,
        }
        .run()
        .await
    }

    /// Retries the selected contacts that were not found.
    pub(super) async fn retry_selected_contacts(&self) -> Result<(), PullError> {
        let walk = self.load_committed_pages(&PageReaders::default()).await?;
        let mut selected = self.load_selected_contacts().await?;
        let failed = self.previously_not_found()?;
        selected.keys.retain(|key, _| failed.contains(key.as_str()));
        let keys: Vec<ContactKey> = selected.keys.keys().cloned().collect();
        let mut search = SelectedContactSearch {
            pull: self,
            walk,
            selected,
            pages: PageReaders::default(),
            receiver_closed: false,
            defer_children: true,
        };
        search.fetch_each_key(keys, SelectionStrategy::Single { check_all: true }).await?;
        search.finish().await
    }

    /// What an earlier attempt did not find, as it was given.
    fn previously_not_found(&self) -> Result<HashSet<String>, PullError> {
        let failures = self.open_reader()?.load_failures()?.into_iter();
        let contacts = failures.filter(|failure| {
            let is_found = matches!(
                failure.code,
                FetchFailureCode::Malformed | FetchFailureCode::OtherLocation
            );
            failure.stream == stream::CONTACTS && !is_found
        });
        Ok(contacts.map(|failure| failure.subject).collect())
    }
}

/// A search for selected contacts.
struct SelectedContactSearch<'p> {
    pull: &'p Pull,
    walk: ContactWalk,
    selected: SelectedContacts,
    pages: PageReaders,
    /// Whether the receiver of `pages` is closed: the reader of the children has failed and reports
    /// the reason.
    receiver_closed: bool,
    /// Whether the children are requested at the end, contact by contact.
    defer_children: bool,
}

impl SelectedContactSearch<'_> {
    async fn run(mut self) -> Result<(), PullError> {
        let stored = self.walk.progress.cursor.as_deref();
        let mut strategy = match stored.and_then(|strategy| serde_json::from_str(strategy).ok()) {
            Some(strategy) => strategy,
            None => self.choose_strategy().await?,
        };
        while !self.receiver_closed {
            strategy = match strategy {
                SelectionStrategy::Batches(done) => self.search_batches(done).await?,
                SelectionStrategy::Scan(cursor) => self.scan_all_contacts(cursor).await?,
                SelectionStrategy::Single { check_all } => {
                    self.verify_missing_keys(check_all).await?;
                    return if self.receiver_closed { Ok(()) } else { self.finish().await };
                }
            };
        }
        Ok(())
    }

    async fn choose_strategy(&self) -> Result<SelectionStrategy, PullError> {
        let batches = searchable_batches(self.selected.keys.keys()).len();
        // The cost of a walk matters only if it can be the cheaper one.
        let walk = if batches > 1 { self.count_walk_requests().await? } else { u64::MAX };
        Ok(cheapest_strategy(self.selected.keys.keys(), batches, walk))
    }

    /// How many requests a walk over all contacts takes.
    async fn count_walk_requests(&self) -> Result<u64, PullError> {
        let client = &self.pull.client;
        let response = client.search_contacts(&ContactSearchFilter::default(), 1, None).await?;
        let total = response.head.total.unwrap_or(u64::MAX);
        Ok(page_count(total, client.contact_page_size()))
    }

    /// Searches batch by batch, from a batch on. Returns how to continue.
    async fn search_batches(&mut self, mut done: usize) -> Result<SelectionStrategy, PullError> {
        let batches = searchable_batches(self.selected.keys.keys()).into_iter().skip(done);
        let client = self.pull.client.clone();
        let responses = concurrency::run_in_order(
            futures::stream::iter(batches),
            self.pull.request_concurrency(),
            move |batch| {
                let client = client.clone();
                async move { search_keys(&client, &batch).await }
            },
        );
        let mut responses = pin!(responses);
        while let Some(found) = responses.next().await {
            let KeySearchResult::Rows(rows, broken) = found? else {
                return self.fallback_strategy().await;
            };
            done += 1;
            self.store_wanted_rows(rows, &broken, &SelectionStrategy::Batches(done)).await?;
            if self.receiver_closed {
                break;
            }
        }
        Ok(SelectionStrategy::Single { check_all: false })
    }

    /// The strategy for a server that rejects such a search.
    async fn fallback_strategy(&self) -> Result<SelectionStrategy, PullError> {
        let missing = self.selected.missing_keys().count() as u64;
        let walk = self.count_walk_requests().await? <= missing;
        Ok(if walk {
            SelectionStrategy::Scan(None)
        } else {
            SelectionStrategy::Single { check_all: true }
        })
    }

    /// Filters a walk over all contacts, from a cursor on. Returns how to continue.
    async fn scan_all_contacts(
        &mut self,
        cursor: Option<String>,
    ) -> Result<SelectionStrategy, PullError> {
        let mut cursor =
            cursor.as_deref().map(SearchCursor::parse).transpose().map_err(|error| {
                let why = format!("the cursor: {error}");
                crate::run::RunError::Damaged { path: self.pull.db.clone(), why }
            })?;
        let (mut limit, mut pages) = (SEARCH_LIMIT, RepeatedPages::default());
        let ids_only = self.selected.keys.keys().all(|key| matches!(key, ContactKey::Id(_)));
        while !self.receiver_closed {
            let response = self
                .pull
                .client
                .search_contacts(&ContactSearchFilter::default(), limit, cursor.as_ref())
                .await;
            let page = match response {
                // Contacts with very large fields: request fewer at a time.
                Err(error) if error.kind == ApiErrorKind::TooLarge && limit > 1 => {
                    limit /= 2;
                    continue;
                }
                page => page?,
            };
            let rows = decode_rows(&page.body).map_err(|error| self.damaged_page_error(&error))?;
            let is_circle = pages.add_page(page.head.rows.iter().flatten().map(|row| &row.id));
            let next = &page.head.next;
            let end = rows.is_empty() || next.is_none() || *next == cursor || is_circle;
            cursor = page.head.next;
            let place = cursor.as_ref().map(|cursor| cursor.as_str().to_owned());
            self.store_wanted_rows(rows, &page.broken, &SelectionStrategy::Scan(place)).await?;
            // Several contacts may share an address, but an id belongs to one.
            if end || (ids_only && self.selected.missing_keys().next().is_none()) {
                break;
            }
        }
        Ok(SelectionStrategy::Single { check_all: false })
    }

    /// Requests the keys that found nothing one by one: all of them, or as many as is cheap.
    async fn verify_missing_keys(&mut self, check_all: bool) -> Result<(), PullError> {
        self.pull.flush_writes().await?;
        let failed = self.pull.previously_not_found()?;
        let not_failed = |key: &&ContactKey| !failed.contains(key.as_str());
        let most = if check_all { usize::MAX } else { MAX_SINGLE_LOOKUPS };
        let mut missing: Vec<ContactKey> =
            self.selected.missing_keys().filter(not_failed).cloned().collect();
        let assumed_missing = missing.split_off(missing.len().min(most));
        self.fetch_each_key(missing, SelectionStrategy::Single { check_all }).await?;
        for key in assumed_missing {
            let why =
                "the search returned no such contact; check it on its own with `--retry-errors`";
            let failure =
                id_list::contact_failure(key.as_str(), FetchFailureCode::Lacking, why.to_owned());
            self.pull.write_to_spool(SpoolWrite::Failed(failure)).await?;
        }
        Ok(())
    }

    async fn fetch_each_key(
        &mut self,
        keys: Vec<ContactKey>,
        strategy: SelectionStrategy,
    ) -> Result<(), PullError> {
        let client = self.pull.client.clone();
        let responses = concurrency::run_in_order(
            futures::stream::iter(keys),
            self.pull.request_concurrency(),
            move |key| {
                let client = client.clone();
                async move { (fetch_by_key(&client, &key).await, key) }
            },
        );
        let mut responses = pin!(responses.ready_chunks(SINGLES_PER_ENTRY));
        while let Some(responses) = responses.next().await {
            let mut rows = Vec::new();
            for (response, key) in responses {
                match response {
                    Ok((found, _)) if found.is_empty() => {
                        self.record_missing_contact(&key, "the location has no such contact")
                            .await?;
                    }
                    Ok((found, broken)) => {
                        let known = rows.len();
                        let new = found.into_iter().filter_map(|row| {
                            Some((self.selected.match_row_for_key(&key, &row)?, row))
                        });
                        rows.extend(new);
                        self.clear_failure(&key).await?;
                        if rows.len() > known {
                            self.pull
                                .record_broken(stream::CONTACTS, None, key.as_str(), &broken)
                                .await?;
                        }
                    }
                    // A contact of another location is refused the same way as that whole location.
                    Err(error) if error.forbids_record() => {
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
            self.commit_rows(rows, &strategy).await?;
            if self.receiver_closed {
                break;
            }
        }
        Ok(())
    }

    async fn record_missing_contact(&self, key: &ContactKey, why: &str) -> Result<(), PullError> {
        let failure =
            id_list::contact_failure(key.as_str(), FetchFailureCode::Lacking, why.to_owned());
        self.pull.write_to_spool(SpoolWrite::Failed(failure)).await
    }

    /// Clears the failure of a contact that an earlier attempt did not find.
    async fn clear_failure(&self, key: &ContactKey) -> Result<(), PullError> {
        let (stream, subject) = (stream::CONTACTS.to_owned(), key.as_str().to_owned());
        self.pull.write_to_spool(SpoolWrite::FailureResolved { stream, subject }).await
    }

    /// Stores the rows that are selected and new.
    async fn store_wanted_rows(
        &mut self,
        rows: Vec<Box<RawValue>>,
        broken: &[BrokenRecord],
        strategy: &SelectionStrategy,
    ) -> Result<(), PullError> {
        let selected = &mut self.selected;
        let new = rows.into_iter().filter_map(|row| Some((selected.match_row(&row)?, row)));
        let new: Vec<_> = new.collect();
        // Contacts that were not selected are of no interest.
        let is_new = |id: &str| new.iter().any(|(contact, _)| contact.as_str() == id);
        let broken = broken.iter().filter(|record| record.id.as_deref().is_some_and(is_new));
        let broken: Vec<_> = broken.collect();
        self.pull.record_broken(stream::CONTACTS, None, "a page", broken).await?;
        self.commit_rows(new, strategy).await
    }

    async fn commit_rows(
        &mut self,
        rows: Vec<(ContactId, Box<RawValue>)>,
        strategy: &SelectionStrategy,
    ) -> Result<(), PullError> {
        let progress = &mut self.walk.progress;
        progress.rows += rows.len() as u64;
        progress.cursor = Some(serde_json::to_string(strategy).expect("a strategy is plain JSON"));
        let (stream, progress) = (stream::CONTACTS.to_owned(), progress.clone());
        let selected_count = self.selected.keys.len() as u64;
        self.pull.report_progress(
            "contacts",
            progress.rows,
            Some(selected_count.max(progress.rows)),
        );
        if rows.is_empty() {
            return self.pull.write_to_spool(SpoolWrite::ProgressOnly { stream, progress }).await;
        }
        let count = u32::try_from(rows.len()).expect("a page is small");
        let body = encode_rows(rows.iter().map(|(_, row)| row.as_ref()));
        if let Ok(page) = ContactPage::from_json(&body) {
            self.pull.record_foreign_contacts(page.rows.iter().flatten()).await?;
        }
        if self.defer_children {
            for child in &self.pull.options.children {
                for (id, _) in &rows {
                    self.pull.defer_child_request(*child, id).await?;
                }
            }
        }
        self.pull.write_to_spool(SpoolWrite::Entry { stream, rows: count, body, progress }).await?;
        let contacts: Vec<_> = rows.into_iter().map(|(id, _)| Some(id)).collect();
        // Listed contacts may be looked up one by one, so their dates say nothing about the index.
        let updated = vec![None; contacts.len()];
        let page = CommittedPage { ordinal: self.walk.ordinal, contacts, updated };
        self.walk.ordinal += 1;
        self.receiver_closed = !self.pages.send_page(page).await;
        Ok(())
    }

    /// Marks the stream as complete and reports which contacts are missing.
    async fn finish(mut self) -> Result<(), PullError> {
        self.walk.progress.done = true;
        let (stream, progress) = (stream::CONTACTS.to_owned(), self.walk.progress.clone());
        self.pull.write_to_spool(SpoolWrite::ProgressOnly { stream, progress }).await?;
        let (selected_count, missing) =
            (self.selected.keys.len(), self.selected.missing_keys().count());
        if missing > 0 {
            let who: Vec<_> =
                self.selected.missing_keys().take(3).map(|key| format!("`{key}`")).collect();
            let more = if missing > 3 { ", …" } else { "" };
            self.pull.report_warning_about(
                EventWarningCode::LackingContacts,
                self.selected.missing_keys(),
                format!(
                    "{missing} of {selected_count} selected contacts could not be found: {}{more}; \
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
