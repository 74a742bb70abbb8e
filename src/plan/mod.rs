//! The plan: what each row of a sheet is to do to the account, decided before anything is sent.
//!
//! A [`Mapping`](crate::mapping::Mapping) says which column goes where; [`validate`] makes a
//! [`ContactDraft`](crate::model::draft::ContactDraft) or a rejection of a row; [`identity`] says which contact it
//! is about; [`diff`] compares draft and remote contact and makes [`Op`](crate::model::Op)s. All of it is a pure
//! function of the sheet, the mapping, the policy and the account's state: this floor reads the
//! [`LocationDirectory`](crate::model::directory::LocationDirectory) and remote contacts that it is given, and
//! sends nothing.

pub mod deletion;
pub mod diff;
pub mod identity;
pub mod restore;
pub mod revert;
pub mod snapshot_retention;
pub mod validate;

pub use deletion::{BeforeImage, DeletedRecordKind};
