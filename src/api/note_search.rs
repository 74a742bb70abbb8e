//! The notes search: the notes of many contacts, or of the whole location, per request (api.md §4).
//!
//! The endpoint is young, and its documentation leaves open which page size it accepts, how relations are written and
//! what its total is called. So a request is made in a [`NoteSearchDialect`], which the caller negotiates. The search
//! reads an index that may lag behind writes.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::client::{ApiClient, json_body};
use super::decode::{LenientCount, NullableList, parse_millis, parse_text_or_number};
use super::endpoint::ApiEndpoint;
use super::error::ApiError;
use super::response::ApiResponse;
use super::retry::RetryPolicy;
use crate::id::{ContactId, LocationId};

/// The largest page of notes that was observed (api.md §4).
pub const NOTE_SEARCH_LIMIT: usize = 500;

/// The `Version` of the notes search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoteSearchVersion {
    /// The documented one.
    #[serde(rename = "v3")]
    V3,
    /// That of the other endpoints.
    #[serde(rename = "2021-07-28")]
    Common,
}

/// How a relation is written in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationForm {
    /// `{"objectKey": "contact", "recordId": "…"}`, as a public client sends it.
    Object,
    /// The contact's id alone, as the documentation can be read.
    Id,
}

/// The form of request that a server accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteSearchDialect {
    /// The `Version` header.
    pub version: NoteSearchVersion,
    /// The page size that is asked for.
    pub limit: usize,
    /// How relations are written.
    pub relation_form: RelationForm,
    /// Whether the order is asked for.
    pub sorted: bool,
    /// Whether the total is asked for.
    pub counted: bool,
}

impl Default for NoteSearchDialect {
    fn default() -> Self {
        Self {
            version: NoteSearchVersion::V3,
            limit: NOTE_SEARCH_LIMIT,
            relation_form: RelationForm::Object,
            sorted: true,
            counted: true,
        }
    }
}

/// The order of a notes search, by `dateAdded`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteOrder {
    /// Oldest first.
    #[default]
    Oldest,
    /// Newest first.
    Newest,
}

/// Which notes a search returns, and from where on.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoteQuery<'q> {
    /// Only notes that relate to one of these contacts; empty for all notes.
    pub contacts: &'q [ContactId],
    /// Only notes of this source, such as `WORKFLOW`.
    pub source: Option<&'q str>,
    /// Only notes that this user wrote.
    pub author: Option<&'q str>,
    /// The order.
    pub order: NoteOrder,
    /// How many notes are skipped.
    pub skip: u64,
    /// A smaller page than that of the dialect.
    pub limit: Option<usize>,
}

/// A page of notes.
#[derive(Debug, Clone, Default)]
pub struct NotePage {
    /// The rows, in the server's order; `None` for a row that is not a note.
    pub rows: Vec<Option<NoteRef>>,
    /// The total number of matching notes, if the server says so.
    pub total: Option<u64>,
}

/// What identifies a note in a page, and what it relates to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteRef {
    /// Its id.
    pub id: Box<str>,
    /// The contacts it relates to, the first one first.
    pub contacts: Vec<ContactId>,
    /// The user who wrote it, if one did.
    pub author: Option<Box<str>>,
    /// When it was written, in milliseconds since 1970.
    pub added: Option<i64>,
    /// The length of its text in bytes of JSON.
    pub body_bytes: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NoteSearchPayload<'a> {
    location_id: &'a LocationId,
    limit: usize,
    skip: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    relations: Vec<RelationJson<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sources: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by_user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sort_order: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    count: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
enum RelationJson<'a> {
    #[serde(rename_all = "camelCase")]
    Object {
        object_key: &'static str,
        record_id: &'a ContactId,
    },
    Id(&'a ContactId),
}

impl NoteSearchDialect {
    fn payload<'a>(
        &self,
        location_id: &'a LocationId,
        query: &NoteQuery<'a>,
    ) -> NoteSearchPayload<'a> {
        let form = self.relation_form;
        let relation = |record_id| match form {
            RelationForm::Object => RelationJson::Object { object_key: "contact", record_id },
            RelationForm::Id => RelationJson::Id(record_id),
        };
        let order = match query.order {
            NoteOrder::Oldest => "asc",
            NoteOrder::Newest => "desc",
        };
        NoteSearchPayload {
            location_id,
            limit: query.limit.unwrap_or(self.limit).min(self.limit),
            skip: query.skip,
            relations: query.contacts.iter().map(relation).collect(),
            sources: query.source.into_iter().collect(),
            created_by_user_id: query.author,
            sort_by: self.sorted.then_some("dateAdded"),
            sort_order: self.sorted.then_some(order),
            count: self.counted,
        }
    }
}

impl ApiClient {
    /// A page of the location's notes.
    ///
    /// # Errors
    /// As every read; [`ApiErrorKind::Scope`](super::ApiErrorKind::Scope) where the token lacks `notes.readonly`.
    pub async fn search_notes(
        &self,
        dialect: &NoteSearchDialect,
        query: &NoteQuery<'_>,
        policy: RetryPolicy,
    ) -> Result<ApiResponse<NotePage>, ApiError> {
        let body = json_body(&dialect.payload(self.location_id(), query));
        let route = match dialect.version {
            NoteSearchVersion::V3 => ApiEndpoint::SearchNotes,
            NoteSearchVersion::Common => ApiEndpoint::SearchNotesOldVersion,
        };
        let client = self.with_retry_policy(policy);
        client.send_request(route, "/notes/search".to_owned(), Some(body), note_page).await
    }
}

impl NotePage {
    /// Parses a stored page.
    ///
    /// # Errors
    /// When the body is not JSON or has no list of notes.
    pub fn from_json(body: &[u8]) -> Result<Self, serde_json::Error> {
        note_page(body)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NotePageJson<'a> {
    #[serde(borrow)]
    notes: NullableList<&'a RawValue>,
    total: Option<LenientCount>,
    count: Option<LenientCount>,
    total_count: Option<LenientCount>,
    #[serde(borrow)]
    meta: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct PageMetaJson {
    total: Option<LenientCount>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NoteRowJson<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow, rename = "_id")]
    other_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    contact_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    user_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    relations: Option<&'a RawValue>,
    #[serde(borrow, default)]
    date_added: Option<&'a RawValue>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NoteRelationJson<'a> {
    #[serde(borrow, default)]
    object_key: Option<Cow<'a, str>>,
    #[serde(borrow)]
    record_id: &'a RawValue,
}

fn note_page(body: &[u8]) -> Result<NotePage, serde_json::Error> {
    let page: NotePageJson<'_> = serde_json::from_slice(body)?;
    let in_meta = || {
        let meta = serde_json::from_str::<PageMetaJson>(page.meta?.get()).ok()?;
        meta.total?.0
    };
    let total = page.total.and_then(|total| total.0);
    let count = || page.count.and_then(|count| count.0);
    let total_count = || page.total_count.and_then(|count| count.0);
    let total = total.or_else(count).or_else(total_count).or_else(in_meta);
    let rows = page.notes.0.into_iter().map(|row| parse_note_ref(row.get())).collect();
    Ok(NotePage { rows, total })
}

/// What identifies a note, from its row; `None` if the row is not an object with an id.
#[must_use]
pub fn parse_note_ref(row: &str) -> Option<NoteRef> {
    let row: NoteRowJson<'_> = serde_json::from_str(row).ok()?;
    let contact = row.contact_id.and_then(parse_contact_id);
    let mut contacts: Vec<ContactId> = contact.into_iter().collect();
    for related in row.relations.into_iter().flat_map(parse_related_contacts) {
        if !contacts.contains(&related) {
            contacts.push(related);
        }
    }
    Some(NoteRef {
        id: parse_text_or_number(row.id.or(row.other_id)?).filter(|id| !id.is_empty())?.into(),
        contacts,
        author: row
            .user_id
            .and_then(parse_text_or_number)
            .filter(|id| !id.is_empty())
            .map(Into::into),
        added: row.date_added.and_then(parse_millis),
        body_bytes: row.body.map_or(0, |body| body.get().len()),
    })
}

fn parse_contact_id(raw: &RawValue) -> Option<ContactId> {
    parse_text_or_number(raw)?.parse().ok()
}

/// The contacts among a note's relations. A relation without an object key is not a contact for certain.
fn parse_related_contacts(raw: &RawValue) -> Vec<ContactId> {
    let relations = serde_json::from_str::<Vec<NoteRelationJson<'_>>>(raw.get());
    let contacts = relations.unwrap_or_default().into_iter().filter_map(|relation| {
        let is_contact = relation.object_key.is_some_and(|key| key == "contact");
        parse_contact_id(relation.record_id).filter(|_| is_contact)
    });
    contacts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(id: &str) -> ContactId {
        id.parse().unwrap()
    }

    #[test]
    fn a_request_is_written_as_the_dialect_says() {
        let contacts = [contact("a"), contact("b")];
        let query = NoteQuery { contacts: &contacts, skip: 5, ..NoteQuery::default() };
        let location = "l".parse().unwrap();
        let text = |dialect: &NoteSearchDialect| {
            serde_json::to_value(dialect.payload(&location, &query)).unwrap()
        };
        assert_eq!(
            text(&NoteSearchDialect::default()),
            serde_json::json!({
                "locationId": "l", "limit": 500, "skip": 5, "sortBy": "dateAdded", "sortOrder": "asc", "count": true,
                "relations": [{"objectKey": "contact", "recordId": "a"}, {"objectKey": "contact", "recordId": "b"}],
            })
        );
        let plain = NoteSearchDialect {
            limit: 100,
            relation_form: RelationForm::Id,
            sorted: false,
            counted: false,
            ..NoteSearchDialect::default()
        };
        assert_eq!(
            text(&plain),
            serde_json::json!({"locationId": "l", "limit": 100, "skip": 5, "relations": ["a", "b"]})
        );
    }

    #[test]
    fn the_total_and_the_contacts_of_a_note_are_read_in_every_spelling() {
        let row = r#"{"id":"n","contactId":"b","body":"xy","userId":"u","dateAdded":"1970-01-01T00:00:01Z",
            "relations":[{"objectKey":"contact","recordId":"a"},{"objectKey":"opportunity","recordId":"o"},
            {"objectKey":"contact","recordId":"b"}]}"#;
        for (total, expected) in [
            (r#""total":7"#, Some(7)),
            (r#""count":"7""#, Some(7)),
            (r#""totalCount":7"#, Some(7)),
            (r#""meta":{"total":7}"#, Some(7)),
            (r#""total":7,"count":9,"totalCount":9"#, Some(7)),
            (r#""meta":[]"#, None),
            (r#""traceId":"t""#, None),
        ] {
            let page = note_page(format!(r#"{{"notes":[{row},4],{total}}}"#).as_bytes()).unwrap();
            assert_eq!(page.total, expected, "{total}");
            assert_eq!(page.rows[1], None);
            let note = page.rows[0].as_ref().unwrap();
            assert_eq!(note.contacts, [contact("b"), contact("a")]);
            assert_eq!((&*note.id, note.added, note.body_bytes), ("n", Some(1_000), 4));
            assert_eq!(note.author.as_deref(), Some("u"));
        }
        let both = parse_note_ref(r#"{"id":"n","_id":"m"}"#).unwrap();
        assert_eq!(&*both.id, "n");
        assert!(note_page(br#"{"note":{"id":"n"}}"#).is_err(), "the documented example is no list");
    }
}
