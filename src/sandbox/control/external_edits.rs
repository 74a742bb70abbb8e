//! External edits: contacts that other users add and change, bypassing the API.
//!
//! The rows are raw and not validated, so that a test can store whatever a real account might
//! contain.

use serde_json::{Value, json};

use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::store::calendar_events::StoredAppointment;
use crate::sandbox::store::contact::{SearchRow, StoredContact};
use crate::sandbox::store::note::{NoteRelation, NoteSource, StoredNote};
use crate::sandbox::store::notes_and_tasks::StoredTask;
use crate::sandbox::store::slots::ContactSlot;
use crate::sandbox::store::state::{ContactPosition, SandboxState, now_millis};
use crate::sandbox::text;

/// Adds raw search rows, visible at once; missing ids and dates are generated.
pub(crate) fn insert_contacts(
    state: &mut SandboxState,
    store: usize,
    rows: &[Value],
) -> EndpointResult {
    let mut ids = Vec::new();
    for row in rows {
        let Value::Object(row) = row else {
            return Err(EndpointError::unprocessable("each row must be an object"));
        };
        ids.push(insert_contact(state, store, row.clone()));
    }
    Ok(SandboxResponse::json(201, &json!({ "ids": ids })))
}

fn insert_contact(state: &mut SandboxState, store: usize, mut row: SearchRow) -> String {
    let notes = row.remove("__notes").unwrap_or_default();
    let tasks = row.remove("__tasks").unwrap_or_default();
    row.remove("searchAfter");
    let id =
        row.get("id").and_then(Value::as_str).map_or_else(|| state.generate_id(), str::to_owned);
    let date = |row: &SearchRow, key: &str| {
        row.get(key).and_then(Value::as_str).and_then(text::parse_datetime)
    };
    let added = date(&row, "dateAdded").unwrap_or_else(now_millis);
    let updated = date(&row, "dateUpdated").unwrap_or(added);
    row.insert("id".to_owned(), id.clone().into());
    for (key, time) in [("dateAdded", added), ("dateUpdated", updated)] {
        row.entry(key).or_insert_with(|| text::format_iso(time).into());
    }
    let location = state.stores[store].location.clone();
    row.entry("locationId").or_insert_with(|| location.into());
    let text = serde_json::to_string(&row).expect("a row is JSON");
    let slot = state.stores[store].insert(StoredContact::new(&id, added, updated, &text), false);
    let place = ContactPosition { store, slot };
    replace_notes(state, place, &notes, &id);
    replace_tasks(state, place, &tasks, &id);
    id
}

/// Replaces values of a contact's row, and its notes and tasks if `__notes` and `__tasks` are
/// given; adds an appointment for every title in `__appointments`, and removes those in `__remove_appointments`. With `__silent` its `dateUpdated` stays.
pub(crate) fn edit_contact(
    state: &mut SandboxState,
    id: &str,
    mut changes: SearchRow,
) -> EndpointResult {
    let place =
        state.find_contact(id).ok_or_else(|| EndpointError::not_found("no such contact"))?;
    let (notes, tasks) = (changes.remove("__notes"), changes.remove("__tasks"));
    let appointments = changes.remove("__appointments");
    let removed = changes.remove("__remove_appointments");
    let is_silent = changes.remove("__silent") == Some(Value::Bool(true));
    let mut row = state.stores[place.store].contact(place.slot).parse_row();
    row.extend(changes);
    if is_silent {
        let updated = state.stores[place.store].contact(place.slot).updated;
        state.stores[place.store].update_row(place.slot, &row, updated);
    } else {
        state.rewrite_contact(place, &mut row);
    }
    if let Some(notes) = notes {
        replace_notes(state, place, &notes, id);
    }
    if let Some(tasks) = tasks {
        replace_tasks(state, place, &tasks, id);
    }
    for appointment in appointments.iter().filter_map(Value::as_array).flatten() {
        add_appointment(state, place, appointment, id);
    }
    for appointment in removed.iter().filter_map(Value::as_array).flatten() {
        let id = appointment.as_str().unwrap_or_default();
        state.stores[place.store].events.remove_appointment(id);
    }
    Ok(SandboxResponse::json(200, &row.into()))
}

/// Adds an appointment for a contact, an hour from now: a title, or an object with `id`, `title` and `calendarId`.
fn add_appointment(
    state: &mut SandboxState,
    place: ContactPosition,
    appointment: &Value,
    contact: &str,
) {
    let text = |key: &str| appointment[key].as_str().map(str::to_owned);
    let event = StoredAppointment {
        id: text("id").unwrap_or_else(|| state.generate_id()),
        title: appointment
            .as_str()
            .map(str::to_owned)
            .or_else(|| text("title"))
            .unwrap_or_default(),
        calendar: text("calendarId").unwrap_or_default(),
        group: String::new(),
        user: String::new(),
        contact: contact.to_owned(),
        location: state.stores[place.store].location.clone(),
        status: "confirmed",
        notes: None,
        address: None,
        start: now_millis() + 3_600_000,
        minutes: 30,
        added: now_millis(),
        recurring: false,
    };
    state.stores[place.store].events.insert(place.slot, event);
}

/// Replaces the notes of a contact; a note may name its `source` and further `relations`.
fn replace_notes(state: &mut SandboxState, place: ContactPosition, notes: &Value, contact: &str) {
    let notes = child_records(state, notes, contact);
    state.stores[place.store].clear_notes(place.slot);
    // Each is put first, so the last one goes in first.
    for note in notes.into_iter().rev() {
        insert_note(state, place.store, note, Some(place.slot));
    }
}

/// Adds a raw note to a location, related to a contact and to what it names itself.
pub(crate) fn insert_note(
    state: &mut SandboxState,
    store: usize,
    mut note: SearchRow,
    contact: Option<ContactSlot>,
) -> String {
    let source = note.remove("source");
    let source = source.as_ref().and_then(Value::as_str).and_then(NoteSource::from_json_word);
    let named = note.remove("relations").unwrap_or_default();
    let mut relations: Vec<NoteRelation> = contact.map(NoteRelation::Contact).into_iter().collect();
    for relation in named.as_array().into_iter().flatten() {
        let relation = state.stores[store].parse_relation(relation);
        if let Some(relation) = relation.filter(|relation| !relations.contains(relation)) {
            relations.push(relation);
        }
    }
    let id =
        note.get("id").and_then(Value::as_str).map_or_else(|| state.generate_id(), str::to_owned);
    note.insert("id".to_owned(), id.clone().into());
    note.entry("dateAdded").or_insert_with(|| text::format_iso(now_millis()).into());
    let note = StoredNote::new(&note, source.unwrap_or(NoteSource::WebUser), relations);
    state.stores[store].insert_note(note);
    id
}

/// Adds raw notes to a location, related to the records that they name.
pub(crate) fn insert_notes(
    state: &mut SandboxState,
    store: usize,
    notes: &[Value],
) -> SandboxResponse {
    let notes = notes.iter().filter_map(Value::as_object);
    let ids: Vec<String> =
        notes.map(|note| insert_note(state, store, note.clone(), None)).collect();
    SandboxResponse::json(201, &json!({ "ids": ids }))
}

/// Replaces the tasks of a contact.
fn replace_tasks(state: &mut SandboxState, place: ContactPosition, tasks: &Value, contact: &str) {
    let ContactPosition { store, slot } = place;
    for task in std::mem::take(&mut state.stores[store].contact_mut(slot).tasks) {
        state.stores[store].tasks.remove(&(task.added, task.id));
    }
    let (added, updated) = {
        let contact = state.stores[store].contact(slot);
        (contact.added, contact.updated)
    };
    for task in child_records(state, tasks, contact) {
        let task =
            crate::sandbox::endpoints::tasks::build_task(state, place, &task, added, updated);
        state.stores[store].tasks.insert((task.added, task.id.clone()), Some(slot));
        state.stores[store].contact_mut(slot).tasks.push(task);
    }
}

/// Adds raw rows to the search of tasks, which no contact lists.
pub(crate) fn insert_tasks(
    state: &mut SandboxState,
    store: usize,
    rows: &[Value],
) -> SandboxResponse {
    let mut ids = Vec::new();
    for row in rows.iter().filter_map(Value::as_object) {
        let mut row = row.clone();
        let id = row.get("_id").and_then(Value::as_str).map(str::to_owned);
        let id = id.unwrap_or_else(|| state.generate_id());
        row.insert("_id".to_owned(), id.clone().into());
        let added = row.get("dateAdded").and_then(Value::as_str).and_then(text::parse_datetime);
        let added = added.unwrap_or_else(now_millis);
        row.entry("dateAdded").or_insert_with(|| text::format_iso(added).into());
        let task = StoredTask::from_search_row(&row, &id, added);
        state.stores[store].insert_detached_task(task);
        ids.push(id);
    }
    SandboxResponse::json(201, &json!({ "ids": ids }))
}

/// Child records with the contact's id; missing ids are generated.
fn child_records(state: &mut SandboxState, list: &Value, contact: &str) -> Vec<SearchRow> {
    let mut children = Vec::new();
    for child in list.as_array().into_iter().flatten().filter_map(Value::as_object) {
        let mut child = child.clone();
        child.entry("id").or_insert_with(|| state.generate_id().into());
        child.entry("contactId").or_insert_with(|| contact.into());
        children.push(child);
    }
    children
}
