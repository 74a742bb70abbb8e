//! The token, as far as it can be judged without being sent: its kind, and when it ends.

use super::{CheckSink, DoctorCheck, DoctorFailureKind};

/// An hour, in seconds: what ends sooner and is not renewed ends in the middle of something.
const SOON: i64 = 3_600;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Of a Private Integration: it stays as it is.
    Private,
    /// Of an OAuth app, for a location.
    Location,
    /// Of an OAuth app, for a company (agency).
    Company,
    /// Nothing that is known here.
    Unknown,
}

/// What is known of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenFacts {
    /// What kind it is.
    pub kind: TokenKind,
    /// When it ends, where that is known.
    pub expires: Option<jiff::Timestamp>,
    /// Whether that is by the server's clock rather than by this machine's.
    pub servers: bool,
    /// Whether it can be renewed.
    pub renews: bool,
}

/// Examines a token. `ahead`: by how many milliseconds the server's clock is ahead.
pub fn examine_token(facts: &TokenFacts, ahead: Option<i64>, tell: CheckSink<'_>) {
    tell(check_token_kind(facts));
    tell(check_expiry(facts, ahead.filter(|_| facts.servers).unwrap_or(0)));
}

fn check_token_kind(facts: &TokenFacts) -> DoctorCheck {
    const ID: &str = "token_kind";
    let renews = if facts.renews { ", renewed on its own" } else { "" };
    match facts.kind {
        TokenKind::Private => DoctorCheck::ok(ID, "a Private Integration Token"),
        TokenKind::Location => DoctorCheck::ok(ID, format!("an OAuth token of a location{renews}")),
        TokenKind::Company => DoctorCheck::ok(ID, format!("an OAuth token of an agency{renews}"))
            .with_hint("locations are reached by tokens that are made from it: `--all-locations`"),
        TokenKind::Unknown => DoctorCheck::warning(
            ID,
            "neither a Private Integration Token (`pit-…`) nor an OAuth token",
        )
        .with_hint("was something else pasted? the next checks tell whether it is accepted"),
    }
}

fn check_expiry(facts: &TokenFacts, ahead: i64) -> DoctorCheck {
    const ID: &str = "expiry";
    if facts.kind == TokenKind::Private {
        return DoctorCheck::ok(
            ID,
            "it does not expire; its age is not known (HighLevel advises a new one every 90 days)",
        );
    }
    let Some(expires) = facts.expires else {
        return DoctorCheck::skipped(ID, "it does not tell when it expires");
    };
    let now = jiff::Timestamp::now().as_second() + ahead / 1000;
    let left = expires.as_second() - now;
    let when = format!("{expires:.0}");
    match (left, facts.renews) {
        (..=0, true) => DoctorCheck::ok(ID, format!("it expired at {when}, and is renewed when it is used")),
        (_, true) => DoctorCheck::ok(ID, format!("it expires in {} ({when}), and is renewed before", format_time_left(left))),
        (..=0, false) => {
            DoctorCheck::failure(ID, DoctorFailureKind::Access, format!("it expired at {when}, and there is nothing to renew it with"))
                .with_hint("log in again with `ghl-bulk login`, or set a new `GHL_TOKEN`")
        }
        (left, false) if left < SOON => DoctorCheck::warning(ID, format!("it expires in {} ({when})", format_time_left(left)))
            .with_hint("a run that lasts longer stops then, and is resumed with a new token; `ghl-bulk login --oauth` keeps one \
                   that renews itself"),
        (left, false) => DoctorCheck::ok(ID, format!("it expires in {} ({when})", format_time_left(left))),
    }
}

/// `12 min`, `5 h`, `3 days`.
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
