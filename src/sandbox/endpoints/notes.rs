//! The notes of a contact: list, read, create, update, delete.

use serde_json::{Map, Value, json};

use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::store::notes_and_tasks::{StoredNote, render_list, validate_fields};
use crate::sandbox::store::state::{ContactPosition, SandboxState, now_millis};
use crate::sandbox::text::format_iso;

const FIELDS: [(&str, char); 5] =
    [("userId", 's'), ("body", 'S'), ("title", 's'), ("color", 's'), ("pinned", 'b')];
const UPDATES: [(&str, char); 5] =
    [("userId", 's'), ("body", 's'), ("title", 's'), ("color", 's'), ("pinned", 'b')];

pub(crate) fn list(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let place = state.authorize_contact(request)?;
    let notes = &state.stores[place.store].contact(place.slot).notes;
    Ok(SandboxResponse::new(
        200,
        render_list("notes", notes.iter().map(|note| &*note.json), &request.trace),
    ))
}

pub(crate) fn get(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let (place, number) = find_note(state, request)?;
    let note = &state.stores[place.store].contact(place.slot).notes[number];
    Ok(note_response(200, &note.to_fields(), request))
}

pub(crate) fn create(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let place = state.authorize_contact(request)?;
    let mut note = request.body_object()?;
    validate_fields(&note, &FIELDS)?;
    let id = state.generate_id();
    note.insert("id".to_owned(), id.into());
    note.insert("contactId".to_owned(), request.path_segment(1).into());
    note.insert("dateAdded".to_owned(), format_iso(now_millis()).into());
    let notes = &mut state.stores[place.store].contact_mut(place.slot).notes;
    // Newest first, as the service lists them.
    notes.insert(0, StoredNote::new(&note));
    state.touch_after_child_write(place);
    Ok(note_response(201, &note, request))
}

pub(crate) fn update(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let (place, number) = find_note(state, request)?;
    let changes = request.body_object()?;
    validate_fields(&changes, &UPDATES)?;
    let note = &mut state.stores[place.store].contact_mut(place.slot).notes[number];
    let mut fields = note.to_fields();
    fields.extend(changes);
    *note = StoredNote::new(&fields);
    state.touch_after_child_write(place);
    Ok(note_response(200, &fields, request))
}

pub(crate) fn delete(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let (place, number) = find_note(state, request)?;
    state.stores[place.store].contact_mut(place.slot).notes.remove(number);
    state.touch_after_child_write(place);
    Ok(super::dialect::success_response(200, request, json!({})))
}

fn find_note(
    state: &SandboxState,
    request: &SandboxRequest,
) -> Result<(ContactPosition, usize), EndpointError> {
    let place = state.authorize_contact(request)?;
    let notes = &state.stores[place.store].contact(place.slot).notes;
    let number = notes.iter().position(|note| *note.id == *request.path_segment(3));
    let number = number.ok_or_else(|| EndpointError::not_found("Note not found"))?;
    Ok((place, number))
}

fn note_response(
    status: u16,
    note: &Map<String, Value>,
    request: &SandboxRequest,
) -> SandboxResponse {
    SandboxResponse::json(status, &json!({ "note": note, "traceId": request.trace }))
}
