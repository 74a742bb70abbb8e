//! The body of a contact search, read and checked.
//!
//! Knows which keys, sizes and combinations the service takes; not how a search is done.

use serde_json::Value;

use super::filter_parse::Filter;
use crate::sandbox::http::response::Refusal;
use crate::sandbox::sandbox_settings::{Quirk, Settings};
use crate::sandbox::store::contact::Row;
use crate::sandbox::store::location_metadata::Metadata;
use crate::sandbox::store::sort_order::{Cursor, Sort};

const KEYS: [&str; 7] =
    ["locationId", "pageLimit", "page", "searchAfter", "query", "filters", "sort"];
const LARGEST_PAGE: u64 = 500;
const LONGEST_TEXT: usize = 75;

/// One search.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) limit: usize,
    pub(crate) start: Start,
    pub(crate) filter: Filter,
    pub(crate) text: Option<String>,
    pub(crate) sort: Sort,
    /// What the result depends on, beside the place where the page starts.
    pub(crate) key: String,
}

/// Where a page starts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Start {
    /// After so many records.
    Skip(usize),
    /// After the record with this cursor.
    After(Cursor),
}

/// Refuses what is wrong whatever the location: unknown keys, no location, no page size.
pub(crate) fn check_keys(body: &Row) -> Result<(), Refusal> {
    if let Some(unknown) = body.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(Refusal::unknown_property(unknown));
    }
    if !body.get("locationId").is_some_and(Value::is_string) {
        return Err(Refusal::unprocessable("locationId can't be undefined"));
    }
    Ok(())
}

impl Query {
    /// Reads a body whose keys were checked.
    pub(crate) fn read(
        body: &Row,
        metadata: &Metadata,
        settings: &Settings,
    ) -> Result<Self, Refusal> {
        let limit = limit(body)?;
        let sort = Sort::read(body.get("sort"))?;
        let numeric = settings.has(Quirk::NumericRanges);
        let filter = Filter::read(body.get("filters"), metadata, numeric)?;
        let text = match body.get("query").map(|query| query.as_str()) {
            None => None,
            Some(None) => return Err(Refusal::unprocessable("query must be a string")),
            Some(Some(text)) if text.chars().count() > LONGEST_TEXT => {
                let text = "query must be shorter than or equal to 75 characters";
                return Err(Refusal::unprocessable(text));
            }
            Some(Some(text)) => Some(text.to_owned()).filter(|text| !text.trim().is_empty()),
        };
        let start = start(body, limit, &sort, settings.page_window)?;
        let parts = [body.get("filters"), body.get("query"), body.get("sort")];
        Ok(Self { limit, start, filter, text, sort, key: format!("{parts:?}") })
    }
}

fn limit(body: &Row) -> Result<usize, Refusal> {
    let limit = match body.get("pageLimit") {
        None => return Err(Refusal::unprocessable("pageLimit can't be undefined")),
        Some(limit) => limit.as_u64(),
    };
    match limit {
        Some(limit @ 1..=LARGEST_PAGE) => Ok(usize::try_from(limit).unwrap_or_default()),
        Some(0) => Err(Refusal::invalid(vec!["pageLimit must not be less than 1".to_owned()])),
        Some(_) => Err(Refusal::invalid(vec!["pageLimit must not be greater than 500".to_owned()])),
        None => Err(Refusal::invalid(vec!["pageLimit must be an integer number".to_owned()])),
    }
}

fn start(body: &Row, limit: usize, sort: &Sort, window: usize) -> Result<Start, Refusal> {
    let page = match body.get("page") {
        None => None,
        Some(page) => {
            let page = page
                .as_u64()
                .filter(|page| *page > 0)
                .ok_or_else(|| Refusal::invalid(vec!["page must not be less than 1".to_owned()]))?;
            Some(usize::try_from(page).unwrap_or(usize::MAX))
        }
    };
    let cursor = match body.get("searchAfter") {
        Some(Value::Array(list)) if list.is_empty() => None,
        Some(value) => Some(sort.cursor(value)?),
        None => None,
    };
    match (page, cursor) {
        (Some(_), Some(_)) => {
            Err(Refusal::bad_request("`page` parameter can't be used with `searchAfter`"))
        }
        (None, Some(cursor)) => Ok(Start::After(cursor)),
        (page, None) => {
            let page = page.unwrap_or(1);
            if page.saturating_mul(limit) > window {
                return Err(Refusal::bad_request(format!(
                    "Result window is too large, page * pageLimit must be less than or equal to: [{window}]"
                )));
            }
            Ok(Start::Skip((page - 1) * limit))
        }
    }
}
