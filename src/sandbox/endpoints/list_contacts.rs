//! The lists that are not searches: the deprecated `GET /contacts/`, and the contacts of a
//! business.

use serde_json::{Value, json};

use super::dialect;
use super::filter_parse::matches_full_text;
use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::store::contact::SearchRow;
use crate::sandbox::store::state::SandboxState;

const LARGEST_PAGE: i64 = 100;

/// `GET /contacts/`: newest first.
pub(crate) fn list_contacts(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let store = state.authorize_named_location(request)?;
    request.reject_unknown_parameters(&[
        "locationId",
        "startAfterId",
        "startAfter",
        "query",
        "limit",
    ])?;
    let limit = parse_limit(request, 20)?;
    let after =
        request.integer_parameter("startAfter")?.zip(request.query_parameter("startAfterId"));
    let store = &mut state.stores[store];
    store.refresh_index(std::time::Instant::now());
    let end = match after {
        Some((added, id)) => store.order_position(added, id, false),
        None => store.order_len(),
    };
    let matches = |row: &SearchRow| {
        request.query_parameter("query").is_none_or(|query| matches_full_text(row, query))
    };
    let seen = store.indexed_range(0, end).rev();
    let rows =
        seen.map(|(_, view)| (view.contact, view.parse_row())).filter(|(_, row)| matches(row));
    let page: Vec<_> = rows.take(limit).collect();
    let last = page.last().map(|(contact, _)| (contact.added, contact.id.to_string()));
    let last = last.filter(|_| page.len() == limit);
    let rows: Vec<SearchRow> =
        page.into_iter().map(|(_, row)| dialect::render_list_row(row)).collect();
    let total = match request.query_parameter("query") {
        None => store.indexed_count(),
        Some(_) => store
            .indexed_range(0, store.order_len())
            .filter(|(_, view)| matches(&view.parse_row()))
            .count(),
    };
    let next = last.as_ref().map(|(added, id)| {
        let location = &store.location;
        format!(
            "http://localhost:5058/contacts/?locationId={location}&startAfter={added}&startAfterId={id}&limit={limit}"
        )
    });
    let body = json!({
        "contacts": rows,
        "count": total,
        "meta": {
            "total": total,
            "nextPageUrl": next,
            "startAfterId": last.as_ref().map(|(_, id)| id),
            "startAfter": last.as_ref().map(|(added, _)| added),
            "currentPage": 1,
            "nextPage": last.as_ref().map_or(Value::from(""), |_| Value::from(2)),
            "prevPage": null,
        },
        "traceId": request.trace,
    });
    Ok(SandboxResponse::json(200, &body))
}

/// `GET /contacts/business/{id}`.
pub(crate) fn list_business_contacts(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> EndpointResult {
    let store = state.authorize_named_location(request)?;
    let allowed = ["locationId", "limit", "skip", "query"];
    request.reject_unknown_parameters(&allowed[..])?;
    let (limit, skip) =
        (parse_limit(request, 25)?, request.integer_parameter("skip")?.unwrap_or_default());
    let skip = usize::try_from(skip).unwrap_or_default();
    let business = request.path_segment(2);
    let store = &mut state.stores[store];
    store.refresh_index(std::time::Instant::now());
    let rows: Vec<SearchRow> = store
        .indexed_range(0, store.order_len())
        // The id occurs in the row's text; parsing only such rows keeps a large account fast.
        .filter(|(_, view)| view.open_row.contains(business))
        .map(|(_, view)| view.parse_row())
        .filter(|row| row.get("businessId").and_then(Value::as_str) == Some(business))
        .filter(|row| {
            request.query_parameter("query").is_none_or(|query| matches_full_text(row, query))
        })
        .collect();
    let count = rows.len();
    let page: Vec<SearchRow> =
        rows.into_iter().skip(skip).take(limit).map(dialect::render_list_row).collect();
    let body = json!({ "contacts": page, "count": count, "traceId": request.trace });
    Ok(SandboxResponse::json(200, &body))
}

fn parse_limit(request: &SandboxRequest, default: i64) -> Result<usize, EndpointError> {
    let limit = request.integer_parameter("limit")?.unwrap_or(default);
    if (1..=LARGEST_PAGE).contains(&limit) {
        return Ok(usize::try_from(limit).unwrap_or_default());
    }
    Err(EndpointError::validation_failed(vec!["limit must not be greater than 100".to_owned()]))
}
