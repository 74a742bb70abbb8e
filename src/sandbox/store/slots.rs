//! The places of records in their location's store.

/// The place of a contact, for as long as the store lives.
pub(crate) type ContactSlot = u32;

/// The place of a note, for as long as the store lives.
pub(crate) type NoteSlot = u32;
