//! The actions of faults: what happens to a request as a whole.

use std::str::FromStr;
use std::time::Duration;

use crate::sandbox::http::rate_limit::LocationRateLimit;

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum FaultAction {
    /// Nothing but the delay.
    #[default]
    Pass,
    Status(u16),
    Expired,
    Forbidden,
    /// A token without the scope, answered with this status.
    ScopeMissing(u16),
    RouteAbsent,
    Firewall(FirewallPage),
    Portal,
    DropBefore,
    DropAfter,
    Applied(u16),
    Truncate,
    NotJson,
    Blank,
    HoldBefore,
    HoldAfter,
    Stall(Option<Duration>),
    Hide(Option<String>),
    Huge(usize),
    Deep(usize),
    DeleteFirst,
    DeleteLast,
    Limit(LocationRateLimit),
}

/// What a firewall in front of the service answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirewallPage {
    Text,
    Html,
}

/// Parses an action.
pub(super) fn parse_action(word: &str) -> Result<FaultAction, String> {
    let (name, value) = word.split_once('=').unwrap_or((word, ""));
    Ok(match (name, value) {
        ("status", _) => FaultAction::Status(parse_status(word, value)?),
        ("applied", _) => FaultAction::Applied(parse_status(word, value)?),
        ("token-expired", "") => FaultAction::Expired,
        ("forbidden", "") => FaultAction::Forbidden,
        ("no-scope", "") => FaultAction::ScopeMissing(401),
        ("no-scope", _) => FaultAction::ScopeMissing(parse_status(word, value)?),
        ("no-route", "") => FaultAction::RouteAbsent,
        ("firewall", "text") => FaultAction::Firewall(FirewallPage::Text),
        ("firewall", "" | "html") => FaultAction::Firewall(FirewallPage::Html),
        ("portal", "") => FaultAction::Portal,
        ("drop", "before") => FaultAction::DropBefore,
        ("drop", "after") => FaultAction::DropAfter,
        ("truncate", "") => FaultAction::Truncate,
        ("not-json", "") => FaultAction::NotJson,
        ("blank", "") => FaultAction::Blank,
        ("hold", "" | "before") => FaultAction::HoldBefore,
        ("hold", "after") => FaultAction::HoldAfter,
        ("stall", "") => FaultAction::Stall(None),
        ("stall", _) => FaultAction::Stall(Some(Duration::from_millis(parse_number(word, value)?))),
        ("hide", "") => FaultAction::Hide(None),
        ("hide", id) => FaultAction::Hide(Some(id.to_owned())),
        ("huge", _) => FaultAction::Huge(parse_number(word, value)?),
        ("deep", _) => FaultAction::Deep(parse_number(word, value)?),
        ("delete-after-page", "first") => FaultAction::DeleteFirst,
        ("delete-after-page", "" | "last") => FaultAction::DeleteLast,
        ("limit", _) => FaultAction::Limit(value.parse().map_err(|error| format!("{error}"))?),
        _ => return Err(format!("there is no action or option `{word}`")),
    })
}

/// Parses the number of a word such as `times=3`.
pub(super) fn parse_number<T: FromStr>(word: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("`{word}` needs a whole number"))
}

fn parse_status(word: &str, value: &str) -> Result<u16, String> {
    let status = parse_number(word, value)?;
    if (200..600).contains(&status) {
        Ok(status)
    } else {
        Err(format!("`{word}` is no HTTP status"))
    }
}
