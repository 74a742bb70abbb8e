//! The seeded data: awkward on purpose, and the same for the same seed.
//!
//! Every record is drawn from the seed and its own number, never from the clock, so two starts
//! serve equal bytes, and a contact does not change when more of them are asked for but in its
//! date. The first location gets the contacts; the others start with metadata only.

mod field_definitions;
mod notes_and_tasks;
mod people;
mod person;
mod rng;
mod users_and_tags;
mod word_lists;

use people::People;
pub(super) use rng::Chance;

use super::sandbox_settings::Settings;
use super::store::location_store::Shelf;

/// The shelves of all locations.
pub(super) fn shelves(settings: &Settings) -> Vec<Shelf> {
    let empty = |(number, location): (usize, &String)| {
        let metadata = users_and_tags::metadata(settings.seed, number, location);
        Shelf::new(location, metadata, settings.lag)
    };
    let mut shelves: Vec<Shelf> = settings.locations.iter().enumerate().map(empty).collect();
    if let Some(first) = shelves.first_mut() {
        stock(first, settings);
    }
    shelves
}

fn stock(shelf: &mut Shelf, settings: &Settings) {
    let people = People::new(settings.seed, settings.contacts, &shelf.location, &shelf.metadata);
    let mut events = Vec::new();
    let contacts = (0..settings.contacts).map(|number| {
        let (mut contact, keys, names) = people.contact(number);
        let chance = &mut Chance::of(settings.seed ^ 0x6368_696c, number);
        notes_and_tasks::attach(&mut contact, &names, number, people.world(), chance);
        notes_and_tasks::appointments(&contact, number, people.world(), chance, &mut events);
        (contact, keys)
    });
    let contacts: Vec<_> = contacts.collect();
    shelf.fill(contacts.into_iter());
    let placed = events.into_iter().filter_map(|event: super::store::calendar_events::Event| {
        shelf.find(&event.contact).map(|slot| (slot, event))
    });
    let placed = placed.collect();
    shelf.events.fill(placed);
}
