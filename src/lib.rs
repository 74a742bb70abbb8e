//! `ghl-bulk` moves contacts, with their tasks, notes, appointments, tags and custom fields, between a
//! HighLevel (`GoHighLevel`, `LeadConnector`) account and files.
//!
//! # Rooms
//!
//! From the highest floor to the lowest. A module uses only lower floors and its own children; a test
//! checks this.
//!
//! - [`cli`]: the commands; turns events into progress bars, lines or JSON, and errors into messages
//!   and exit codes.
//! - [`export`] and [`import`]: a run is created and carried out, and its files are published.
//!   [`sync`]: the mirror of a location is brought up to date. [`inspect`]: one contact is looked at. [`doctor`]: checks for everything that would make them
//!   fail.
//! - [`pull`] and [`publish`], [`push`] and, below it, [`reconcile`]: the engines. From the API to the spool, from
//!   the spool to files; ops to requests, and requests without a response to their outcome. [`auth`]:
//!   stored logins and their tokens.
//! - [`api`]: the client, with one method per endpoint behind one rate limiter per location. [`plan`]:
//!   what each row of a sheet will do, decided before anything is sent. [`mapping`]: which column goes
//!   to which field. [`mirror`]: a location's records on this machine. [`model`]: drafts, remote contacts, ops and policies. [`value`]: what a cell means.
//! - [`resource`] (rows and their columns), [`table`] (columns and their files), [`sheet`] (a file read
//!   as rows), [`run`] (spool, stored rows, ledger).
//! - [`child_process`]: programs of the user's. [`choice`], [`diagnostic`], [`id`], [`context`], [`concurrency`], [`event`], [`failpoint`]: enums with
//!   one spelling of each word, warnings and rejections with their codes, opaque ids, the engines'
//!   environment, bounded concurrency, what an engine reports, and where tests kill the program.
//!
//! [`sandbox`] is a simulator of the API that shares no type with the rest.
//!
//! # Words
//!
//! location, contact, child (task, note, appointment), field (custom-field definition) · page, cursor ·
//! row, draft, rejection · op, plan · intent, outcome, settled, in doubt · run, spool, ledger · sheet ·
//! table, sink · rate limit, daily quota, cancel signal, event, report.
//!
//! # Invariants
//!
//! Nothing below `cli` prints. Only `concurrency` (and the sandbox) spawns. Every file that a user sees
//! is a pure function of a run's log. No output file is ever incomplete under its final name. A record
//! that could not be read is counted, reported and changes the exit code. No write is sent before its
//! intent is durable, and none is sent again before its outcome is known, unless it is idempotent.

pub mod api;
pub mod auth;
pub mod backup;
pub mod child_process;
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
pub mod inspect;
pub mod mapping;
pub mod mirror;
pub mod model;
pub mod plan;
pub mod publish;
pub mod pull;
pub mod push;
pub mod reconcile;
pub mod repository;
pub mod resource;
pub mod run;
pub mod sandbox;
pub mod sheet;
pub mod sync;
pub mod table;
pub(crate) mod text;
pub(crate) mod toml_doc;
pub mod value;
pub mod watch;
