//! Consent: whether a word in a consent column allows contacting a person.
//!
//! An opt-out is a wish and blocks contact. A missing opt-in only means that the question was never answered with
//! yes, and blocks nothing. An unknown word is an error: a wrong guess of "may be contacted" would do harm.

use super::boolean;
use super::quote::QuotedText;
use crate::diagnostic::{Diagnostic, DiagnosticCode};

/// The question of a consent column, which decides what a yes means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentColumn {
    /// Yes means "do not contact": `Email Opt Out`, `Unsubscribed`, `Do Not Call`.
    OptOut,
    /// Yes means "may be contacted": `Accepts Email Marketing`, `Subscribed`.
    OptIn,
}

/// The meaning of a word in a consent column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsentStatus {
    /// Do not contact: opted out, or the address is permanently invalid.
    OptedOut,
    /// May be contacted: opted in, or not opted out. This alone does not clear a do-not-disturb setting.
    Allowed,
    /// Never opted in, which is not an opt-out (`W_NOT_OPTED_IN`).
    NotAsked,
}

/// Words that mean an opt-out whatever the column is called; hyphens and underscores count as spaces.
#[rustfmt::skip]
const CLEARLY_OPTED_OUT: &[&str] = &[
    "unsubscribed", "unsubscribe", "un subscribed", "globally unsubscribed", "unsubscribed by admin",
    "opted out", "opt out", "optout", "optedout", "email opt out", "sms opt out", "has opted out",
    "bounced", "hard bounce", "hard bounced", "cleaned", "undeliverable",
    "complained", "spam complaint", "marked as spam", "reported spam", "reported as spam",
    "suppressed", "blocklisted", "blacklisted", "consent withdrawn", "consent revoked", "withdrawn", "revoked",
    "cancelled", "canceled", "subscription cancelled", "subscription canceled",
    "do not contact", "do not email", "do not mail or email", "do not call", "do not text", "do not disturb",
    "never contact", "no contact", "no marketing", "dnc", "dnd",
    "désabonné", "désabonnée", "désinscrit", "désinscrite", "ne pas contacter",
    "abgemeldet", "ausgetragen", "widerrufen", "nicht kontaktieren", "gekündigt",
    "disiscritto", "disiscritta", "cancellato", "revocato", "non contattare",
    "dado de baja", "dada de baja", "cancelado", "no contactar", "desuscrito", "desuscrita",
    "descadastrado", "descadastrada", "não contatar", "não contactar",
    "uitgeschreven", "afgemeld", "niet contacteren", "geannuleerd", "opgezegd", "niet mailen", "niet bellen",
    "abbestellt", "nicht anschreiben", "nicht anrufen", "keine werbung", "no molestar", "ne plus contacter",
];

/// Words that mean an opt-out in a column about consent, and other things elsewhere.
#[rustfmt::skip]
const OPTED_OUT: &[&str] = &[
    "out", "stop", "bounce", "invalid", "complaint", "spam", "abuse", "blocked", "permanent", "removed", "inactive subscriber",
];

const ALLOWED: &[&str] = &[
    "subscribed",
    "opted in",
    "opt in",
    "optin",
    "optedin",
    "in",
    "confirmed",
    "consented",
    "granted",
    "given",
    "double opt in",
    "single opt in",
    "confirmed opt in",
    "abonné",
    "abonnée",
    "inscrit",
    "inscrite",
    "angemeldet",
    "bestätigt",
    "einwilligung erteilt",
    "iscritto",
    "iscritta",
    "suscrito",
    "suscrita",
    "confirmado",
    "aangemeld",
    "ingeschreven",
    "bevestigd",
];

const NOT_ASKED: &[&str] = &[
    "never subscribed",
    "not subscribed",
    "nonsubscribed",
    "non subscribed",
    "not opted in",
    "no consent",
    "not set",
    "not given",
    "unconfirmed",
    "pending",
    "ausstehend",
    "unbestätigt",
    "keine einwilligung",
    "geen toestemming",
    "onbevestigd",
    "pendiente",
    "en attente",
    "in attesa",
    "transactional",
    "none",
    "unknown",
];

/// Parses the word; `None` for an empty cell.
///
/// # Errors
/// `R_BOOLEAN_UNKNOWN` for an unknown word.
pub fn parse_consent(
    text: &str,
    column: ConsentColumn,
) -> Result<Option<ConsentStatus>, Diagnostic> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if let Some(yes) = boolean::match_boolean_word(text) {
        return Ok(Some(match (column, yes) {
            (ConsentColumn::OptOut, true) => ConsentStatus::OptedOut,
            (ConsentColumn::OptIn, false) => ConsentStatus::NotAsked,
            (ConsentColumn::OptOut, false) | (ConsentColumn::OptIn, true) => ConsentStatus::Allowed,
        }));
    }
    let word = fold_word(text);
    [
        (CLEARLY_OPTED_OUT, ConsentStatus::OptedOut),
        (OPTED_OUT, ConsentStatus::OptedOut),
        (ALLOWED, ConsentStatus::Allowed),
        (NOT_ASKED, ConsentStatus::NotAsked),
    ]
    .into_iter()
    .find_map(|(words, consent)| words.contains(&word.as_str()).then_some(consent))
    .map(Some)
    .ok_or_else(|| {
        Diagnostic::new(
            DiagnosticCode::R_BOOLEAN_UNKNOWN,
            format!("{} is not a known word for consent", QuotedText(text)),
        )
    })
}

/// Whether a cell says that a person must not be contacted, whatever its column is called.
#[must_use]
pub fn is_clear_opt_out(text: &str) -> bool {
    /// No such word is longer.
    const LONGEST: usize = 40;
    let text = text.trim();
    text.len() <= LONGEST && CLEARLY_OPTED_OUT.contains(&fold_word(text).as_str())
}

/// Whether a cell is a status of consent, other than yes and no.
#[must_use]
pub fn is_consent_status(text: &str) -> bool {
    boolean::match_boolean_word(text.trim()).is_none()
        && matches!(parse_consent(text, ConsentColumn::OptOut), Ok(Some(_)))
}

fn fold_word(text: &str) -> String {
    text.to_lowercase().replace(['-', '_'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opt_out_is_clear_if_no_other_column_says_it() {
        for text in
            ["Unsubscribed", "opted_out", "Hard-Bounced", " CLEANED ", "Désabonnée", "dado de baja"]
        {
            assert!(is_clear_opt_out(text), "{text}");
        }
        for text in
            ["Yes", "out", "stop", "blocked", "active", "subscribed", "", "unsubscribed me please"]
        {
            assert!(!is_clear_opt_out(text), "{text}");
        }
    }

    #[test]
    fn yes_means_what_the_column_asks() {
        for (text, opt_out, opt_in) in [
            ("true", ConsentStatus::OptedOut, ConsentStatus::Allowed),
            ("Yes", ConsentStatus::OptedOut, ConsentStatus::Allowed),
            ("1", ConsentStatus::OptedOut, ConsentStatus::Allowed),
            ("false", ConsentStatus::Allowed, ConsentStatus::NotAsked),
            ("no", ConsentStatus::Allowed, ConsentStatus::NotAsked),
        ] {
            assert_eq!(parse_consent(text, ConsentColumn::OptOut), Ok(Some(opt_out)), "{text}");
            assert_eq!(parse_consent(text, ConsentColumn::OptIn), Ok(Some(opt_in)), "{text}");
        }
        assert_eq!(parse_consent("", ConsentColumn::OptOut), Ok(None));
    }

    #[test]
    fn statuses_mean_the_same_in_every_column() {
        for (text, expected) in [
            ("Unsubscribed", ConsentStatus::OptedOut),
            ("UNSUBSCRIBED", ConsentStatus::OptedOut),
            ("bounced", ConsentStatus::OptedOut),
            ("cleaned", ConsentStatus::OptedOut),
            ("permanent", ConsentStatus::OptedOut),
            ("opted-out", ConsentStatus::OptedOut),
            ("Hard Bounce", ConsentStatus::OptedOut),
            ("Subscribed", ConsentStatus::Allowed),
            ("opted_in", ConsentStatus::Allowed),
            ("NEVER_SUBSCRIBED", ConsentStatus::NotAsked),
            ("non-subscribed", ConsentStatus::NotAsked),
            ("Not subscribed", ConsentStatus::NotAsked),
        ] {
            for column in [ConsentColumn::OptOut, ConsentColumn::OptIn] {
                assert_eq!(parse_consent(text, column), Ok(Some(expected)), "{text}");
            }
        }
    }

    #[test]
    fn what_could_mean_both_is_refused() {
        for text in ["maybe", "N/A", "No.", "active", "inactive", "soft bounce", "?"] {
            let error = parse_consent(text, ConsentColumn::OptOut).unwrap_err();
            assert_eq!(error.code, "R_BOOLEAN_UNKNOWN", "{text}");
        }
    }
}
