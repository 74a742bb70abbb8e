//! What the server's rate-limit headers leave for today (api.md §8).

use std::time::Duration;

use super::{CheckSink as TellTo, DoctorCheck};
use crate::api::RateLimitStatus;

/// From this share of the day on, in hundredths, there is little left.
const LITTLE: u64 = 10;

/// The checks of this file.
pub(super) const IDS: [&str; 2] = ["rate", "day"];

/// Tells the limits.
pub(super) fn report_limits(allowance: RateLimitStatus, tell: TellTo<'_>) {
    tell(check_burst_limit(&allowance));
    tell(check_daily_limit(&allowance));
}

fn check_burst_limit(allowance: &RateLimitStatus) -> DoctorCheck {
    const ID: &str = "rate";
    let Some(remaining) = allowance.remaining else {
        return DoctorCheck::skipped(ID, "no answer told the limit; the documented one is kept to");
    };
    let limits = allowance.limits;
    let seconds = limits.window.as_secs_f64();
    DoctorCheck::ok(
        ID,
        format!("{} requests in {seconds} s, {remaining} of them left now", limits.requests),
    )
}

fn check_daily_limit(allowance: &RateLimitStatus) -> DoctorCheck {
    const ID: &str = "day";
    let Some(remaining) = allowance.remaining_today else {
        return DoctorCheck::skipped(ID, "no answer told how many requests are left today");
    };
    let limit = allowance.limits.daily;
    let reset = match allowance.resets_in {
        Some(time) => format!("counted anew in {}", format_hours(time)),
        None => "it is not told when they are counted anew".to_owned(),
    };
    let what = format!("{remaining} of {limit} requests of the day are left; {reset}");
    if remaining.saturating_mul(100) < limit.saturating_mul(LITTLE) {
        return DoctorCheck::warning(ID, what).with_hint(
            "other applications of the location spend them, too; long runs take `--wait`, or are resumed tomorrow",
        );
    }
    DoctorCheck::ok(ID, what)
}

fn format_hours(time: Duration) -> String {
    let minutes = time.as_secs().div_ceil(60);
    match minutes {
        0..60 => format!("{minutes} min"),
        _ => format!("{} h {:02} min", minutes / 60, minutes % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::RateLimits;
    use crate::doctor::DoctorStatus;

    fn remaining(remaining_today: u64) -> RateLimitStatus {
        RateLimitStatus {
            limits: RateLimits::default(),
            remaining: Some(99),
            remaining_today: Some(remaining_today),
            resets_in: Some(Duration::from_mins(90)),
        }
    }

    #[test]
    fn less_than_a_tenth_of_the_day_is_little() {
        assert_eq!(check_daily_limit(&remaining(20_000)).status, DoctorStatus::Ok);
        let check = check_daily_limit(&remaining(19_999));
        assert_eq!(check.status, DoctorStatus::Warning);
        assert!(check.what.contains("19999 of 200000"), "{}", check.what);
        assert!(check.what.contains("1 h 30 min"), "{}", check.what);
    }
}
