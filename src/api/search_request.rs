//! The contact search.
//!
//! Every search reads an index that lags behind writes by seconds to minutes (api.md §2.10). A
//! contact that it does not find may exist.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use super::client::{ApiClient, json_body};
use super::date_ranges;
use super::decode;
use super::endpoint::{ApiEndpoint, SEARCH_LIMIT};
use super::error::ApiError;
use super::response::{ApiResponse, ContactPage, SearchCursor};
use super::search_options::RequestedOptions;
use crate::id::LocationId;

/// The part of a search body that callers choose.
#[derive(Debug, Clone, Default, Serialize, serde::Deserialize)]
pub struct ContactSearchFilter {
    /// Filters in the API's grammar; all of them must match.
    pub filters: Vec<serde_json::Value>,
    /// Full text over name, e-mail and phone, at most 75 characters.
    pub query: Option<String>,
}

impl ContactSearchFilter {
    /// Whether every contact matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty() && self.query.is_none()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ContactSearchPayload<'a> {
    location_id: &'a LocationId,
    page_limit: usize,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    filters: &'a [serde_json::Value],
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<&'a str>,
    sort: [SearchSortClause; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    search_after: Option<Box<RawValue>>,
}

#[derive(Clone, Copy, Serialize)]
struct SearchSortClause {
    field: &'static str,
    direction: &'static str,
}

const OLDEST_FIRST: SearchSortClause = SearchSortClause { field: "dateAdded", direction: "asc" };
const NEWEST_FIRST: SearchSortClause = SearchSortClause { field: "dateAdded", direction: "desc" };
const UPDATED_LAST_FIRST: SearchSortClause =
    SearchSortClause { field: "dateUpdated", direction: "desc" };

impl ApiClient {
    /// A page of contacts by `dateAdded`, oldest first. It has fewer rows than `limit` where the server takes no such
    /// page.
    pub async fn search_contacts(
        &self,
        filter: &ContactSearchFilter,
        limit: usize,
        after: Option<&SearchCursor>,
    ) -> Result<ApiResponse<ContactPage>, ApiError> {
        self.search_sorted(filter, limit, after, OLDEST_FIRST).await
    }

    /// The most recently added contacts that match, newest first.
    pub async fn search_newest_contacts(
        &self,
        filter: &ContactSearchFilter,
        limit: usize,
    ) -> Result<ApiResponse<ContactPage>, ApiError> {
        self.search_sorted(filter, limit, None, NEWEST_FIRST).await
    }

    /// A page of contacts by `dateUpdated`, the one that was updated last first. Its total counts all contacts.
    pub async fn search_recently_updated(
        &self,
        limit: usize,
        after: Option<&SearchCursor>,
    ) -> Result<ApiResponse<ContactPage>, ApiError> {
        let everything = ContactSearchFilter::default();
        self.search_sorted(&everything, limit, after, UPDATED_LAST_FIRST).await
    }

    /// The first page of the contacts whose custom field, identified by its id, has this value
    /// (api.md §2.7; a name or key instead of the id finds nothing, §2.8).
    pub async fn search_by_custom_field(
        &self,
        field: &str,
        value: &serde_json::Value,
    ) -> Result<ApiResponse<ContactPage>, ApiError> {
        let field = format!("customFields.{field}");
        let equal = serde_json::json!({ "field": field, "operator": "eq", "value": value });
        let filter = ContactSearchFilter { filters: vec![equal], query: None };
        self.search_sorted(&filter, SEARCH_LIMIT, None, OLDEST_FIRST).await
    }

    /// Most rows of a page of contacts, as far as is known.
    #[must_use]
    pub fn contact_page_size(&self) -> usize {
        self.options.contacts.page_size()
    }

    /// Most rows of a page of tasks, as far as is known.
    #[must_use]
    pub fn task_page_size(&self) -> usize {
        self.options.tasks.page_size()
    }

    async fn search_sorted(
        &self,
        filter: &ContactSearchFilter,
        limit: usize,
        after: Option<&SearchCursor>,
        order: SearchSortClause,
    ) -> Result<ApiResponse<ContactPage>, ApiError> {
        let date_fields = date_ranges::find_numeric_fields(&filter.filters);
        let requested = RequestedOptions { limit, date_fields, has_cursor: false };
        let mut negotiation = self.options.contacts.negotiate(requested);
        loop {
            let filters = if negotiation.dialect.dates_as_text {
                Cow::Owned(date_ranges::with_dates_as_text(&filter.filters))
            } else {
                Cow::Borrowed(filter.filters.as_slice())
            };
            let body = ContactSearchPayload {
                location_id: self.location_id(),
                page_limit: negotiation.limit(),
                filters: &filters,
                query: filter.query.as_deref(),
                sort: [order],
                search_after: after.map(SearchCursor::to_raw_value),
            };
            let (path, body) = ("/contacts/search".to_owned(), Some(json_body(&body)));
            let route = ApiEndpoint::SearchContacts;
            match self.send_request(route, path, body, decode::contact_page).await {
                Ok(mut response) => {
                    if negotiation.accept() {
                        self.options.remember();
                    }
                    response.head.limit = negotiation.limit();
                    return Ok(response);
                }
                Err(error) => negotiation.reject(error)?,
            }
        }
    }
}
