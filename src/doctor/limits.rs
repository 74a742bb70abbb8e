//! Today's rate limits, from the server's headers (api.md §8).

use std::time::Duration;

use super::{CheckSink, DoctorCheck};
use crate::api::RateLimitStatus;

/// Below this percentage of the daily quota a warning is given.
const LITTLE: u64 = 10;

/// The checks of this file.
pub(super) const IDS: [&str; 2] = ["rate", "day"];

/// Reports the limits.
pub(super) fn report_limits(allowance: RateLimitStatus, report: CheckSink<'_>) {
    report(check_burst_limit(&allowance));
    report(check_daily_limit(&allowance));
}

fn check_burst_limit(allowance: &RateLimitStatus) -> DoctorCheck {
    const ID: &str = "rate";
    let Some(remaining) = allowance.remaining else {
        return DoctorCheck::skipped(
            ID,
            "no response stated the limit; the documented one is used",
        );
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
        return DoctorCheck::skipped(ID, "no response stated how many requests are left today");
    };
    let limit = allowance.limits.daily;
    let reset = match allowance.resets_in {
        Some(time) => format!("resets in {}", format_hours(time)),
        None => "the reset time is unknown".to_owned(),
    };
    let what = format!("{remaining} of {limit} requests of the daily quota are left; {reset}");
    if remaining.saturating_mul(100) < limit.saturating_mul(LITTLE) {
        return DoctorCheck::warning(ID, what).with_hint(
            "the location's other applications use the same quota; for long runs use `--wait`, or resume tomorrow",
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
