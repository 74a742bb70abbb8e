//! The body of a contact search, parsed and validated.
//!
//! Defines which keys, sizes and combinations the service accepts, not how a search runs.

use serde_json::Value;

use super::filter_parse::FilterExpression;
use crate::sandbox::http::response::EndpointError;
use crate::sandbox::sandbox_settings::{SandboxSettings, ServiceQuirk};
use crate::sandbox::store::contact::SearchRow;
use crate::sandbox::store::location_metadata::LocationMetadata;
use crate::sandbox::store::sort_order::{SearchSort, SortCursor};

const KEYS: [&str; 7] =
    ["locationId", "pageLimit", "page", "searchAfter", "query", "filters", "sort"];
const LARGEST_PAGE: u64 = 500;
const LONGEST_TEXT: usize = 75;

/// One search.
#[derive(Debug)]
pub(crate) struct ParsedSearchBody {
    pub(crate) limit: usize,
    pub(crate) start: PageStart,
    pub(crate) filter: FilterExpression,
    pub(crate) text: Option<String>,
    pub(crate) sort: SearchSort,
    /// What the result depends on, apart from where the page starts.
    pub(crate) key: String,
}

/// Where a page starts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PageStart {
    /// After this many records.
    Skip(usize),
    /// After the record with this cursor.
    After(SortCursor),
}

/// Refuses what is wrong for any location: unknown keys, a missing location or page size.
pub(crate) fn validate_keys(body: &SearchRow) -> Result<(), EndpointError> {
    if let Some(unknown) = body.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(EndpointError::unknown_property(unknown));
    }
    if !body.get("locationId").is_some_and(Value::is_string) {
        return Err(EndpointError::unprocessable("locationId can't be undefined"));
    }
    Ok(())
}

impl ParsedSearchBody {
    /// Parses a body whose keys were validated.
    pub(crate) fn parse(
        body: &SearchRow,
        metadata: &LocationMetadata,
        settings: &SandboxSettings,
    ) -> Result<Self, EndpointError> {
        let limit = parse_limit(body)?;
        let sort = SearchSort::parse(body.get("sort"))?;
        let numeric = settings.has_quirk(ServiceQuirk::NumericRanges);
        let filter = FilterExpression::parse_list(body.get("filters"), metadata, numeric)?;
        let text = match body.get("query").map(|query| query.as_str()) {
            None => None,
            Some(None) => return Err(EndpointError::unprocessable("query must be a string")),
            Some(Some(text)) if text.chars().count() > LONGEST_TEXT => {
                let text = "query must be shorter than or equal to 75 characters";
                return Err(EndpointError::unprocessable(text));
            }
            Some(Some(text)) => Some(text.to_owned()).filter(|text| !text.trim().is_empty()),
        };
        let start = parse_start(body, limit, &sort, settings.page_window)?;
        let parts = [body.get("filters"), body.get("query"), body.get("sort")];
        Ok(Self { limit, start, filter, text, sort, key: format!("{parts:?}") })
    }
}

fn parse_limit(body: &SearchRow) -> Result<usize, EndpointError> {
    let limit = match body.get("pageLimit") {
        None => return Err(EndpointError::unprocessable("pageLimit can't be undefined")),
        Some(limit) => limit.as_u64(),
    };
    match limit {
        Some(limit @ 1..=LARGEST_PAGE) => Ok(usize::try_from(limit).unwrap_or_default()),
        Some(0) => Err(EndpointError::validation_failed(vec![
            "pageLimit must not be less than 1".to_owned(),
        ])),
        Some(_) => Err(EndpointError::validation_failed(vec![
            "pageLimit must not be greater than 500".to_owned(),
        ])),
        None => Err(EndpointError::validation_failed(vec![
            "pageLimit must be an integer number".to_owned(),
        ])),
    }
}

fn parse_start(
    body: &SearchRow,
    limit: usize,
    sort: &SearchSort,
    window: usize,
) -> Result<PageStart, EndpointError> {
    let page = match body.get("page") {
        None => None,
        Some(page) => {
            let page = page.as_u64().filter(|page| *page > 0).ok_or_else(|| {
                EndpointError::validation_failed(vec!["page must not be less than 1".to_owned()])
            })?;
            Some(usize::try_from(page).unwrap_or(usize::MAX))
        }
    };
    let cursor = match body.get("searchAfter") {
        Some(Value::Array(list)) if list.is_empty() => None,
        Some(value) => Some(sort.parse_cursor(value)?),
        None => None,
    };
    match (page, cursor) {
        (Some(_), Some(_)) => {
            Err(EndpointError::bad_request("`page` parameter can't be used with `searchAfter`"))
        }
        (None, Some(cursor)) => Ok(PageStart::After(cursor)),
        (page, None) => {
            let page = page.unwrap_or(1);
            if page.saturating_mul(limit) > window {
                return Err(EndpointError::bad_request(format!(
                    "Result window is too large, page * pageLimit must be less than or equal to: [{window}]"
                )));
            }
            Ok(PageStart::Skip((page - 1) * limit))
        }
    }
}
