//! Backups: what a snapshot has, what it costs, and what is never lost or believed.

mod backup_world;
mod copy;
mod drills;
mod encryption;
mod erase;
mod foreign_readers;
mod history;
mod interrupted;
mod live;
mod refusals;
mod retention;
mod several_locations;
mod snapshots;
mod verify;
