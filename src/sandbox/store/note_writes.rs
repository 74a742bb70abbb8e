//! Writes of notes: what they change in the store of notes and in the contacts.

use serde_json::Value;

use super::location_store::LocationStore;
use super::note::{NoteRelation, StoredNote};
use super::slots::{ContactSlot, NoteSlot};

impl LocationStore {
    /// Adds a note, and puts it first in the lists of its contacts, as the service lists them.
    pub(crate) fn insert_note(&mut self, note: StoredNote) -> NoteSlot {
        let slot = self.notes.insert(note);
        self.attach_note(slot);
        slot
    }

    /// Replaces a note; the lists of contacts follow its relations.
    pub(crate) fn replace_note(&mut self, slot: NoteSlot, note: StoredNote) {
        let before: Vec<ContactSlot> = self.notes.note(slot).contacts().collect();
        let kept = |contact: &ContactSlot| !note.deleted && note.relates_to(*contact);
        for contact in before.iter().filter(|contact| !kept(contact)) {
            self.contact_mut(*contact).notes.retain(|one| *one != slot);
        }
        self.notes.replace(slot, note);
        self.attach_note(slot);
    }

    /// Deletes a note.
    pub(crate) fn delete_note(&mut self, slot: NoteSlot) {
        let note = StoredNote { deleted: true, ..self.notes.note(slot).clone() };
        self.replace_note(slot, note);
    }

    /// Deletes what a contact's list of notes has; notes of other contacts keep those.
    pub(crate) fn clear_notes(&mut self, contact: ContactSlot) {
        let slots = std::mem::take(&mut self.contact_mut(contact).notes);
        self.notes.detach_contact(contact, &slots);
    }

    /// The notes of a contact, in the order of its list.
    pub(crate) fn notes_of_contact(
        &self,
        contact: ContactSlot,
    ) -> impl Iterator<Item = &StoredNote> {
        self.contact(contact).notes.iter().map(|slot| self.notes.note(*slot))
    }

    /// The object and the id of a record that a note relates to.
    pub(crate) fn related_record<'a>(&'a self, relation: &'a NoteRelation) -> (&'a str, &'a str) {
        match relation {
            NoteRelation::Contact(slot) => ("contact", &self.contact(*slot).id),
            NoteRelation::Other(record) => (&record.0, &record.1),
        }
    }

    /// The relation in a JSON object with `objectKey` and `recordId`; `None` for anything else, and
    /// for a contact that does not exist.
    pub(crate) fn parse_relation(&self, relation: &Value) -> Option<NoteRelation> {
        let text = |key: &str| relation.get(key).and_then(Value::as_str);
        match (text("objectKey")?, text("recordId")?) {
            ("contact", id) => self.find_by_id(id).map(NoteRelation::Contact),
            (object, id) => Some(NoteRelation::Other((object.to_owned(), id.to_owned()).into())),
        }
    }

    fn attach_note(&mut self, slot: NoteSlot) {
        let note = self.notes.note(slot);
        let contacts: Vec<ContactSlot> =
            if note.deleted { Vec::new() } else { note.contacts().collect() };
        for contact in contacts {
            let notes = &mut self.contact_mut(contact).notes;
            if !notes.contains(&slot) {
                notes.insert(0, slot);
            }
        }
    }
}
