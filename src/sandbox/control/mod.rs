//! The control routes, which exist only here: what a test looks at and switches.
//!
//! They need no token, are not counted, and are not written down.
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

use super::faults::fault::Fault;
use super::http::request::{Ask, Content};
use super::http::response::{Answer, Outcome, Refusal};
use super::http::server::App;
use super::oauth;
use super::store::calendar_events::Event;
use super::store::state::State;

/// Answers a control request.
pub(super) async fn answer(app: &App, ask: &Ask) -> Answer {
    let count =
        |name: &str| ask.number(name).ok().flatten().and_then(|count| count.try_into().ok());
    let path: Vec<&str> = ask.segments.iter().skip(1).map(String::as_str).collect();
    let outcome = match (ask.method.as_str(), path.as_slice()) {
        ("GET", ["held"]) => {
            let held = app.gate.until_held(count("at_least").unwrap_or(1)).await;
            Ok(Answer::json(200, &json!({ "held": held })))
        }
        ("GET", ["wait"]) => {
            let served = app.gate.until_served(count("requests").unwrap_or(1)).await;
            Ok(Answer::json(200, &json!({ "requests": served })))
        }
        ("POST", ["release"]) => {
            app.gate.release();
            Ok(Answer::json(200, &json!({})))
        }
        (method, path) => run(&mut app.state(), method, path, ask),
    };
    outcome.unwrap_or_else(|refusal| refusal.into_answer(&ask.trace))
}

fn run(state: &mut State, method: &str, path: &[&str], ask: &Ask) -> Outcome {
    match (method, path) {
        ("GET", ["log"]) => {
            let last = ask.number("last")?.and_then(|last| usize::try_from(last).ok());
            let interval = state.limiter.limit().interval;
            Ok(Answer::json(200, &state.journal.report(interval, last.unwrap_or(usize::MAX))))
        }
        ("DELETE", ["log"]) => {
            state.journal.clear();
            Ok(Answer::json(200, &json!({})))
        }
        ("GET", ["faults"]) => Ok(faults(state)),
        ("POST", ["faults"]) => {
            state.faults.extend(read_faults(&ask.content)?);
            Ok(faults(state))
        }
        ("DELETE", ["faults"]) => {
            state.faults.clear();
            Ok(faults(state))
        }
        ("GET", ["state"]) => show(state, ask),
        ("POST", ["contacts"]) => {
            let (shelf, rows) = (shelf(state, ask)?, list(&ask.content)?);
            external_edits::insert(state, shelf, rows)
        }
        ("PUT", ["contacts", id]) => external_edits::edit(state, id, ask.object()?),
        ("DELETE", ["contacts", id]) => {
            let place = state.place(id).ok_or_else(|| Refusal::not_found("no such contact"))?;
            state.shelves[place.shelf].remove(place.slot, false);
            Ok(Answer::json(200, &json!({})))
        }
        ("PUT", [name @ ("customFields" | "users" | "businesses")]) => {
            let (shelf, items) = (shelf(state, ask)?, list(&ask.content)?);
            let metadata = &mut state.shelves[shelf].metadata;
            let place = match *name {
                "customFields" => &mut metadata.fields,
                "users" => &mut metadata.users,
                _ => &mut metadata.businesses,
            };
            place.clone_from(items);
            Ok(Answer::json(200, &json!({})))
        }
        ("POST", ["settings"]) => set(state, ask),
        (method, ["oauth", path @ ..]) => {
            oauth::oauth_control::run(state, method, path, ask).unwrap_or_else(|| Err(nowhere(ask)))
        }
        _ => Err(nowhere(ask)),
    }
}

fn nowhere(ask: &Ask) -> Refusal {
    Refusal::not_found(format!("there is no control route {} {}", ask.method, ask.target))
}

fn faults(state: &State) -> Answer {
    let list = state.faults.iter().map(|fault| {
        json!({ "fault": fault.to_string(), "fired": fault.fired(), "spent": fault.spent() })
    });
    Answer::json(200, &list.collect())
}

fn read_faults(content: &Content) -> Result<Vec<Fault>, Refusal> {
    let one = |text: &Value| {
        let text = text.as_str().unwrap_or_default();
        text.parse::<Fault>().map_err(|error| Refusal::unprocessable(error.to_string()))
    };
    match content {
        Content::Json(text @ Value::String(_)) => Ok(vec![one(text)?]),
        content => list(content)?.iter().map(one).collect(),
    }
}

fn list(content: &Content) -> Result<&Vec<Value>, Refusal> {
    match content {
        Content::Json(Value::Array(list)) => Ok(list),
        _ => Err(Refusal::unprocessable("the body must be a list")),
    }
}

/// The location in the query, or the first.
fn shelf(state: &State, ask: &Ask) -> Result<usize, Refusal> {
    let Some(location) = ask.parameter("locationId") else { return Ok(0) };
    let found = state.shelves.iter().position(|shelf| shelf.location == location);
    found.ok_or_else(|| Refusal::not_found("no such location"))
}

fn set(state: &mut State, ask: &Ask) -> Outcome {
    for (key, value) in ask.object()? {
        let seconds = || {
            value.as_i64().ok_or_else(|| Refusal::unprocessable(format!("`{key}` needs seconds")))
        };
        match key.as_str() {
            "limit" => {
                let limit = value.as_str().unwrap_or_default().parse();
                let limit = limit.map_err(|error| Refusal::unprocessable(format!("{error}")))?;
                state.limiter.set(limit);
            }
            "clock_ahead" => state.settings.clock_ahead = SignedDuration::from_secs(seconds()?),
            "token_life" => {
                let seconds = u64::try_from(seconds()?).unwrap_or_default();
                state.settings.token_life = Duration::from_secs(seconds);
            }
            "not_installed" => {
                let list = serde_json::from_value(value.clone());
                let wrong = |_| Refusal::unprocessable(format!("`{key}` needs a list of texts"));
                state.settings.not_installed = list.map_err(wrong)?;
            }
            _ => return Err(Refusal::unknown_property(&key)),
        }
    }
    let settings = &state.settings;
    let set = json!({
        "limit": state.limiter.limit().to_string(),
        "clock_ahead": settings.clock_ahead.as_secs(),
        "token_life": settings.token_life.as_secs(),
        "not_installed": settings.not_installed,
    });
    Ok(Answer::json(200, &set))
}

/// All contacts as they are, not as searches see them.
fn show(state: &State, ask: &Ask) -> Outcome {
    let shelf = &state.shelves[shelf(state, ask)?];
    if ask.parameter("plain").is_some() {
        return Ok(Answer::json(200, &json!({ "contacts": snapshot::contacts(shelf) })));
    }
    let mut body = String::from("{\"contacts\":[");
    for (number, contact) in shelf.living().enumerate() {
        if number > 0 {
            body.push(',');
        }
        let notes: Vec<&str> = contact.notes.iter().map(|note| &*note.json).collect();
        let tasks: Vec<&str> = contact.tasks.iter().map(|task| &*task.json).collect();
        let slot = shelf.find(&contact.id);
        let events = slot.into_iter().flat_map(|slot| shelf.events.of(slot));
        let events: Vec<String> =
            events.map(|event: &Event| event.in_calendar().to_string()).collect();
        body.push_str("{\"contact\":");
        body.push_str(&contact.row_text());
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
    Ok(Answer::new(200, body))
}
