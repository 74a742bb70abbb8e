//! The seeded data: full of edge cases, and the same for the same seed.
//!
//! Every record is generated from the seed and its own number, never from the clock, so two starts
//! serve the same bytes, and with a larger number of contacts each contact changes only in its
//! date. Each location has contacts of its own.

mod field_definitions;
mod notes_and_tasks;
mod odd_records;
mod people;
mod person;
mod rng;
mod users_and_tags;
mod word_lists;

use people::ContactGenerator;
pub(super) use rng::SeededRng;

use super::sandbox_settings::SandboxSettings;
use super::store::location_store::LocationStore;
use super::store::note_store::NoteStore;

/// Between the seeds of two locations, so that no two of them have a contact with the same id.
const LOCATION_SEED_STEP: u64 = 0xa076_1d64_78bd_642f;

/// The stores of all locations.
pub(super) fn seed_locations(settings: &SandboxSettings) -> Vec<LocationStore> {
    let empty = |(number, location): (usize, &String)| {
        let mut metadata = users_and_tags::build_metadata(settings.seed, number, location);
        if let Some(lists) = settings.lists.as_ref().filter(|_| number == 0) {
            metadata.fields.clone_from(&lists.custom_fields);
            metadata.users.clone_from(&lists.users);
            metadata.businesses.clone_from(&lists.businesses);
        }
        LocationStore::new(location, metadata, settings.lag)
    };
    let mut stores: Vec<LocationStore> = settings.locations.iter().enumerate().map(empty).collect();
    for (number, store) in stores.iter_mut().enumerate() {
        let contacts = if number == 0 { settings.contacts } else { settings.contacts_elsewhere };
        let seed = settings.seed.wrapping_add((number as u64).wrapping_mul(LOCATION_SEED_STEP));
        if number == 0 || contacts > 0 {
            seed_contacts(store, contacts, seed, settings);
        }
    }
    stores
}

fn seed_contacts(store: &mut LocationStore, count: usize, seed: u64, settings: &SandboxSettings) {
    let people = ContactGenerator::new(seed, count, &store.location, &store.metadata)
        .with_misfits(settings.awkward);
    let mut events = Vec::new();
    let mut notes = NoteStore::default();
    let contacts = (0..count).map(|number| {
        let (mut contact, keys, names) = people.generate_contact(number);
        let rng = &mut SeededRng::for_record(seed ^ 0x6368_696c, number);
        notes_and_tasks::attach_notes_and_tasks(
            &mut contact,
            (number, &names),
            people.context(),
            rng,
            &mut notes,
        );
        notes_and_tasks::push_appointments(&contact, number, people.context(), rng, &mut events);
        (contact, keys)
    });
    let contacts: Vec<_> = contacts.collect();
    store.load_initial(contacts.into_iter());
    store.notes = notes;
    if settings.odd_records {
        odd_records::add_odd_records(store, count, seed);
    }
    let placed =
        events.into_iter().filter_map(|event: super::store::calendar_events::StoredAppointment| {
            store.find_by_id(&event.contact).map(|slot| (slot, event))
        });
    let placed = placed.collect();
    store.events.replace_all(placed);
}
