//! `ghl-bulk` moves contacts, with their tasks, notes, appointments, tags and custom fields, between a
//! HighLevel (`GoHighLevel`, `LeadConnector`) account and files.
//!
//! # The house
//!
//! Floors, the highest first; a module uses only lower floors and its own children, which a test holds.
//!
//! - [`cli`]: one file per command; events become bars, lines or JSON, errors a message and a code.
//! - [`export`] and [`import`]: the verbs. A run is made, carried out, and its files put in place.
//!   [`doctor`]: what stands in their way.
//! - [`pull`] and [`publish`], [`push`] and [`reconcile`]: the engines. Remote to spool, spool to files; ops to
//!   requests, requests without answer to verdicts. [`auth`]: a login at rest, and its tokens while they
//!   are used.
//! - [`api`]: the client: one method per endpoint behind one limiter per location. [`plan`]: what each row of
//!   a sheet is to do, decided before anything is sent.
//! - [`resource`] (rows and their columns), [`table`] (columns and their files), [`sheet`] (a file read as
//!   rows), [`run`] (spool, rows, ledger).
//! - [`choice`], [`id`], [`diagnostic`], [`concurrency`], [`event`], [`failpoint`]: words for options, opaque ids,
//!   warnings and rejections with their codes, bounded concurrency, what a verb tells, where tests kill.
//!
//! Beside the house stands [`sandbox`], a stand-in for the API that shares no type with it.
//!
//! # Words
//!
//! location, contact, child (task, note, appointment), field (custom-field definition) · page, cursor ·
//! row, draft, rejection · op, plan · intent, outcome, settled, doubt · run, spool, ledger · sheet · table,
//! sink · pace, budget, fault, stop, event, report.
//!
//! # Invariants
//!
//! Nothing below `cli` prints. Nothing but `flight` (and the sandbox) spawns. Every file a user sees is
//! a pure function of a run's log. No output stands half-written under its final name. A record that
//! could not be read is counted, named and changes the exit code. No write leaves before its intent is
//! durable, and none is sent again before it is known what became of it.

pub mod api;
pub mod auth;
pub mod choice;
pub mod cli;
pub mod concurrency;
pub mod context;
pub mod diagnostic;
pub mod doctor;
pub mod event;
pub mod export;
pub mod failpoint;
pub mod id;
pub mod import;
pub mod mapping;
pub mod model;
pub mod plan;
pub mod publish;
pub mod pull;
pub mod push;
pub mod reconcile;
pub mod resource;
pub mod run;
pub mod sandbox;
pub mod sheet;
pub mod table;
pub(crate) mod toml_doc;
pub mod value;
