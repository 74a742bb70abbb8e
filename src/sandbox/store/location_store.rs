//! The store of one location, in memory.
//!
//! Keeps contacts in search order, finds them by id, e-mail and phone, and shows searches the
//! previous state while the index lags. Knows nothing of requests, tokens or which writes are
//! allowed.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::calendar_events::AppointmentIndex;
use super::contact::{
    IndexedContact, LookupKeys, SearchRow, StaleIndexEntry, StoredContact, strip_closing_brace,
};
use super::location_metadata::LocationMetadata;
use super::note_store::NoteStore;
use super::notes_and_tasks::StoredTask;
use super::slots::ContactSlot;
use super::sort_order::RankedResults;

/// Everything one location holds.
#[derive(Debug)]
pub(crate) struct LocationStore {
    pub(crate) location: String,
    pub(crate) metadata: LocationMetadata,
    pub(crate) events: AppointmentIndex,
    pub(crate) notes: NoteStore,
    contacts: Vec<StoredContact>,
    /// Sorted by `(dateAdded, id)`, including deleted contacts that searches still show.
    order: Vec<ContactSlot>,
    by_id: HashMap<Box<str>, ContactSlot>,
    emails: HashMap<Box<str>, Vec<ContactSlot>>,
    phones: HashMap<Box<str>, Vec<ContactSlot>>,
    other_emails: HashMap<Box<str>, Vec<ContactSlot>>,
    other_phones: HashMap<Box<str>, Vec<ContactSlot>>,
    /// The contacts of the tasks, by `(dateAdded, id)`; `None` for one that no contact lists.
    pub(crate) tasks: BTreeMap<(i64, Box<str>), Option<ContactSlot>>,
    /// The tasks that only the search shows, by id.
    detached_tasks: HashMap<Box<str>, StoredTask>,
    lag: Duration,
    lagging: VecDeque<(Instant, ContactSlot)>,
    unborn: usize,
    generation: u64,
    pub(crate) rankings: VecDeque<(u64, String, Arc<RankedResults>)>,
}

impl LocationStore {
    pub(crate) fn new(location: &str, metadata: LocationMetadata, lag: Duration) -> Self {
        Self {
            location: location.to_owned(),
            metadata,
            events: AppointmentIndex::default(),
            notes: NoteStore::default(),
            contacts: Vec::new(),
            order: Vec::new(),
            by_id: HashMap::new(),
            emails: HashMap::new(),
            phones: HashMap::new(),
            other_emails: HashMap::new(),
            other_phones: HashMap::new(),
            tasks: BTreeMap::new(),
            detached_tasks: HashMap::new(),
            lag,
            lagging: VecDeque::new(),
            unborn: 0,
            generation: 0,
            rankings: VecDeque::new(),
        }
    }

    /// Loads the initial contacts into an empty store, without lag; each gets the slot of its number.
    pub(crate) fn load_initial(
        &mut self,
        stock: impl Iterator<Item = (StoredContact, LookupKeys)>,
    ) {
        let count = stock.size_hint().0;
        self.contacts.reserve(count);
        for map in [&mut self.emails, &mut self.phones] {
            map.reserve(count);
        }
        self.by_id.reserve(count);
        for (contact, keys) in stock {
            let slot = self.append_contact(contact, &keys);
            self.order.push(slot);
        }
        let contacts = &self.contacts;
        let key = |slot: &ContactSlot| {
            let contact = &contacts[*slot as usize];
            (contact.added, &contact.id)
        };
        self.order.sort_unstable_by(|left, right| key(left).cmp(&key(right)));
    }

    /// Adds a contact; searches show it at once or after the lag.
    pub(crate) fn insert(&mut self, contact: StoredContact, lags: bool) -> ContactSlot {
        let place = self.order_position(contact.added, &contact.id, false);
        let keys = LookupKeys::from_row(&contact.parse_row());
        let slot = self.append_contact(contact, &keys);
        self.order.insert(place, slot);
        if lags {
            self.delay_indexing(slot, None);
        }
        self.generation += 1;
        slot
    }

    /// Replaces a contact's row.
    pub(crate) fn update_row(&mut self, slot: ContactSlot, row: &SearchRow, updated: i64) {
        let before = LookupKeys::from_row(&self.contact(slot).parse_row());
        let after = LookupKeys::from_row(row);
        if before != after {
            self.update_lookups(slot, &before, false);
            self.update_lookups(slot, &after, true);
        }
        let text = serde_json::to_string(row).expect("a row is JSON");
        let contact = &mut self.contacts[slot as usize];
        let past =
            (contact.updated, std::mem::replace(&mut contact.open_row, strip_closing_brace(&text)));
        contact.updated = updated;
        self.delay_indexing(slot, Some(past));
        self.generation += 1;
    }

    /// Removes a contact with all its children.
    pub(crate) fn remove(&mut self, slot: ContactSlot, lags: bool) {
        let keys = LookupKeys::from_row(&self.contact(slot).parse_row());
        self.update_lookups(slot, &keys, false);
        let contact = &mut self.contacts[slot as usize];
        self.by_id.remove(&contact.id);
        contact.gone = true;
        let notes = std::mem::take(&mut contact.notes);
        for task in std::mem::take(&mut contact.tasks) {
            self.tasks.remove(&(task.added, task.id));
        }
        self.events.remove_contact(slot);
        self.notes.detach_contact(slot, &notes);
        let contact = &mut self.contacts[slot as usize];
        let past = (contact.updated, std::mem::take(&mut contact.open_row));
        if lags {
            self.delay_indexing(slot, Some(past));
        } else if let Some(stale) = contact.stale.take() {
            self.unborn -= usize::from(stale.open_row.is_none());
        }
        if self.contact(slot).stale.is_none() {
            self.remove_from_order(slot);
        }
        self.generation += 1;
    }

    /// Adds a task that only the search shows.
    pub(crate) fn insert_detached_task(&mut self, task: StoredTask) {
        self.tasks.insert((task.added, task.id.clone()), None);
        self.detached_tasks.insert(task.id.clone(), task);
    }

    /// A task at its place in the order of the search.
    pub(crate) fn find_task(&self, id: &str, contact: Option<ContactSlot>) -> Option<&StoredTask> {
        match contact {
            Some(slot) => self.contact(slot).tasks.iter().find(|task| *task.id == *id),
            None => self.detached_tasks.get(id),
        }
    }

    pub(crate) fn find_by_id(&self, id: &str) -> Option<ContactSlot> {
        self.by_id.get(id).copied()
    }

    /// Whether a contact with this id existed and was deleted.
    pub(crate) fn is_deleted(&self, id: &str) -> bool {
        self.find_by_id(id).is_none() && self.contacts.iter().any(|contact| &*contact.id == id)
    }

    pub(crate) fn contact(&self, slot: ContactSlot) -> &StoredContact {
        &self.contacts[slot as usize]
    }

    pub(crate) fn contact_mut(&mut self, slot: ContactSlot) -> &mut StoredContact {
        &mut self.contacts[slot as usize]
    }

    pub(crate) fn find_by_email(&self, email: &str) -> &[ContactSlot] {
        self.emails.get(email.to_lowercase().as_str()).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn find_by_phone(&self, phone: &str) -> &[ContactSlot] {
        self.phones.get(phone).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn find_by_other_email(&self, email: &str) -> &[ContactSlot] {
        self.other_emails.get(email.to_lowercase().as_str()).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn find_by_other_phone(&self, phone: &str) -> &[ContactSlot] {
        self.other_phones.get(phone).map_or(&[], Vec::as_slice)
    }

    /// All existing contacts, in search order.
    pub(crate) fn existing_contacts(&self) -> impl Iterator<Item = &StoredContact> {
        self.order.iter().map(|slot| self.contact(*slot)).filter(|contact| !contact.gone)
    }

    /// What searches show, in search order, from the first record at position `start` on.
    pub(crate) fn indexed_range(
        &self,
        start: usize,
        end: usize,
    ) -> impl DoubleEndedIterator<Item = (ContactSlot, IndexedContact<'_>)> {
        let slots = self.order[start..end].iter();
        slots.filter_map(|slot| self.contact(*slot).indexed_view().map(|view| (*slot, view)))
    }

    pub(crate) fn indexed_view(&self, slot: ContactSlot) -> Option<IndexedContact<'_>> {
        self.contact(slot).indexed_view()
    }

    /// How many records searches show.
    pub(crate) fn indexed_count(&self) -> usize {
        self.order.len() - self.unborn
    }

    pub(crate) fn order_len(&self) -> usize {
        self.order.len()
    }

    /// The position of `(added, id)` in the search order: before an equal one, or after it.
    pub(crate) fn order_position(&self, added: i64, id: &str, after: bool) -> usize {
        self.order.partition_point(|slot| {
            let contact = self.contact(*slot);
            let key = (contact.added, &*contact.id);
            key < (added, id) || after && key == (added, id)
        })
    }

    /// The slots whose indexed row is older than the contact.
    pub(crate) fn lagging_slots(&self) -> impl Iterator<Item = ContactSlot> {
        self.lagging.iter().map(|(_, slot)| *slot)
    }

    /// Changes with everything that searches could notice.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// Makes the writes whose lag is over visible to searches.
    pub(crate) fn refresh_index(&mut self, now: Instant) {
        while let Some((until, slot)) = self.lagging.front().copied() {
            if until > now {
                return;
            }
            self.lagging.pop_front();
            let contact = &mut self.contacts[slot as usize];
            // A later write of the same contact extends its lag, and has an entry of its own.
            let due = contact.stale.as_ref().is_some_and(|stale| stale.until <= now);
            if due && let Some(stale) = contact.stale.take() {
                self.unborn -= usize::from(stale.open_row.is_none());
                self.generation += 1;
                if self.contact(slot).gone {
                    self.remove_from_order(slot);
                }
            }
        }
    }

    /// Makes all writes visible to searches.
    pub(crate) fn catch_up_index(&mut self) {
        self.refresh_index(Instant::now() + self.lag);
    }

    /// Keeps what searches showed until now, for as long as the index lags.
    fn delay_indexing(&mut self, slot: ContactSlot, past: Option<(i64, Box<str>)>) {
        if self.lag.is_zero() {
            return;
        }
        let until = Instant::now() + self.lag;
        let contact = &mut self.contacts[slot as usize];
        self.lagging.push_back((until, slot));
        if let Some(stale) = &mut contact.stale {
            stale.until = until;
            return;
        }
        self.unborn += usize::from(past.is_none());
        let (updated, open_row) =
            past.map_or((contact.updated, None), |(updated, row)| (updated, Some(row)));
        contact.stale = Some(Box::new(StaleIndexEntry { until, updated, open_row }));
    }

    fn append_contact(&mut self, contact: StoredContact, keys: &LookupKeys) -> ContactSlot {
        let slot =
            ContactSlot::try_from(self.contacts.len()).expect("fewer than four billion contacts");
        self.by_id.insert(contact.id.clone(), slot);
        for task in &contact.tasks {
            self.tasks.insert((task.added, task.id.clone()), Some(slot));
        }
        self.contacts.push(contact);
        self.update_lookups(slot, keys, true);
        slot
    }

    fn remove_from_order(&mut self, slot: ContactSlot) {
        let contact = &self.contacts[slot as usize];
        let place = self.order_position(contact.added, &contact.id, false);
        // Several contacts share a key only if a test inserts an id twice.
        let found = self.order[place..].iter().position(|one| *one == slot);
        if let Some(distance) = found {
            self.order.remove(place + distance);
        }
    }

    fn update_lookups(&mut self, slot: ContactSlot, keys: &LookupKeys, there: bool) {
        let singles = [(&mut self.emails, &keys.email), (&mut self.phones, &keys.phone)];
        for (map, key) in singles {
            if let Some(key) = key {
                update_slot_list(map, key, slot, there);
            }
        }
        let others = [
            (&mut self.other_emails, &keys.other_emails),
            (&mut self.other_phones, &keys.other_phones),
        ];
        for (map, keys) in others {
            for key in keys {
                update_slot_list(map, key, slot, there);
            }
        }
    }
}

fn update_slot_list(
    map: &mut HashMap<Box<str>, Vec<ContactSlot>>,
    key: &str,
    slot: ContactSlot,
    there: bool,
) {
    if there {
        map.entry(key.into()).or_insert_with(|| Vec::with_capacity(1)).push(slot);
    } else if let Some(slots) = map.get_mut(key) {
        slots.retain(|one| *one != slot);
        if slots.is_empty() {
            map.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAG: Duration = Duration::from_mins(1);

    fn contact(id: &str, added: i64) -> StoredContact {
        StoredContact::new(id, added, added, &format!("{{\"id\":\"{id}\"}}"))
    }

    fn seen(store: &LocationStore) -> Vec<String> {
        let seen = store.indexed_range(0, store.order_len());
        let ids: Vec<String> = seen.map(|(_, view)| view.open_row.to_owned()).collect();
        assert_eq!(ids.len(), store.indexed_count());
        ids
    }

    #[test]
    fn searches_see_a_write_when_the_lag_is_over() {
        let mut store = LocationStore::new("l", LocationMetadata::default(), LAG);
        let stock =
            [contact("b", 1), contact("a", 1)].map(|contact| (contact, LookupKeys::default()));
        store.load_initial(stock.into_iter());
        assert_eq!(seen(&store), [r#"{"id":"a""#, r#"{"id":"b""#]);

        store.insert(contact("c", 2), true);
        let row = serde_json::from_str(r#"{"id":"a","x":1}"#).unwrap();
        let slot = store.find_by_id("a").unwrap();
        store.update_row(slot, &row, 5);
        store.remove(store.find_by_id("b").unwrap(), true);
        assert_eq!(seen(&store), [r#"{"id":"a""#, r#"{"id":"b""#]);
        assert_eq!(store.find_by_id("b"), None);

        store.refresh_index(Instant::now() + LAG * 2);
        assert_eq!(seen(&store), [r#"{"id":"a","x":1"#, r#"{"id":"c""#]);
    }

    #[test]
    fn a_contact_created_and_deleted_within_the_lag_is_never_seen() {
        let mut store = LocationStore::new("l", LocationMetadata::default(), LAG);
        let slot = store.insert(contact("a", 1), true);
        store.remove(slot, true);
        assert_eq!(seen(&store), [""; 0]);
        store.refresh_index(Instant::now() + LAG * 2);
        assert_eq!(seen(&store), [""; 0]);
        assert_eq!(store.order_len(), 0);
    }
}
