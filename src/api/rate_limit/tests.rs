//! The limiter under paused time, against a server that counts in the strictest way.

use reqwest::header::HeaderMap;

use super::*;
use crate::api::QuotaReserve;
use crate::event::{CancelCause, NullObserver};

fn limiter(quota: QuotaPolicy) -> (RateLimiter, CancelSignal) {
    let stop = CancelSignal::new();
    (RateLimiter::new(quota, stop.clone(), Arc::new(NullObserver)), stop)
}

fn headers(pairs: &[(&'static str, u64)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), (*value).into())).collect()
}

/// Sends `count` requests whose answers take `latency`, and returns when each was sent.
async fn send(
    limiter: &RateLimiter,
    count: usize,
    latency: Duration,
    headers: &HeaderMap,
) -> Vec<Instant> {
    let sent = (0..count).map(|_| async {
        let permit = limiter.acquire_permit().await.unwrap();
        let sent = Instant::now();
        tokio::time::sleep(latency).await;
        permit.record_response(headers, false);
        sent
    });
    let mut sent = futures::future::join_all(sent).await;
    sent.sort();
    sent
}

#[track_caller]
fn check_window(sent: &[Instant], requests: usize, window: Duration) {
    for pair in sent.windows(requests + 1) {
        assert!(
            pair[requests] - pair[0] > window,
            "{requests} + 1 within {:?}",
            pair[requests] - pair[0]
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_documented_window_is_filled_and_never_overrun() {
    let (limiter, _) = limiter(QuotaPolicy::default());
    let begun = Instant::now();
    let sent = send(&limiter, 1_000, Duration::ZERO, &HeaderMap::new()).await;
    check_window(&sent, 100, Duration::from_secs(10));
    let elapsed = begun.elapsed();
    assert!(elapsed < Duration::from_secs(92), "1,000 requests took {elapsed:?} instead of 90 s");
}

#[tokio::test(start_paused = true)]
async fn a_window_of_one_second_is_learnt_from_the_first_answer() {
    let (limiter, _) = limiter(QuotaPolicy::default());
    let response_headers =
        headers(&[("x-ratelimit-max", 10), ("x-ratelimit-interval-milliseconds", 1_000)]);
    let sent = send(&limiter, 200, Duration::from_millis(1), &response_headers).await;
    check_window(&sent, 10, Duration::from_secs(1));
    assert!(*sent.last().unwrap() - sent[0] < Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn what_others_have_used_is_left_free() {
    let (limiter, _) = limiter(QuotaPolicy::default());
    let response_headers = headers(&[("x-ratelimit-max", 100), ("x-ratelimit-remaining", 4)]);
    send(&limiter, 1, Duration::ZERO, &response_headers).await;
    let begun = Instant::now();
    let sent = send(&limiter, 5, Duration::ZERO, &HeaderMap::new()).await;
    assert_eq!(sent.iter().filter(|sent| **sent - begun < Duration::from_secs(10)).count(), 4);
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_everyone_waits_once() {
    let (limiter, _) = limiter(QuotaPolicy::default());
    send(&limiter, 1, Duration::ZERO, &HeaderMap::new()).await;
    let begun = Instant::now();
    limiter.acquire_permit().await.unwrap().record_response(&headers(&[("retry-after", 3)]), true);
    let sent = send(&limiter, 5, Duration::ZERO, &HeaderMap::new()).await;
    assert!(sent.iter().all(|sent| *sent - begun >= Duration::from_secs(3)));
    assert!(sent.iter().all(|sent| *sent - begun < Duration::from_secs(4)));
    assert_eq!(limiter.throttled_count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_daily_reserve_is_kept_though_answers_are_outstanding() {
    let (limiter, _) = limiter(QuotaPolicy { reserve: QuotaReserve::Requests(10), wait: false });
    for left in (10..=14).rev() {
        let response_headers = headers(&[
            ("x-ratelimit-limit-daily", 200),
            ("x-ratelimit-daily-remaining", left),
            ("x-ratelimit-daily-reset", 60_000),
        ]);
        limiter.acquire_permit().await.unwrap().record_response(&response_headers, false);
    }
    let halt = limiter.acquire_permit().await.map(|_| ()).unwrap_err();
    assert_eq!(halt, HaltReason::DailyQuota { resume_in: Duration::from_mins(1) });
}

#[tokio::test(start_paused = true)]
async fn with_wait_a_spent_budget_is_slept_out() {
    let (limiter, _) = limiter(QuotaPolicy { reserve: QuotaReserve::Requests(0), wait: true });
    let response_headers =
        headers(&[("x-ratelimit-daily-remaining", 0), ("x-ratelimit-daily-reset", 3_600_000)]);
    limiter.acquire_permit().await.unwrap().record_response(&response_headers, false);
    let begun = Instant::now();
    let _permit = limiter.acquire_permit().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_hours(1));
}

#[tokio::test(start_paused = true)]
async fn a_closed_tap_ends_every_wait() {
    let (limiter, stop) = limiter(QuotaPolicy::default());
    let _flying = limiter.acquire_permit().await.unwrap();
    let (halt, ()) =
        tokio::join!(limiter.acquire_permit(), async { stop.cancel_with(CancelCause::Interrupt) });
    assert_eq!(halt.map(|_| ()).unwrap_err(), HaltReason::Cancelled);
}
