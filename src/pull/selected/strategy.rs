//! The way to the contacts of a list: whatever takes the fewest requests.

use serde::{Deserialize, Serialize};

use super::id_list::List;
use super::lookup_key::Key;
use crate::api::SEARCH_LIMIT;

/// Contacts named in one search. The most that the server takes is unknown; a tenth of the 1,000 terms
/// that search engines commonly take.
const LOT: usize = 100;

/// How the contacts are found, and how far that has come. Stored as the cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Way {
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
pub struct Cost {
    /// How they are found, for people.
    pub how: &'static str,
    /// Requests that it takes.
    pub requests: u64,
}

/// What finding the contacts of a list costs, in an account of so many contacts.
#[must_use]
pub fn cost(list: &List, total: u64) -> Cost {
    let lots = lots(list.keys.iter()).len();
    match first(list.keys.iter(), lots, total) {
        Way::Lots(_) => {
            Cost { how: "contacts, by searches for 100 of them each", requests: lots as u64 }
        }
        Way::Walk(_) => {
            Cost { how: "contacts, by a walk over the whole account", requests: pages(total) }
        }
        Way::Ones { .. } => Cost { how: "contacts, one by one", requests: list.keys.len() as u64 },
    }
}

/// The requests of a walk over so many contacts.
pub(super) fn pages(total: u64) -> u64 {
    total.div_ceil(SEARCH_LIMIT as u64).max(1)
}

/// How to begin: whatever takes the fewest requests.
pub(super) fn first<'k>(mut keys: impl Iterator<Item = &'k Key>, lots: usize, total: u64) -> Way {
    // A single answer is fresh; for two ids the search would save one request.
    let few = keys.by_ref().take(3).collect::<Vec<_>>();
    if few.len() < 3 && few.iter().all(|key| matches!(key, Key::Id(_))) {
        Way::Ones { all: true }
    } else if pages(total) < lots as u64 {
        Way::Walk(None)
    } else {
        Way::Lots(0)
    }
}

/// The keys that a search can be asked for, of one kind in each lot.
pub(super) fn lots<'k>(keys: impl Iterator<Item = &'k Key>) -> Vec<Vec<Key>> {
    let short: Vec<&Key> = keys.filter(|key| key.filter().is_some()).collect();
    let kinds = short.chunk_by(|one, other| one.field() == other.field());
    kinds
        .flat_map(|kind| kind.chunks(LOT))
        .map(|lot| lot.iter().copied().cloned().collect())
        .collect()
}
