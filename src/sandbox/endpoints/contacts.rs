//! One contact: read, create, update, upsert, delete, and the duplicate search.
//!
//! Implements the effects of a write and the service's traps; `contact_body` validates the bodies.

use serde_json::{Value, json};

use super::contact_body::{self, ContactWriteKind};
use super::dialect;
use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::sandbox_settings::{ServiceQuirk, UniqueIdentifier};
use crate::sandbox::store::contact::{SearchRow, StoredContact};
use crate::sandbox::store::slots::ContactSlot;
use crate::sandbox::store::state::{ContactPosition, SandboxState, now_millis};
use crate::sandbox::text;

pub(crate) fn get(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let place = state.authorize_contact(request)?;
    let contact = render_contact(state, place, request);
    Ok(SandboxResponse::json(200, &json!({ "contact": contact, "traceId": request.trace })))
}

pub(crate) fn create(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let body = request.body_object()?;
    contact_body::validate_body(&body, ContactWriteKind::Create, request.is_v3())?;
    let store = state.authorize_named_location(request)?;
    reject_duplicate(state, store, &body, None)?;
    let place = insert_contact(state, request, store, &body)?;
    let mut contact = render_contact(state, place, request);
    contact.insert("deleted".to_owned(), false.into());
    Ok(SandboxResponse::json(201, &json!({ "contact": contact, "traceId": request.trace })))
}

pub(crate) fn update(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let place = state.authorize_contact(request)?;
    let body = request.body_object()?;
    contact_body::validate_body(&body, ContactWriteKind::Update, request.is_v3())?;
    reject_duplicate(state, place.store, &body, Some(place.slot))?;
    write_contact(state, request, place, &body)?;
    let contact = render_contact(state, place, request);
    let both = json!({
        "succeded": true, "succeeded": true, "contact": contact, "traceId": request.trace,
    });
    let one = json!({ "succeeded": true, "contact": contact, "traceId": request.trace });
    Ok(SandboxResponse::json(200, if request.is_v3() { &one } else { &both }))
}

/// `POST /contacts/upsert`, with the traps of the real one: a merely additional e-mail address also
/// matches and replaces the primary one, and a phone that belongs to another contact is silently
/// dropped.
pub(crate) fn upsert(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let mut body = request.body_object()?;
    contact_body::validate_body(&body, ContactWriteKind::Upsert, request.is_v3())?;
    let store = state.authorize_named_location(request)?;
    let apart = body.remove("createNewIfDuplicateAllowed") == Some(Value::Bool(true));
    let found = find_upsert_target(state, store, &body);
    let found = found.filter(|_| !(apart && state.settings.allow_duplicates));
    let (place, new) = match found {
        None => (insert_contact(state, request, store, &body)?, true),
        Some(slot) => {
            let place = ContactPosition { store, slot };
            body.remove("gender");
            for identity in [UniqueIdentifier::Email, UniqueIdentifier::Phone] {
                let owners = contacts_with_identity(state, store, &body, identity);
                if !owners.is_empty() && !owners.contains(&slot) {
                    body.remove(identity.json_key());
                }
            }
            write_contact(state, request, place, &body)?;
            (place, false)
        }
    };
    let contact = render_contact(state, place, request);
    let status = if new { 201 } else { 200 };
    Ok(dialect::success_response(status, request, json!({ "new": new, "contact": contact })))
}

pub(crate) fn delete(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let place = state.authorize_contact(request)?;
    state.stores[place.store].remove(place.slot, true);
    let mut body = json!({ "succeded": true, "traceId": request.trace });
    if request.is_v3() {
        body["succeeded"] = true.into();
    }
    Ok(SandboxResponse::json(200, &body))
}

/// `GET /contacts/search/duplicate?locationId&number&email`. Reads the contacts, not the index.
pub(crate) fn find_duplicate(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let store = state.authorize_named_location(request)?;
    request.reject_unknown_parameters(&["locationId", "number", "email"])?;
    let (number, email) = (request.query_parameter("number"), request.query_parameter("email"));
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
        unique.iter().find_map(|identity| first_with_identity(state, store, &body, *identity));
    let contact = found.map(|slot| render_contact(state, ContactPosition { store, slot }, request));
    Ok(SandboxResponse::json(200, &json!({ "contact": contact, "traceId": request.trace })))
}

fn render_contact(
    state: &SandboxState,
    place: ContactPosition,
    request: &SandboxRequest,
) -> SearchRow {
    dialect::render_record(state.stores[place.store].contact(place.slot), request.is_v3())
}

/// The contacts with the body's value for one identity; old ones may share it.
fn contacts_with_identity<'a>(
    state: &'a SandboxState,
    store: usize,
    body: &SearchRow,
    identity: UniqueIdentifier,
) -> &'a [ContactSlot] {
    let Some(value) = body.get(identity.json_key()).and_then(Value::as_str) else { return &[] };
    let store = &state.stores[store];
    match identity {
        UniqueIdentifier::Email => store.find_by_email(value),
        UniqueIdentifier::Phone => {
            text::normalize_phone(value).map_or(&[], |phone| store.find_by_phone(&phone))
        }
    }
}

fn first_with_identity(
    state: &SandboxState,
    store: usize,
    body: &SearchRow,
    identity: UniqueIdentifier,
) -> Option<ContactSlot> {
    contacts_with_identity(state, store, body, identity).first().copied()
}

fn find_upsert_target(state: &SandboxState, store: usize, body: &SearchRow) -> Option<ContactSlot> {
    state.settings.unique.iter().find_map(|identity| {
        let found = first_with_identity(state, store, body, *identity);
        if found.is_some() || *identity == UniqueIdentifier::Phone {
            return found;
        }
        let email = body.get("email").and_then(Value::as_str)?;
        state.stores[store].find_by_other_email(email).first().copied()
    })
}

fn reject_duplicate(
    state: &SandboxState,
    store: usize,
    body: &SearchRow,
    own: Option<ContactSlot>,
) -> Result<(), EndpointError> {
    if state.settings.allow_duplicates {
        return Ok(());
    }
    for identity in &state.settings.unique {
        let owners = contacts_with_identity(state, store, body, *identity);
        let Some(slot) = owners.first().filter(|_| own.is_none_or(|own| !owners.contains(&own)))
        else {
            continue;
        };
        let contact = state.stores[store].contact(*slot);
        let name = contact.parse_row().remove("contactName").unwrap_or_default();
        return Err(EndpointError::duplicate_contact(&contact.id, &name, identity.json_key()));
    }
    Ok(())
}

fn insert_contact(
    state: &mut SandboxState,
    request: &SandboxRequest,
    store: usize,
    body: &SearchRow,
) -> Result<ContactPosition, EndpointError> {
    let id = state.generate_id();
    let time = now_millis();
    let mut row = contact_body::empty_row(&id, &state.stores[store].location, time);
    let tags = apply_body(state, store, body, &mut row, request)?;
    super::tags::register_tags(state, store, &tags);
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
    let slot = state.stores[store].insert(contact, true);
    Ok(ContactPosition { store, slot })
}

fn write_contact(
    state: &mut SandboxState,
    request: &SandboxRequest,
    place: ContactPosition,
    body: &SearchRow,
) -> Result<(), EndpointError> {
    let mut row = state.stores[place.store].contact(place.slot).parse_row();
    let tags = apply_body(state, place.store, body, &mut row, request)?;
    super::tags::register_tags(state, place.store, &tags);
    state.rewrite_contact(place, &mut row);
    Ok(())
}

/// Applies a validated body to a row; returns the tags in it.
fn apply_body(
    state: &SandboxState,
    store: usize,
    body: &SearchRow,
    row: &mut SearchRow,
    request: &SandboxRequest,
) -> Result<Vec<String>, EndpointError> {
    let metadata = &state.stores[store].metadata;
    let strict = state.settings.has_quirk(ServiceQuirk::RefuseUnknownFields);
    contact_body::apply_body(body, row, metadata, strict, request.is_v3())
}
