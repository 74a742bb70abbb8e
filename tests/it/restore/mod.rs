//! Restores: who and what comes back from a snapshot, once, and what does not.

mod chosen_contacts;
mod erased;
mod fields;
mod interrupted;
mod missing_contacts;
mod other_location;
mod refusals;
mod restore_world;
mod taken_addresses;
