//! The locations of the agency, and where the app is installed: the old list and the new pages.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::http::request::Ask;
use super::super::http::response::{Answer, Refusal};
use super::super::store::state::State;
use super::oauth_errors::Refused;
use super::{Reply, agency_only, client_app, scope};

const LARGEST_PAGE: i64 = 100;
const DEFAULT_PAGE: i64 = 20;

/// `GET /oauth/installedLocations?companyId&appId`: by `skip` and `limit`.
pub(super) fn list(state: &mut State, ask: &Ask) -> Reply {
    agency_only(state, ask, scope::OAUTH_READ)?;
    let own = ["skip", "limit", "query", "isInstalled", "companyId", "appId", "locationId"];
    ask.only_parameters(&[&own[..], &["versionId", "onTrial", "planId"]].concat())?;
    for name in ["companyId", "appId"] {
        if ask.parameter(name).is_none_or(str::is_empty) {
            return Err(Refusal::invalid(vec![format!("{name} must be a string")]).into());
        }
    }
    if ask.parameter("companyId") != Some(client_app::COMPANY) {
        return Err(Refusal::forbidden("The token does not have access to this company.").into());
    }
    if ask.parameter("appId") != Some(client_app::id()) {
        return Err(Refusal::bad_request("App not found").into());
    }
    let found = matching(state, ask)?;
    let place = |name, default| Ok::<_, Refusal>(ask.number(name)?.unwrap_or(default).max(0));
    let (skip, limit) = (place("skip", 0)?, place("limit", DEFAULT_PAGE)?);
    let page = slice(&found, skip, limit);
    Ok(Answer::json(
        200,
        &json!({
            "locations": page, "count": found.len(), "installToFutureLocations": false,
            "traceId": ask.trace,
        }),
    ))
}

/// `GET /oauth/installed-locations`: by `pageSize` and `pageToken`, with errors of its own.
pub(super) fn pages(state: &mut State, ask: &Ask) -> Reply {
    agency_only(state, ask, scope::OAUTH_READ)?;
    let own = ["pageSize", "pageToken", "query", "isInstalled", "companyId", "appId", "locationId"];
    let rare = ["versionId", "onTrial", "planId", "restrictToUserLocations"];
    ask.only_parameters(&[&own[..], &rare].concat())?;
    let invalid = |field: &str| {
        let details = json!({ "field": field });
        Refused::wrapped(400, "INVALID_ARGUMENT", format!("{field} is invalid."), details)
    };
    if ask.parameter("companyId") != Some(client_app::COMPANY) {
        return Err(invalid("companyId"));
    }
    let wanted = ask.parameter("appId").ok_or_else(|| invalid("appId"))?;
    if wanted != client_app::id() {
        let details = json!({ "resource": "App", "identifier": wanted });
        let message = format!("The requested App '{wanted}' was not found.");
        return Err(Refused::wrapped(404, "RESOURCE_NOT_FOUND", message, details));
    }
    let size = ask.number("pageSize").map_err(|_| invalid("pageSize"))?.unwrap_or(DEFAULT_PAGE);
    if !(1..=LARGEST_PAGE).contains(&size) {
        return Err(invalid("pageSize"));
    }
    let skip = match ask.parameter("pageToken") {
        Some(token) => read_page(token).ok_or_else(|| invalid("pageToken"))?,
        None => 0,
    };
    let found = matching(state, ask)?;
    let (page, total) = (slice(&found, skip, size), i64::try_from(found.len()).unwrap_or(i64::MAX));
    let mut pagination = json!({
        "totalRecords": total, "hasNextPage": skip + size < total, "hasPrevPage": skip > 0,
        "currentPageSize": page.len(),
    });
    if skip + size < total {
        pagination["nextPageToken"] = write_page(skip + size).into();
    }
    if skip > 0 {
        pagination["prevPageToken"] = write_page((skip - size).max(0)).into();
    }
    let metadata = json!({ "filterApplied": { "companyId": client_app::COMPANY } });
    let body = json!({
        "items": page, "pagination": pagination, "metadata": metadata,
        "installToFutureLocations": false,
    });
    Ok(Answer::json(200, &body))
}

/// The locations that the request's filters let through.
fn matching(state: &State, ask: &Ask) -> Result<Vec<Value>, Refusal> {
    let installed = match ask.parameter("isInstalled") {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => {
            return Err(Refusal::invalid(vec!["isInstalled must be a boolean value".to_owned()]));
        }
    };
    let named = ask.parameter("query").unwrap_or_default().to_lowercase();
    let rows = state.shelves.iter().map(|shelf| {
        let record = &shelf.metadata.location;
        let here = state.installed().any(|one| *one == shelf.location);
        let mut row = json!({
            "_id": shelf.location, "name": record["name"], "address": record["address"],
            "isInstalled": here,
        });
        if here {
            row["versionId"] = client_app::id().into();
            row["installedAt"] = "2024-01-15T10:30:00.000Z".into();
        }
        row
    });
    let fits = |row: &Value| {
        let name = row["name"].as_str().unwrap_or_default().to_lowercase();
        name.contains(&named)
            && installed.is_none_or(|wanted| row["isInstalled"] == wanted)
            && ask.parameter("locationId").is_none_or(|wanted| row["_id"] == wanted)
    };
    Ok(rows.filter(fits).collect())
}

fn slice(rows: &[Value], skip: i64, limit: i64) -> Vec<&Value> {
    let count = |number: i64| usize::try_from(number).unwrap_or_default();
    rows.iter().skip(count(skip)).take(count(limit)).collect()
}

/// A page token: opaque to the client.
fn write_page(skip: i64) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json!({ "skip": skip }).to_string())
}

fn read_page(token: &str) -> Option<i64> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
    let page: Value = serde_json::from_slice(&bytes).ok()?;
    page["skip"].as_i64().filter(|skip| *skip >= 0)
}
