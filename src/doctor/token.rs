//! The token, as far as it can be checked without sending it: its kind and its expiry.

use super::{CheckSink, DoctorCheck, DoctorFailureKind};

/// One hour in seconds: a token that expires sooner and is not refreshed may expire during a run.
const SOON: i64 = 3_600;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenFacts {
    /// What kind it is.
    pub kind: TokenKind,
    /// When it expires, if known.
    pub expires: Option<jiff::Timestamp>,
    /// Whether `expires` is by the server's clock instead of this machine's.
    pub servers: bool,
    /// Whether it can be refreshed.
    pub renews: bool,
}

/// Checks a token. `ahead`: how many milliseconds the server's clock is ahead.
pub fn examine_token(facts: &TokenFacts, ahead: Option<i64>, report: CheckSink<'_>) {
    report(check_token_kind(facts));
    report(check_expiry(facts, ahead.filter(|_| facts.servers).unwrap_or(0)));
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
        return DoctorCheck::ok(
            ID,
            "it does not expire; its age is unknown (HighLevel recommends a new one every 90 days)",
        );
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
        TokenFacts { kind: TokenKind::Location, expires, servers: true, renews }
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
