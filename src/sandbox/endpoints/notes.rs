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

pub(crate) fn list(state: &mut SandboxState, ask: &SandboxRequest) -> EndpointResult {
    let place = state.authorize_contact(ask)?;
    let notes = &state.shelves[place.shelf].contact(place.slot).notes;
    Ok(SandboxResponse::new(
        200,
        render_list("notes", notes.iter().map(|note| &*note.json), &ask.trace),
    ))
}

pub(crate) fn get(state: &mut SandboxState, ask: &SandboxRequest) -> EndpointResult {
    let (place, number) = find_note(state, ask)?;
    let note = &state.shelves[place.shelf].contact(place.slot).notes[number];
    Ok(note_response(200, &note.to_fields(), ask))
}

pub(crate) fn create(state: &mut SandboxState, ask: &SandboxRequest) -> EndpointResult {
    let place = state.authorize_contact(ask)?;
    let mut note = ask.body_object()?;
    validate_fields(&note, &FIELDS)?;
    let id = state.generate_id();
    note.insert("id".to_owned(), id.into());
    note.insert("contactId".to_owned(), ask.path_segment(1).into());
    note.insert("dateAdded".to_owned(), format_iso(now_millis()).into());
    let notes = &mut state.shelves[place.shelf].contact_mut(place.slot).notes;
    // Newest first, as the service lists them.
    notes.insert(0, StoredNote::new(&note));
    state.touch_after_child_write(place);
    Ok(note_response(201, &note, ask))
}

pub(crate) fn update(state: &mut SandboxState, ask: &SandboxRequest) -> EndpointResult {
    let (place, number) = find_note(state, ask)?;
    let changes = ask.body_object()?;
    validate_fields(&changes, &UPDATES)?;
    let note = &mut state.shelves[place.shelf].contact_mut(place.slot).notes[number];
    let mut fields = note.to_fields();
    fields.extend(changes);
    *note = StoredNote::new(&fields);
    state.touch_after_child_write(place);
    Ok(note_response(200, &fields, ask))
}

pub(crate) fn delete(state: &mut SandboxState, ask: &SandboxRequest) -> EndpointResult {
    let (place, number) = find_note(state, ask)?;
    state.shelves[place.shelf].contact_mut(place.slot).notes.remove(number);
    state.touch_after_child_write(place);
    Ok(super::dialect::success_response(200, ask, json!({})))
}

fn find_note(
    state: &SandboxState,
    ask: &SandboxRequest,
) -> Result<(ContactPosition, usize), EndpointError> {
    let place = state.authorize_contact(ask)?;
    let notes = &state.shelves[place.shelf].contact(place.slot).notes;
    let number = notes.iter().position(|note| *note.id == *ask.path_segment(3));
    let number = number.ok_or_else(|| EndpointError::not_found("Note not found"))?;
    Ok((place, number))
}

fn note_response(status: u16, note: &Map<String, Value>, ask: &SandboxRequest) -> SandboxResponse {
    SandboxResponse::json(status, &json!({ "note": note, "traceId": ask.trace }))
}
