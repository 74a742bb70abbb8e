//! The control routes for records: what the account holds, and what tests put into it.

use serde_json::{Value, json};

use super::{external_edits, require_list, snapshot};
use crate::sandbox::endpoints::notes_search;
use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::store::calendar_events::StoredAppointment;
use crate::sandbox::store::location_store::LocationStore;
use crate::sandbox::store::state::SandboxState;

/// Answers a request if it is for one of these routes.
pub(super) fn dispatch_route(
    state: &mut SandboxState,
    method: &str,
    path: &[&str],
    request: &SandboxRequest,
) -> Option<EndpointResult> {
    Some(match (method, path) {
        ("GET", ["state"]) => render_state(state, request),
        ("POST", ["contacts"]) => insert_contacts(state, request),
        ("PUT", ["contacts", id]) => request
            .body_object()
            .and_then(|changes| external_edits::edit_contact(state, id, changes)),
        ("DELETE", ["contacts", id]) => delete_contact(state, id),
        ("GET", ["notes"]) => list_notes(state, request),
        ("POST", ["notes"]) => insert_notes(state, request),
        ("POST", ["tasks"]) => insert_tasks(state, request),
        ("POST", ["contacts", "index"]) => {
            state.stores.iter_mut().for_each(LocationStore::catch_up_index);
            Ok(SandboxResponse::json(200, &json!({})))
        }
        ("POST", ["notes", "index"]) => {
            state.stores.iter_mut().for_each(|store| store.notes.index.catch_up());
            Ok(SandboxResponse::json(200, &json!({})))
        }
        ("PUT", [name @ ("customFields" | "users" | "businesses" | "calendars")]) => {
            replace_metadata(state, name, request)
        }
        _ => return None,
    })
}

fn insert_contacts(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let (store, rows) = (location_index(state, request)?, require_list(&request.content)?);
    external_edits::insert_contacts(state, store, rows)
}

fn delete_contact(state: &mut SandboxState, id: &str) -> EndpointResult {
    let place = state.find_contact(id);
    let place = place.ok_or_else(|| EndpointError::not_found("no such contact"))?;
    state.stores[place.store].remove(place.slot, false);
    Ok(SandboxResponse::json(200, &json!({})))
}

/// All notes as they are, not as searches show them.
fn list_notes(state: &SandboxState, request: &SandboxRequest) -> EndpointResult {
    let store = &state.stores[location_index(state, request)?];
    let notes = store.notes.existing_notes();
    let notes: Vec<Value> = notes.map(|note| notes_search::render_note(store, note)).collect();
    Ok(SandboxResponse::json(200, &json!({ "notes": notes })))
}

fn insert_notes(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let (store, notes) = (location_index(state, request)?, require_list(&request.content)?);
    Ok(external_edits::insert_notes(state, store, notes))
}

fn insert_tasks(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let (store, rows) = (location_index(state, request)?, require_list(&request.content)?);
    Ok(external_edits::insert_tasks(state, store, rows))
}

fn replace_metadata(
    state: &mut SandboxState,
    name: &str,
    request: &SandboxRequest,
) -> EndpointResult {
    let (store, items) = (location_index(state, request)?, require_list(&request.content)?);
    let metadata = &mut state.stores[store].metadata;
    let place = match name {
        "customFields" => &mut metadata.fields,
        "users" => &mut metadata.users,
        "calendars" => &mut metadata.calendars,
        _ => &mut metadata.businesses,
    };
    place.clone_from(items);
    Ok(SandboxResponse::json(200, &json!({})))
}

/// The location in the query, or the first.
fn location_index(state: &SandboxState, request: &SandboxRequest) -> Result<usize, EndpointError> {
    let Some(location) = request.query_parameter("locationId") else { return Ok(0) };
    let found = state.stores.iter().position(|store| store.location == location);
    found.ok_or_else(|| EndpointError::not_found("no such location"))
}

/// All contacts as they are, not as searches show them.
fn render_state(state: &SandboxState, request: &SandboxRequest) -> EndpointResult {
    let store = &state.stores[location_index(state, request)?];
    if request.query_parameter("plain").is_some() {
        return Ok(SandboxResponse::json(
            200,
            &json!({ "contacts": snapshot::snapshot_contacts(store) }),
        ));
    }
    let mut body = String::from("{\"contacts\":[");
    for (number, contact) in store.existing_contacts().enumerate() {
        if number > 0 {
            body.push(',');
        }
        let notes = contact.notes.iter().map(|slot| &*store.notes.note(*slot).json);
        let notes: Vec<&str> = notes.collect();
        let tasks: Vec<&str> = contact.tasks.iter().map(|task| &*task.json).collect();
        let slot = store.find_by_id(&contact.id);
        let events = slot.into_iter().flat_map(|slot| store.events.for_contact(slot));
        let events: Vec<String> =
            events.map(|event: &StoredAppointment| event.to_calendar_json().to_string()).collect();
        body.push_str("{\"contact\":");
        body.push_str(&contact.row_json());
        for (name, list) in [
            ("notes", notes.join(",")),
            ("tasks", tasks.join(",")),
            ("appointments", events.join(",")),
        ] {
            body.push_str(",\"");
            body.push_str(name);
            body.push_str("\":[");
            body.push_str(&list);
            body.push(']');
        }
        body.push('}');
    }
    body.push_str("]}");
    Ok(SandboxResponse::new(200, body))
}
