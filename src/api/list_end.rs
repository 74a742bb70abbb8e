//! The end of a list: what a server's total and a page say about it.

use super::response::ContactPage;

/// Whether a total says how many rows there are: not if it is less than what was read, and not a round number in
/// which the count of a search engine usually ends.
#[must_use]
pub fn believable_total(total: Option<u64>, read: u64) -> Option<u64> {
    total.filter(|total| *total >= read && !(*total >= 10_000 && total % 1_000 == 0))
}

impl ContactPage {
    /// Whether nothing is behind this page, with which `read` rows were read. A short page alone does not say so: it may
    /// have the server's page size.
    #[must_use]
    pub fn is_last(&self, read: u64) -> bool {
        let is_all = believable_total(self.total, read).is_some_and(|total| read >= total);
        self.rows.is_empty() || self.next.is_none() || (is_all && !self.is_full())
    }

    /// Whether it has as many rows as were asked for.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.rows.len() >= self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::SearchCursor;

    #[test]
    fn a_page_is_the_last_if_it_is_empty_or_a_total_says_so() {
        let next = || SearchCursor::parse(r#"[1,"a"]"#).ok();
        let page = |rows, total| {
            let rows = vec![None; rows];
            ContactPage { rows, total, next: next(), limit: 500 }
        };
        assert!(page(0, None).is_last(7));
        assert!(page(7, Some(107)).is_last(107));
        assert!(ContactPage { next: None, ..page(7, None) }.is_last(7));
        for (rows, total, read) in
            [(100, None, 100), (100, Some(500), 100), (500, Some(500), 500), (7, Some(0), 7)]
        {
            assert!(!page(rows, total).is_last(read), "{rows} {total:?}");
        }
    }

    #[test]
    fn a_total_that_may_be_capped_is_not_believed() {
        assert_eq!(believable_total(Some(12_345), 500), Some(12_345));
        assert_eq!(believable_total(Some(500), 500), Some(500));
        assert_eq!(believable_total(Some(0), 0), Some(0));
        for (total, read) in [(Some(10_000), 0), (Some(0), 3), (Some(499), 500), (None, 0)] {
            assert_eq!(believable_total(total, read), None, "{total:?} {read}");
        }
    }
}
