//! Reads the current state of the account, as far as the rows refer to it.
//!
//! Contacts are read in bulk, 500 per page, or one by one where that takes fewer requests; contacts that no row
//! names are discarded at once. Nothing is decided here: matching rows to contacts is the business of `plan`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::Value;
use serde_json::value::RawValue;

use super::validate_rows::to_json;
use crate::api::{
    self, ApiClient, ApiResponse, ContactSearchFilter, LookupValue, RetryPolicy,
    TaskSearchPosition, TaskWalkStep,
};
use crate::concurrency;
use crate::context::EngineContext;
use crate::event::{RunEvent, SharedObserver};
use crate::id::ContactId;
use crate::import::ImportError;
use crate::model::remote::RemoteContact;
use crate::model::remote::equality::child_id;
use crate::model::{Field, MatchKey};
use crate::run::{ContactPart, IdentityKind, ImportStore, RowMark, RowValueKind};

/// Contacts in one task search (the maximum is unknown, api.md §4).
const TASK_CONTACTS: usize = 100;
/// Values looked up per batch, between two checks for a stop.
const LOT: usize = 200;

/// Fetches the contacts, notes and tasks that a run's rows refer to.
pub(crate) struct RemoteFetcher<'a> {
    client: &'a ApiClient,
    db: PathBuf,
    observer: &'a SharedObserver,
    /// What identifies the rows' contacts instead of id, e-mail and phone.
    key: Option<MatchKey>,
    whole: bool,
    removes: bool,
    /// The store, while it is not in use: opening it for each page would cost more than the page.
    rows: Mutex<Option<ImportStore>>,
}

impl<'a> RemoteFetcher<'a> {
    /// A fetcher for a run's rows.
    pub(crate) fn new(context: &'a EngineContext, db: PathBuf, key: Option<MatchKey>) -> Self {
        let (client, observer) = (&context.client, &context.observer);
        client.attach_location_facts(context.home.location_facts(client.location_id()));
        // The search by name finds parts of words, too, so that only a scan proves that a name is new.
        let whole = key == Some(MatchKey::FullName);
        Self { client, db, observer, key, whole, removes: false, rows: Mutex::new(None) }
    }

    /// The same, but always scanning all contacts, whatever it costs: the search returns more than single
    /// reads.
    pub(crate) fn with_full_scan(self, whole: bool) -> Self {
        Self { whole: self.whole || whole, ..self }
    }

    /// The same for contacts that are to be deleted. Contacts that the scan has not seen are requested again,
    /// because a search lags and an existing contact must not be taken for deleted. All contacts that an
    /// address or number could mean are found.
    pub(crate) fn for_deletion(self, removes: bool) -> Self {
        Self { removes, ..self }
    }
}

impl RemoteFetcher<'_> {
    /// Fetches all contacts that rows refer to, and the notes and tasks that rows name.
    pub(crate) async fn fetch_all(&self) -> Result<(), ImportError> {
        let wanted = self.with_store(|rows| {
            let kinds = IdentityKind::OF_CONTACTS;
            Ok(kinds
                .into_iter()
                .map(|kind| rows.count_distinct_values(kind))
                .sum::<Result<u64, _>>()?)
        });
        let wanted = wanted.await?;
        if wanted == 0 {
            return Ok(());
        }
        // One page is requested in every case but the smallest: it contains the total.
        let first = match wanted {
            1..=2 if !self.whole => None,
            _ => Some(self.fetch_page(None).await?),
        };
        let total = first.as_ref().map(|page| page.head.total);
        // The server may have taken no larger page.
        let limit = self.client.contact_page_size() as u64;
        let walked = match (first, total) {
            (Some(page), Some(Some(total))) if self.whole || total.div_ceil(limit) <= wanted => {
                self.scan_all_contacts(page, total).await?;
                true
            }
            // Without a total, the cost of a scan is unknown.
            (Some(page), Some(None)) => {
                self.scan_all_contacts(page, 0).await?;
                true
            }
            _ => false,
        };
        if !walked || self.removes {
            self.look_up_each_value(walked).await?;
        }
        self.fetch_children().await
    }

    async fn fetch_page(
        &self,
        after: Option<&api::SearchCursor>,
    ) -> Result<ApiResponse<api::ContactPage>, ImportError> {
        Ok(self
            .client
            .search_contacts(&ContactSearchFilter::default(), api::SEARCH_LIMIT, after)
            .await?)
    }

    /// Scans all contacts and stores those that rows name.
    async fn scan_all_contacts(
        &self,
        first: ApiResponse<api::ContactPage>,
        total: u64,
    ) -> Result<(), ImportError> {
        let (mut page, mut seen, mut pages) = (first, 0, api::RepeatedPages::default());
        let (mut cursor, mut blank_pages) = (None, 0);
        loop {
            let head = &page.head;
            seen += head.rows.len() as u64;
            blank_pages = if head.rows.is_empty() { blank_pages + 1 } else { 0 };
            if pages.add_page(head.rows.iter().flatten().map(|row| &row.id)) {
                return Err(api::repeated_pages_error(api::ApiEndpoint::SearchContacts).into());
            }
            // A blank page ends the scan only if a total says so, or if it comes twice.
            let is_read = api::believable_total(head.total, seen).is_some_and(|all| seen >= all);
            let is_last = match blank_pages {
                0 => head.is_last(seen),
                blank_pages => is_read || blank_pages > 1,
            };
            cursor = head.next.clone().or(cursor);
            let storing = self.store_page(page.body);
            let total = Some(total).filter(|total| *total > 0);
            self.observer.observe(&RunEvent::Progress { what: "contacts", done: seen, total });
            if is_last {
                return storing.await;
            }
            // The next page is requested while this one is processed.
            let (stored, fetched) = tokio::join!(storing, self.fetch_page(cursor.as_ref()));
            stored?;
            page = fetched?;
        }
    }

    async fn store_page(&self, body: Bytes) -> Result<(), ImportError> {
        let key = self.key.clone();
        self.with_store(move |rows| {
            rows.in_transaction(|rows| {
                let page = api::parse_list_rows(&body, "contacts").map_err(decode_error)?;
                page.iter().try_for_each(|row| {
                    store_if_referenced(rows, row.get().as_bytes(), key.as_ref())
                })
            })
        })
        .await
    }

    /// Looks up each value on its own, which is cheaper than a scan when a few rows meet many contacts. After a
    /// scan, only the values that it has not found.
    async fn look_up_each_value(&self, walked: bool) -> Result<(), ImportError> {
        let kinds = IdentityKind::OF_CONTACTS;
        // A contact that is to be deleted is read by its id anyway.
        for kind in
            kinds.into_iter().filter(|kind| !self.removes || *kind != IdentityKind::ContactId)
        {
            let mut last = String::new();
            loop {
                let after = last.clone();
                let values = self
                    .with_store(move |rows| Ok(rows.distinct_values_after(kind, &after, LOT)?))
                    .await?;
                let Some(end) = values.last() else { break };
                last.clone_from(end);
                let values =
                    if walked { self.unmatched_values(kind, values).await? } else { values };
                for value in values {
                    for body in self.look_up_value(kind, &value).await? {
                        self.store_contact(body).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The values for which no contact was found.
    async fn unmatched_values(
        &self,
        kind: IdentityKind,
        values: Vec<String>,
    ) -> Result<Vec<String>, ImportError> {
        self.with_store(move |rows| {
            let unmet =
                |value: &String| rows.matching_contacts(kind, value).map(|found| found.is_empty());
            let all = values.into_iter().map(|value| Ok((unmet(&value)?, value)));
            let all: Vec<(bool, String)> = all.collect::<Result<_, ImportError>>()?;
            Ok(all.into_iter().filter(|(unmet, _)| *unmet).map(|(_, value)| value).collect())
        })
        .await
    }

    async fn look_up_value(
        &self,
        kind: IdentityKind,
        value: &str,
    ) -> Result<Vec<String>, ImportError> {
        let own = |answer: ApiResponse<Option<Box<RawValue>>>| {
            answer.head.map(|row| row.get().to_owned()).into_iter().collect()
        };
        match kind {
            IdentityKind::ContactId => {
                let Ok(id) = value.parse::<ContactId>() else { return Ok(Vec::new()) };
                match self.client.get_raw_contact(&id).await {
                    Ok(answer) => Ok(own(answer)),
                    Err(error) if is_out_of_reach(&error) => Ok(Vec::new()),
                    Err(error) => Err(error.into()),
                }
            }
            IdentityKind::Email | IdentityKind::Phone => {
                let (lookup, email, phone) = if kind == IdentityKind::Email {
                    (LookupValue::Email(value), Some(value), None)
                } else {
                    (LookupValue::Phone(value), None, Some(value))
                };
                // An empty result proves nothing, so the server's own duplicate search is asked, too.
                if let Some(all) = self.client.look_up_contacts(lookup).await?
                    && !all.is_empty()
                {
                    return Ok(all.iter().map(|row| row.get().to_owned()).collect());
                }
                let mut found = own(self.client.find_duplicate_contact(email, phone).await?);
                if self.removes {
                    // The server names one contact; another one may be meant.
                    found.extend(self.search_by_identity(kind, value).await?);
                }
                Ok(found)
            }
            _ => {
                let Some(field) = self.key.as_ref().and_then(MatchKey::custom_field) else {
                    return Ok(Vec::new());
                };
                let page = self.client.search_by_custom_field(field, &value.into()).await?;
                raw_contacts(&page.body)
            }
        }
    }

    /// The contacts that the search finds by an e-mail address or phone number.
    async fn search_by_identity(
        &self,
        kind: IdentityKind,
        value: &str,
    ) -> Result<Vec<String>, ImportError> {
        let filter = serde_json::json!({ "field": kind.name(), "operator": "eq", "value": value });
        let filter = ContactSearchFilter { filters: vec![filter], query: None };
        let page = self.client.search_contacts(&filter, api::SEARCH_LIMIT, None).await?;
        raw_contacts(&page.body)
    }

    async fn store_contact(&self, body: String) -> Result<(), ImportError> {
        let key = self.key.clone();
        self.with_store(move |rows| store_if_referenced(rows, body.as_bytes(), key.as_ref())).await
    }

    /// The notes and tasks that rows name by id. The notes come from the contact's own endpoint: a search whose index
    /// lags could hide one that exists, or show a text that was replaced, which would be restored by an undo.
    async fn fetch_children(&self) -> Result<(), ImportError> {
        for contact in self.child_owners(RowMark::NotesOfContact, RowMark::NotesOfIdentity).await? {
            let Ok(id) = contact.parse::<ContactId>() else { continue };
            let answer = match self.client.list_contact_notes(&id, RetryPolicy::PERSISTENT).await {
                Err(error) if is_out_of_reach(&error) => continue,
                answer => answer?.require_whole(api::ApiEndpoint::ContactNotes)?,
            };
            self.store_children(ContactPart::Notes, "notes", Some(contact), answer.body).await?;
        }
        let contacts = self.child_owners(RowMark::TasksOfContact, RowMark::TasksOfIdentity).await?;
        for lot in contacts.chunks(TASK_CONTACTS) {
            let ids: Vec<ContactId> = lot.iter().filter_map(|id| id.parse().ok()).collect();
            let mut place = TaskSearchPosition::default();
            loop {
                let page = self.client.search_tasks(&ids, &place).await?;
                let next = page.head.next_step(&place);
                self.store_children(ContactPart::Tasks, "tasks", None, page.body).await?;
                match next {
                    TaskWalkStep::Continue(next) => place = next,
                    TaskWalkStep::End => break,
                    TaskWalkStep::Repeated => return Err(repeated_tasks_error()),
                }
            }
        }
        Ok(())
    }

    /// The contacts whose notes or tasks rows name: by their ids, or by an address or number.
    async fn child_owners(
        &self,
        by_id: RowMark,
        by_other: RowMark,
    ) -> Result<Vec<String>, ImportError> {
        self.with_store(move |rows| {
            let mut owners: BTreeSet<String> =
                rows.distinct_values_after(by_id, "", usize::MAX)?.into_iter().collect();
            for known in rows.distinct_values_after(by_other, "", usize::MAX)? {
                let Some((kind, value)) = IdentityKind::parse_qualified(&known) else { continue };
                owners.extend(rows.matching_contacts(kind, value)?);
                if kind == IdentityKind::Email {
                    owners.extend(rows.matching_contacts(IdentityKind::OtherEmail, value)?);
                }
            }
            Ok(owners.into_iter().collect())
        })
        .await
    }

    async fn store_children(
        &self,
        part: ContactPart,
        list: &'static str,
        contact: Option<String>,
        body: Bytes,
    ) -> Result<(), ImportError> {
        self.with_store(move |rows| {
            let answer: Value = serde_json::from_slice(&body).map_err(decode_error)?;
            rows.in_transaction(|rows| {
                for child in answer[list].as_array().into_iter().flatten() {
                    let id = child_id(child);
                    let owner = contact.as_deref().or_else(|| child["contactId"].as_str());
                    if let (Some(id), Some(owner)) = (id, owner) {
                        rows.put_child(part, owner, id, &child.to_string())?;
                    }
                }
                Ok(())
            })
        })
        .await
    }

    async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&ImportStore) -> Result<T, ImportError> + Send + 'static,
    ) -> Result<T, ImportError> {
        let (db, store) = (self.db.clone(), lock_store(&self.rows).take());
        let (rows, done) = concurrency::run_blocking(move || {
            let rows = match store {
                Some(rows) => rows,
                None => ImportStore::open(&db)?,
            };
            let done = work(&rows);
            Ok::<_, ImportError>((rows, done))
        })
        .await?;
        *lock_store(&self.rows) = Some(rows);
        done
    }
}

/// Whether a contact is deleted or hidden from the token: its rows match no contact.
fn repeated_tasks_error() -> ImportError {
    api::repeated_pages_error(api::ApiEndpoint::SearchTasks).into()
}

fn is_out_of_reach(error: &api::ApiError) -> bool {
    error.kind == api::ApiErrorKind::Gone || error.forbids_record()
}

fn raw_contacts(body: &[u8]) -> Result<Vec<String>, ImportError> {
    let rows = api::parse_list_rows(body, "contacts").map_err(decode_error)?;
    Ok(rows.iter().map(|row| row.get().to_owned()).collect())
}

#[expect(clippy::needless_pass_by_value, reason = "a function for `map_err`")]
fn decode_error(error: serde_json::Error) -> ImportError {
    ImportError::Answer(error.to_string())
}

/// Stores the opportunities of a contact; only the rows of a search contain them.
fn store_opportunities(rows: &ImportStore, contact: &str, row: &[u8]) -> Result<(), ImportError> {
    if memchr::memmem::find(row, b"\"opportunities\":[{").is_none() {
        return Ok(());
    }
    let row: Value = serde_json::from_slice(row).map_err(decode_error)?;
    for (n, opportunity) in row["opportunities"].as_array().into_iter().flatten().enumerate() {
        let body = opportunity.to_string();
        rows.put_child(ContactPart::Opportunities, contact, &n.to_string(), &body)?;
    }
    Ok(())
}

/// Locks even after a panic elsewhere: the store is either taken out as a whole, or left in place.
fn lock_store(rows: &Mutex<Option<ImportStore>>) -> MutexGuard<'_, Option<ImportStore>> {
    rows.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Stores a contact if any row names it.
fn store_if_referenced(
    rows: &ImportStore,
    row: &[u8],
    key: Option<&MatchKey>,
) -> Result<(), ImportError> {
    let Some(remote) = RemoteContact::from_json_slice(row) else { return Ok(()) };
    // Contacts are found by id without a stored match.
    let mut named = rows.has_row_value(IdentityKind::ContactId, remote.id.as_str())?;
    let mut found =
        |kind: IdentityKind, asked: IdentityKind, value: &str| -> Result<(), ImportError> {
            if rows.has_row_value(asked, value)? {
                rows.add_match(kind, value, remote.id.as_str())?;
                named = true;
            }
            Ok(())
        };
    if let Some(email) = remote.native_field(Field::Email) {
        found(IdentityKind::Email, IdentityKind::Email, &email.to_lowercase())?;
    }
    if let Some(phone) = remote.native_field(Field::Phone) {
        found(IdentityKind::Phone, IdentityKind::Phone, phone)?;
    }
    for email in &remote.additional_emails {
        found(IdentityKind::OtherEmail, IdentityKind::Email, &email.to_lowercase())?;
    }
    if let Some(value) = key.and_then(|key| key.value_in_contact(&remote)) {
        found(IdentityKind::KeyField, IdentityKind::KeyField, &value)?;
    }
    if named {
        rows.put_contact(remote.id.as_str(), &to_json(&remote), &remote.content_digest())?;
        store_opportunities(rows, remote.id.as_str(), row)?;
    }
    Ok(())
}
