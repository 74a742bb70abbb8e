//! The notes of one location.
//!
//! Each note is stored once, whatever number of records it relates to; contacts hold the places of
//! theirs.

use std::collections::HashMap;
use std::sync::Arc;

use super::note::{NoteRelation, StoredNote};
use super::note_index::NoteIndex;
use super::slots::{ContactSlot, NoteSlot};
use crate::sandbox::notes_search_behavior::NotesIndexLag;

/// All notes of a location.
#[derive(Debug, Default)]
pub(crate) struct NoteStore {
    notes: Vec<StoredNote>,
    by_id: HashMap<Box<str>, NoteSlot>,
    /// The notes of records that are not contacts, by the record's id.
    by_record: HashMap<String, Vec<NoteSlot>>,
    pub(crate) index: NoteIndex,
    pub(crate) lag: NotesIndexLag,
}

impl NoteStore {
    /// Stores a note that searches show at once.
    pub(crate) fn load(&mut self, note: StoredNote) -> NoteSlot {
        let slot = NoteSlot::try_from(self.notes.len()).expect("fewer than four billion notes");
        self.by_id.insert(note.id.clone(), slot);
        self.add_records(&note, slot);
        self.notes.push(note);
        slot
    }

    /// Stores a new note; searches show it at once or after the lag.
    pub(crate) fn insert(&mut self, note: StoredNote) -> NoteSlot {
        let slot = self.load(note);
        self.index.record_write(slot, None, self.lag);
        slot
    }

    /// Replaces a note.
    pub(crate) fn replace(&mut self, slot: NoteSlot, note: StoredNote) {
        self.remove_records(slot);
        self.add_records(&note, slot);
        let before = std::mem::replace(&mut self.notes[slot as usize], note);
        let before = Some(before).filter(|note| !note.deleted);
        self.index.record_write(slot, before, self.lag);
    }

    pub(crate) fn note(&self, slot: NoteSlot) -> &StoredNote {
        &self.notes[slot as usize]
    }

    /// The note with this id, deleted or not.
    pub(crate) fn find_by_id(&self, id: &str) -> Option<NoteSlot> {
        self.by_id.get(id).copied()
    }

    /// All notes that exist.
    pub(crate) fn existing_notes(&self) -> impl Iterator<Item = &StoredNote> {
        self.notes.iter().filter(|note| !note.deleted)
    }

    /// The notes of a record that is not a contact.
    pub(crate) fn notes_of_record(&self, record: &str) -> &[NoteSlot] {
        self.by_record.get(record).map_or(&[], Vec::as_slice)
    }

    /// Removes a deleted contact from its notes; a note without any other relation is deleted.
    pub(crate) fn detach_contact(&mut self, contact: ContactSlot, slots: &[NoteSlot]) {
        for slot in slots {
            let mut note = self.note(*slot).clone();
            note.relations.retain(|relation| *relation != NoteRelation::Contact(contact));
            note.deleted |= note.relations.is_empty();
            self.replace(*slot, note);
        }
    }

    /// The note as searches show it, if they do.
    pub(crate) fn indexed_view(&self, slot: NoteSlot) -> Option<&StoredNote> {
        self.index.indexed_view(slot, self.note(slot))
    }

    /// The notes that searches show and `keep` accepts, oldest first.
    ///
    /// Kept under `key` until the next write.
    pub(crate) fn rank_notes(
        &mut self,
        key: &str,
        keep: impl Fn(&StoredNote) -> bool,
    ) -> Arc<[NoteSlot]> {
        if let Some(kept) = self.index.kept_ranking(key) {
            return kept;
        }
        let slots = 0..NoteSlot::try_from(self.notes.len()).expect("fewer than four billion notes");
        let slots = slots.filter(|slot| self.indexed_view(*slot).is_some_and(&keep)).collect();
        let ranking: Arc<[NoteSlot]> = self.sort_by_date(slots).into();
        self.index.keep_ranking(key.to_owned(), Arc::clone(&ranking));
        ranking
    }

    /// Notes in the order of their dates and ids, oldest first.
    pub(crate) fn sort_by_date(&self, mut slots: Vec<NoteSlot>) -> Vec<NoteSlot> {
        let key = |slot: &NoteSlot| {
            let note = self.note(*slot);
            (note.added, &note.id)
        };
        slots.sort_unstable_by(|left, right| key(left).cmp(&key(right)));
        slots
    }

    fn add_records(&mut self, note: &StoredNote, slot: NoteSlot) {
        for relation in &note.relations {
            if let NoteRelation::Other(record) = relation {
                self.by_record.entry(record.1.clone()).or_default().push(slot);
            }
        }
    }

    fn remove_records(&mut self, slot: NoteSlot) {
        for relation in &self.notes[slot as usize].relations {
            if let NoteRelation::Other(record) = relation
                && let Some(slots) = self.by_record.get_mut(&record.1)
            {
                slots.retain(|one| *one != slot);
            }
        }
    }
}
