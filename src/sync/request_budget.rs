//! The requests that syncs of a location may send in a day: counted in the mirror, which all processes share.
//!
//! A day is a day in UTC by this machine's clock.

use std::time::Duration;

use super::SyncError;
use super::locked_mirror::LockedMirror;
use super::request::SyncRequest;
use crate::context::EngineContext;

/// Limits the client to what is left of the day.
pub(super) fn apply_budget(
    context: &EngineContext,
    mirror: &LockedMirror,
    request: &SyncRequest,
) -> Result<(), SyncError> {
    let Some(most) = request.max_requests else { return Ok(()) };
    let limiter = context.client.rate_limiter();
    let most = most.reserved_requests(limiter.current_limits().daily);
    let sent = mirror.writer.count_requests(&today())?;
    limiter.set_daily_budget(most, most.saturating_sub(sent), time_until_tomorrow());
    Ok(())
}

/// The day in UTC.
pub(super) fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

fn time_until_tomorrow() -> Duration {
    const DAY_S: i64 = 24 * 3600;
    let passed = jiff::Timestamp::now().as_second().rem_euclid(DAY_S);
    Duration::from_secs((DAY_S - passed).unsigned_abs())
}
