//! How an op is kept from being applied twice.

use serde::{Deserialize, Serialize};

/// How an op is kept from being applied twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdempotencyClass {
    /// Idempotent: applying it twice has the same effect as applying it once.
    #[serde(rename = "I")]
    Replayable,
    /// Unique at the server: a repetition is rejected with the id of the contact.
    #[serde(rename = "U")]
    Unique,
    /// Marked: it carries a value by which the result can be found.
    #[serde(rename = "M")]
    Marked,
    /// Countable: a child that is recognised by counting equal ones.
    #[serde(rename = "C")]
    Countable,
    /// None of these: sent at most once.
    #[serde(rename = "X")]
    Once,
}

impl IdempotencyClass {
    /// Every class.
    pub const ALL: [Self; 5] =
        [Self::Replayable, Self::Unique, Self::Marked, Self::Countable, Self::Once];

    /// The class's letter, in the database.
    #[must_use]
    pub fn letter(self) -> &'static str {
        match self {
            Self::Replayable => "I",
            Self::Unique => "U",
            Self::Marked => "M",
            Self::Countable => "C",
            Self::Once => "X",
        }
    }

    /// The class of a letter.
    pub(super) fn from_letter(letter: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.letter() == letter)
    }

    /// Whether the account itself shows that the op was done, when the same file is fed again: its contact
    /// is found by an identity. Of the others only the ledger of the run knows.
    #[must_use]
    pub fn is_found_in_account(self) -> bool {
        matches!(self, Self::Replayable | Self::Unique)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_one_letter_in_the_database_and_in_json() {
        for class in IdempotencyClass::ALL {
            assert_eq!(IdempotencyClass::from_letter(class.letter()), Some(class));
            assert_eq!(serde_json::to_value(class).unwrap(), class.letter());
        }
        assert_eq!(IdempotencyClass::from_letter("Q"), None);
    }
}
