//! The account as it stands, as far as the rows are about it.
//!
//! Contacts come in bulk, 500 a page, or one by one where that takes fewer requests; what no row names
//! is forgotten at once. Nothing here is decided: who is who is `plan`'s business.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::Value;
use serde_json::value::RawValue;

use super::validate_rows::{json, kind, text_of};
use crate::api::{self, Answer, Bounds, Client, Filter, TaskPlace};
use crate::concurrency;
use crate::context::Context;
use crate::event::{Event, Watcher};
use crate::id::ContactId;
use crate::import::Error;
use crate::model::Field;
use crate::model::remote::Live;
use crate::run::Rows;

/// Contacts named in one task search (its maximum is unknown, api.md §4).
const TASK_CONTACTS: usize = 100;
/// Values looked up between two looks at the tap.
const LOT: usize = 200;

/// What is fetched, and with what.
pub(crate) struct Fetch<'a> {
    client: &'a Client,
    db: PathBuf,
    watcher: &'a Watcher,
    /// The custom field by which rows know their contacts.
    key: Option<String>,
    whole: bool,
    removes: bool,
    /// The store, between two uses: opening it for each page would cost more than the page.
    rows: Mutex<Option<Rows>>,
}

impl<'a> Fetch<'a> {
    /// A fetch for a run's rows.
    pub(crate) fn new(context: &'a Context, db: PathBuf, key: Option<String>) -> Self {
        let (client, watcher) = (&context.client, &context.watcher);
        Self { client, db, watcher, key, whole: false, removes: false, rows: Mutex::new(None) }
    }

    /// The same, walking over all contacts whatever it costs: the search says more than single reads.
    pub(crate) fn whole(self, whole: bool) -> Self {
        Self { whole, ..self }
    }

    /// The same for what is to be deleted: what the walk has not seen is asked for once more, since a
    /// search lags and nothing is to be called gone that is there; and every contact that an address or
    /// number could mean is found.
    pub(crate) fn removes(self, removes: bool) -> Self {
        Self { removes, ..self }
    }
}

impl Fetch<'_> {
    /// Fetches all contacts that rows are about, and the notes and tasks that rows name.
    pub(crate) async fn all(&self) -> Result<(), Error> {
        let wanted = self.with_rows(|rows| {
            let kinds = [kind::ID, kind::EMAIL, kind::PHONE, kind::KEY];
            Ok(kinds.iter().map(|kind| rows.names(kind)).sum::<Result<u64, _>>()?)
        });
        let wanted = wanted.await?;
        if wanted == 0 {
            return Ok(());
        }
        let limit = api::SEARCH_LIMIT as u64;
        // One page is asked for in any case but the smallest: it says how many there are.
        let first = match wanted {
            1..=2 if !self.whole => None,
            _ => Some(self.page(None).await?),
        };
        let total = first.as_ref().map(|page| page.head.total);
        let walked = match (first, total) {
            (Some(page), Some(Some(total))) if self.whole || total.div_ceil(limit) <= wanted => {
                self.walk(page, total).await?;
                true
            }
            // Without a total there is no telling what a walk costs.
            (Some(page), Some(None)) => {
                self.walk(page, 0).await?;
                true
            }
            _ => false,
        };
        if !walked || self.removes {
            self.one_by_one(walked).await?;
        }
        self.children().await
    }

    async fn page(&self, after: Option<&api::Cursor>) -> Result<Answer<api::ContactPage>, Error> {
        Ok(self.client.search_contacts(&Filter::default(), api::SEARCH_LIMIT, after).await?)
    }

    /// Walks over all contacts, and keeps those that rows name.
    async fn walk(&self, first: Answer<api::ContactPage>, total: u64) -> Result<(), Error> {
        let (mut page, mut seen) = (first, 0);
        loop {
            let (count, next) = (page.head.rows.len(), page.head.next.take());
            let storing = self.keep_page(page.body);
            seen += count as u64;
            let total = Some(total).filter(|total| *total > 0);
            self.watcher.observe(&Event::Progress { what: "contacts", done: seen, total });
            let more = next.filter(|_| count == api::SEARCH_LIMIT);
            let Some(cursor) = more else {
                return storing.await;
            };
            // The next page is on its way while this one is looked through.
            let (stored, fetched) = tokio::join!(storing, self.page(Some(&cursor)));
            stored?;
            page = fetched?;
        }
    }

    async fn keep_page(&self, body: Bytes) -> Result<(), Error> {
        let key = self.key.clone();
        self.with_rows(move |rows| {
            rows.together(|rows| {
                let page = api::rows(&body, "contacts").map_err(unreadable)?;
                page.iter().try_for_each(|row| keep(rows, row.get().as_bytes(), key.as_deref()))
            })
        })
        .await
    }

    /// Looks every value up by itself: cheaper than a walk when few rows meet many contacts. After a walk,
    /// only those that it has not met.
    async fn one_by_one(&self, walked: bool) -> Result<(), Error> {
        let kinds = [kind::ID, kind::EMAIL, kind::PHONE, kind::KEY];
        // A contact that is to be deleted is read by its id anyway.
        for kind in kinds.into_iter().filter(|kind| !self.removes || *kind != kind::ID) {
            let mut last = String::new();
            loop {
                let after = last.clone();
                let values =
                    self.with_rows(move |rows| Ok(rows.values(kind, &after, LOT)?)).await?;
                let Some(end) = values.last() else { break };
                last.clone_from(end);
                let values = if walked { self.unmet(kind, values).await? } else { values };
                for value in values {
                    for body in self.look_up(kind, &value).await? {
                        self.keep_one(body).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The values that no contact was found for.
    async fn unmet(&self, kind: &'static str, values: Vec<String>) -> Result<Vec<String>, Error> {
        self.with_rows(move |rows| {
            let unmet = |value: &String| rows.matches(kind, value).map(|found| found.is_empty());
            let all = values.into_iter().map(|value| Ok((unmet(&value)?, value)));
            let all: Vec<(bool, String)> = all.collect::<Result<_, Error>>()?;
            Ok(all.into_iter().filter(|(unmet, _)| *unmet).map(|(_, value)| value).collect())
        })
        .await
    }

    async fn look_up(&self, kind: &str, value: &str) -> Result<Vec<String>, Error> {
        let own = |answer: Answer<Option<Box<RawValue>>>| {
            answer.head.map(|row| row.get().to_owned()).into_iter().collect()
        };
        match kind {
            kind::ID => {
                let Ok(id) = value.parse::<ContactId>() else { return Ok(Vec::new()) };
                match self.client.contact_raw(&id).await {
                    Ok(answer) => Ok(own(answer)),
                    Err(error) if error.kind == api::Kind::Gone => Ok(Vec::new()),
                    Err(error) => Err(error.into()),
                }
            }
            kind::EMAIL | kind::PHONE => {
                let (email, phone) =
                    if kind == kind::EMAIL { (Some(value), None) } else { (None, Some(value)) };
                let mut found = own(self.client.duplicate_contact(email, phone).await?);
                if self.removes {
                    // The server names one; another one may be meant.
                    found.extend(self.all_with(kind, value).await?);
                }
                Ok(found)
            }
            _ => {
                let field = self.key.as_deref().unwrap_or_default();
                let page = self.client.search_by_field(field, &value.into()).await?;
                raw_rows(&page.body)
            }
        }
    }

    /// The contacts that the search finds by an e-mail address or phone number.
    async fn all_with(&self, kind: &str, value: &str) -> Result<Vec<String>, Error> {
        let filter = serde_json::json!({ "field": kind, "operator": "eq", "value": value });
        let filter = Filter { filters: vec![filter], query: None };
        let page = self.client.search_contacts(&filter, api::SEARCH_LIMIT, None).await?;
        raw_rows(&page.body)
    }

    async fn keep_one(&self, body: String) -> Result<(), Error> {
        let key = self.key.clone();
        self.with_rows(move |rows| keep(rows, body.as_bytes(), key.as_deref())).await
    }

    /// Notes and tasks that rows name by id.
    async fn children(&self) -> Result<(), Error> {
        for contact in self.owners(kind::NOTES, kind::NOTES_OF).await? {
            let Ok(id) = contact.parse::<ContactId>() else { continue };
            let answer = match self.client.contact_notes(&id, Bounds::PATIENT).await {
                Err(error) if error.kind == api::Kind::Gone => continue,
                answer => answer?,
            };
            self.keep_children(kind::NOTES, "notes", Some(contact), answer.body).await?;
        }
        let contacts = self.owners(kind::TASKS, kind::TASKS_OF).await?;
        for lot in contacts.chunks(TASK_CONTACTS) {
            let ids: Vec<ContactId> = lot.iter().filter_map(|id| id.parse().ok()).collect();
            let mut place = TaskPlace::Skip(0);
            loop {
                let page = self.client.search_tasks(&ids, api::SEARCH_LIMIT, &place).await?;
                let (rows, next) = (page.head.rows, page.head.next.clone());
                self.keep_children(kind::TASKS, "tasks", None, page.body).await?;
                match next {
                    Some(cursor) if rows == api::SEARCH_LIMIT => {
                        place = TaskPlace::After(cursor.as_str().to_owned());
                    }
                    _ => break,
                }
            }
        }
        Ok(())
    }

    /// The contacts whose notes or tasks rows name: by their ids, or whom an address or number belongs to.
    async fn owners(
        &self,
        by_id: &'static str,
        by_other: &'static str,
    ) -> Result<Vec<String>, Error> {
        self.with_rows(move |rows| {
            let mut owners: BTreeSet<String> =
                rows.values(by_id, "", usize::MAX)?.into_iter().collect();
            for known in rows.values(by_other, "", usize::MAX)? {
                let Some((kind, value)) = known.split_once(' ') else { continue };
                owners.extend(rows.matches(kind, value)?);
                if kind == kind::EMAIL {
                    owners.extend(rows.matches(kind::OTHER_EMAIL, value)?);
                }
            }
            Ok(owners.into_iter().collect())
        })
        .await
    }

    async fn keep_children(
        &self,
        kind: &'static str,
        list: &'static str,
        contact: Option<String>,
        body: Bytes,
    ) -> Result<(), Error> {
        self.with_rows(move |rows| {
            let answer: Value = serde_json::from_slice(&body).map_err(unreadable)?;
            rows.together(|rows| {
                for child in answer[list].as_array().into_iter().flatten() {
                    let id = child["id"].as_str().or_else(|| child["_id"].as_str());
                    let owner = contact.as_deref().or_else(|| child["contactId"].as_str());
                    if let (Some(id), Some(owner)) = (id, owner) {
                        rows.keep_child(kind, owner, id, &child.to_string())?;
                    }
                }
                Ok(())
            })
        })
        .await
    }

    async fn with_rows<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Rows) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (db, kept) = (self.db.clone(), lock(&self.rows).take());
        let (rows, done) = concurrency::blocking(move || {
            let rows = match kept {
                Some(rows) => rows,
                None => Rows::open(&db)?,
            };
            let done = work(&rows);
            Ok::<_, Error>((rows, done))
        })
        .await?;
        *lock(&self.rows) = Some(rows);
        done
    }
}

fn raw_rows(body: &[u8]) -> Result<Vec<String>, Error> {
    let rows = api::rows(body, "contacts").map_err(unreadable)?;
    Ok(rows.iter().map(|row| row.get().to_owned()).collect())
}

#[expect(clippy::needless_pass_by_value, reason = "a function for `map_err`")]
fn unreadable(error: serde_json::Error) -> Error {
    Error::Answer(error.to_string())
}

/// Only rows of a search have them.
fn keep_opportunities(rows: &Rows, contact: &str, row: &[u8]) -> Result<(), Error> {
    if memchr::memmem::find(row, b"\"opportunities\":[{").is_none() {
        return Ok(());
    }
    let row: Value = serde_json::from_slice(row).map_err(unreadable)?;
    for (n, opportunity) in row["opportunities"].as_array().into_iter().flatten().enumerate() {
        let body = opportunity.to_string();
        rows.keep_child(kind::OPPORTUNITIES, contact, &n.to_string(), &body)?;
    }
    Ok(())
}

/// Locks even after a panic elsewhere: a store is taken out whole, or not.
fn lock(rows: &Mutex<Option<Rows>>) -> MutexGuard<'_, Option<Rows>> {
    rows.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps a contact if any row names it.
fn keep(rows: &Rows, row: &[u8], key: Option<&str>) -> Result<(), Error> {
    let Some(live) = Live::read(row) else { return Ok(()) };
    // By its id it is found without being told.
    let mut named = rows.is_named(kind::ID, live.id.as_str())?;
    let mut found = |kind: &'static str, asked: &str, value: &str| -> Result<(), Error> {
        if rows.is_named(asked, value)? {
            rows.matched(kind, value, live.id.as_str())?;
            named = true;
        }
        Ok(())
    };
    if let Some(email) = live.field(Field::Email) {
        found(kind::EMAIL, kind::EMAIL, &email.to_lowercase())?;
    }
    if let Some(phone) = live.field(Field::Phone) {
        found(kind::PHONE, kind::PHONE, phone)?;
    }
    for email in &live.additional_emails {
        found(kind::OTHER_EMAIL, kind::EMAIL, &email.to_lowercase())?;
    }
    if let Some(value) = key.and_then(|field| live.custom.get(field)) {
        found(kind::KEY, kind::KEY, &text_of(value))?;
    }
    if named {
        rows.keep(live.id.as_str(), &json(&live), &live.digest())?;
        keep_opportunities(rows, live.id.as_str(), row)?;
    }
    Ok(())
}
