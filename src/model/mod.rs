//! The model: what a contact, its notes and tasks, and a change to them are.
//!
//! These types are shared by the rooms that plan, send, export and check. They hold no rules of one import and
//! send nothing.

pub mod directory;
pub mod draft;
pub mod op;
pub mod policy;
pub mod remote;
pub mod target;
pub mod verify;

pub use directory::{Business, CustomField, Directory, User};
pub use draft::{Draft, NoteDraft, TaskDraft, Unread};
pub use op::{Change, Class, Op};
pub use policy::{
    DuplicateRule, ExistingRule, IdentityKey, IdentitylessRule, Mode, Policy, TagRule,
};
pub use target::{Channel, Field, NotePart, Target, TaskPart};
