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
//! | `PUT /__sandbox/contacts/{id}` | replaces values of its row, raw, its notes and tasks; adds `__appointments`, |
//! | | removes those in `__remove_appointments`; |
//! | | `__silent` leaves its `dateUpdated` as it is |
//! | `DELETE /__sandbox/contacts/{id}` | deletes a contact, unseen at once |
//! | `GET /__sandbox/notes?locationId=ID` | each note once, with its relations |
//! | `POST /__sandbox/notes?locationId=ID` | adds raw notes; `source` and `relations` are as a search shows them |
//! | `POST /__sandbox/tasks?locationId=ID` | adds raw rows to the search of tasks, which no contact lists |
//! | `POST /__sandbox/contacts/index`, `…/notes/index` | the search of contacts or notes catches up with all writes |
//! | `PUT /__sandbox/customFields?locationId=ID` | replaces the field definitions |
//! | `PUT /__sandbox/users`, `…/businesses`, `…/calendars?locationId=ID` | replaces the users, businesses or calendars |
//! | `POST /__sandbox/settings` | `{"limit": "10/1s"}`, in seconds `clock_ahead` and `token_life`, a list `not_installed`, |
//! | | changes to `notes_search` such as `"limit=100,lag=held"`, `contact_lookup`: `everyone`, `apps`, `apps-403` |
//! | `GET /__sandbox/oauth` | how many tokens were issued, refreshed, refused |
//! | `POST /__sandbox/oauth/expire`, `…/revoke` | ends all access tokens; all refresh tokens |
//! | `POST /__sandbox/oauth/grant` | `{"userType": "Company"}`, `{"locationId", "scope", "life"}`: tokens |
//! | `POST /__sandbox/live` | `{"edits": N, "seed": S}`: N random changes, as with `--live`; says what they were |
//! | `POST /__sandbox/release` | lets held and stalled requests go |
//! | `GET /__sandbox/held?at_least=N` | answers once N requests are held |
//! | `GET /__sandbox/wait?requests=N` | answers once N requests were served since the start |

pub(super) mod external_edits;
mod records;
mod settings;
pub(super) mod snapshot;

use serde_json::{Value, json};

use super::faults::fault::FaultRule;
use super::http::app::SandboxApp;
use super::http::request::{ParsedBody, SandboxRequest};
use super::http::response::{EndpointError, EndpointResult, SandboxResponse};
use super::live_edits::LiveEdits;
use super::oauth;
use super::store::state::SandboxState;

/// Most random changes of one request.
const MOST_EDITS: u64 = 10_000;

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
        ("POST", ["live"]) => edit_at_random(state, request),
        ("GET", ["faults"]) => Ok(render_faults(state)),
        ("POST", ["faults"]) => {
            state.faults.extend(parse_faults(&request.content)?);
            Ok(render_faults(state))
        }
        ("DELETE", ["faults"]) => {
            state.faults.clear();
            Ok(render_faults(state))
        }
        ("POST", ["settings"]) => settings::change_settings(state, request),
        (method, ["oauth", path @ ..]) => {
            oauth::oauth_control::dispatch_route(state, method, path, request)
                .unwrap_or_else(|| Err(unknown_route(request)))
        }
        (method, path) => records::dispatch_route(state, method, path, request)
            .unwrap_or_else(|| Err(unknown_route(request))),
    }
}

fn unknown_route(request: &SandboxRequest) -> EndpointError {
    EndpointError::not_found(format!(
        "there is no control route {} {}",
        request.method, request.target
    ))
}

fn edit_at_random(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let body = request.body_object()?;
    let number = |key: &str| body.get(key).and_then(Value::as_u64).unwrap_or(1);
    let mut edits = LiveEdits::new(number("seed"));
    let done: Vec<String> =
        (0..number("edits").min(MOST_EDITS)).map(|_| edits.edit_at_random(state)).collect();
    Ok(SandboxResponse::json(200, &json!({ "edits": done })))
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
