//! Searching for contacts.
//!
//! Every search reads an index that lags behind writes by seconds to minutes (api.md §2.10): what it
//! does not find may be there all the same.

use serde::Serialize;
use serde_json::value::RawValue;

use super::client::{Client, json};
use super::decode;
use super::endpoint::{Route, SEARCH_LIMIT};
use super::error::Error;
use super::response::{Answer, ContactPage, Cursor};
use super::retry::Bounds;
use crate::id::LocationId;

/// The body of a search, as far as a caller chooses it.
#[derive(Debug, Clone, Default, Serialize, serde::Deserialize)]
pub struct Filter {
    /// Filters in the API's grammar, all of which must hold.
    pub filters: Vec<serde_json::Value>,
    /// Full text over name, e-mail and phone, 75 characters at most.
    pub query: Option<String>,
}

impl Filter {
    /// Whether every contact passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty() && self.query.is_none()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SearchBody<'a> {
    location_id: &'a LocationId,
    page_limit: usize,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    filters: &'a [serde_json::Value],
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<&'a str>,
    sort: [Order; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    search_after: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Order {
    field: &'static str,
    direction: &'static str,
}

const OLDEST_FIRST: Order = Order { field: "dateAdded", direction: "asc" };
const NEWEST_FIRST: Order = Order { field: "dateAdded", direction: "desc" };

impl Client {
    /// A page of contacts in the order of their `dateAdded`, oldest first.
    pub async fn search_contacts(
        &self,
        filter: &Filter,
        limit: usize,
        after: Option<&Cursor>,
    ) -> Result<Answer<ContactPage>, Error> {
        self.search(filter, limit, after, OLDEST_FIRST).await
    }

    /// The newest contacts that pass, the newest first.
    pub async fn newest_contacts(
        &self,
        filter: &Filter,
        limit: usize,
    ) -> Result<Answer<ContactPage>, Error> {
        self.search(filter, limit, None, NEWEST_FIRST).await
    }

    /// The first page of the contacts whose custom field, named by its id, has this value
    /// (api.md §2.7; a name or key in the place of the id finds nothing, §2.8).
    pub async fn search_by_field(
        &self,
        field: &str,
        value: &serde_json::Value,
    ) -> Result<Answer<ContactPage>, Error> {
        let field = format!("customFields.{field}");
        let equal = serde_json::json!({ "field": field, "operator": "eq", "value": value });
        let filter = Filter { filters: vec![equal], query: None };
        self.search(&filter, SEARCH_LIMIT, None, OLDEST_FIRST).await
    }

    async fn search(
        &self,
        filter: &Filter,
        limit: usize,
        after: Option<&Cursor>,
        order: Order,
    ) -> Result<Answer<ContactPage>, Error> {
        let body = SearchBody {
            location_id: self.location(),
            page_limit: limit,
            filters: &filter.filters,
            query: filter.query.as_deref(),
            sort: [order],
            search_after: after.map(Cursor::raw),
        };
        let path = "/contacts/search".to_owned();
        self.call(Route::SearchContacts, path, Some(json(&body)), Bounds::PATIENT, decode::contacts)
            .await
    }
}
