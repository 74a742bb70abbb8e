//! The routes: which method and path leads to which endpoint, and which scope it needs.
//!
//! A table. Unknown paths are answered as the service's framework does.

use super::auth::{TokenAudience, scope};
use super::request::{RequestVersion, SandboxRequest};
use super::response::{EndpointError, EndpointResult};
use crate::sandbox::endpoints::{
    associations, calendars, contact_search, contacts, list_contacts, location_lists, notes,
    notes_search, tags, task_search, tasks,
};
use crate::sandbox::oauth;
use crate::sandbox::sandbox_settings::ServiceQuirk;
use crate::sandbox::store::state::SandboxState;

type EndpointHandler = fn(&mut SandboxState, &SandboxRequest) -> EndpointResult;

/// Answers a request: checks version, token, route and scope, then runs the endpoint.
pub(crate) fn dispatch_request(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> EndpointResult {
    if let Some(outcome) = oauth::dispatch_route(state, request) {
        return outcome;
    }
    let version = request.parse_version()?;
    let grant = state.authenticate_request(request)?;
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let Some((scope, route)) = find_route(&request.method, &segments) else {
        return Err(unknown_route(request));
    };
    let listing = matches!((request.method.as_str(), segments.as_slice()), ("GET", ["contacts"]));
    if listing && version == RequestVersion::V3 && !state.settings.has_quirk(ServiceQuirk::ListOnV3)
    {
        return Err(unknown_route(request));
    }
    let notes = &state.settings.notes_search;
    if segments[0] == "notes" && !notes.serves_version(request.version.as_deref()) {
        return Err(unknown_route(request));
    }
    grant.require_scope(scope, required_audience(&segments))?;
    route(state, request)
}

/// An agency's token may read a location's record; everything else needs the location's own.
fn required_audience(path: &[&str]) -> TokenAudience {
    if matches!(path, ["locations", _]) { TokenAudience::Either } else { TokenAudience::Location }
}

fn unknown_route(request: &SandboxRequest) -> EndpointError {
    EndpointError::unknown_route(&request.method, &request.target)
}

fn find_route(method: &str, path: &[&str]) -> Option<(&'static str, EndpointHandler)> {
    match path {
        ["contacts", rest @ ..] => find_contact_route(method, rest),
        _ => find_other_route(method, path),
    }
}

fn find_contact_route(method: &str, path: &[&str]) -> Option<(&'static str, EndpointHandler)> {
    use scope::{CONTACTS_READ as READ, CONTACTS_WRITE as WRITE};
    Some(match (method, path) {
        ("POST", ["search"]) => (READ, contact_search::search_contacts),
        ("GET", ["search", "duplicate"]) => (READ, contacts::find_duplicate),
        ("POST", ["upsert"]) => (WRITE, contacts::upsert),
        ("POST", ["bulk", "tags", "update", "add" | "remove"]) => (WRITE, tags::bulk_update),
        ("POST", ["bulk", "business"]) => (WRITE, associations::assign_business),
        ("GET", ["business", _]) => (READ, list_contacts::list_business_contacts),
        ("GET", []) => (READ, list_contacts::list_contacts),
        ("POST", []) => (WRITE, contacts::create),
        ("GET", [_]) => (READ, contacts::get),
        ("PUT", [_]) => (WRITE, contacts::update),
        ("DELETE", [_]) => (WRITE, contacts::delete),
        ("GET", [_, "notes"]) => (READ, notes::list),
        ("POST", [_, "notes"]) => (WRITE, notes::create),
        ("GET", [_, "notes", _]) => (READ, notes::get),
        ("PUT", [_, "notes", _]) => (WRITE, notes::update),
        ("DELETE", [_, "notes", _]) => (WRITE, notes::delete),
        ("GET", [_, "tasks"]) => (READ, tasks::list),
        ("POST", [_, "tasks"]) => (WRITE, tasks::create),
        ("GET", [_, "tasks", _]) => (READ, tasks::get),
        ("PUT", [_, "tasks", _]) => (WRITE, tasks::update),
        ("PUT", [_, "tasks", _, "completed"]) => (WRITE, tasks::complete),
        ("DELETE", [_, "tasks", _]) => (WRITE, tasks::delete),
        ("POST", [_, "tags"]) => (WRITE, tags::add_tags),
        ("DELETE", [_, "tags"]) => (WRITE, tags::remove_tags),
        ("POST", [_, "followers"]) => (WRITE, associations::add_followers),
        ("DELETE", [_, "followers"]) => (WRITE, associations::remove_followers),
        ("GET", [_, "appointments"]) => (READ, calendars::list_appointments),
        _ => return None,
    })
}

fn find_other_route(method: &str, path: &[&str]) -> Option<(&'static str, EndpointHandler)> {
    Some(match (method, path) {
        ("POST", ["notes", "search"]) => (scope::NOTES_READ, notes_search::search_notes),
        ("GET", ["locations", _]) => (scope::LOCATION_READ, location_lists::get_location),
        ("POST", ["locations", _, "tasks", "search"]) => {
            (scope::TASKS_READ, task_search::search_tasks)
        }
        ("GET", ["locations", _, "customFields"]) => {
            (scope::FIELDS_READ, location_lists::list_custom_fields)
        }
        ("GET", ["locations", _, "tags"]) => (scope::TAGS_READ, location_lists::list_tags),
        ("GET", ["locations", _, "timezones"]) => {
            (scope::LOCATION_READ, location_lists::list_time_zones)
        }
        ("GET", ["users"]) => (scope::USERS_READ, location_lists::list_users),
        ("GET", ["businesses"]) => (scope::BUSINESSES_READ, location_lists::list_businesses),
        ("GET", ["calendars"]) => (scope::CALENDARS_READ, calendars::list),
        ("GET", ["calendars", "events"]) => (scope::EVENTS_READ, calendars::list_events),
        _ => return None,
    })
}
