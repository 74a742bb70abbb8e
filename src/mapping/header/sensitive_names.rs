//! Sensitive names: columns that do harm when they are left out unnoticed.
//!
//! Without its owner, no one takes care of a contact; without its opt-out, a person is contacted against their will. Unlike the
//! dictionary, this only decides the order in which columns are named to the user, so a vague name counts too.

use serde::{Deserialize, Serialize};

use super::{HeaderMeaning, HeaderNames, consent_target, likely_target, normalise_name};
use crate::model::target::MappingTarget;

/// What a sensitive column is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SensitiveSubject {
    /// Who is responsible for the contact.
    Owner,
    /// Whether the person may be contacted.
    Consent,
}

impl SensitiveSubject {
    /// The name in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Consent => "consent",
        }
    }
}

const OWNER: &[&str] = &["owner", "assigned to", "assignee", "sales rep", "account manager"];
const CONSENT: &[&str] = &[
    "opt in",
    "optin",
    "opt out",
    "optout",
    "opted",
    "double opt in",
    "dnd",
    "do not",
    "donotcall",
    "unsubscribe",
    "unsubscribed",
    "subscription",
    "subscriber status",
    "subscription status",
    "marketing status",
    "suppression",
    "suppressions",
    "suppressed",
    "bounced",
    "dnc",
    "dnm",
    "litigator",
    "tcpa",
    "gdpr",
    "consent",
];

/// What a column is about, if leaving it out can do harm.
#[must_use]
pub fn sensitive_subject(name: &str) -> Option<SensitiveSubject> {
    let words = normalise_name(name);
    let spaced = format!(" {words} ");
    let has = |names: &[&str]| names.iter().any(|name| spaced.contains(&format!(" {name} ")));
    let by_target = |target: &MappingTarget| match target {
        MappingTarget::Owner => Some(SensitiveSubject::Owner),
        MappingTarget::Dnd | MappingTarget::DndChannel(_) | MappingTarget::OptIn => {
            Some(SensitiveSubject::Consent)
        }
        _ => None,
    };
    let known = match HeaderNames::default().meaning_of(name) {
        Some(HeaderMeaning::Target { target, .. }) => by_target(&target),
        _ => likely_target(name).and_then(by_target),
    };
    let by_words = || match () {
        () if has(CONSENT) || consent_target(&words).is_some() => Some(SensitiveSubject::Consent),
        () if has(OWNER) => Some(SensitiveSubject::Owner),
        () => None,
    };
    known.or_else(by_words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_and_consent_are_recognized_and_other_columns_are_not() {
        for (name, expected) in [
            ("Contact owner", Some(SensitiveSubject::Owner)),
            ("Sales Rep", Some(SensitiveSubject::Owner)),
            ("DOUBLE_OPT-IN", Some(SensitiveSubject::Consent)),
            ("Accepts SMS Marketing", Some(SensitiveSubject::Consent)),
            ("Do Not Call", Some(SensitiveSubject::Consent)),
            ("Unsubscribed from all email", Some(SensitiveSubject::Consent)),
            ("Fax", None),
            ("First Name", None),
        ] {
            assert_eq!(sensitive_subject(name), expected, "{name}");
        }
    }
}
