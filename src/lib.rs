//! `ghl-bulk` moves contacts, with their tasks, notes, appointments, tags and custom fields, between a
//! HighLevel (`GoHighLevel`, `LeadConnector`) account and files.
//!
//! # The house
//!
//! Floors, the highest first; a module uses only lower floors and its own children, which a test holds.
//!
//! - [`cli`]: one file per command; events become bars, lines or JSON, errors a message and a code.
//! - [`export`]: the verb: a run is made, pulled, published, put in place.
//! - [`pull`] and [`publish`]: the engines. Remote to spool; spool to files.
//! - [`api`]: the client: one method per endpoint behind one limiter per location.
//! - [`resource`] (rows and their columns), [`table`] (columns and their files), [`run`] (the spool).
//! - [`id`], [`flight`], [`event`]: opaque ids, bounded concurrency, what a verb tells.
//!
//! Beside the house stands [`sandbox`], a stand-in for the API that shares no type with it.
//!
//! # Words
//!
//! location, contact, child (task, note, appointment), field (custom-field definition) · page, cursor ·
//! run, spool · table, sink · pace, budget, fault, stop, event, report.
//!
//! # Invariants
//!
//! Nothing below `cli` prints. Nothing but `flight` (and the sandbox) spawns. Every file a user sees is
//! a pure function of a run's spool. No output stands half-written under its final name. A record that
//! could not be read is counted, named and changes the exit code.

pub mod api;
pub mod cli;
pub mod context;
pub mod doubt;
pub mod event;
pub mod export;
pub mod failpoint;
pub mod flight;
pub mod id;
pub mod import;
pub mod plan;
pub mod publish;
pub mod pull;
pub mod push;
pub mod resource;
pub mod run;
pub mod sandbox;
pub mod sheet;
pub mod table;
