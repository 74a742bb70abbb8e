//! The policy: what an import was told to do where a sheet leaves a choice.

use serde::{Deserialize, Serialize};

use crate::mapping::BlankRule;

/// What an import was told. Stored in the run.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportPolicy {
    /// What becomes of a row.
    pub mode: ImportMode,
    /// How a row's contact is known.
    pub key: IdentityKey,
    /// Rows of one file that are the same contact.
    pub on_duplicate: DuplicateRule,
    /// Create mode: rows whose contact exists.
    pub on_existing: ExistingRule,
    /// What tags do to those that are there.
    pub tags: TagRule,
    /// Rows that nothing could keep from being created twice.
    pub no_identity: NoIdentityRule,
    /// The custom field (key, name or id) that marks created contacts.
    pub marker: Option<String>,
    /// What an empty cell means, where its rule does not say.
    pub blank: BlankRule,
    /// Whether an empty cell of a column with `blank = "clear"` really clears.
    pub allow_clear: bool,
    /// Whether do-not-disturb may be lifted.
    pub allow_resubscribe: bool,
    /// Whether rows with only a name are taken.
    pub allow_name_only: bool,
    /// The country of numbers without one, ISO 3166-1 alpha-2; else the location's.
    pub default_country: Option<String>,
    /// The decimal sign of numbers: `,` or `.`.
    pub decimal: Option<char>,
    /// The order of day, month and year in dates: `DMY`, `MDY`, `YMD`.
    pub date_order: Option<String>,
    /// The order that is taken for a column of dates that does not prove any: `DMY`, `MDY`, `YMD`.
    pub usual_date_order: Option<String>,
    /// The language of month names beside English: `fr`, `de`, `es`, `it`, `pt`, `nl`.
    pub date_locale: Option<String>,
    /// The time zone of times without one; else the location's for tasks, UTC when there is none.
    pub timezone: Option<String>,
    /// Texts that mean nothing, such as `N/A`.
    pub empty_values: Vec<String>,
    /// Whether a row with an unusable phone number is kept, without it.
    pub drop_invalid_phone: bool,
    /// Whether a field that would be dropped with a warning rejects its row instead.
    pub strict: bool,
    /// Whether a note's original date goes into its text.
    pub note_date_prefix: bool,
    /// Whether a task's priority is dropped instead of becoming a line of its text.
    pub drop_task_priority: bool,
    /// The due date of tasks without one, in days from today.
    pub default_due_days: Option<u32>,
    /// Notes longer than this many characters are cut.
    pub truncate_notes: Option<usize>,
    /// Whether longer notes are split into several.
    pub split_notes: bool,
}

/// The most characters of a note (formats.md §1).
pub const LONGEST_NOTE: usize = 5_000;

/// What becomes of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportMode {
    /// Update the contact, or create it.
    #[default]
    Upsert,
    /// Create it.
    Create,
    /// Update it.
    Update,
    /// Add tags to it.
    Tag,
    /// Take tags from it.
    Untag,
    /// Delete it; of a file of notes or tasks, those.
    Delete,
}

/// How a row's contact is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKey {
    /// By id, then e-mail, then phone.
    #[default]
    Usual,
    /// By the value of a custom field (key, name or id).
    Custom(String),
}

/// Rows of one file that are the same contact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateRule {
    /// All but the first are rejected.
    #[default]
    Reject,
    /// The first counts; the others are passed over and named.
    First,
    /// Together they make one: per field the last value, as if they came one after the other.
    Last,
    /// Together they make one: per field the first value that is not empty.
    Merge,
}

/// Create mode: rows whose contact exists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExistingRule {
    /// Nothing is done.
    #[default]
    Skip,
    /// The contact is updated.
    Update,
    /// The row is rejected.
    Reject,
}

/// What tags do to those that are there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagRule {
    /// They are added.
    #[default]
    Add,
    /// They take their place.
    Replace,
}

/// Rows that nothing could keep from being created twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoIdentityRule {
    /// The plan stops.
    #[default]
    Stop,
    /// They are rejected.
    Skip,
    /// They are sent, once, whatever becomes of it.
    AtMostOnce,
}
