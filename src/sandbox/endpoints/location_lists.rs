//! Reads of a location and of its fields, tags, time zones, users and businesses.

use serde_json::{Value, json};

use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::store::location_metadata::TIME_ZONES;
use crate::sandbox::store::state::SandboxState;

/// `GET /locations/{id}`.
pub(crate) fn get_location(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let store = state.authorize_named_location(request)?;
    let mut location = state.stores[store].metadata.location.clone();
    let unique: Vec<&str> = state.settings.unique.iter().map(|one| one.json_key()).collect();
    location["settings"] = json!({
        "allowDuplicateContact": state.settings.allow_duplicates,
        "allowDuplicateOpportunity": false,
        "allowFacebookNameMerge": false,
        "disableContactTimezone": false,
        "contactUniqueIdentifiers": unique,
    });
    Ok(keyed_response("location", &location, request))
}

/// `GET /locations/{id}/customFields?model=contact|opportunity|all`.
pub(crate) fn list_custom_fields(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> EndpointResult {
    let store = state.authorize_named_location(request)?;
    request.reject_unknown_parameters(&["model"])?;
    let model = request.query_parameter("model").unwrap_or("contact");
    if !["contact", "opportunity", "all"].contains(&model) {
        let text = "model must be one of the following values: contact, opportunity, all";
        return Err(EndpointError::validation_failed(vec![text.to_owned()]));
    }
    let all = state.stores[store].metadata.fields.iter();
    let fields: Vec<&Value> =
        all.filter(|field| model == "all" || field["model"] == model).collect();
    Ok(keyed_response("customFields", &json!(fields), request))
}

/// `GET /locations/{id}/tags`.
pub(crate) fn list_tags(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let store = state.authorize_named_location(request)?;
    Ok(keyed_response("tags", &json!(state.stores[store].metadata.tags), request))
}

/// `GET /locations/{id}/timezones`.
pub(crate) fn list_time_zones(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> EndpointResult {
    state.authorize_named_location(request)?;
    Ok(keyed_response("timeZones", &json!(TIME_ZONES), request))
}

/// `GET /users/?locationId`.
pub(crate) fn list_users(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let store = state.authorize_named_location(request)?;
    request.reject_unknown_parameters(&["locationId"])?;
    Ok(keyed_response("users", &json!(state.stores[store].metadata.users), request))
}

/// `GET /businesses/?locationId&limit&skip`.
pub(crate) fn list_businesses(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> EndpointResult {
    let store = state.authorize_named_location(request)?;
    request.reject_unknown_parameters(&["locationId", "limit", "skip"])?;
    let number = |name: &str, default: usize| {
        let number = request.integer_parameter(name)?;
        Ok(number.and_then(|number| usize::try_from(number).ok()).unwrap_or(default))
    };
    let (limit, skip) = (number("limit", 100)?.min(100), number("skip", 0)?);
    let all = state.stores[store].metadata.businesses.iter();
    let businesses: Vec<&Value> = all.skip(skip).take(limit).collect();
    Ok(keyed_response("businesses", &json!(businesses), request))
}

fn keyed_response(name: &str, value: &Value, request: &SandboxRequest) -> SandboxResponse {
    SandboxResponse::json(200, &json!({ name: value, "traceId": request.trace }))
}
