//! The endpoints of the API: what each accepts and returns.

pub(super) mod associations;
pub(super) mod calendars;
pub(super) mod contact_body;
pub(super) mod contact_lookup;
pub(super) mod contact_search;
pub(super) mod contacts;
pub(super) mod custom_field_values;
pub(super) mod dialect;
pub(super) mod filter_eval;
pub(super) mod filter_field;
pub(super) mod filter_parse;
pub(super) mod list_contacts;
pub(super) mod location_lists;
pub(super) mod location_writes;
pub(super) mod note_records;
pub(super) mod notes;
pub(super) mod notes_search;
pub(super) mod notes_search_body;
pub(super) mod search_body;
pub(super) mod tags;
pub(super) mod task_search;
pub(super) mod tasks;
pub(super) mod user_search;
