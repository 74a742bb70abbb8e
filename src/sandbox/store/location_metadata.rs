//! The metadata of a location: fields, tags, users, businesses, calendars.
//!
//! Lists as the service sends them, and the look-ups that writes need.

use serde_json::{Value, json};

use super::state::SandboxState;
use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointResult, SandboxResponse};

/// Part of the service's list, with two names that are only aliases. Writes accept the others too.
const TIME_ZONES: [&str; 24] = [
    "Africa/Johannesburg",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Mexico_City",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Toronto",
    "Asia/Calcutta",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Tokyo",
    "Australia/Sydney",
    "Etc/GMT+12",
    "Europe/Berlin",
    "Europe/Kiev",
    "Europe/London",
    "Europe/Madrid",
    "Europe/Paris",
    "Pacific/Auckland",
    "Pacific/Honolulu",
    "US/Pacific",
    "UTC",
];

/// The lists of one location.
#[derive(Debug, Default)]
pub(crate) struct LocationMetadata {
    pub(crate) location: Value,
    pub(crate) fields: Vec<Value>,
    pub(crate) tags: Vec<Value>,
    pub(crate) users: Vec<Value>,
    pub(crate) businesses: Vec<Value>,
    pub(crate) calendars: Vec<Value>,
}

impl LocationMetadata {
    /// The contact field with this id, or with this key with or without its `contact.` prefix.
    pub(crate) fn contact_field(&self, id: Option<&str>, key: Option<&str>) -> Option<&Value> {
        let contact = |field: &&Value| field["model"] == "contact";
        let by_id = |field: &&Value| field["id"].as_str() == id;
        if id.is_some() {
            return self.fields.iter().filter(contact).find(by_id);
        }
        let key = key?;
        self.fields.iter().filter(contact).find(|field| {
            let own = field["fieldKey"].as_str().unwrap_or_default();
            own == key || own.strip_prefix("contact.") == Some(key)
        })
    }

    pub(crate) fn has_user(&self, id: &str) -> bool {
        self.users.iter().any(|user| user["id"] == id)
    }

    /// A user as the task search shows one; null if the id is not one of the location's users.
    pub(crate) fn user_details(&self, id: &str) -> Value {
        let user = self.users.iter().find(|user| user["id"] == id);
        user.map_or(Value::Null, |user| {
            json!({
                "id": id, "firstName": user["firstName"], "lastName": user["lastName"],
                "profilePhoto": null,
            })
        })
    }

    pub(crate) fn business_name(&self, id: &Value) -> Option<Value> {
        let business = self.businesses.iter().find(|business| business["id"] == *id);
        business.map(|business| business["name"].clone())
    }

    pub(crate) fn knows_time_zone(name: &str) -> bool {
        let same = |zone: jiff::tz::TimeZone| zone.iana_name() == Some(name);
        TIME_ZONES.contains(&name) || jiff::tz::db().get(name).is_ok_and(same)
    }

    pub(crate) fn add_tag(&mut self, id: &str, name: &str, location: &str) {
        if !self.tags.iter().any(|tag| tag["name"] == name) {
            self.tags.push(json!({ "id": id, "name": name, "locationId": location }));
        }
    }
}

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
        return Err(crate::sandbox::http::response::EndpointError::validation_failed(vec![
            text.to_owned(),
        ]));
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
