//! The seeded notes, tasks and appointments.
//!
//! About one note and half a task per contact; a few contacts have many, and some notes are longer
//! than a spreadsheet's cell.

use serde_json::{Map, Value};

use super::super::store::calendar_events::Event;
use super::super::store::contact::Contact;
use super::super::store::notes_and_tasks::{Names, Note, Task};
use super::super::text::{iso, quote};
use super::people::World;
use super::person::Person;
use super::rng::Chance;
use super::word_lists::{NOTES, TITLES};

const DAY: i64 = 86_400_000;

/// Gives a contact its notes and tasks.
pub(super) fn attach(
    contact: &mut Contact,
    person: &Person,
    number: usize,
    world: &World,
    chance: &mut Chance,
) {
    let notes = match chance.below(8) {
        0..4 => 0,
        4..6 => 1,
        6 => 2,
        _ => 4,
    };
    let notes = if number % 500 == 31 { 25 } else { notes };
    contact.notes.reserve_exact(notes);
    for place in 0..notes {
        let long = place == 0 && number % 1000 == 31;
        contact.notes.push(note(contact, long, world, chance));
    }
    let tasks = [0, 0, 0, 0, 1, 2][chance.below(6)];
    contact.tasks.reserve_exact(tasks);
    for _ in 0..tasks {
        let task = task(contact, person, world, chance);
        contact.tasks.push(task);
    }
}

fn note(contact: &Contact, long: bool, world: &World, chance: &mut Chance) -> Note {
    let id = chance.id();
    let mut json = Vec::with_capacity(256);
    json.extend_from_slice(b"{\"id\":");
    quote(&mut json, &id);
    json.extend_from_slice(b",\"body\":");
    let body = *chance.pick(&NOTES);
    match chance.below(60) {
        _ if long => quote(&mut json, &format!("{body}\n").repeat(3000)),
        0 => quote(&mut json, ""),
        _ => quote(&mut json, body),
    }
    if !chance.one_in(4) {
        json.extend_from_slice(b",\"userId\":");
        quote(&mut json, chance.pick::<String>(&world.users));
    }
    json.extend_from_slice(b",\"dateAdded\":");
    quote(&mut json, &iso(contact.added + chance.moment(90 * DAY)));
    json.extend_from_slice(b",\"contactId\":");
    quote(&mut json, &contact.id);
    if chance.one_in(3) {
        json.extend_from_slice(
            br##","title":"Summary; \"short\"","color":"#FFAA00","pinned":true"##,
        );
    }
    json.push(b'}');
    let json = String::from_utf8(json).expect("notes are made of texts");
    Note { id: id.into(), json: json.into() }
}

fn task(contact: &Contact, person: &Person, world: &World, chance: &mut Chance) -> Task {
    let added = contact.added + chance.moment(30 * DAY);
    let due = added + chance.moment(30 * DAY);
    let mut task = Map::new();
    let mut set = |key: &str, value: Value| task.insert(key.to_owned(), value);
    set("id", chance.id().into());
    set("title", (*chance.pick(&TITLES)).into());
    set("contactId", (*contact.id).into());
    set("dueDate", iso(due - due % 60_000).into());
    set("completed", chance.one_in(3).into());
    if chance.one_in(2) {
        set("body", (*chance.pick(&NOTES)).into());
    }
    let user = (!chance.one_in(4)).then(|| chance.below(world.users.len()));
    if let Some(user) = user {
        set("assignedTo", world.users[user].clone().into());
    }
    let text = |name: &Option<String>| name.as_deref().map_or(Value::Null, Value::from);
    let names = Names {
        location: &world.location,
        first: &text(&person.first),
        last: &text(&person.last),
        user: user.map_or(&Value::Null, |user| &world.user_details[user]),
    };
    Task::new(&task, added, due.min(added + DAY), names)
}

/// Gives every tenth contact one or two appointments.
pub(super) fn appointments(
    contact: &Contact,
    number: usize,
    world: &World,
    chance: &mut Chance,
    events: &mut Vec<Event>,
) {
    if number % 10 != 9 {
        return;
    }
    for _ in 0..=chance.below(2) {
        let (calendar, group) = chance.pick(&world.calendars).clone();
        let start = contact.added + chance.moment(60 * DAY);
        events.push(Event {
            id: chance.id(),
            title: (*chance.pick(&TITLES)).to_owned(),
            calendar,
            group,
            user: chance.pick(&world.users).clone(),
            contact: contact.id.to_string(),
            location: world.location.clone(),
            status: chance.pick::<&str>(&["confirmed", "cancelled", "showed", "noshow", "new"]),
            notes: chance.one_in(3).then(|| (*chance.pick(&NOTES)).to_owned()),
            address: chance.one_in(2).then(|| "https://meet.example.com/abc".to_owned()),
            start: start - start % 900_000,
            minutes: *chance.pick(&[15, 30, 60]),
            added: contact.added,
            recurring: chance.one_in(12),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seeded_note_is_json() {
        let contact = Contact::new("c", 0, 0, "{\"id\":\"c\"}");
        let world = World {
            seed: 1,
            location: "l".to_owned(),
            users: vec!["u".to_owned()],
            user_details: vec![Value::Null],
            businesses: Vec::new(),
            calendars: Vec::new(),
        };
        let mut chance = Chance::new(1);
        for number in 0..200 {
            let note = note(&contact, number == 7, &world, &mut chance);
            assert_eq!(note.fields()["contactId"], "c");
        }
    }
}
