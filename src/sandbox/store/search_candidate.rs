//! A contact that a search looks at, with its JSON read once and only when it is needed.

use std::cell::OnceCell;

use super::contact::{IndexedContact, SearchRow};

/// A record under a search; its row is parsed on demand.
pub(crate) struct SearchCandidate<'a> {
    view: IndexedContact<'a>,
    row: OnceCell<SearchRow>,
}

impl<'a> SearchCandidate<'a> {
    pub(crate) fn new(view: IndexedContact<'a>) -> Self {
        Self { view, row: OnceCell::new() }
    }

    pub(crate) fn indexed_view(&self) -> IndexedContact<'a> {
        self.view
    }

    pub(crate) fn cached_row(&self) -> &SearchRow {
        self.row.get_or_init(|| self.view.parse_row())
    }
}
