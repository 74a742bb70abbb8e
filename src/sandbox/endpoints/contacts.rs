//! One contact: read, create, update, upsert, delete, and the duplicate search.
//!
//! Implements the effects of a write and the service's traps; `contact_body` validates the bodies.

use serde_json::{Value, json};

use super::contact_body::{self, ContactWriteKind};
use super::dialect;
use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::sandbox_settings::{ServiceQuirk, UniqueIdentifier};
use crate::sandbox::store::contact::ContactSlot;
use crate::sandbox::store::contact::{SearchRow, StoredContact};
use crate::sandbox::store::state::{ContactPosition, SandboxState, now_millis};
use crate::sandbox::text;

pub(crate) fn get(state: &mut SandboxState, ask: &SandboxRequest) -> EndpointResult {
    let place = state.authorize_contact(ask)?;
    let contact = render_contact(state, place, ask);
    Ok(SandboxResponse::json(200, &json!({ "contact": contact, "traceId": ask.trace })))
}

pub(crate) fn create(state: &mut SandboxState, ask: &SandboxRequest) -> EndpointResult {
    let body = ask.body_object()?;
    contact_body::validate_body(&body, ContactWriteKind::Create, ask.is_v3())?;
    let shelf = state.authorize_named_location(ask)?;
    reject_duplicate(state, shelf, &body, None)?;
    let place = insert_contact(state, ask, shelf, &body)?;
    let mut contact = render_contact(state, place, ask);
    contact.insert("deleted".to_owned(), false.into());
    Ok(SandboxResponse::json(201, &json!({ "contact": contact, "traceId": ask.trace })))
}

pub(crate) fn update(state: &mut SandboxState, ask: &SandboxRequest) -> EndpointResult {
    let place = state.authorize_contact(ask)?;
    let body = ask.body_object()?;
    contact_body::validate_body(&body, ContactWriteKind::Update, ask.is_v3())?;
    reject_duplicate(state, place.shelf, &body, Some(place.slot))?;
    write_contact(state, ask, place, &body)?;
    let contact = render_contact(state, place, ask);
    let both = json!({
        "succeded": true, "succeeded": true, "contact": contact, "traceId": ask.trace,
    });
    let one = json!({ "succeeded": true, "contact": contact, "traceId": ask.trace });
    Ok(SandboxResponse::json(200, if ask.is_v3() { &one } else { &both }))
}

/// `POST /contacts/upsert`, with the traps of the real one: a merely additional e-mail address also
/// matches and replaces the primary one, and a phone that belongs to another contact is silently
/// dropped.
pub(crate) fn upsert(state: &mut SandboxState, ask: &SandboxRequest) -> EndpointResult {
    let mut body = ask.body_object()?;
    contact_body::validate_body(&body, ContactWriteKind::Upsert, ask.is_v3())?;
    let shelf = state.authorize_named_location(ask)?;
    let apart = body.remove("createNewIfDuplicateAllowed") == Some(Value::Bool(true));
    let found = find_upsert_target(state, shelf, &body);
    let found = found.filter(|_| !(apart && state.settings.allow_duplicates));
    let (place, new) = match found {
        None => (insert_contact(state, ask, shelf, &body)?, true),
        Some(slot) => {
            let place = ContactPosition { shelf, slot };
            body.remove("gender");
            for identity in [UniqueIdentifier::Email, UniqueIdentifier::Phone] {
                let owners = contacts_with_identity(state, shelf, &body, identity);
                if !owners.is_empty() && !owners.contains(&slot) {
                    body.remove(identity.json_key());
                }
            }
            write_contact(state, ask, place, &body)?;
            (place, false)
        }
    };
    let contact = render_contact(state, place, ask);
    let status = if new { 201 } else { 200 };
    Ok(dialect::success_response(status, ask, json!({ "new": new, "contact": contact })))
}

pub(crate) fn delete(state: &mut SandboxState, ask: &SandboxRequest) -> EndpointResult {
    let place = state.authorize_contact(ask)?;
    state.shelves[place.shelf].remove(place.slot, true);
    let mut body = json!({ "succeded": true, "traceId": ask.trace });
    if ask.is_v3() {
        body["succeeded"] = true.into();
    }
    Ok(SandboxResponse::json(200, &body))
}

/// `GET /contacts/search/duplicate?locationId&number&email`. Reads the contacts, not the index.
pub(crate) fn find_duplicate(state: &mut SandboxState, ask: &SandboxRequest) -> EndpointResult {
    let shelf = state.authorize_named_location(ask)?;
    ask.reject_unknown_parameters(&["locationId", "number", "email"])?;
    let (number, email) = (ask.query_parameter("number"), ask.query_parameter("email"));
    if number.is_none() && email.is_none() {
        let text = "Pass at least one of number, email query parameter";
        return Err(EndpointError::bad_request(text));
    }
    let mut body = SearchRow::new();
    for (key, value) in [("phone", number), ("email", email)] {
        if let Some(value) = value {
            body.insert(key.to_owned(), value.into());
        }
    }
    let unique = state.settings.unique.clone();
    let found =
        unique.iter().find_map(|identity| first_with_identity(state, shelf, &body, *identity));
    let contact = found.map(|slot| render_contact(state, ContactPosition { shelf, slot }, ask));
    Ok(SandboxResponse::json(200, &json!({ "contact": contact, "traceId": ask.trace })))
}

/// A response with the version's success flag plus other fields.
pub(crate) fn success_response(
    status: u16,
    ask: &SandboxRequest,
    mut body: Value,
) -> SandboxResponse {
    let flag = if ask.is_v3() { "succeeded" } else { "succeded" };
    body[flag] = true.into();
    body["traceId"] = ask.trace.as_str().into();
    SandboxResponse::json(status, &body)
}

fn render_contact(state: &SandboxState, place: ContactPosition, ask: &SandboxRequest) -> SearchRow {
    dialect::render_record(state.shelves[place.shelf].contact(place.slot), ask.is_v3())
}

/// The contacts with the body's value for one identity; old ones may share it.
fn contacts_with_identity<'a>(
    state: &'a SandboxState,
    shelf: usize,
    body: &SearchRow,
    identity: UniqueIdentifier,
) -> &'a [ContactSlot] {
    let Some(value) = body.get(identity.json_key()).and_then(Value::as_str) else { return &[] };
    let shelf = &state.shelves[shelf];
    match identity {
        UniqueIdentifier::Email => shelf.find_by_email(value),
        UniqueIdentifier::Phone => {
            text::normalize_phone(value).map_or(&[], |phone| shelf.find_by_phone(&phone))
        }
    }
}

fn first_with_identity(
    state: &SandboxState,
    shelf: usize,
    body: &SearchRow,
    identity: UniqueIdentifier,
) -> Option<ContactSlot> {
    contacts_with_identity(state, shelf, body, identity).first().copied()
}

fn find_upsert_target(state: &SandboxState, shelf: usize, body: &SearchRow) -> Option<ContactSlot> {
    state.settings.unique.iter().find_map(|identity| {
        let found = first_with_identity(state, shelf, body, *identity);
        if found.is_some() || *identity == UniqueIdentifier::Phone {
            return found;
        }
        let email = body.get("email").and_then(Value::as_str)?;
        state.shelves[shelf].find_by_other_email(email).first().copied()
    })
}

fn reject_duplicate(
    state: &SandboxState,
    shelf: usize,
    body: &SearchRow,
    own: Option<ContactSlot>,
) -> Result<(), EndpointError> {
    if state.settings.allow_duplicates {
        return Ok(());
    }
    for identity in &state.settings.unique {
        let owners = contacts_with_identity(state, shelf, body, *identity);
        let Some(slot) = owners.first().filter(|_| own.is_none_or(|own| !owners.contains(&own)))
        else {
            continue;
        };
        let contact = state.shelves[shelf].contact(*slot);
        let name = contact.parse_row().remove("contactName").unwrap_or_default();
        return Err(EndpointError::duplicate_contact(&contact.id, &name, identity.json_key()));
    }
    Ok(())
}

fn insert_contact(
    state: &mut SandboxState,
    ask: &SandboxRequest,
    shelf: usize,
    body: &SearchRow,
) -> Result<ContactPosition, EndpointError> {
    let id = state.generate_id();
    let time = now_millis();
    let mut row = contact_body::empty_row(&id, &state.shelves[shelf].location, time);
    let tags = apply_body(state, shelf, body, &mut row, ask)?;
    super::tags::register_tags(state, shelf, &tags);
    let text = serde_json::to_string(&row).expect("a row is JSON");
    let mut contact = StoredContact::new(&id, time, time, &text);
    let extra = json!({
        "gender": body.get("gender"),
        "createdBy": {
            "source": "INTEGRATION", "channel": "OAUTH", "sourceId": "sandboxIntegration01",
            "timestamp": text::format_iso(time),
        },
    });
    contact.extra = Some(extra.to_string().into());
    let slot = state.shelves[shelf].insert(contact, true);
    Ok(ContactPosition { shelf, slot })
}

fn write_contact(
    state: &mut SandboxState,
    ask: &SandboxRequest,
    place: ContactPosition,
    body: &SearchRow,
) -> Result<(), EndpointError> {
    let mut row = state.shelves[place.shelf].contact(place.slot).parse_row();
    let tags = apply_body(state, place.shelf, body, &mut row, ask)?;
    super::tags::register_tags(state, place.shelf, &tags);
    state.rewrite_contact(place, &mut row);
    Ok(())
}

/// Applies a validated body to a row; returns the tags in it.
fn apply_body(
    state: &SandboxState,
    shelf: usize,
    body: &SearchRow,
    row: &mut SearchRow,
    ask: &SandboxRequest,
) -> Result<Vec<String>, EndpointError> {
    let metadata = &state.shelves[shelf].metadata;
    let strict = state.settings.has_quirk(ServiceQuirk::RefuseUnknownFields);
    contact_body::apply_body(body, row, metadata, strict, ask.is_v3())
}
