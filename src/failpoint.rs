//! Points at which a test may kill the program.
//!
//! `GHL_BULK_FAILPOINT=after_intent` kills this process by SIGKILL the first time it comes to that
//! point, `after_intent:3` the third time. Compiled in only with the feature `failpoints`, which the
//! tests switch on; without it every point is nothing.

/// The points, in the order in which an operation comes to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailPoint {
    /// The intent is durable, nothing is sent.
    AfterIntent,
    /// Half of the request is sent.
    MidBody,
    /// The answer is read.
    AfterResponse,
    /// The verdict is known, the outcome is not yet stored.
    BeforeOutcome,
    /// A look-up of an unsettled intent is under way.
    DuringLookup,
    /// Some of the result files are written.
    DuringResults,
    /// It is durable that a token is being renewed, nothing is sent.
    BeforeRefresh,
    /// The renewed token is here, and not yet stored.
    AfterRefresh,
    /// The renewed token is stored, and not yet used.
    AfterRenewal,
}

impl FailPoint {
    /// The point's name in the environment.
    #[must_use]
    pub fn env_name(self) -> &'static str {
        match self {
            Self::AfterIntent => "after_intent",
            Self::MidBody => "mid_body",
            Self::AfterResponse => "after_response",
            Self::BeforeOutcome => "before_outcome",
            Self::DuringLookup => "during_lookup",
            Self::DuringResults => "during_results",
            Self::BeforeRefresh => "before_refresh",
            Self::AfterRefresh => "after_refresh",
            Self::AfterRenewal => "after_renewal",
        }
    }
}

/// Kills the program here, if a test has asked for it.
pub fn kill_if_due(point: FailPoint) {
    if is_kill_due(point) {
        kill_process();
    }
}

/// Whether the program is to die at this point, this time. Counts.
#[cfg(not(feature = "failpoints"))]
#[must_use]
pub fn is_kill_due(_: FailPoint) -> bool {
    false
}

/// Whether the program is to die at this point, this time. Counts.
#[cfg(feature = "failpoints")]
#[must_use]
pub fn is_kill_due(point: FailPoint) -> bool {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static ASKED: LazyLock<Option<(String, u32)>> = LazyLock::new(|| {
        let text = std::env::var("GHL_BULK_FAILPOINT").ok()?;
        let (name, times) = text.split_once(':').unwrap_or((&text, "1"));
        Some((name.to_owned(), times.parse().unwrap_or(1)))
    });
    static COME: AtomicU32 = AtomicU32::new(0);
    ASKED.as_ref().is_some_and(|(name, times)| {
        name == point.env_name() && COME.fetch_add(1, Ordering::Relaxed) + 1 == *times
    })
}

/// Kills this process as a crash would: nothing is flushed, nothing is said.
pub fn kill_process() {
    #[cfg(unix)]
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    #[cfg(not(unix))]
    std::process::abort();
}
