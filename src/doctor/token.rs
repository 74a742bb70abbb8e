//! The token, as far as it can be checked without sending it: its kind and its expiry.

use super::{CheckSink, DoctorCheck, DoctorFailureKind};
use crate::api::ApiEndpoint;
use crate::text::format_plural;

/// One hour in seconds: a token that expires sooner and is not refreshed may expire during a run.
const SOON: i64 = 3_600;

/// How old a private token may become before it is to be replaced, in seconds: HighLevel recommends 90 days.
const PRIVATE_TOKEN_AGE: i64 = 90 * 86_400;

/// How long a refresh token is valid that is not used, in seconds: one year (api.md §9).
const REFRESH_TOKEN_AGE: i64 = 365 * 86_400;

/// The scopes of the OAuth routes themselves, for agency logins.
const OAUTH_SCOPES: [&str; 2] = ["oauth.readonly", "oauth.write"];

/// How long before its end a refresh token is worth a warning, in seconds.
const REFRESH_TOKEN_WARNING: i64 = 30 * 86_400;

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A Private Integration Token, which never changes.
    Private,
    /// From an OAuth app, for a location.
    Location,
    /// From an OAuth app, for a company (agency).
    Company,
    /// Unknown.
    Unknown,
}

/// What is known about a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFacts {
    /// What kind it is.
    pub kind: TokenKind,
    /// When it expires, if known.
    pub expires: Option<jiff::Timestamp>,
    /// Whether `expires` is by the server's clock instead of this machine's.
    pub servers: bool,
    /// Whether it can be refreshed.
    pub renews: bool,
    /// When a private token was first stored, or an OAuth token was last refreshed, if known.
    pub obtained: Option<jiff::Timestamp>,
    /// The scopes that it is known to have.
    pub scopes: Vec<String>,
}

/// Checks a token. `ahead`: how many milliseconds the server's clock is ahead.
pub fn examine_token(facts: &TokenFacts, ahead: Option<i64>, report: CheckSink<'_>) {
    report(check_token_kind(facts));
    report(check_expiry(facts, ahead.filter(|_| facts.servers).unwrap_or(0)));
    if let Some(check) = check_refresh_token(facts) {
        report(check);
    }
    if let Some(check) = check_unneeded_scopes(&facts.scopes) {
        report(check);
    }
}

/// How old a private token is, as a sentence with what to do, and whether it should be replaced.
#[must_use]
pub fn describe_private_token_age(stored: Option<jiff::Timestamp>) -> (String, bool) {
    let Some(stored) = stored else {
        let text = "its age is unknown (HighLevel recommends a new one every 90 days)";
        return (text.to_owned(), false);
    };
    let age = jiff::Timestamp::now().as_second().saturating_sub(stored.as_second()).max(0);
    let days = format_plural(age.unsigned_abs() / 86_400, "day");
    if age > PRIVATE_TOKEN_AGE {
        (
            format!("it was stored {days} ago, and HighLevel recommends a new one every 90 days"),
            true,
        )
    } else {
        (format!("it was stored {days} ago"), false)
    }
}

/// The days that are left to a refresh token that was last used at a time, if they are few.
#[must_use]
pub fn few_refresh_days_left(obtained: jiff::Timestamp) -> Option<i64> {
    let end = obtained.as_second().saturating_add(REFRESH_TOKEN_AGE);
    let left = end.saturating_sub(jiff::Timestamp::now().as_second());
    (left < REFRESH_TOKEN_WARNING).then_some(left.max(0) / 86_400)
}

fn check_refresh_token(facts: &TokenFacts) -> Option<DoctorCheck> {
    const ID: &str = "refresh_token";
    let days = few_refresh_days_left(facts.obtained.filter(|_| facts.renews)?)?;
    let what = if days == 0 {
        "its refresh token was not used for a year, and is probably not accepted any more"
            .to_owned()
    } else {
        format!("its refresh token ends in {}", format_plural(days.unsigned_abs(), "day"))
    };
    Some(DoctorCheck::warning(ID, what).with_hint(
        "any command that sends a request renews it, such as `ghl-bulk whoami`; if that fails, `ghl-bulk login --oauth`",
    ))
}

/// The scopes of a token that no command uses.
#[must_use]
pub fn unneeded_scopes(granted: &[String]) -> Vec<&str> {
    let is_used = |scope: &str| {
        OAUTH_SCOPES.contains(&scope)
            || ApiEndpoint::ALL.iter().any(|route| route.required_scope() == scope)
    };
    granted.iter().map(String::as_str).filter(|scope| !is_used(scope)).collect()
}

fn check_unneeded_scopes(granted: &[String]) -> Option<DoctorCheck> {
    const ID: &str = "unneeded_scopes";
    let unneeded = unneeded_scopes(granted);
    if unneeded.is_empty() {
        return None;
    }
    let names: Vec<String> = unneeded.iter().map(|scope| format!("`{scope}`")).collect();
    let what = format!("nothing here needs {}", names.join(", "));
    Some(DoctorCheck::warning(ID, what).with_hint(
        "a token that can do less is less of a loss: take them out of the integration or app, unless others use it",
    ))
}

fn check_token_kind(facts: &TokenFacts) -> DoctorCheck {
    const ID: &str = "token_kind";
    let renews = if facts.renews { ", refreshed automatically" } else { "" };
    match facts.kind {
        TokenKind::Private => DoctorCheck::ok(ID, "a Private Integration Token"),
        TokenKind::Location => DoctorCheck::ok(ID, format!("an OAuth token of a location{renews}")),
        TokenKind::Company => DoctorCheck::ok(ID, format!("an OAuth token of an agency{renews}"))
            .with_hint("it is exchanged for location tokens: `--all-locations`"),
        TokenKind::Unknown => DoctorCheck::warning(
            ID,
            "neither a Private Integration Token (`pit-…`) nor an OAuth token",
        )
        .with_hint("was something else pasted? the next checks show whether it is accepted"),
    }
}

fn check_expiry(facts: &TokenFacts, ahead: i64) -> DoctorCheck {
    const ID: &str = "expiry";
    if facts.kind == TokenKind::Private {
        let (age, is_old) = describe_private_token_age(facts.obtained);
        let what = format!("it does not expire; {age}");
        return if is_old {
            DoctorCheck::warning(ID, what).with_hint(
                "rotate it under Settings > Private Integrations, where the old one stays valid for seven days, and \
                 store the new one with `ghl-bulk login`",
            )
        } else {
            DoctorCheck::ok(ID, what)
        };
    }
    let Some(expires) = facts.expires else {
        return DoctorCheck::skipped(ID, "its expiry is unknown");
    };
    let now = jiff::Timestamp::now().as_second() + ahead / 1000;
    let left = expires.as_second() - now;
    let when = format!("{expires:.0}");
    match (left, facts.renews) {
        (..=0, true) => DoctorCheck::ok(ID, format!("it expired at {when}, and is refreshed on its next use")),
        (_, true) => DoctorCheck::ok(ID, format!("it expires in {} ({when}), and is refreshed before that", format_time_left(left))),
        (..=0, false) => {
            DoctorCheck::failure(ID, DoctorFailureKind::Access, format!("it expired at {when}, and cannot be refreshed"))
                .with_hint("log in again with `ghl-bulk login`, or set a new `GHL_TOKEN`")
        }
        (left, false) if left < SOON => DoctorCheck::warning(ID, format!("it expires in {} ({when})", format_time_left(left)))
            .with_hint("a longer run stops then and can be resumed with a new token; `ghl-bulk login --oauth` stores one \
                   that is refreshed automatically"),
        (left, false) => DoctorCheck::ok(ID, format!("it expires in {} ({when})", format_time_left(left))),
    }
}

/// A duration such as `12 min`, `5 h`, `3 days`.
fn format_time_left(seconds: i64) -> String {
    match seconds {
        ..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::DoctorStatus;

    fn ends_in(seconds: i64, renews: bool) -> TokenFacts {
        let expires =
            jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + seconds).ok();
        let kind = TokenKind::Location;
        TokenFacts { kind, expires, servers: true, renews, obtained: None, scopes: Vec::new() }
    }

    #[test]
    fn an_end_is_judged_by_the_servers_clock_and_by_whether_it_can_be_put_off() {
        assert_eq!(check_expiry(&ends_in(86_400, false), 0).status, DoctorStatus::Ok);
        assert_eq!(check_expiry(&ends_in(1_800, false), 0).status, DoctorStatus::Warning);
        assert_eq!(check_expiry(&ends_in(1_800, false), 3_600_000).status, DoctorStatus::Failure);
        assert_eq!(check_expiry(&ends_in(-5, false), 0).status, DoctorStatus::Failure);
        assert_eq!(check_expiry(&ends_in(-5, false), -3_600_000).status, DoctorStatus::Warning);
        assert_eq!(check_expiry(&ends_in(-5, true), 0).status, DoctorStatus::Ok);
        assert!(check_expiry(&ends_in(300_000, true), 0).what.contains("3 days"));
    }
}
