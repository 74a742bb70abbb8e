//! The requests that find contacts by id, e-mail address or phone number: many by one search, or one on its own.

use bytes::Bytes;
use serde_json::json;
use serde_json::value::RawValue;

use super::lookup_key::{self, ContactKey};
use crate::api::{
    self, ApiClient, ApiErrorKind, BrokenRecord, ContactSearchFilter, LookupValue, RepeatedPages,
    SEARCH_LIMIT,
};
use crate::id::ContactId;

/// The rows of a search, or that the server rejects such a search.
pub(in crate::pull) enum KeySearchResult {
    Rows(Vec<Box<RawValue>>, Vec<BrokenRecord>),
    Refused,
}

/// Builds a response body of rows as they were sent.
pub(in crate::pull) fn encode_rows<'r>(rows: impl Iterator<Item = &'r RawValue>) -> Bytes {
    let rows: Vec<&str> = rows.map(RawValue::get).collect();
    Bytes::from(format!("{{\"contacts\":[{}]}}", rows.join(",")))
}

pub(super) fn decode_rows(body: &[u8]) -> Result<Vec<Box<RawValue>>, serde_json::Error> {
    Ok(api::parse_list_rows(body, "contacts")?.into_iter().map(ToOwned::to_owned).collect())
}

/// All contacts that one search returns for a batch of keys.
pub(in crate::pull) async fn search_keys(
    client: &ApiClient,
    batch: &[ContactKey],
) -> Result<KeySearchResult, api::ApiError> {
    let any: Vec<_> = batch.iter().filter_map(ContactKey::search_filter).collect();
    let filter =
        ContactSearchFilter { filters: vec![json!({"group": "OR", "filters": any})], query: None };
    let (mut rows_found, mut broken) = (Vec::new(), Vec::new());
    let (mut cursor, mut read, mut pages) = (None, 0, RepeatedPages::default());
    loop {
        let page = match client.search_contacts(&filter, SEARCH_LIMIT, cursor.as_ref()).await {
            Err(error) if matches!(error.kind, ApiErrorKind::Refused | ApiErrorKind::TooLarge) => {
                return Ok(KeySearchResult::Refused);
            }
            page => page?,
        };
        let Ok(rows) = decode_rows(&page.body) else { return Ok(KeySearchResult::Refused) };
        let matches_batch = |row: &RawValue| {
            lookup_key::parse_contact_keys(row)
                .is_some_and(|(_, names)| names.iter().any(|name| batch.contains(name)))
        };
        // A server that ignores the filter returns all contacts.
        if !rows.is_empty() && !rows.iter().any(|row| matches_batch(row)) {
            return Ok(KeySearchResult::Refused);
        }
        if pages.add_page(page.head.rows.iter().flatten().map(|row| &row.id)) {
            return Ok(KeySearchResult::Refused);
        }
        read += rows.len() as u64;
        let last = page.head.is_last(read) || page.head.next == cursor;
        rows_found.extend(rows.into_iter().filter(|row| matches_batch(row)));
        broken.extend(page.broken);
        if last {
            return Ok(KeySearchResult::Rows(rows_found, broken));
        }
        cursor = page.head.next;
    }
}

/// Every contact that a key names, as the account has it now: by the lookup where the token may use it, else by the
/// search, and what neither finds by the duplicate search, which knows contacts that the index does not have yet.
///
/// # Errors
/// When the server cannot say; that it has no such contact is no error.
pub async fn find_contacts(
    client: &ApiClient,
    key: &ContactKey,
) -> Result<Vec<Box<RawValue>>, api::ApiError> {
    let looked_up = look_up_key(client, key).await?;
    if !looked_up.is_empty() {
        return Ok(looked_up);
    }
    if !matches!(key, ContactKey::Id(_))
        && key.search_filter().is_some()
        && let KeySearchResult::Rows(rows, _) =
            search_keys(client, std::slice::from_ref(key)).await?
        && !rows.is_empty()
    {
        return Ok(rows);
    }
    Ok(fetch_single(client, key).await?.0)
}

/// The contacts with these ids, as the search writes them: at most a few dozen. One that its index lacks is left out.
///
/// # Errors
/// When the server cannot say, or rejects a search by ids.
pub async fn search_contacts_by_id(
    client: &ApiClient,
    ids: &[ContactId],
) -> Result<Vec<Box<RawValue>>, api::ApiError> {
    let keys: Vec<_> = ids.iter().cloned().map(ContactKey::Id).collect();
    let mut rows = Vec::new();
    match search_keys(client, &keys).await? {
        KeySearchResult::Rows(found, _) => rows = found,
        // One by one, as their own endpoint writes them, where no search is possible.
        KeySearchResult::Refused => {
            for key in &keys {
                rows.extend(fetch_single(client, key).await?.0);
            }
        }
    }
    Ok(rows)
}

/// The contacts that the server finds for a key.
pub(super) async fn fetch_by_key(
    client: &ApiClient,
    key: &ContactKey,
) -> Result<(Vec<Box<RawValue>>, Vec<BrokenRecord>), api::ApiError> {
    let looked_up = look_up_key(client, key).await?;
    if !looked_up.is_empty() {
        return Ok((looked_up, Vec::new()));
    }
    fetch_single(client, key).await
}

/// The contacts that the lookup finds; none where the token may not use it.
async fn look_up_key(
    client: &ApiClient,
    key: &ContactKey,
) -> Result<Vec<Box<RawValue>>, api::ApiError> {
    let value = match key {
        ContactKey::Id(_) => return Ok(Vec::new()),
        ContactKey::Email(email) => LookupValue::Email(email),
        ContactKey::Phone(phone) => LookupValue::Phone(phone),
    };
    Ok(client.look_up_contacts(value).await?.unwrap_or_default())
}

/// The contact with an id, or the one that the duplicate search names.
async fn fetch_single(
    client: &ApiClient,
    key: &ContactKey,
) -> Result<(Vec<Box<RawValue>>, Vec<BrokenRecord>), api::ApiError> {
    let response = match key {
        ContactKey::Id(id) => client.get_raw_contact(id).await,
        ContactKey::Email(email) => client.find_duplicate_contact(Some(email), None).await,
        ContactKey::Phone(phone) => client.find_duplicate_contact(None, Some(phone)).await,
    };
    match response {
        Err(error) if error.kind == ApiErrorKind::Gone => Ok((Vec::new(), Vec::new())),
        Err(error) => Err(error),
        Ok(response) => Ok((response.head.into_iter().collect(), response.broken)),
    }
}
