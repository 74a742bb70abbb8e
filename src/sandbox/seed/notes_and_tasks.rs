//! The seeded notes, tasks and appointments.
//!
//! About one note and half a task per contact; a few contacts have many, and some notes are longer
//! than a spreadsheet cell.

use serde_json::{Map, Value};

use super::super::store::calendar_events::StoredAppointment;
use super::super::store::contact::StoredContact;
use super::super::store::note::{NoteRelation, NoteSource, StoredNote};
use super::super::store::note_store::NoteStore;
use super::super::store::notes_and_tasks::{StoredTask, TaskSearchNames};
use super::super::store::slots::ContactSlot;
use super::super::text::{format_iso, write_json_string};
use super::people::SeedContext;
use super::person::SeededPerson;
use super::rng::SeededRng;
use super::word_lists::{NOTES, TITLES};

const DAY: i64 = 86_400_000;

/// Adds the notes and tasks of a contact, which gets the slot of its number.
pub(super) fn attach_notes_and_tasks(
    contact: &mut StoredContact,
    (number, person): (usize, &SeededPerson),
    world: &SeedContext,
    rng: &mut SeededRng,
    stored: &mut NoteStore,
) {
    let notes = match rng.next_below(8) {
        0..4 => 0,
        4..6 => 1,
        6 => 2,
        _ => 4,
    };
    let notes = if number % 500 == 31 { 25 } else { notes };
    contact.notes.reserve_exact(notes);
    for place in 0..notes {
        let long = place == 0 && number % 1000 == 31;
        let slot = ContactSlot::try_from(number).expect("fewer than four billion contacts");
        let note = build_note(contact, (slot, long), world, rng);
        contact.notes.push(stored.load(note));
    }
    let tasks = [0, 0, 0, 0, 1, 2][rng.next_below(6)];
    contact.tasks.reserve_exact(tasks);
    for _ in 0..tasks {
        let task = build_task(contact, person, world, rng);
        contact.tasks.push(task);
    }
}

fn build_note(
    contact: &StoredContact,
    (slot, long): (ContactSlot, bool),
    world: &SeedContext,
    rng: &mut SeededRng,
) -> StoredNote {
    let id = rng.random_id();
    let mut json = Vec::with_capacity(256);
    json.extend_from_slice(b"{\"id\":");
    write_json_string(&mut json, &id);
    json.extend_from_slice(b",\"body\":");
    let body = *rng.pick(&NOTES);
    match rng.next_below(60) {
        _ if long => write_json_string(&mut json, &format!("{body}\n").repeat(3000)),
        0 => write_json_string(&mut json, ""),
        _ => write_json_string(&mut json, body),
    }
    let by_user = !rng.one_in(4);
    if by_user {
        json.extend_from_slice(b",\"userId\":");
        write_json_string(&mut json, rng.pick::<String>(&world.users));
    }
    json.extend_from_slice(b",\"dateAdded\":");
    let added = contact.added + rng.millis_below(90 * DAY);
    write_json_string(&mut json, &format_iso(added));
    json.extend_from_slice(b",\"contactId\":");
    write_json_string(&mut json, &contact.id);
    if rng.one_in(3) {
        json.extend_from_slice(
            br##","title":"Summary; \"short\"","color":"#FFAA00","pinned":true"##,
        );
    }
    json.push(b'}');
    let json = String::from_utf8(json).expect("notes are made of texts");
    StoredNote {
        id: id.into(),
        added,
        json: json.into(),
        source: if by_user { NoteSource::WebUser } else { NoteSource::Workflow },
        relations: vec![NoteRelation::Contact(slot)],
        attachments: None,
        deleted: false,
    }
}

fn build_task(
    contact: &StoredContact,
    person: &SeededPerson,
    world: &SeedContext,
    rng: &mut SeededRng,
) -> StoredTask {
    let added = contact.added + rng.millis_below(30 * DAY);
    let due = added + rng.millis_below(30 * DAY);
    let mut task = Map::new();
    let mut set = |key: &str, value: Value| task.insert(key.to_owned(), value);
    set("id", rng.random_id().into());
    set("title", (*rng.pick(&TITLES)).into());
    set("contactId", (*contact.id).into());
    set("dueDate", format_iso(due - due % 60_000).into());
    set("completed", rng.one_in(3).into());
    if rng.one_in(2) {
        set("body", (*rng.pick(&NOTES)).into());
    }
    let user = (!rng.one_in(4)).then(|| rng.next_below(world.users.len()));
    if let Some(user) = user {
        set("assignedTo", world.users[user].clone().into());
    }
    let text = |name: &Option<String>| name.as_deref().map_or(Value::Null, Value::from);
    let names = TaskSearchNames {
        location: &world.location,
        first: &text(&person.first),
        last: &text(&person.last),
        user: user.map_or(&Value::Null, |user| &world.user_details[user]),
    };
    StoredTask::new(&task, added, due.min(added + DAY), names)
}

/// Adds one or two appointments to every tenth contact.
pub(super) fn push_appointments(
    contact: &StoredContact,
    number: usize,
    world: &SeedContext,
    rng: &mut SeededRng,
    events: &mut Vec<StoredAppointment>,
) {
    if number % 10 != 9 {
        return;
    }
    for _ in 0..=rng.next_below(2) {
        let (calendar, group) = rng.pick(&world.calendars).clone();
        let start = contact.added + rng.millis_below(60 * DAY);
        events.push(StoredAppointment {
            id: rng.random_id(),
            title: (*rng.pick(&TITLES)).to_owned(),
            calendar,
            group,
            user: rng.pick(&world.users).clone(),
            contact: contact.id.to_string(),
            location: world.location.clone(),
            status: rng.pick::<&str>(&["confirmed", "cancelled", "showed", "noshow", "new"]),
            notes: rng.one_in(3).then(|| (*rng.pick(&NOTES)).to_owned()),
            address: rng.one_in(2).then(|| "https://meet.example.com/abc".to_owned()),
            start: start - start % 900_000,
            minutes: *rng.pick(&[15, 30, 60]),
            added: contact.added,
            recurring: rng.one_in(12),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seeded_note_is_json() {
        let contact = StoredContact::new("c", 0, 0, "{\"id\":\"c\"}");
        let world = SeedContext {
            seed: 1,
            location: "l".to_owned(),
            users: vec!["u".to_owned()],
            user_details: vec![Value::Null],
            businesses: Vec::new(),
            calendars: Vec::new(),
        };
        let mut rng = SeededRng::new(1);
        for number in 0..200 {
            let note = build_note(&contact, (0, number == 7), &world, &mut rng);
            assert_eq!(note.to_fields()["contactId"], "c");
        }
    }
}
