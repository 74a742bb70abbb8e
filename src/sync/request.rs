//! The request of a sync: stored in the run, so that a resumed run does the same.

use serde::{Deserialize, Serialize};

use super::extra_tables::ExtraTables;
use crate::api::QuotaReserve;
use crate::id::ContactId;
use crate::mirror::{MirrorError, MirrorReader, RequestedRetention, SyncKind, SyncRecord};

/// What a sync is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncRequest {
    /// The URL of the API.
    pub url: String,
    /// The environment variable with the token, if it is not the usual one.
    pub token_variable: Option<String>,
    /// The selected profile, if any.
    pub profile: Option<String>,
    /// Whether the location is served by the embedded sandbox.
    pub sandbox: bool,
    /// Whether everything is read, whenever it was read last.
    pub full: bool,
    /// After how many seconds everything is read again.
    pub walk_every_s: u64,
    /// How many seconds before the last sync updates are read again, because the search lags.
    pub overlap_s: u64,
    /// Whether an account without contacts is believed.
    pub accept_empty: bool,
    /// How many requests all syncs of the location may send in a day.
    #[serde(default)]
    pub max_requests: Option<QuotaReserve>,
    /// The tables that are kept up to date in addition to the usual ones.
    #[serde(default)]
    pub with: ExtraTables,
    /// How long what is no longer current is kept.
    #[serde(default)]
    pub retention: RequestedRetention,
    /// Contacts that are read first, with their notes and tasks.
    #[serde(default)]
    pub hints: Vec<ContactId>,
}

/// How a sync reads: decided once, when its run is created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SyncPlan {
    /// The request.
    pub(super) request: SyncRequest,
    /// Everything, or what was updated last.
    pub(super) kind: SyncKind,
    /// Updates from this time on are read, in milliseconds since 1970.
    pub(super) since_ms: i64,
    /// Whether the search's count of contacts is a proof.
    pub(super) trusts_counts: bool,
    /// What was updated before this time, in milliseconds since 1970, is in the mirror, as far as the records say so.
    #[serde(default)]
    pub(super) known_until_ms: Option<i64>,
    /// The tables that are read although only what was updated is read of the others.
    #[serde(default)]
    pub(super) due: ExtraTables,
}

impl SyncPlan {
    /// The plan as its run stores it.
    pub(super) fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("a plan is plain JSON")
    }

    /// When everything is read again at the latest, after a sync.
    pub(super) fn next_walk(
        &self,
        mirror: &MirrorReader,
        sync: &SyncRecord,
    ) -> Result<jiff::Timestamp, MirrorError> {
        let last = mirror.last_walk()?.map_or(sync.facts.started, |walk| walk.facts.started);
        let every = std::time::Duration::from_secs(self.request.walk_every_s);
        Ok(last.checked_add(every).unwrap_or(last))
    }

    /// Decides how to read, by what the mirror has.
    pub(super) fn decide(
        request: SyncRequest,
        mirror: &MirrorReader,
        now: jiff::Timestamp,
    ) -> Result<Self, MirrorError> {
        let (last, walk) = (mirror.last_sync()?, mirror.last_walk()?);
        let is_due = walk.is_none_or(|walk| {
            let age_s = now.as_second() - walk.facts.started.as_second();
            // A walk in the future: the clock was set back, and nothing is known of its age.
            u64::try_from(age_s).is_ok_and(|age| age >= request.walk_every_s) || age_s < 0
        });
        let overlap_ms = i64::try_from(request.overlap_s).unwrap_or(i64::MAX).saturating_mul(1000);
        let since = |last: &SyncRecord| last.facts.watermark_ms.saturating_sub(overlap_ms);
        let known_until_ms = last.as_ref().map(since);
        let due = request.with.due(mirror, now)?;
        let Some(last) = last.filter(|_| !is_due && !request.full) else {
            let (kind, since_ms, trusts_counts) = (SyncKind::Walk, 0, false);
            return Ok(Self { request, kind, since_ms, trusts_counts, known_until_ms, due });
        };
        Ok(Self {
            since_ms: since(&last),
            known_until_ms,
            due,
            kind: SyncKind::Newest,
            trusts_counts: last.facts.counts_agree,
            request,
        })
    }
}
