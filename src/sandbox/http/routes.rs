//! The routes: which method and path leads where, and which scope it needs.
//!
//! A table. Paths that are not in it are answered as the service's framework does.

use super::auth::{Audience, scope};
use super::request::{Ask, Version};
use super::response::{Outcome, Refusal};
use crate::sandbox::endpoints::{
    associations, calendars, contact_search, contacts, list_contacts, notes, tags, task_search,
    tasks,
};
use crate::sandbox::oauth;
use crate::sandbox::sandbox_settings::Quirk;
use crate::sandbox::store::location_metadata;
use crate::sandbox::store::state::State;

type Route = fn(&mut State, &Ask) -> Outcome;

/// Answers a request: version, token, route, scope, and then what the route says.
pub(crate) fn run(state: &mut State, ask: &Ask) -> Outcome {
    if let Some(outcome) = oauth::run(state, ask) {
        return outcome;
    }
    let version = ask.version()?;
    let grant = state.grant(ask)?;
    let segments: Vec<&str> = ask.segments.iter().map(String::as_str).collect();
    let Some((scope, route)) = find(&ask.method, &segments) else { return Err(nowhere(ask)) };
    let listing = matches!((ask.method.as_str(), segments.as_slice()), ("GET", ["contacts"]));
    if listing && version == Version::V3 && !state.settings.has(Quirk::ListOnV3) {
        return Err(nowhere(ask));
    }
    grant.may(scope, audience(&segments))?;
    route(state, ask)
}

/// An agency's token may read a location's record; everything else is the location's own.
fn audience(path: &[&str]) -> Audience {
    if matches!(path, ["locations", _]) { Audience::Either } else { Audience::Location }
}

fn nowhere(ask: &Ask) -> Refusal {
    let path = ask.target.split('?').next().unwrap_or_default();
    Refusal::not_found(format!("Cannot {} {path}", ask.method))
}

fn find(method: &str, path: &[&str]) -> Option<(&'static str, Route)> {
    match path {
        ["contacts", rest @ ..] => contact_routes(method, rest),
        _ => other_routes(method, path),
    }
}

fn contact_routes(method: &str, path: &[&str]) -> Option<(&'static str, Route)> {
    use scope::{CONTACTS_READ as READ, CONTACTS_WRITE as WRITE};
    Some(match (method, path) {
        ("POST", ["search"]) => (READ, contact_search::contacts),
        ("GET", ["search", "duplicate"]) => (READ, contacts::duplicate),
        ("POST", ["upsert"]) => (WRITE, contacts::upsert),
        ("POST", ["bulk", "tags", "update", "add" | "remove"]) => (WRITE, tags::bulk),
        ("POST", ["bulk", "business"]) => (WRITE, associations::business),
        ("GET", ["business", _]) => (READ, list_contacts::of_business),
        ("GET", []) => (READ, list_contacts::contacts),
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
        ("POST", [_, "tags"]) => (WRITE, tags::add),
        ("DELETE", [_, "tags"]) => (WRITE, tags::remove),
        ("POST", [_, "followers"]) => (WRITE, associations::follow),
        ("DELETE", [_, "followers"]) => (WRITE, associations::unfollow),
        ("GET", [_, "appointments"]) => (READ, calendars::of_contact),
        _ => return None,
    })
}

fn other_routes(method: &str, path: &[&str]) -> Option<(&'static str, Route)> {
    Some(match (method, path) {
        ("GET", ["locations", _]) => (scope::LOCATION_READ, location_metadata::location),
        ("POST", ["locations", _, "tasks", "search"]) => (scope::TASKS_READ, task_search::tasks),
        ("GET", ["locations", _, "customFields"]) => {
            (scope::FIELDS_READ, location_metadata::fields)
        }
        ("GET", ["locations", _, "tags"]) => (scope::TAGS_READ, location_metadata::tags),
        ("GET", ["locations", _, "timezones"]) => {
            (scope::LOCATION_READ, location_metadata::time_zones)
        }
        ("GET", ["users"]) => (scope::USERS_READ, location_metadata::users),
        ("GET", ["businesses"]) => (scope::BUSINESSES_READ, location_metadata::businesses),
        ("GET", ["calendars"]) => (scope::CALENDARS_READ, calendars::list),
        ("GET", ["calendars", "events"]) => (scope::EVENTS_READ, calendars::events),
        _ => return None,
    })
}
