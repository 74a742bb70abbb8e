//! Which mirror the sinks of a location were last fed from. A mirror that is lost takes the places of its sinks with it, so
//! what tells that it was lost is kept outside.
//!
//! It is a hint: if it cannot be read or written, a sink that starts again is taken for a new one.

use std::collections::BTreeMap;

use crate::run::LocationFacts;

/// The fact: the mirror's id by the name of each sink.
const WATCHED: &str = "watched_mirrors";
/// The same of the embedded sandbox.
const WATCHED_SANDBOX: &str = "watched_sandbox_mirrors";

/// What is remembered of the sinks of a location.
#[derive(Debug, Clone)]
pub struct WatchedMirror {
    facts: LocationFacts,
    name: &'static str,
}

impl WatchedMirror {
    /// The memory for a location.
    #[must_use]
    pub fn new(facts: LocationFacts, is_sandbox: bool) -> Self {
        Self { facts, name: if is_sandbox { WATCHED_SANDBOX } else { WATCHED } }
    }

    /// Whether a sink was fed from another mirror before.
    pub(super) fn was_other(&self, sink: &str, mirror_id: &str) -> bool {
        self.load().get(sink).is_some_and(|known| known != mirror_id)
    }

    /// Remembers that sinks are fed from a mirror.
    pub fn remember(&self, sinks: &[String], mirror_id: &str) {
        let mut known = self.load();
        known.extend(sinks.iter().map(|sink| (sink.clone(), mirror_id.to_owned())));
        self.facts.write_fact(self.name, &known);
    }

    fn load(&self) -> BTreeMap<String, String> {
        self.facts.read_fact(self.name).unwrap_or_default()
    }
}
