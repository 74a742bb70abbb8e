//! The notes of a contact: list, read, create, update, delete.

use serde_json::{Map, Value, json};

use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::store::note::{NoteRelation, NoteSource, StoredNote};
use crate::sandbox::store::notes_and_tasks::{render_list, validate_fields};
use crate::sandbox::store::slots::NoteSlot;
use crate::sandbox::store::state::{ContactPosition, SandboxState, now_millis};
use crate::sandbox::text::format_iso;

const FIELDS: [(&str, char); 5] =
    [("userId", 's'), ("body", 'S'), ("title", 's'), ("color", 's'), ("pinned", 'b')];
const UPDATES: [(&str, char); 5] =
    [("userId", 's'), ("body", 's'), ("title", 's'), ("color", 's'), ("pinned", 'b')];

pub(crate) fn list(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let place = state.authorize_contact(request)?;
    let notes = state.stores[place.store].notes_of_contact(place.slot);
    Ok(SandboxResponse::new(
        200,
        render_list("notes", notes.map(|note| &*note.json), &request.trace),
    ))
}

pub(crate) fn get(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let (place, slot) = find_note(state, request)?;
    let note = state.stores[place.store].notes.note(slot);
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
    let relations = vec![NoteRelation::Contact(place.slot)];
    let stored = StoredNote::new(&note, NoteSource::Integration, relations);
    state.stores[place.store].insert_note(stored);
    state.touch_after_child_write(place);
    Ok(note_response(201, &note, request))
}

pub(crate) fn update(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let (place, slot) = find_note(state, request)?;
    let changes = request.body_object()?;
    validate_fields(&changes, &UPDATES)?;
    let note = state.stores[place.store].notes.note(slot);
    let mut fields = note.to_fields();
    fields.extend(changes);
    let note = note.with_fields(&fields);
    state.stores[place.store].replace_note(slot, note);
    state.touch_after_child_write(place);
    Ok(note_response(200, &fields, request))
}

pub(crate) fn delete(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let (place, slot) = find_note(state, request)?;
    state.stores[place.store].delete_note(slot);
    state.touch_after_child_write(place);
    Ok(super::dialect::success_response(200, request, json!({})))
}

fn find_note(
    state: &SandboxState,
    request: &SandboxRequest,
) -> Result<(ContactPosition, NoteSlot), EndpointError> {
    let place = state.authorize_contact(request)?;
    let store = &state.stores[place.store];
    let mut slots = store.contact(place.slot).notes.iter();
    let slot = slots.find(|slot| *store.notes.note(**slot).id == *request.path_segment(3));
    let slot = slot.ok_or_else(|| EndpointError::not_found("Note not found"))?;
    Ok((place, *slot))
}

fn note_response(
    status: u16,
    note: &Map<String, Value>,
    request: &SandboxRequest,
) -> SandboxResponse {
    SandboxResponse::json(status, &json!({ "note": note, "traceId": request.trace }))
}
