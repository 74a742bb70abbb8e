//! The notes of a contact: list, read, write, delete.

use serde_json::{Map, Value, json};

use crate::sandbox::http::request::Ask;
use crate::sandbox::http::response::{Answer, Outcome, Refusal};
use crate::sandbox::store::notes_and_tasks::{Note, check, listing};
use crate::sandbox::store::state::{Place, State, now};
use crate::sandbox::text::iso;

const FIELDS: [(&str, char); 5] =
    [("userId", 's'), ("body", 'S'), ("title", 's'), ("color", 's'), ("pinned", 'b')];
const UPDATES: [(&str, char); 5] =
    [("userId", 's'), ("body", 's'), ("title", 's'), ("color", 's'), ("pinned", 'b')];

pub(crate) fn list(state: &mut State, ask: &Ask) -> Outcome {
    let place = state.contact(ask)?;
    let notes = &state.shelves[place.shelf].contact(place.slot).notes;
    Ok(Answer::new(200, listing("notes", notes.iter().map(|note| &*note.json), &ask.trace)))
}

pub(crate) fn get(state: &mut State, ask: &Ask) -> Outcome {
    let (place, number) = find(state, ask)?;
    let note = &state.shelves[place.shelf].contact(place.slot).notes[number];
    Ok(one(200, &note.fields(), ask))
}

pub(crate) fn create(state: &mut State, ask: &Ask) -> Outcome {
    let place = state.contact(ask)?;
    let mut note = ask.object()?;
    check(&note, &FIELDS)?;
    let id = state.mint();
    note.insert("id".to_owned(), id.into());
    note.insert("contactId".to_owned(), ask.segment(1).into());
    note.insert("dateAdded".to_owned(), iso(now()).into());
    let notes = &mut state.shelves[place.shelf].contact_mut(place.slot).notes;
    // The newest first, as the service lists them.
    notes.insert(0, Note::new(&note));
    state.child_written(place);
    Ok(one(201, &note, ask))
}

pub(crate) fn update(state: &mut State, ask: &Ask) -> Outcome {
    let (place, number) = find(state, ask)?;
    let changes = ask.object()?;
    check(&changes, &UPDATES)?;
    let note = &mut state.shelves[place.shelf].contact_mut(place.slot).notes[number];
    let mut fields = note.fields();
    fields.extend(changes);
    *note = Note::new(&fields);
    state.child_written(place);
    Ok(one(200, &fields, ask))
}

pub(crate) fn delete(state: &mut State, ask: &Ask) -> Outcome {
    let (place, number) = find(state, ask)?;
    state.shelves[place.shelf].contact_mut(place.slot).notes.remove(number);
    state.child_written(place);
    Ok(super::contacts::done(200, ask, json!({})))
}

fn find(state: &State, ask: &Ask) -> Result<(Place, usize), Refusal> {
    let place = state.contact(ask)?;
    let notes = &state.shelves[place.shelf].contact(place.slot).notes;
    let number = notes.iter().position(|note| *note.id == *ask.segment(3));
    let number = number.ok_or_else(|| Refusal::not_found("Note not found"))?;
    Ok((place, number))
}

fn one(status: u16, note: &Map<String, Value>, ask: &Ask) -> Answer {
    Answer::json(status, &json!({ "note": note, "traceId": ask.trace }))
}
