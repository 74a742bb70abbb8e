//! Points at which a test can kill the program.
//!
//! `GHL_BULK_FAILPOINT=after_intent` kills this process with SIGKILL the first time it reaches that
//! point, `after_intent:3` the third time. Compiled in only with the feature `failpoints`, which
//! the tests enable; without it the points do nothing.

/// The points, in the order in which an operation reaches them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailPoint {
    /// A run's directory is half made.
    DuringCreation,
    /// The intent is in the database and not yet in the intent log.
    BeforeIntentLog,
    /// The intent is durable, nothing is sent yet.
    AfterIntent,
    /// Half of the request is sent.
    MidBody,
    /// The response is read.
    AfterResponse,
    /// The response is interpreted, the outcome is not stored yet.
    BeforeOutcome,
    /// A look-up of an unsettled intent is in progress.
    DuringLookup,
    /// Some of the result files are written.
    DuringResults,
    /// The contacts of a snapshot are in the store of a restore, which has no plan yet.
    DuringRestorePlan,
    /// A sync has read everything, and merged nothing of it.
    AfterSpool,
    /// Some of what a sync has read is in the mirror.
    DuringMerge,
    /// A sync is merged, its run still exists.
    AfterMerge,
    /// Some of what a mirror no longer keeps is removed.
    DuringRemoval,
    /// The files of the mirror are written and not in place yet.
    DuringPublish,
    /// Some of the files of changes are in place.
    BetweenChangeFiles,
    /// The files of the mirror are in place, which the mirror does not know yet.
    AfterPublish,
    /// Some of the files of a snapshot are written.
    MidSnapshot,
    /// All files of a snapshot are written but its manifest.
    BeforeManifest,
    /// The manifest of a snapshot that is being forgotten is in both places.
    DuringForget,
    /// Some of what a repository no longer needs is removed.
    DuringPrune,
    /// Some of what the home and the repository have of a person is removed.
    DuringErasure,
    /// Some of the files of a repository are in its copy.
    DuringCopy,
    /// Some of the changes are in the outbox of a sink.
    DuringFill,
    /// A sink has an event, which is still in its outbox.
    BeforeMark,
    /// The start of a token refresh is durable, nothing is sent yet.
    BeforeRefresh,
    /// The new token has arrived and is not stored yet.
    AfterRefresh,
    /// The new token is stored and not used yet.
    AfterRenewal,
    /// A step of a job is about to begin, and the job fails by a fault of this program instead of being killed.
    JobFault,
    /// A contact is about to be planned by a restore, which loses its last name: a fault for a drill to find.
    RestoreFault,
}

impl FailPoint {
    /// The point's name in the environment variable.
    #[must_use]
    pub fn env_name(self) -> &'static str {
        match self {
            Self::DuringCreation => "during_creation",
            Self::BeforeIntentLog => "before_intent_log",
            Self::AfterIntent => "after_intent",
            Self::MidBody => "mid_body",
            Self::AfterResponse => "after_response",
            Self::BeforeOutcome => "before_outcome",
            Self::DuringLookup => "during_lookup",
            Self::DuringResults => "during_results",
            Self::DuringRestorePlan => "during_restore_plan",
            Self::AfterSpool => "after_spool",
            Self::DuringMerge => "during_merge",
            Self::AfterMerge => "after_merge",
            Self::DuringRemoval => "during_removal",
            Self::DuringPublish => "during_publish",
            Self::BetweenChangeFiles => "between_change_files",
            Self::AfterPublish => "after_publish",
            Self::MidSnapshot => "mid_snapshot",
            Self::BeforeManifest => "before_manifest",
            Self::DuringForget => "mid_forget",
            Self::DuringPrune => "mid_prune",
            Self::DuringErasure => "mid_erase",
            Self::DuringCopy => "mid_copy",
            Self::DuringFill => "during_fill",
            Self::BeforeMark => "before_mark",
            Self::BeforeRefresh => "before_refresh",
            Self::AfterRefresh => "after_refresh",
            Self::AfterRenewal => "after_renewal",
            Self::JobFault => "job_fault",
            Self::RestoreFault => "restore_fault",
        }
    }
}

/// Kills the program at this point if a test asks for it.
pub fn kill_if_due(point: FailPoint) {
    if is_kill_due(point) {
        kill_process();
    }
}

/// Whether to kill the program at this point now. Counts the visits.
#[cfg(not(feature = "failpoints"))]
#[must_use]
pub fn is_kill_due(_: FailPoint) -> bool {
    false
}

/// Whether to kill the program at this point now. Counts the visits.
#[cfg(feature = "failpoints")]
#[must_use]
pub fn is_kill_due(point: FailPoint) -> bool {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    static REQUESTED: LazyLock<Option<(String, u32)>> = LazyLock::new(|| {
        let text = std::env::var("GHL_BULK_FAILPOINT").ok()?;
        let (name, times) = text.split_once(':').unwrap_or((&text, "1"));
        Some((name.to_owned(), times.parse().unwrap_or(1)))
    });
    static VISITS: AtomicU32 = AtomicU32::new(0);
    REQUESTED.as_ref().is_some_and(|(name, times)| {
        name == point.env_name() && VISITS.fetch_add(1, Ordering::Relaxed) + 1 == *times
    })
}

/// Kills this process like a crash: nothing is flushed or printed.
pub fn kill_process() {
    #[cfg(unix)]
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    #[cfg(not(unix))]
    std::process::abort();
}
