//! The policy: what an import does where a sheet leaves a choice.

use serde::{Deserialize, Serialize};

use crate::choice::choice_enum;
use crate::value::DateOrder;

/// What an import does where a sheet leaves a choice. Stored in the run.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportPolicy {
    /// What to do with each row.
    pub mode: ImportMode,
    /// What a row's contact is matched by.
    pub key: IdentityKey,
    /// Several rows of one file for the same contact.
    pub on_duplicate: DuplicateRule,
    /// Different people in one file with the same e-mail address.
    pub on_shared_email: SharedValueRule,
    /// Different people in one file with the same phone number.
    pub on_shared_phone: SharedValueRule,
    /// Create mode: rows whose contact already exists.
    pub on_existing: ExistingRule,
    /// Whether tags are added to the contact's own or replace them.
    pub tags: TagRule,
    /// Further e-mail addresses and phone numbers of a contact, of which the API writes only one each.
    pub extra_values: ExtraValuesRule,
    /// Rows without anything that prevents creating a duplicate.
    pub no_identity: NoIdentityRule,
    /// The custom field (key, name or id) that marks created contacts.
    pub marker: Option<String>,
    /// What an empty cell means, where its rule does not say.
    pub blank: BlankRule,
    /// Whether an empty cell of a column with `blank = "clear"` really clears.
    pub allow_clear: bool,
    /// Whether do-not-disturb may be lifted.
    pub allow_resubscribe: bool,
    /// Whether rows with only a name are accepted.
    pub allow_name_only: bool,
    /// The country of numbers without one, ISO 3166-1 alpha-2; else the location's.
    pub default_country: Option<String>,
    /// The decimal sign of numbers.
    pub decimal: Option<DecimalSign>,
    /// The order of day, month and year in dates.
    pub date_order: Option<DateOrder>,
    /// The order that is assumed for a column whose dates do not prove one.
    pub usual_date_order: Option<DateOrder>,
    /// The language of month names, in addition to English.
    pub date_locale: Option<DateLocale>,
    /// The time zone of times without one; else the location's for tasks, or UTC if it has none.
    pub timezone: Option<String>,
    /// Values to treat as empty, such as `N/A`.
    pub empty_values: Vec<String>,
    /// Whether the case of those values does not matter.
    pub empty_values_ignore_case: bool,
    /// Rows with an invalid phone number.
    pub on_invalid_phone: InvalidPhoneRule,
    /// Values that are not options of a pick list.
    pub unknown_option: UnknownOptionRule,
    /// Whether a field that would be dropped with a warning rejects its row instead.
    pub strict: bool,
    /// Rows that have nothing but notes or tasks, and whose contact does not exist.
    pub missing_contact: MissingContactRule,
    /// What to do with a note's original date, which the API cannot set.
    pub note_date: NoteDateRule,
    /// What to do with a task's priority, which the API does not have.
    pub task_priority: TaskPriorityRule,
    /// The due date of tasks without one, in days from today.
    pub default_due: Option<u32>,
    /// Notes longer than this many characters are truncated.
    pub truncate_notes: Option<usize>,
    /// Whether longer notes are split into several.
    pub split_notes: bool,
}

/// The most characters of a note: the limit of `HighLevel`'s own CSV import (help article 155000005143).
pub const LONGEST_NOTE: usize = 5_000;

choice_enum! {
    /// What to do with each row.
    pub enum ImportMode = Upsert {
        /// Update the contact, or create it
        Upsert = "upsert",
        /// Create contacts that do not exist
        Create = "create",
        /// Update contacts that exist
        Update = "update",
        /// Add tags to contacts that exist
        Tag = "tag",
        /// Remove tags from contacts that exist
        Untag = "untag",
        /// Delete the contacts, notes or tasks that the file names
        Delete = "delete",
    }
}

/// What a row's contact is matched by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKey {
    /// By id, then e-mail, then phone.
    #[default]
    Usual,
    /// By the full name.
    Name,
    /// By the value of a custom field (key, name or id).
    Custom(String),
}

/// Further e-mail addresses and phone numbers of a contact, of which the API writes only one each (api.md §5.13).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtraValuesRule {
    /// They are left out, with a warning.
    #[default]
    Warn,
    /// They are written into a note.
    Note,
    /// They are written into a custom text field (key, name or id).
    Custom(String),
    /// They are left out.
    Drop,
}

choice_enum! {
    /// An address or number that several people in one file have.
    pub enum SharedValueRule = Reject {
        /// Reject all but the first of them, if the location takes the value only once
        Reject = "reject",
        /// Import all of them, the first with the value and the others without it
        First = "first",
        /// Import all of them without the value
        DropValue = "drop-value",
    }
}

choice_enum! {
    /// Several rows of one file for the same contact.
    pub enum DuplicateRule = Reject {
        /// Reject all but the first
        Reject = "reject",
        /// Import the first, skip and report the others
        First = "first",
        /// Merge them; the last value of each field wins
        Last = "last",
        /// Merge them; the first value of each field that is not empty wins
        Merge = "merge",
    }
}

choice_enum! {
    /// Create mode: rows whose contact already exists.
    pub enum ExistingRule = Skip {
        /// Leave the contact as it is
        Skip = "skip",
        /// Update the contact
        Update = "update",
        /// Reject the row
        Reject = "reject",
    }
}

choice_enum! {
    /// Whether tags are added to the contact's own or replace them.
    pub enum TagRule = Add {
        /// Add them to the contact's tags
        Add = "add",
        /// Replace the contact's tags
        Replace = "replace",
    }
}

choice_enum! {
    /// Rows without anything that prevents creating a duplicate.
    pub enum NoIdentityRule = Stop {
        /// Stop the import
        Stop = "stop",
        /// Reject the rows
        Skip = "skip",
        /// Send each once, and never again, whatever the outcome
        AtMostOnce = "at_most_once",
    }
}

choice_enum! {
    /// What an empty cell means.
    pub enum BlankRule = Leave {
        /// Leave the field as it is
        Leave = "leave",
        /// Clear the field (only with `--allow-clear`)
        Clear = "clear",
        /// Reject the row
        Error = "error",
    }
}

choice_enum! {
    /// Rows with an invalid phone number.
    pub enum InvalidPhoneRule = Reject {
        /// Reject the row
        Reject = "reject",
        /// Import the row without the number
        Drop = "drop",
    }
}

choice_enum! {
    /// Values that are not options of a pick list.
    pub enum UnknownOptionRule = Reject {
        /// Reject the row
        Reject = "reject",
        /// Import the row without the value; of several values, the known ones are kept
        DropValue = "drop-value",
        /// Stop before anything is sent, and name every such value
        Ask = "ask",
    }
}

choice_enum! {
    /// Rows that have nothing but notes or tasks, and whose contact does not exist.
    pub enum MissingContactRule = Reject {
        /// Reject the row
        Reject = "reject",
        /// Create the contact, as for the caller of a call log
        Create = "create",
    }
}

choice_enum! {
    /// What to do with a note's original date, which the API cannot set.
    pub enum NoteDateRule = Ignore {
        /// Leave it out, with a warning
        Ignore = "ignore",
        /// Put it in front of the note's text
        Prefix = "prefix",
    }
}

choice_enum! {
    /// What to do with a task's priority, which the API does not have.
    pub enum TaskPriorityRule = Line {
        /// Keep it as a line of the task's text
        Line = "line",
        /// Leave it out
        Drop = "drop",
    }
}

choice_enum! {
    /// The decimal sign of numbers.
    pub enum DecimalSign {
        /// `1.234,50`
        Comma = "comma" | ",",
        /// `1,234.50`
        Point = "point" | "." | "dot",
    }
}

impl DecimalSign {
    /// The sign itself.
    #[must_use]
    pub fn character(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Point => '.',
        }
    }
}

choice_enum! {
    /// A language of month names.
    pub enum DateLocale {
        /// English, which is always understood
        En = "en",
        /// French
        Fr = "fr",
        /// German
        De = "de",
        /// Spanish
        Es = "es",
        /// Italian
        It = "it",
        /// Portuguese
        Pt = "pt",
        /// Dutch
        Nl = "nl",
    }
}
