//! The control routes, which exist only in the sandbox: what a test inspects and changes.
//!
//! They need no token, are not counted, and are not logged.
//!
//! | route | does |
//! | --- | --- |
//! | `GET /__sandbox/log?last=N` | counts, and the last N requests (all without it) |
//! | `DELETE /__sandbox/log` | forgets them |
//! | `GET`, `POST`, `DELETE /__sandbox/faults` | the armed faults; adds a list of texts; disarms all |
//! | `GET /__sandbox/state?locationId=ID` | all contacts with notes, tasks and appointments |
//! | `GET /__sandbox/state?plain` | the same sorted, without ids and dates: two accounts can be compared |
//! | `POST /__sandbox/contacts?locationId=ID` | adds raw rows, seen at once; `__notes`, `__tasks` are children |
//! | `PUT /__sandbox/contacts/{id}` | replaces values of its row, raw, its notes and tasks; adds `__appointments` |
//! | `DELETE /__sandbox/contacts/{id}` | deletes a contact, unseen at once |
//! | `PUT /__sandbox/customFields?locationId=ID` | replaces the field definitions |
//! | `PUT /__sandbox/users`, `/__sandbox/businesses?locationId=ID` | replaces the users or businesses |
//! | `POST /__sandbox/settings` | `{"limit": "10/1s"}`, in seconds `clock_ahead` and `token_life`, a list `not_installed` |
//! | `GET /__sandbox/oauth` | how many tokens were issued, refreshed, refused |
//! | `POST /__sandbox/oauth/expire`, `…/revoke` | ends all access tokens; all refresh tokens |
//! | `POST /__sandbox/oauth/grant` | `{"userType": "Company"}`, `{"locationId", "scope", "life"}`: tokens |
//! | `POST /__sandbox/release` | lets held and stalled requests go |
//! | `GET /__sandbox/held?at_least=N` | answers once N requests are held |
//! | `GET /__sandbox/wait?requests=N` | answers once N requests were served since the start |

pub(super) mod external_edits;
pub(super) mod snapshot;

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::faults::fault::FaultRule;
use super::http::app::SandboxApp;
use super::http::request::{ParsedBody, SandboxRequest};
use super::http::response::{EndpointError, EndpointResult, SandboxResponse};
use super::oauth;
use super::store::calendar_events::StoredAppointment;
use super::store::state::SandboxState;

/// Answers a control request.
pub(super) async fn handle_request(app: &SandboxApp, request: &SandboxRequest) -> SandboxResponse {
    let count = |name: &str| {
        request.integer_parameter(name).ok().flatten().and_then(|count| count.try_into().ok())
    };
    let path: Vec<&str> = request.segments.iter().skip(1).map(String::as_str).collect();
    let outcome = match (request.method.as_str(), path.as_slice()) {
        ("GET", ["held"]) => {
            let held = app.barrier.wait_until_held(count("at_least").unwrap_or(1)).await;
            Ok(SandboxResponse::json(200, &json!({ "held": held })))
        }
        ("GET", ["wait"]) => {
            let served = app.barrier.wait_until_served(count("requests").unwrap_or(1)).await;
            Ok(SandboxResponse::json(200, &json!({ "requests": served })))
        }
        ("POST", ["release"]) => {
            app.barrier.release_all();
            Ok(SandboxResponse::json(200, &json!({})))
        }
        (method, path) => dispatch_route(&mut app.lock_state(), method, path, request),
    };
    outcome.unwrap_or_else(|refusal| refusal.into_response(&request.trace))
}

fn dispatch_route(
    state: &mut SandboxState,
    method: &str,
    path: &[&str],
    request: &SandboxRequest,
) -> EndpointResult {
    match (method, path) {
        ("GET", ["log"]) => {
            let last =
                request.integer_parameter("last")?.and_then(|last| usize::try_from(last).ok());
            let interval = state.limiter.limit().interval;
            Ok(SandboxResponse::json(
                200,
                &state.journal.render_report(interval, last.unwrap_or(usize::MAX)),
            ))
        }
        ("DELETE", ["log"]) => {
            state.journal.clear();
            Ok(SandboxResponse::json(200, &json!({})))
        }
        ("GET", ["faults"]) => Ok(render_faults(state)),
        ("POST", ["faults"]) => {
            state.faults.extend(parse_faults(&request.content)?);
            Ok(render_faults(state))
        }
        ("DELETE", ["faults"]) => {
            state.faults.clear();
            Ok(render_faults(state))
        }
        ("GET", ["state"]) => render_state(state, request),
        ("POST", ["contacts"]) => {
            let (store, rows) = (location_index(state, request)?, require_list(&request.content)?);
            external_edits::insert_contacts(state, store, rows)
        }
        ("PUT", ["contacts", id]) => {
            external_edits::edit_contact(state, id, request.body_object()?)
        }
        ("DELETE", ["contacts", id]) => {
            let place = state
                .find_contact(id)
                .ok_or_else(|| EndpointError::not_found("no such contact"))?;
            state.stores[place.store].remove(place.slot, false);
            Ok(SandboxResponse::json(200, &json!({})))
        }
        ("PUT", [name @ ("customFields" | "users" | "businesses")]) => {
            let (store, items) = (location_index(state, request)?, require_list(&request.content)?);
            let metadata = &mut state.stores[store].metadata;
            let place = match *name {
                "customFields" => &mut metadata.fields,
                "users" => &mut metadata.users,
                _ => &mut metadata.businesses,
            };
            place.clone_from(items);
            Ok(SandboxResponse::json(200, &json!({})))
        }
        ("POST", ["settings"]) => change_settings(state, request),
        (method, ["oauth", path @ ..]) => {
            oauth::oauth_control::dispatch_route(state, method, path, request)
                .unwrap_or_else(|| Err(unknown_route(request)))
        }
        _ => Err(unknown_route(request)),
    }
}

fn unknown_route(request: &SandboxRequest) -> EndpointError {
    EndpointError::not_found(format!(
        "there is no control route {} {}",
        request.method, request.target
    ))
}

fn render_faults(state: &SandboxState) -> SandboxResponse {
    let list = state.faults.iter().map(|fault| {
        json!({ "fault": fault.to_string(), "fired": fault.fire_count(), "spent": fault.is_exhausted() })
    });
    SandboxResponse::json(200, &list.collect())
}

fn parse_faults(content: &ParsedBody) -> Result<Vec<FaultRule>, EndpointError> {
    let one = |text: &Value| {
        let text = text.as_str().unwrap_or_default();
        text.parse::<FaultRule>().map_err(|error| EndpointError::unprocessable(error.to_string()))
    };
    match content {
        ParsedBody::Json(text @ Value::String(_)) => Ok(vec![one(text)?]),
        content => require_list(content)?.iter().map(one).collect(),
    }
}

fn require_list(content: &ParsedBody) -> Result<&Vec<Value>, EndpointError> {
    match content {
        ParsedBody::Json(Value::Array(list)) => Ok(list),
        _ => Err(EndpointError::unprocessable("the body must be a list")),
    }
}

/// The location in the query, or the first.
fn location_index(state: &SandboxState, request: &SandboxRequest) -> Result<usize, EndpointError> {
    let Some(location) = request.query_parameter("locationId") else { return Ok(0) };
    let found = state.stores.iter().position(|store| store.location == location);
    found.ok_or_else(|| EndpointError::not_found("no such location"))
}

fn change_settings(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    for (key, value) in request.body_object()? {
        let seconds = || {
            value
                .as_i64()
                .ok_or_else(|| EndpointError::unprocessable(format!("`{key}` needs seconds")))
        };
        match key.as_str() {
            "limit" => {
                let limit = value.as_str().unwrap_or_default().parse();
                let limit =
                    limit.map_err(|error| EndpointError::unprocessable(format!("{error}")))?;
                state.limiter.set_limit(limit);
            }
            "clock_ahead" => state.settings.clock_ahead = SignedDuration::from_secs(seconds()?),
            "token_life" => {
                let seconds = u64::try_from(seconds()?).unwrap_or_default();
                state.settings.token_life = Duration::from_secs(seconds);
            }
            "not_installed" => {
                let list = serde_json::from_value(value.clone());
                let wrong =
                    |_| EndpointError::unprocessable(format!("`{key}` needs a list of texts"));
                state.settings.not_installed = list.map_err(wrong)?;
            }
            _ => return Err(EndpointError::unknown_property(&key)),
        }
    }
    let settings = &state.settings;
    let set = json!({
        "limit": state.limiter.limit().to_string(),
        "clock_ahead": settings.clock_ahead.as_secs(),
        "token_life": settings.token_life.as_secs(),
        "not_installed": settings.not_installed,
    });
    Ok(SandboxResponse::json(200, &set))
}

/// All contacts as they are, not as searches show them.
fn render_state(state: &SandboxState, request: &SandboxRequest) -> EndpointResult {
    let store = &state.stores[location_index(state, request)?];
    if request.query_parameter("plain").is_some() {
        return Ok(SandboxResponse::json(
            200,
            &json!({ "contacts": snapshot::snapshot_contacts(store) }),
        ));
    }
    let mut body = String::from("{\"contacts\":[");
    for (number, contact) in store.existing_contacts().enumerate() {
        if number > 0 {
            body.push(',');
        }
        let notes: Vec<&str> = contact.notes.iter().map(|note| &*note.json).collect();
        let tasks: Vec<&str> = contact.tasks.iter().map(|task| &*task.json).collect();
        let slot = store.find_by_id(&contact.id);
        let events = slot.into_iter().flat_map(|slot| store.events.for_contact(slot));
        let events: Vec<String> =
            events.map(|event: &StoredAppointment| event.to_calendar_json().to_string()).collect();
        body.push_str("{\"contact\":");
        body.push_str(&contact.row_json());
        for (name, list) in [
            ("notes", notes.join(",")),
            ("tasks", tasks.join(",")),
            ("appointments", events.join(",")),
        ] {
            body.push_str(",\"");
            body.push_str(name);
            body.push_str("\":[");
            body.push_str(&list);
            body.push(']');
        }
        body.push('}');
    }
    body.push_str("]}");
    Ok(SandboxResponse::new(200, body))
}
