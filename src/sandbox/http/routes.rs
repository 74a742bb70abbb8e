//! The routes: which method and path leads to which endpoint, and which scope it needs.
//!
//! A table. Unknown paths are answered as the service's framework does.

use super::auth::{TokenAudience, scope};
use super::request::SandboxRequest;
use super::response::{EndpointError, EndpointResult};
use crate::sandbox::endpoints::{
    associations, calendars, contact_lookup, contact_search, contacts, list_contacts,
    location_lists, location_writes, note_records, notes, notes_search, tags, task_search, tasks,
    user_search,
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
    request.parse_version()?;
    let grant = state.authenticate_request(request)?;
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let found = find_route(&request.method, &segments, request.is_v3());
    let Some((scope, route)) = found.filter(|_| serves_version(state, request, &segments)) else {
        return Err(unknown_route(request));
    };
    grant.require_scope(scope, required_audience(&segments))?;
    route(state, request)
}

/// Whether the version of a request has the route.
fn serves_version(state: &SandboxState, request: &SandboxRequest, path: &[&str]) -> bool {
    let settings = &state.settings;
    match (request.method.as_str(), path) {
        ("GET", ["contacts"]) => !request.is_v3() || settings.has_quirk(ServiceQuirk::ListOnV3),
        (_, ["notes", ..]) => settings.notes_search.serves_version(request.version.as_deref()),
        _ => true,
    }
}

/// An agency's token may read a location's record and users; everything else needs the location's own.
fn required_audience(path: &[&str]) -> TokenAudience {
    match path {
        ["locations", _] | ["users", "search"] => TokenAudience::Either,
        _ => TokenAudience::Location,
    }
}

fn unknown_route(request: &SandboxRequest) -> EndpointError {
    EndpointError::unknown_route(&request.method, &request.target)
}

fn find_route(method: &str, path: &[&str], v3: bool) -> Option<(&'static str, EndpointHandler)> {
    match path {
        // Other versions take the word for an id (api.md §5.11).
        ["contacts", "lookup"] if v3 && method == "GET" => {
            Some((scope::CONTACTS_READ, contact_lookup::look_up_contacts))
        }
        ["contacts", rest @ ..] => find_contact_route(method, rest),
        ["notes", rest @ ..] => find_note_route(method, rest),
        ["locations", _, rest @ ..] => find_location_route(method, rest),
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

fn find_note_route(method: &str, path: &[&str]) -> Option<(&'static str, EndpointHandler)> {
    use scope::{NOTES_READ as READ, NOTES_WRITE as WRITE};
    Some(match (method, path) {
        ("POST", ["search"]) => (READ, notes_search::search_notes),
        ("POST", []) => (WRITE, note_records::create),
        ("GET", [_]) => (READ, note_records::get),
        ("PUT", [_]) => (WRITE, note_records::update),
        ("DELETE", [_]) => (WRITE, note_records::delete),
        ("PATCH", [_, "attachments"]) => (WRITE, note_records::change_attachments),
        ("PUT", [_, "relations"]) => (WRITE, note_records::change_relations),
        ("POST", [_, "restore"]) => (WRITE, note_records::restore),
        _ => return None,
    })
}

fn find_location_route(method: &str, path: &[&str]) -> Option<(&'static str, EndpointHandler)> {
    Some(match (method, path) {
        ("GET", []) => (scope::LOCATION_READ, location_lists::get_location),
        ("POST", ["tasks", "search"]) => (scope::TASKS_READ, task_search::search_tasks),
        ("GET", ["customFields"]) => (scope::FIELDS_READ, location_lists::list_custom_fields),
        ("POST", ["customFields"]) => (scope::FIELDS_WRITE, location_writes::create_custom_field),
        ("DELETE", ["customFields", _]) => {
            (scope::FIELDS_WRITE, location_writes::delete_custom_field)
        }
        ("GET", ["customFields", _]) => (scope::FIELDS_READ, location_writes::get_custom_field),
        ("GET", ["tags"]) => (scope::TAGS_READ, location_lists::list_tags),
        ("POST", ["tags"]) => (scope::TAGS_WRITE, location_writes::create_tag),
        ("GET", ["timezones"]) => (scope::LOCATION_READ, location_lists::list_time_zones),
        _ => return None,
    })
}

fn find_other_route(method: &str, path: &[&str]) -> Option<(&'static str, EndpointHandler)> {
    Some(match (method, path) {
        ("GET", ["users"]) => (scope::USERS_READ, location_lists::list_users),
        ("GET", ["users", "search"]) => (scope::USERS_READ, user_search::search_users),
        ("GET", ["businesses"]) => (scope::BUSINESSES_READ, location_lists::list_businesses),
        ("GET", ["calendars"]) => (scope::CALENDARS_READ, calendars::list),
        ("GET", ["calendars", "events"]) => (scope::EVENTS_READ, calendars::list_events),
        _ => return None,
    })
}
