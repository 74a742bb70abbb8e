//! The tasks of a contact: list, read, write, complete, delete.

use serde_json::{Map, Value, json};

use crate::sandbox::http::request::Ask;
use crate::sandbox::http::response::{Answer, Outcome, Refusal};
use crate::sandbox::store::notes_and_tasks::{Names, Task, check, listing};
use crate::sandbox::store::state::{Place, State, now};
use crate::sandbox::text::{iso, moment};

const FIELDS: [(&str, char); 5] =
    [("title", 'S'), ("body", 's'), ("dueDate", 'T'), ("completed", 'B'), ("assignedTo", 's')];
const UPDATES: [(&str, char); 5] =
    [("title", 's'), ("body", 's'), ("dueDate", 't'), ("completed", 'b'), ("assignedTo", 's')];

pub(crate) fn list(state: &mut State, ask: &Ask) -> Outcome {
    let place = state.contact(ask)?;
    let tasks = &state.shelves[place.shelf].contact(place.slot).tasks;
    Ok(Answer::new(200, listing("tasks", tasks.iter().map(|task| &*task.json), &ask.trace)))
}

pub(crate) fn get(state: &mut State, ask: &Ask) -> Outcome {
    let (place, number) = find(state, ask)?;
    let task = &state.shelves[place.shelf].contact(place.slot).tasks[number];
    Ok(one(200, &task.fields(), ask))
}

pub(crate) fn create(state: &mut State, ask: &Ask) -> Outcome {
    let place = state.contact(ask)?;
    let mut task = ask.object()?;
    check(&task, &FIELDS)?;
    let id = state.mint();
    let added = now();
    task.insert("id".to_owned(), id.clone().into());
    task.insert("contactId".to_owned(), ask.segment(1).into());
    tidy(&mut task);
    let record = record(state, place, &task, added, added);
    let shelf = &mut state.shelves[place.shelf];
    shelf.tasks.insert((added, id.into()), place.slot);
    shelf.contact_mut(place.slot).tasks.push(record);
    state.child_written(place);
    Ok(one(201, &task, ask))
}

pub(crate) fn update(state: &mut State, ask: &Ask) -> Outcome {
    change(state, ask, &UPDATES)
}

pub(crate) fn complete(state: &mut State, ask: &Ask) -> Outcome {
    change(state, ask, &[("completed", 'B')])
}

pub(crate) fn delete(state: &mut State, ask: &Ask) -> Outcome {
    let (place, number) = find(state, ask)?;
    let shelf = &mut state.shelves[place.shelf];
    let task = shelf.contact_mut(place.slot).tasks.remove(number);
    shelf.tasks.remove(&(task.added, task.id));
    state.child_written(place);
    Ok(super::contacts::done(200, ask, json!({})))
}

/// A task in both of its forms.
pub(crate) fn record(
    state: &State,
    place: Place,
    task: &Map<String, Value>,
    added: i64,
    updated: i64,
) -> Task {
    let shelf = &state.shelves[place.shelf];
    let contact = shelf.contact(place.slot).row();
    let name = |key: &str| contact.get(key).unwrap_or(&Value::Null);
    let user = task.get("assignedTo").and_then(Value::as_str);
    let user = user.map_or(Value::Null, |id| shelf.metadata.user_details(id));
    let names = Names {
        location: &shelf.location,
        first: name("firstName"),
        last: name("lastName"),
        user: &user,
    };
    Task::new(task, added, updated, names)
}

fn change(state: &mut State, ask: &Ask, allowed: &[(&str, char)]) -> Outcome {
    let (place, number) = find(state, ask)?;
    let changes = ask.object()?;
    check(&changes, allowed)?;
    let task = &state.shelves[place.shelf].contact(place.slot).tasks[number];
    let (mut fields, added) = (task.fields(), task.added);
    fields.extend(changes);
    tidy(&mut fields);
    let record = record(state, place, &fields, added, now());
    state.shelves[place.shelf].contact_mut(place.slot).tasks[number] = record;
    state.child_written(place);
    Ok(one(200, &fields, ask))
}

/// Writes the due date as the service does, whatever way it was sent.
fn tidy(task: &mut Map<String, Value>) {
    if let Some(due) = task.get("dueDate").and_then(Value::as_str).and_then(moment) {
        task.insert("dueDate".to_owned(), iso(due).into());
    }
}

fn find(state: &State, ask: &Ask) -> Result<(Place, usize), Refusal> {
    let place = state.contact(ask)?;
    let tasks = &state.shelves[place.shelf].contact(place.slot).tasks;
    let number = tasks.iter().position(|task| *task.id == *ask.segment(3));
    let number = number.ok_or_else(|| Refusal::not_found("Task not found"))?;
    Ok((place, number))
}

fn one(status: u16, task: &Map<String, Value>, ask: &Ask) -> Answer {
    Answer::json(status, &json!({ "task": task, "traceId": ask.trace }))
}
