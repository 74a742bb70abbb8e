//! The way to the contacts of a list: whatever takes the fewest requests.

use serde::{Deserialize, Serialize};

use super::id_list::ContactKeyList;
use super::lookup_key::ContactKey;
use crate::api::SEARCH_LIMIT;

/// Contacts named in one search. The most that the server takes is unknown; a tenth of the 1,000 terms
/// that search engines commonly take.
const LOT: usize = 100;

/// How the contacts are found, and how far that has come. Stored as the cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum SelectionStrategy {
    /// By searches for some of them each; how many are done.
    Lots(usize),
    /// Out of a walk over all contacts, and where that goes on.
    Walk(Option<String>),
    /// One by one, those that were not found yet: all of them, or so many that it is cheap.
    Ones {
        /// Whether all.
        all: bool,
    },
}

/// What finding contacts costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SelectionCost {
    /// How they are found, for people.
    pub how: &'static str,
    /// Requests that it takes.
    pub requests: u64,
}

/// What finding the contacts of a list costs, in an account of so many contacts.
#[must_use]
pub fn estimate_cost(list: &ContactKeyList, total: u64) -> SelectionCost {
    let lots = searchable_batches(list.keys.iter()).len();
    match cheapest_strategy(list.keys.iter(), lots, total) {
        SelectionStrategy::Lots(_) => SelectionCost {
            how: "contacts, by searches for 100 of them each",
            requests: lots as u64,
        },
        SelectionStrategy::Walk(_) => SelectionCost {
            how: "contacts, by a walk over the whole account",
            requests: page_count(total),
        },
        SelectionStrategy::Ones { .. } => {
            SelectionCost { how: "contacts, one by one", requests: list.keys.len() as u64 }
        }
    }
}

/// The requests of a walk over so many contacts.
pub(super) fn page_count(total: u64) -> u64 {
    total.div_ceil(SEARCH_LIMIT as u64).max(1)
}

/// How to begin: whatever takes the fewest requests.
pub(super) fn cheapest_strategy<'k>(
    mut keys: impl Iterator<Item = &'k ContactKey>,
    lots: usize,
    total: u64,
) -> SelectionStrategy {
    // A single answer is fresh; for two ids the search would save one request.
    let few = keys.by_ref().take(3).collect::<Vec<_>>();
    if few.len() < 3 && few.iter().all(|key| matches!(key, ContactKey::Id(_))) {
        SelectionStrategy::Ones { all: true }
    } else if page_count(total) < lots as u64 {
        SelectionStrategy::Walk(None)
    } else {
        SelectionStrategy::Lots(0)
    }
}

/// The keys that a search can be asked for, of one kind in each lot.
pub(super) fn searchable_batches<'k>(
    keys: impl Iterator<Item = &'k ContactKey>,
) -> Vec<Vec<ContactKey>> {
    let short: Vec<&ContactKey> = keys.filter(|key| key.search_filter().is_some()).collect();
    let kinds = short.chunk_by(|one, other| one.search_field() == other.search_field());
    kinds
        .flat_map(|kind| kind.chunks(LOT))
        .map(|lot| lot.iter().copied().cloned().collect())
        .collect()
}
