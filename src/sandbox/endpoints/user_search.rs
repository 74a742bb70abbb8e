//! `GET /users/search`: the users of an agency or of one of its locations.
//!
//! It replaces the deprecated `GET /users/` (api.md §1.11), and needs the agency's id.

use serde_json::{Value, json};

use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::oauth::COMPANY;
use crate::sandbox::store::state::SandboxState;

const PARAMETERS: [&str; 11] = [
    "companyId",
    "query",
    "skip",
    "limit",
    "locationId",
    "type",
    "role",
    "ids",
    "sort",
    "sortDirection",
    "enabled2waySync",
];
const DEFAULT_PAGE: i64 = 25;

pub(crate) fn search_users(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    request.reject_unknown_parameters(&PARAMETERS)?;
    match request.query_parameter("companyId") {
        None => {
            let text = "companyId should not be empty".to_owned();
            return Err(EndpointError::validation_failed(vec![text]));
        }
        Some(company) if company != COMPANY => {
            let text = "The token does not have access to this company.";
            return Err(EndpointError::forbidden(text));
        }
        Some(_) => {}
    }
    if let Some(location) = request.query_parameter("locationId") {
        state.authorize_location(request, location)?;
    }
    let mut users = find_users(state, request)?;
    if let Some(field) = request.query_parameter("sort") {
        let text = |user: &Value| user[field].as_str().unwrap_or_default().to_lowercase();
        users.sort_by_cached_key(text);
        if request.query_parameter("sortDirection") == Some("desc") {
            users.reverse();
        }
    }
    let number = |name: &str, default: i64| {
        let number = request.integer_parameter(name)?.unwrap_or(default).max(0);
        Ok::<_, EndpointError>(usize::try_from(number).unwrap_or(usize::MAX))
    };
    let (skip, limit) = (number("skip", 0)?, number("limit", DEFAULT_PAGE)?);
    let page: Vec<&Value> = users.iter().skip(skip).take(limit).collect();
    let body = json!({ "users": page, "count": users.len(), "traceId": request.trace });
    Ok(SandboxResponse::json(200, &body))
}

/// The users that the request wants, of the locations that its token covers.
fn find_users(state: &SandboxState, request: &SandboxRequest) -> Result<Vec<Value>, EndpointError> {
    let grant = state.authenticate_request(request)?;
    let wanted = |name: &str| request.query_parameter(name);
    let stores = state.stores.iter().filter(|store| {
        grant.covers_location(&store.location)
            && wanted("locationId").is_none_or(|location| location == store.location)
    });
    let text = |user: &Value, path: &str| {
        user.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let query = wanted("query").unwrap_or_default().to_lowercase();
    let fits = |user: &&Value| {
        let named = ["/name", "/email"].map(|path| text(user, path).to_lowercase());
        named.iter().any(|own| own.contains(&query))
            && wanted("type").is_none_or(|own| own == text(user, "/roles/type"))
            && wanted("role").is_none_or(|own| own == text(user, "/roles/role"))
            && wanted("ids").is_none_or(|ids| ids.split(',').any(|id| id == text(user, "/id")))
            // No seeded user synchronises a calendar.
            && wanted("enabled2waySync") != Some("true")
    };
    Ok(stores.flat_map(|store| store.metadata.users.iter().filter(fits).cloned()).collect())
}
