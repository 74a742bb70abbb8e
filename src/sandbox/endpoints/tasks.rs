//! The tasks of a contact: list, read, create, update, complete, delete.

use serde_json::{Map, Value, json};

use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::store::notes_and_tasks::{
    StoredTask, TaskSearchNames, render_list, validate_fields,
};
use crate::sandbox::store::state::{ContactPosition, SandboxState, now_millis};
use crate::sandbox::text::{format_iso, parse_datetime};

const FIELDS: [(&str, char); 5] =
    [("title", 'S'), ("body", 's'), ("dueDate", 'T'), ("completed", 'B'), ("assignedTo", 's')];
const UPDATES: [(&str, char); 5] =
    [("title", 's'), ("body", 's'), ("dueDate", 't'), ("completed", 'b'), ("assignedTo", 's')];

pub(crate) fn list(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let place = state.authorize_contact(request)?;
    let tasks = &state.stores[place.store].contact(place.slot).tasks;
    Ok(SandboxResponse::new(
        200,
        render_list("tasks", tasks.iter().map(|task| &*task.json), &request.trace),
    ))
}

pub(crate) fn get(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let (place, number) = find_task(state, request)?;
    let task = &state.stores[place.store].contact(place.slot).tasks[number];
    Ok(task_response(200, &task.to_fields(), request))
}

pub(crate) fn create(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let place = state.authorize_contact(request)?;
    let mut task = request.body_object()?;
    validate_fields(&task, &FIELDS)?;
    let id = state.generate_id();
    let added = now_millis();
    task.insert("id".to_owned(), id.clone().into());
    task.insert("contactId".to_owned(), request.path_segment(1).into());
    normalize_due_date(&mut task);
    let record = build_task(state, place, &task, added, added);
    let store = &mut state.stores[place.store];
    store.tasks.insert((added, id.into()), Some(place.slot));
    store.contact_mut(place.slot).tasks.push(record);
    state.touch_after_child_write(place);
    Ok(task_response(201, &task, request))
}

pub(crate) fn update(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    change_task(state, request, &UPDATES)
}

pub(crate) fn complete(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    change_task(state, request, &[("completed", 'B')])
}

pub(crate) fn delete(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let (place, number) = find_task(state, request)?;
    let store = &mut state.stores[place.store];
    let task = store.contact_mut(place.slot).tasks.remove(number);
    store.tasks.remove(&(task.added, task.id));
    state.touch_after_child_write(place);
    Ok(super::dialect::success_response(200, request, json!({})))
}

/// A task in both of its forms.
pub(crate) fn build_task(
    state: &SandboxState,
    place: ContactPosition,
    task: &Map<String, Value>,
    added: i64,
    updated: i64,
) -> StoredTask {
    let store = &state.stores[place.store];
    let contact = store.contact(place.slot).parse_row();
    let name = |key: &str| contact.get(key).unwrap_or(&Value::Null);
    let user = task.get("assignedTo").and_then(Value::as_str);
    let user = user.map_or(Value::Null, |id| store.metadata.user_details(id));
    let names = TaskSearchNames {
        location: &store.location,
        first: name("firstName"),
        last: name("lastName"),
        user: &user,
    };
    StoredTask::new(task, added, updated, names)
}

fn change_task(
    state: &mut SandboxState,
    request: &SandboxRequest,
    allowed: &[(&str, char)],
) -> EndpointResult {
    let (place, number) = find_task(state, request)?;
    let changes = request.body_object()?;
    validate_fields(&changes, allowed)?;
    let task = &state.stores[place.store].contact(place.slot).tasks[number];
    let (mut fields, added) = (task.to_fields(), task.added);
    fields.extend(changes);
    normalize_due_date(&mut fields);
    let record = build_task(state, place, &fields, added, now_millis());
    state.stores[place.store].contact_mut(place.slot).tasks[number] = record;
    state.touch_after_child_write(place);
    Ok(task_response(200, &fields, request))
}

/// Rewrites the due date in the service's format, whatever format was sent.
fn normalize_due_date(task: &mut Map<String, Value>) {
    if let Some(due) = task.get("dueDate").and_then(Value::as_str).and_then(parse_datetime) {
        task.insert("dueDate".to_owned(), format_iso(due).into());
    }
}

fn find_task(
    state: &SandboxState,
    request: &SandboxRequest,
) -> Result<(ContactPosition, usize), EndpointError> {
    let place = state.authorize_contact(request)?;
    let tasks = &state.stores[place.store].contact(place.slot).tasks;
    let number = tasks.iter().position(|task| *task.id == *request.path_segment(3));
    let number = number.ok_or_else(|| EndpointError::not_found("Task not found"))?;
    Ok((place, number))
}

fn task_response(
    status: u16,
    task: &Map<String, Value>,
    request: &SandboxRequest,
) -> SandboxResponse {
    SandboxResponse::json(status, &json!({ "task": task, "traceId": request.trace }))
}
