//! Breakers: an endpoint that fails every time ends the run instead of costing a request for each record.
//!
//! A breaker counts requests that failed for good, in a row and with the same kind of error. A missing record counts
//! neither way: it is that record's own. Where the error may pass, as an outage does, the requests after the limit wait
//! for one that is tried patiently, and only if that fails, too, the endpoint is given up.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::MutexGuard as TurnGuard;

use super::endpoint::{self, ApiEndpoint};
use super::error::{ApiError, ApiErrorKind, EndpointFault};
use super::foreign_response::ForeignResponse;

/// How many requests may fail alike before any has succeeded.
const FIRST_FAILURES: u32 = 20;
/// How many requests in a row may fail alike after others have succeeded.
const LATER_FAILURES: u32 = 200;

/// The breakers of all endpoints.
pub(super) struct EndpointBreakers([EndpointBreaker; endpoint::COUNT]);

impl EndpointBreakers {
    pub(super) fn new() -> Self {
        Self([const { EndpointBreaker::new() }; endpoint::COUNT])
    }

    /// The breaker of an endpoint; `None` where the caller itself falls back to another way after a few failures.
    pub(super) fn of_endpoint(&self, route: ApiEndpoint) -> Option<&EndpointBreaker> {
        let has_fallback =
            matches!(route, ApiEndpoint::SearchNotes | ApiEndpoint::SearchNotesOldVersion);
        (!has_fallback).then(|| &self.0[route as usize])
    }
}

/// What is known of one endpoint.
pub(super) struct EndpointBreaker {
    has_succeeded: AtomicBool,
    /// Failures in a row.
    failures: AtomicU32,
    row: Mutex<FailureRow>,
    /// Held by the one request that finds out whether an outage is over.
    turn: tokio::sync::Mutex<()>,
}

/// Failures of the same kind in a row.
#[derive(Debug, Default)]
struct FailureRow {
    alike: Option<FailureKey>,
    /// The error of an endpoint that is given up.
    given_up: Option<GivenUp>,
}

/// What failures have in common that count together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FailureKey {
    kind: ApiErrorKind,
    status: Option<u16>,
    foreign: Option<ForeignResponse>,
}

#[derive(Debug, Clone)]
struct GivenUp {
    fault: EndpointFault,
    status: Option<u16>,
    foreign: Option<ForeignResponse>,
    message: String,
}

impl EndpointBreaker {
    const fn new() -> Self {
        Self {
            has_succeeded: AtomicBool::new(false),
            failures: AtomicU32::new(0),
            row: Mutex::new(FailureRow { alike: None, given_up: None }),
            turn: tokio::sync::Mutex::const_new(()),
        }
    }

    /// Whether so many requests have failed that the next one must be tried patiently; returns when it is its turn.
    pub(super) async fn wait_for_turn(&self) -> Option<TurnGuard<'_, ()>> {
        if !self.is_suspicious() {
            return None;
        }
        let turn = self.turn.lock().await;
        // The one before may have succeeded.
        self.is_suspicious().then_some(turn)
    }

    /// The error of every further request, if the endpoint is given up.
    pub(super) fn given_up_error(&self, route: ApiEndpoint) -> Option<ApiError> {
        if self.failures.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let given_up = self.lock_row().given_up.clone()?;
        let GivenUp { fault, status, foreign, message } = given_up;
        let not_sent = ApiError::not_sent(route, ApiErrorKind::EndpointFailing(fault));
        Some(ApiError { status, foreign, message, ..not_sent })
    }

    pub(super) fn record_success(&self) {
        self.has_succeeded.store(true, Ordering::Relaxed);
        if self.failures.swap(0, Ordering::Relaxed) > 0 {
            self.lock_row().alike = None;
        }
    }

    /// Counts a request that failed for good. `patient` is whether it was the one that was tried for long.
    pub(super) fn record_failure(&self, error: &ApiError, patient: bool) {
        let is_counted = match error.kind {
            ApiErrorKind::Scope | ApiErrorKind::Exhausted => true,
            // What one record refuses, another may grant.
            ApiErrorKind::Refused => !self.has_succeeded.load(Ordering::Relaxed),
            _ => false,
        };
        if !is_counted {
            return;
        }
        let mut row = self.lock_row();
        let ApiError { kind, status, foreign, .. } = *error;
        let key = FailureKey { kind, status, foreign };
        if row.alike != Some(key) {
            row.alike = Some(key);
            self.failures.store(0, Ordering::Relaxed);
        }
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if failures < self.limit() || (may_pass(error) && !patient) || row.given_up.is_some() {
            return;
        }
        let fault =
            if kind == ApiErrorKind::Scope { EndpointFault::Scope } else { EndpointFault::Other };
        let message = format!("{failures} requests in a row failed like this: {}", error.message);
        row.given_up = Some(GivenUp { fault, status, foreign, message });
    }

    fn limit(&self) -> u32 {
        let has_succeeded = self.has_succeeded.load(Ordering::Relaxed);
        if has_succeeded { LATER_FAILURES } else { FIRST_FAILURES }
    }

    fn is_suspicious(&self) -> bool {
        self.failures.load(Ordering::Relaxed) >= self.limit()
    }

    fn lock_row(&self) -> MutexGuard<'_, FailureRow> {
        self.row.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the same request may succeed later. An answer that is well but of another shape stays so.
fn may_pass(error: &ApiError) -> bool {
    error.kind == ApiErrorKind::Exhausted && !matches!(error.status, Some(200..=299))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ApiErrorKind, status: u16) -> ApiError {
        let status = Some(status);
        ApiError { status, ..ApiError::not_sent(ApiEndpoint::ContactNotes, kind) }
    }

    /// How many failures it takes to give up; at most 1,000.
    fn failures_to_end(breaker: &EndpointBreaker, error: &ApiError, patient: bool) -> Option<u32> {
        (1..=1_000).find(|_| {
            breaker.record_failure(error, patient);
            breaker.given_up_error(ApiEndpoint::ContactNotes).is_some()
        })
    }

    #[test]
    fn an_endpoint_without_a_success_is_given_up_after_twenty_equal_failures() {
        for (kind, status) in [
            (ApiErrorKind::Scope, 401),
            (ApiErrorKind::Refused, 404),
            (ApiErrorKind::Exhausted, 200),
        ] {
            let breaker = EndpointBreaker::new();
            for other in 500..519 {
                breaker.record_failure(&error(ApiErrorKind::Exhausted, other), false);
            }
            assert_eq!(failures_to_end(&breaker, &error(kind, status), false), Some(20));
        }
    }

    #[test]
    fn what_may_pass_is_tried_patiently_first() {
        let (breaker, down) = (EndpointBreaker::new(), error(ApiErrorKind::Exhausted, 503));
        assert_eq!(failures_to_end(&breaker, &down, false), None);
        assert!(breaker.is_suspicious());
        assert_eq!(failures_to_end(&breaker, &down, true), Some(1));
        let breaker = EndpointBreaker::new();
        failures_to_end(&breaker, &down, false);
        breaker.record_success();
        assert!(!breaker.is_suspicious());
    }

    #[test]
    fn after_a_success_it_takes_more_and_records_are_refused_one_by_one() {
        let breaker = EndpointBreaker::new();
        breaker.record_success();
        assert_eq!(failures_to_end(&breaker, &error(ApiErrorKind::Refused, 403), false), None);
        assert_eq!(failures_to_end(&breaker, &error(ApiErrorKind::Scope, 401), false), Some(200));
    }

    #[test]
    fn records_that_are_gone_count_neither_way() {
        let breaker = EndpointBreaker::new();
        assert_eq!(failures_to_end(&breaker, &error(ApiErrorKind::Gone, 404), false), None);
    }
}
