//! Seeded notes and tasks that do not belong to one contact.
//!
//! Notes of two contacts and notes of an opportunity; tasks that were deleted, that have no contact,
//! or that relate to ten records. They are added to the other seeded data, which stay the same.

use serde_json::{Map, Value, json};

use super::super::store::location_store::LocationStore;
use super::super::store::note::{NoteRelation, NoteSource, StoredNote};
use super::super::store::notes_and_tasks::{StoredTask, TaskSearchNames};
use super::super::store::slots::ContactSlot;
use super::super::text::format_iso;
use super::rng::SeededRng;

const DAY: i64 = 86_400_000;

/// The most records that a task relates to.
const MOST_RELATIONS: usize = 10;

/// Adds odd records to a store of `count` seeded contacts.
pub(super) fn add_odd_records(store: &mut LocationStore, count: usize, seed: u64) {
    for number in 0..count {
        let rng = &mut SeededRng::for_record(seed ^ 0x6f64_6421, number);
        let slot = ContactSlot::try_from(number).expect("fewer than four billion contacts");
        match number % 50 {
            4 | 24 if number + 1 < count => add_note(store, slot, &[slot, slot + 1], rng),
            9 => add_note(store, slot, &[], rng),
            3 | 28 => add_task(store, slot, rng, &json!({ "deleted": true }), false),
            7 | 32 => {
                let relations = build_relations(rng, 1);
                let changes = json!({
                    "contactId": null, "contactDetails": null, "relations": relations,
                });
                add_task(store, slot, rng, &changes, false);
            }
            11 | 36 => {
                let relations = build_relations(rng, MOST_RELATIONS);
                add_task(store, slot, rng, &json!({ "relations": relations }), true);
            }
            _ => {}
        }
    }
}

/// Adds a note of these contacts, or of an opportunity if there are none.
fn add_note(
    store: &mut LocationStore,
    slot: ContactSlot,
    contacts: &[ContactSlot],
    rng: &mut SeededRng,
) {
    let added = store.contact(slot).added + rng.millis_below(90 * DAY);
    let mut fields = Map::from_iter([
        ("id".to_owned(), rng.random_id().into()),
        ("body".to_owned(), "Met both of them at the fair".into()),
        ("dateAdded".to_owned(), format_iso(added).into()),
    ]);
    let mut relations: Vec<NoteRelation> =
        contacts.iter().map(|contact| NoteRelation::Contact(*contact)).collect();
    if let Some(first) = contacts.first() {
        fields.insert("contactId".to_owned(), (*store.contact(*first).id).into());
    } else {
        let opportunity = ("opportunity".to_owned(), rng.random_id());
        relations.push(NoteRelation::Other(opportunity.into()));
    }
    let note = store.notes.load(StoredNote::new(&fields, NoteSource::WebUser, relations));
    for contact in contacts {
        store.contact_mut(*contact).notes.push(note);
    }
}

/// Adds a task with changes to its row in the search; others than the contact's are only there.
fn add_task(
    store: &mut LocationStore,
    slot: ContactSlot,
    rng: &mut SeededRng,
    changes: &Value,
    of_contact: bool,
) {
    let contact = store.contact(slot);
    let added = contact.added + rng.millis_below(30 * DAY);
    let task = Map::from_iter([
        ("id".to_owned(), rng.random_id().into()),
        ("title".to_owned(), "Odd task".into()),
        ("contactId".to_owned(), (*contact.id).into()),
        ("completed".to_owned(), false.into()),
        // To the millisecond, unlike the others.
        ("dueDate".to_owned(), format_iso(added + 1 + rng.millis_below(DAY)).into()),
    ]);
    let row = contact.parse_row();
    let name = |key: &str| row.get(key).unwrap_or(&Value::Null);
    let names = TaskSearchNames {
        location: &store.location,
        first: name("firstName"),
        last: name("lastName"),
        user: &Value::Null,
    };
    let task = StoredTask::new(&task, added, added, names).with_search_fields(changes);
    let place = (added, task.id.clone());
    if of_contact {
        store.contact_mut(slot).tasks.push(task);
        store.tasks.insert(place, Some(slot));
    } else {
        store.insert_detached_task(task);
    }
}

fn build_relations(rng: &mut SeededRng, count: usize) -> Vec<Value> {
    let record = |_| json!({ "objectKey": "opportunity", "recordId": rng.random_id() });
    (0..count).map(record).collect()
}
