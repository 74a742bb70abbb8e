//! The agency's locations, and where the app is installed: the old list and the new pages.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::http::request::SandboxRequest;
use super::super::http::response::{EndpointError, SandboxResponse};
use super::super::store::state::SandboxState;
use super::oauth_errors::OauthEndpointError;
use super::{OauthEndpointResult, client_app, require_agency_scope, scope};

const LARGEST_PAGE: i64 = 100;
const DEFAULT_PAGE: i64 = 20;

/// `GET /oauth/installedLocations?companyId&appId`, paged by `skip` and `limit`.
pub(super) fn list_by_offset(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> OauthEndpointResult {
    require_agency_scope(state, request, scope::OAUTH_READ)?;
    let own = ["skip", "limit", "query", "isInstalled", "companyId", "appId", "locationId"];
    request.reject_unknown_parameters(&[&own[..], &["versionId", "onTrial", "planId"]].concat())?;
    for name in ["companyId", "appId"] {
        if request.query_parameter(name).is_none_or(str::is_empty) {
            return Err(
                EndpointError::validation_failed(vec![format!("{name} must be a string")]).into()
            );
        }
    }
    if request.query_parameter("companyId") != Some(client_app::COMPANY) {
        return Err(
            EndpointError::forbidden("The token does not have access to this company.").into()
        );
    }
    if request.query_parameter("appId") != Some(client_app::app_id()) {
        return Err(EndpointError::bad_request("App not found").into());
    }
    let found = filter_locations(state, request)?;
    let place = |name, default| {
        Ok::<_, EndpointError>(request.integer_parameter(name)?.unwrap_or(default).max(0))
    };
    let (skip, limit) = (place("skip", 0)?, place("limit", DEFAULT_PAGE)?);
    let page = slice_page(&found, skip, limit);
    Ok(SandboxResponse::json(
        200,
        &json!({
            "locations": page, "count": found.len(), "installToFutureLocations": false,
            "traceId": request.trace,
        }),
    ))
}

/// `GET /oauth/installed-locations`, paged by `pageSize` and `pageToken`, with its own errors.
pub(super) fn list_by_page_token(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> OauthEndpointResult {
    require_agency_scope(state, request, scope::OAUTH_READ)?;
    let own = ["pageSize", "pageToken", "query", "isInstalled", "companyId", "appId", "locationId"];
    let rare = ["versionId", "onTrial", "planId", "restrictToUserLocations"];
    request.reject_unknown_parameters(&[&own[..], &rare].concat())?;
    let invalid = |field: &str| {
        let details = json!({ "field": field });
        OauthEndpointError::wrapped_error(
            400,
            "INVALID_ARGUMENT",
            format!("{field} is invalid."),
            details,
        )
    };
    if request.query_parameter("companyId") != Some(client_app::COMPANY) {
        return Err(invalid("companyId"));
    }
    let wanted = request.query_parameter("appId").ok_or_else(|| invalid("appId"))?;
    if wanted != client_app::app_id() {
        let details = json!({ "resource": "App", "identifier": wanted });
        let message = format!("The requested App '{wanted}' was not found.");
        return Err(OauthEndpointError::wrapped_error(404, "RESOURCE_NOT_FOUND", message, details));
    }
    let size = request
        .integer_parameter("pageSize")
        .map_err(|_| invalid("pageSize"))?
        .unwrap_or(DEFAULT_PAGE);
    if !(1..=LARGEST_PAGE).contains(&size) {
        return Err(invalid("pageSize"));
    }
    let skip = match request.query_parameter("pageToken") {
        Some(token) => decode_page_token(token).ok_or_else(|| invalid("pageToken"))?,
        None => 0,
    };
    let found = filter_locations(state, request)?;
    let (page, total) =
        (slice_page(&found, skip, size), i64::try_from(found.len()).unwrap_or(i64::MAX));
    let mut pagination = json!({
        "totalRecords": total, "hasNextPage": skip + size < total, "hasPrevPage": skip > 0,
        "currentPageSize": page.len(),
    });
    if skip + size < total {
        pagination["nextPageToken"] = encode_page_token(skip + size).into();
    }
    if skip > 0 {
        pagination["prevPageToken"] = encode_page_token((skip - size).max(0)).into();
    }
    let metadata = json!({ "filterApplied": { "companyId": client_app::COMPANY } });
    let body = json!({
        "items": page, "pagination": pagination, "metadata": metadata,
        "installToFutureLocations": false,
    });
    Ok(SandboxResponse::json(200, &body))
}

/// The locations that match the request's filters.
fn filter_locations(
    state: &SandboxState,
    request: &SandboxRequest,
) -> Result<Vec<Value>, EndpointError> {
    let installed = match request.query_parameter("isInstalled") {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => {
            return Err(EndpointError::validation_failed(vec![
                "isInstalled must be a boolean value".to_owned(),
            ]));
        }
    };
    let named = request.query_parameter("query").unwrap_or_default().to_lowercase();
    let rows = state.stores.iter().map(|store| {
        let record = &store.metadata.location;
        let here = state.installed_locations().any(|one| *one == store.location);
        let mut row = json!({
            "_id": store.location, "name": record["name"], "address": record["address"],
            "isInstalled": here,
        });
        if here {
            row["versionId"] = client_app::app_id().into();
            row["installedAt"] = "2024-01-15T10:30:00.000Z".into();
        }
        row
    });
    let fits = |row: &Value| {
        let name = row["name"].as_str().unwrap_or_default().to_lowercase();
        name.contains(&named)
            && installed.is_none_or(|wanted| row["isInstalled"] == wanted)
            && request.query_parameter("locationId").is_none_or(|wanted| row["_id"] == wanted)
    };
    Ok(rows.filter(fits).collect())
}

fn slice_page(rows: &[Value], skip: i64, limit: i64) -> Vec<&Value> {
    let count = |number: i64| usize::try_from(number).unwrap_or_default();
    rows.iter().skip(count(skip)).take(count(limit)).collect()
}

/// A page token: opaque to the client.
fn encode_page_token(skip: i64) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json!({ "skip": skip }).to_string())
}

fn decode_page_token(token: &str) -> Option<i64> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
    let page: Value = serde_json::from_slice(&bytes).ok()?;
    page["skip"].as_i64().filter(|skip| *skip >= 0)
}
