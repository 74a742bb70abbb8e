//! The end of a list: what a server's total and a page say about it.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::response::{ApiResponse, ContactPage, MissingRows, WholeList};
use super::{ApiEndpoint, ApiError, ApiErrorKind};

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

/// What stands beside a list and says whether it is whole.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ListEndJson<'a> {
    #[serde(borrow)]
    total: Option<&'a RawValue>,
    #[serde(borrow)]
    count: Option<&'a RawValue>,
    #[serde(borrow)]
    total_count: Option<&'a RawValue>,
    #[serde(borrow)]
    next_page: Option<&'a RawValue>,
    #[serde(borrow)]
    next_page_url: Option<&'a RawValue>,
    #[serde(borrow)]
    meta: Option<&'a RawValue>,
}

impl ListEndJson<'_> {
    fn missing_rows(&self, rows: usize) -> Option<MissingRows> {
        let rows = rows as u64;
        let totals = [self.total, self.count, self.total_count].into_iter().flatten();
        let totals = totals.filter_map(|raw| raw.get().trim_matches('"').parse().ok());
        let more = totals.filter_map(|total| believable_total(Some(total), rows)).max();
        if let Some(total) = more.filter(|total| *total > rows) {
            return Some(MissingRows::Counted(total - rows));
        }
        let is_named = |raw: &RawValue| !matches!(raw.get(), "false" | "0" | r#""""#);
        let next = [self.next_page, self.next_page_url].into_iter().flatten().any(is_named);
        // A last page that names a next one is empty.
        (next && rows > 0).then_some(MissingRows::NextPage)
    }
}

/// What a response with a list of `rows` says about rows that it does not have, in a total or a next page, beside the
/// list or in `meta`. Endpoints whose lists come whole are not known to have either.
pub(super) fn find_missing_rows(body: &[u8], rows: usize) -> Option<MissingRows> {
    let end: ListEndJson<'_> = serde_json::from_slice(body).ok()?;
    let in_meta = || {
        let meta = serde_json::from_str::<ListEndJson<'_>>(end.meta?.get()).ok()?;
        meta.missing_rows(rows)
    };
    end.missing_rows(rows).or_else(in_meta)
}

impl<T: WholeList> ApiResponse<T> {
    /// The response, if it has the whole list.
    ///
    /// # Errors
    /// When it says that it lacks rows.
    pub fn require_whole(self, route: ApiEndpoint) -> Result<Self, ApiError> {
        match self.head.missing_rows() {
            None => Ok(self),
            Some(missing) => {
                let message = missing.to_string();
                Err(ApiError { message, ..ApiError::not_sent(route, ApiErrorKind::Exhausted) })
            }
        }
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
    fn a_list_lacks_what_it_counts_or_what_a_next_page_has() {
        let missing = |beside: &str| {
            find_missing_rows(format!(r#"{{"notes":[1,2],{beside}}}"#).as_bytes(), 2)
        };
        for whole in [
            r#""traceId":"t""#,
            r#""total":2,"nextPage":null"#,
            r#""total":0,"count":2"#,
            r#""nextPage":false,"nextPageUrl":"""#,
            r#""meta":{"total":2,"nextPage":null}"#,
            r#""meta":"x""#,
        ] {
            assert_eq!(missing(whole), None, "{whole}");
        }
        assert_eq!(missing(r#""total":12,"nextPage":2"#), Some(MissingRows::Counted(10)));
        assert_eq!(missing(r#""count":"3""#), Some(MissingRows::Counted(1)));
        assert_eq!(missing(r#""meta":{"total":5}"#), Some(MissingRows::Counted(3)));
        assert_eq!(missing(r#""nextPage":2"#), Some(MissingRows::NextPage));
        assert_eq!(missing(r#""meta":{"nextPageUrl":"/x"}"#), Some(MissingRows::NextPage));
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
