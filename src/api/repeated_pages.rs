//! Servers whose pages go round in a circle: the cursor moves, or an offset is ignored, and the rows are the same again.
//!
//! A walk over such pages never ends. It is ended when several pages in a row have no id that is new.

use super::endpoint::ApiEndpoint;
use super::error::{ApiError, ApiErrorKind};
use crate::id::{ContactId, SeenIds};

/// Pages in a row without a new id that end a walk. A single one can be an accident: where contacts were added at the
/// same moment, a page may repeat the one before.
const MAX_REPEATED: u32 = 3;

/// The ids that a walk has seen, as hashes.
#[derive(Debug, Default)]
pub struct RepeatedPages {
    seen: SeenIds,
    repeated: u32,
}

impl RepeatedPages {
    /// Adds the ids of a page; whether the walk goes round in a circle. A page without ids counts neither way.
    pub fn add_page<'a>(&mut self, ids: impl IntoIterator<Item = &'a ContactId>) -> bool {
        self.add_ids(ids.into_iter().map(ContactId::as_str))
    }

    /// As [`Self::add_page`], for the ids of other records.
    pub fn add_ids<'a>(&mut self, ids: impl IntoIterator<Item = &'a str>) -> bool {
        let (mut has_ids, mut has_new) = (false, false);
        for id in ids {
            has_ids = true;
            has_new |= self.seen.insert(id);
        }
        if has_new {
            self.repeated = 0;
        } else if has_ids {
            self.repeated += 1;
        }
        self.repeated >= MAX_REPEATED
    }
}

/// The error of a walk that goes round in a circle.
#[must_use]
pub fn repeated_pages_error(route: ApiEndpoint) -> ApiError {
    let message =
        "the server keeps returning rows that it has returned before, so the rest cannot be read";
    ApiError { message: message.to_owned(), ..ApiError::not_sent(route, ApiErrorKind::Exhausted) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_pages_in_a_row_without_a_new_id_are_a_circle() {
        let id = |text: &str| text.parse::<ContactId>().unwrap();
        let (a, b) = (id("a"), id("b"));
        let mut pages = RepeatedPages::default();
        assert!(!pages.add_page([&a]) && !pages.add_page([&a]) && !pages.add_page([&a]));
        assert!(!pages.add_page([&a, &b]), "one is new");
        assert!(!pages.add_page([&a]) && !pages.add_page([&b]) && !pages.add_page([]));
        assert!(pages.add_page([&a, &b]));
    }
}
