//! The commands, one file or folder each: its arguments, and what it runs.

pub(super) mod apply;
pub(super) mod backup;
pub(super) mod completions;
pub(super) mod config;
pub(super) mod continue_run;
pub(super) mod doctor;
pub(super) mod export;
pub(super) mod history;
pub(super) mod import;
pub(super) mod job;
pub(super) mod login;
pub(super) mod logout;
pub(super) mod man;
pub(super) mod map;
pub(super) mod mirror;
pub(super) mod restore;
pub(super) mod resume;
pub(super) mod runs;
pub(super) mod sandbox;
pub(super) mod schema;
pub(super) mod several_locations;
pub(super) mod show;
pub(super) mod sync;
pub(super) mod undo;
pub(super) mod watch;
pub(super) mod whoami;
