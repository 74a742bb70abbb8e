//! The model: contacts, their notes and tasks, and changes to them.
//!
//! These types are shared by the rooms that plan, send, export and check. They contain no rules of
//! a particular import and send nothing.

pub mod directory;
pub mod draft;
pub mod match_key;
pub mod new_field;
pub mod op;
pub mod op_codec;
pub mod policy;
pub mod remote;
pub mod result_columns;
pub mod target;
pub mod verify;

pub use crate::run::IdempotencyClass;
pub use directory::{CustomField, LocationBusiness, LocationDirectory, LocationUser};
pub use draft::{ContactDraft, NoteDraft, TaskDraft, UnreadableCell};
pub use match_key::MatchKey;
pub use new_field::{NewField, NewFieldType};
pub use op::{Op, OpChange};
pub use op_codec::OpDetails;
pub use policy::{
    BlankRule, DateLocale, DecimalSign, DuplicateRule, ExistingRule, ExtraValuesRule, IdentityKey,
    ImportMode, ImportPolicy, InvalidPhoneRule, MissingContactRule, NoIdentityRule, NoteDateRule,
    SharedValueRule, TagRule, TaskPriorityRule, UnknownOptionRule,
};
pub use target::{Channel, Field, MappingTarget, NotePart, TaskPart};
