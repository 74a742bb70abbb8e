//! Whether the token may look contacts up.
//!
//! The lookup is documented for apps; a private integration may be refused. The first refusal is remembered for the
//! process, and for a day for later ones: a token that is allowed to later only costs requests until then.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Mutex, MutexGuard};

use crate::run::LocationFacts;

/// The name of the fact: when the lookup was refused, in milliseconds since 1970.
const FACT: &str = "contact_lookup_refused_at";
/// For how long a refusal counts, in milliseconds.
const REMEMBERED_FOR: i64 = 24 * 60 * 60 * 1_000;

/// What is known of the token's permission.
#[derive(Debug, Default)]
pub(super) struct LookupAccess {
    refused: AtomicBool,
    granted: AtomicBool,
    /// Held by the first lookup, so that a refusal costs one request.
    first: Mutex<()>,
    facts: OnceLock<LocationFacts>,
}

impl LookupAccess {
    /// Uses and keeps what is known of the location, from now on.
    pub(super) fn attach_facts(&self, facts: LocationFacts) {
        let refused_at: Option<i64> = facts.read_fact(FACT);
        let age = refused_at.map(|at| jiff::Timestamp::now().as_millisecond().saturating_sub(at));
        if age.is_some_and(|age| (0..REMEMBERED_FOR).contains(&age)) {
            self.refused.store(true, Ordering::Relaxed);
        }
        // Another part of the process may have attached the same ones.
        let _ = self.facts.set(facts);
    }

    /// Waits until it is known whether the token may look contacts up, unless this is the first lookup.
    pub(super) async fn wait_for_first(&self) -> Option<MutexGuard<'_, ()>> {
        if self.granted.load(Ordering::Relaxed) || self.is_refused() {
            return None;
        }
        let guard = self.first.lock().await;
        (!self.granted.load(Ordering::Relaxed)).then_some(guard)
    }

    pub(super) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    pub(super) fn record_grant(&self) {
        self.granted.store(true, Ordering::Relaxed);
    }

    /// Remembers a refusal for this process, and where it is `lasting`, for later ones.
    pub(super) fn record_refusal(&self, lasting: bool) {
        if self.refused.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Some(facts) = self.facts.get().filter(|_| lasting) {
            facts.write_fact(FACT, &jiff::Timestamp::now().as_millisecond());
        }
    }
}
