//! The records that the sandbox stores, by location.

pub(super) mod calendar_events;
pub(super) mod contact;
pub(super) mod location_metadata;
pub(super) mod location_store;
pub(super) mod note;
pub(super) mod note_index;
pub(super) mod note_store;
mod note_writes;
pub(super) mod notes_and_tasks;
pub(super) mod search_candidate;
pub(super) mod slots;
pub(super) mod sort_order;
pub(super) mod state;
