//! The routes below `/notes` for one note: create, read, update, delete, restore, its attachments and
//! its relations (api.md §1.11). Only `v3` has them.
//!
//! Their bodies are documented on the vendor's site only; anything else in one is refused.

use serde_json::{Map, Value, json};

use super::notes_search::render_note;
use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::store::note::{NoteRelation, NoteSource, StoredNote};
use crate::sandbox::store::notes_and_tasks::validate_fields;
use crate::sandbox::store::slots::NoteSlot;
use crate::sandbox::store::state::{ContactPosition, SandboxState, now_millis};
use crate::sandbox::text::format_iso;

const FIELDS: [(&str, char); 6] = [
    ("locationId", 'S'),
    ("body", 'S'),
    ("userId", 's'),
    ("title", 's'),
    ("color", 's'),
    ("pinned", 'b'),
];
const UPDATES: [(&str, char); 5] =
    [("body", 's'), ("userId", 's'), ("title", 's'), ("color", 's'), ("pinned", 'b')];

/// The place of a note: the number of its location's store, and its slot there.
#[derive(Debug, Clone, Copy)]
struct NotePosition {
    store: usize,
    slot: NoteSlot,
}

/// `POST /notes/`.
pub(crate) fn create(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let mut fields = request.body_object()?;
    let relations = fields.remove("relations");
    let attachments = fields.remove("attachments");
    validate_fields(&fields, &FIELDS)?;
    let store = state.authorize_named_location(request)?;
    let relations = parse_relations(state, store, relations.as_ref())?;
    let attachments = parse_attachments(attachments.as_ref())?;
    fields.remove("locationId");
    fields.insert("id".to_owned(), state.generate_id().into());
    fields.insert("dateAdded".to_owned(), format_iso(now_millis()).into());
    set_contact(state, store, &mut fields, &relations);
    let note = StoredNote::new(&fields, NoteSource::Integration, relations);
    let slot = state.stores[store].insert_note(StoredNote { attachments, ..note });
    Ok(finish_write(state, NotePosition { store, slot }, 201, request))
}

/// `GET /notes/{id}`.
pub(crate) fn get(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let place = find_note(state, request, false)?;
    Ok(note_response(state, place, 200, request))
}

/// `PUT /notes/{id}`.
pub(crate) fn update(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let place = find_note(state, request, false)?;
    let changes = request.body_object()?;
    validate_fields(&changes, &UPDATES)?;
    let note = stored_note(state, place);
    let mut fields = note.to_fields();
    fields.extend(changes);
    let note = note.with_fields(&fields);
    state.stores[place.store].replace_note(place.slot, note);
    Ok(finish_write(state, place, 200, request))
}

/// `DELETE /notes/{id}`.
pub(crate) fn delete(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let place = find_note(state, request, false)?;
    state.stores[place.store].delete_note(place.slot);
    touch_contacts(state, place);
    Ok(super::dialect::success_response(200, request, json!({})))
}

/// `POST /notes/{id}/restore`: brings a deleted note back.
pub(crate) fn restore(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let place = find_note(state, request, true)?;
    let note = StoredNote { deleted: false, ..stored_note(state, place).clone() };
    state.stores[place.store].replace_note(place.slot, note);
    Ok(finish_write(state, place, 201, request))
}

/// `PATCH /notes/{id}/attachments`: replaces the attachments.
pub(crate) fn change_attachments(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> EndpointResult {
    let place = find_note(state, request, false)?;
    let attachments = parse_attachments(Some(&only_property(request, "attachments")?))?;
    let note = StoredNote { attachments, ..stored_note(state, place).clone() };
    state.stores[place.store].replace_note(place.slot, note);
    Ok(finish_write(state, place, 200, request))
}

/// `PUT /notes/{id}/relations`: replaces the relations.
pub(crate) fn change_relations(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> EndpointResult {
    let place = find_note(state, request, false)?;
    let relations =
        parse_relations(state, place.store, Some(&only_property(request, "relations")?))?;
    let note = stored_note(state, place);
    let mut fields = note.to_fields();
    let note = note.clone();
    set_contact(state, place.store, &mut fields, &relations);
    let note = StoredNote { relations, ..note.with_fields(&fields) };
    state.stores[place.store].replace_note(place.slot, note);
    Ok(finish_write(state, place, 200, request))
}

fn stored_note(state: &SandboxState, place: NotePosition) -> &StoredNote {
    state.stores[place.store].notes.note(place.slot)
}

/// The note in the path's second segment: a living one, or a deleted one.
fn find_note(
    state: &SandboxState,
    request: &SandboxRequest,
    deleted: bool,
) -> Result<NotePosition, EndpointError> {
    let id = request.path_segment(1);
    let mut stores = state.stores.iter().enumerate();
    let found = stores.find_map(|(store, one)| {
        let slot = one.notes.find_by_id(id)?;
        (one.notes.note(slot).deleted == deleted).then_some(NotePosition { store, slot })
    });
    let place = found.ok_or_else(|| EndpointError::not_found("Note not found"))?;
    state.authorize_location(request, &state.stores[place.store].location)?;
    Ok(place)
}

/// The value of the only property that a body may have.
fn only_property(request: &SandboxRequest, name: &str) -> Result<Value, EndpointError> {
    let mut body = request.body_object()?;
    match body.keys().find(|key| *key != name) {
        Some(unknown) => Err(EndpointError::unknown_property(unknown)),
        None => Ok(body.remove(name).unwrap_or_default()),
    }
}

/// The relations in a body, which may be absent but not wrong.
fn parse_relations(
    state: &SandboxState,
    store: usize,
    value: Option<&Value>,
) -> Result<Vec<NoteRelation>, EndpointError> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let wrong = |text: &str| EndpointError::validation_failed(vec![text.to_owned()]);
    let list = value.as_array().ok_or_else(|| wrong("relations must be an array"))?;
    let parse = |one: &Value| {
        let relation = state.stores[store].parse_relation(one);
        relation.ok_or_else(|| wrong("each value in relations must be a record of the location"))
    };
    list.iter().map(parse).collect()
}

fn parse_attachments(value: Option<&Value>) -> Result<Option<Box<str>>, EndpointError> {
    match value {
        None => Ok(None),
        Some(Value::Array(list)) if list.is_empty() => Ok(None),
        Some(list @ Value::Array(_)) => Ok(Some(list.to_string().into())),
        Some(_) => {
            Err(EndpointError::validation_failed(vec!["attachments must be an array".to_owned()]))
        }
    }
}

/// Names the first contact that a note relates to among its fields.
fn set_contact(
    state: &SandboxState,
    store: usize,
    fields: &mut Map<String, Value>,
    relations: &[NoteRelation],
) {
    fields.remove("contactId");
    let contact = relations.iter().find(|one| matches!(one, NoteRelation::Contact(_)));
    if let Some(contact) = contact {
        let (_, id) = state.stores[store].related_record(contact);
        fields.insert("contactId".to_owned(), id.into());
    }
}

fn finish_write(
    state: &mut SandboxState,
    place: NotePosition,
    status: u16,
    request: &SandboxRequest,
) -> SandboxResponse {
    touch_contacts(state, place);
    note_response(state, place, status, request)
}

fn touch_contacts(state: &mut SandboxState, place: NotePosition) {
    let contacts: Vec<_> = stored_note(state, place).contacts().collect();
    for slot in contacts {
        state.touch_after_child_write(ContactPosition { store: place.store, slot });
    }
}

fn note_response(
    state: &SandboxState,
    place: NotePosition,
    status: u16,
    request: &SandboxRequest,
) -> SandboxResponse {
    let note = render_note(&state.stores[place.store], stored_note(state, place));
    SandboxResponse::json(status, &json!({ "note": note, "traceId": request.trace }))
}
