//! The plan: what each row of a sheet is to do to the account, decided before anything is sent.
//!
//! A [`Mapping`] says which column goes where; the check makes a [`Draft`] or a rejection of a row;
//! identity says which contact it is about; the diff of draft and live contact makes [`Op`]s. All of it
//! is a pure function of the sheet, the mapping, the policy and the account's state: this floor reads
//! the [`Directory`] and live contacts that it is given, and sends nothing.

pub mod deletion;
pub mod diff;
pub mod identity;
pub mod revert;
pub mod validate;

pub use deletion::{BeforeImage, DeletedRecordKind};
