//! How selected contacts are found: whatever takes the fewest requests.

use serde::{Deserialize, Serialize};

use super::id_list::ContactKeyList;
use super::lookup_key::ContactKey;

/// Contacts per search. The server's maximum is unknown; this is a tenth of the 1,000 terms that
/// search engines commonly accept.
const KEYS_PER_SEARCH: usize = 100;

/// How the contacts are found, with the progress so far. Stored as the cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum SelectionStrategy {
    /// By batched searches; how many batches are done.
    #[serde(rename = "Lots")]
    Batches(usize),
    /// By filtering a walk over all contacts; the cursor to continue from.
    #[serde(rename = "Walk")]
    Scan(Option<String>),
    /// One by one, those not found yet: all of them, or as many as is cheap.
    #[serde(rename = "Ones")]
    Single {
        /// Whether all of them.
        #[serde(rename = "all")]
        check_all: bool,
    },
}

/// The cost of finding contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelectionCost {
    /// The method, for display.
    pub method: &'static str,
    /// The number of requests.
    pub requests: u64,
}

/// Estimates the cost of finding the contacts of a list in an account with `total` contacts, which are read in pages of
/// this size.
#[must_use]
pub fn estimate_cost(list: &ContactKeyList, total: u64, page_size: usize) -> SelectionCost {
    let batches = searchable_batches(list.keys.iter()).len();
    let walk = page_count(total, page_size);
    match cheapest_strategy(list.keys.iter(), batches, walk) {
        SelectionStrategy::Batches(_) => {
            SelectionCost { method: "contacts, in searches for 100 each", requests: batches as u64 }
        }
        SelectionStrategy::Scan(_) => {
            SelectionCost { method: "contacts, by reading the whole account", requests: walk }
        }
        SelectionStrategy::Single { .. } => {
            SelectionCost { method: "contacts, one by one", requests: list.keys.len() as u64 }
        }
    }
}

/// The requests of a walk over this many contacts.
pub(super) fn page_count(total: u64, page_size: usize) -> u64 {
    total.div_ceil(page_size as u64).max(1)
}

/// Chooses the strategy with the fewest requests; `walk` is how many a walk over all contacts takes.
pub(super) fn cheapest_strategy<'k>(
    mut keys: impl Iterator<Item = &'k ContactKey>,
    batches: usize,
    walk: u64,
) -> SelectionStrategy {
    // A single request returns fresh data, and for two ids a search would save only one request.
    let few = keys.by_ref().take(3).collect::<Vec<_>>();
    if few.len() < 3 && few.iter().all(|key| matches!(key, ContactKey::Id(_))) {
        SelectionStrategy::Single { check_all: true }
    } else if walk < batches as u64 {
        SelectionStrategy::Scan(None)
    } else {
        SelectionStrategy::Batches(0)
    }
}

/// The keys that a search can express, in batches of one kind each.
pub(super) fn searchable_batches<'k>(
    keys: impl Iterator<Item = &'k ContactKey>,
) -> Vec<Vec<ContactKey>> {
    let searchable: Vec<&ContactKey> = keys.filter(|key| key.search_filter().is_some()).collect();
    let kinds = searchable.chunk_by(|one, other| one.search_field() == other.search_field());
    kinds
        .flat_map(|kind| kind.chunks(KEYS_PER_SEARCH))
        .map(|batch| batch.iter().copied().cloned().collect())
        .collect()
}
