//! The plan: what each row of a sheet is to do to the account, decided before anything is sent.
//!
//! A [`Mapping`] says which column goes where; the check makes a [`Draft`] or a rejection of a row;
//! identity says which contact it is about; the diff of draft and live contact makes [`Op`]s. All of it
//! is a pure function of the sheet, the mapping, the policy and the account's state: this floor reads
//! the [`Directory`] and live contacts that it is given, and sends nothing.

pub mod check;
pub mod diff;
pub mod directory;
pub mod draft;
pub mod header;
pub mod identity;
pub mod live;
pub mod mapping;
pub mod op;
pub mod policy;
pub mod preset;
pub mod propose;
pub mod removal;
pub mod reverse;
pub mod target;
pub mod value;
pub mod verify;

pub use directory::{Business, CustomField, Directory, User};
pub use draft::{Draft, NoteDraft, TaskDraft, Unread};
pub use mapping::Mapping;
pub use op::{Change, Class, Op};
pub use policy::{
    DuplicateRule, ExistingRule, IdentityKey, IdentitylessRule, Mode, Policy, TagRule,
};
pub use removal::{Image, Removed};
pub use target::{Channel, Field, NotePart, Target, TaskPart};
