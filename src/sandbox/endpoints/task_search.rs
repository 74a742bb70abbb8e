//! `POST /locations/{id}/tasks/search`: the tasks of all contacts.
//!
//! Sorted by `dateAdded` and `_id`, oldest first. Answers 201 and `_id`, as the service does, and
//! has no total. Task writes are visible at once, whatever the lag.

use std::ops::Bound;

use serde_json::{Map, Value};

use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::sandbox_settings::ServiceQuirk;
use crate::sandbox::store::location_store::LocationStore;
use crate::sandbox::store::notes_and_tasks::StoredTask;
use crate::sandbox::store::state::SandboxState;
use crate::sandbox::text::write_json_string;

const LARGEST_PAGE: u64 = 500;
const KEYS: [&str; 8] =
    ["contactId", "completed", "assignedTo", "query", "limit", "skip", "businessId", "searchAfter"];

/// The criteria of a task search.
#[derive(Debug)]
struct TaskSearchCriteria {
    contacts: Option<Vec<String>>,
    users: Option<Vec<String>>,
    completed: Option<bool>,
    text: Option<String>,
    business: Option<String>,
    limit: usize,
    skip: usize,
    after: Option<(i64, Box<str>)>,
}

pub(crate) fn search_tasks(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let store = state.authorize_named_location(request)?;
    let wanted = TaskSearchCriteria::parse(&request.body_object()?)?;
    if wanted.after.is_some() && state.settings.has_quirk(ServiceQuirk::TasksBySkip) {
        return Err(EndpointError::unknown_property("searchAfter"));
    }
    let store = &state.stores[store];
    let start = wanted.after.clone().map_or(Bound::Unbounded, Bound::Excluded);
    let all = store.tasks.range((start, Bound::Unbounded)).filter_map(|((_, id), slot)| {
        let contact = slot.map(|slot| &*store.contact(slot).id);
        store.find_task(id, *slot).map(|task| (contact, task))
    });
    let page = all
        .filter(|(contact, task)| wanted.matches_task(store, *contact, task))
        .skip(wanted.skip)
        .take(wanted.limit);
    let cursors = !state.settings.has_quirk(ServiceQuirk::TasksBySkip);
    let mut body = Vec::with_capacity(64 * 1024);
    body.extend_from_slice(b"{\"tasks\":[");
    for (number, (_, task)) in page.enumerate() {
        if number > 0 {
            body.push(b',');
        }
        body.extend_from_slice(task.found.as_bytes());
        if !cursors {
            body.push(b'}');
            continue;
        }
        body.extend_from_slice(format!(",\"searchAfter\":[{},", task.added).as_bytes());
        write_json_string(&mut body, &task.id);
        body.extend_from_slice(b"]}");
    }
    body.extend_from_slice(b"],\"traceId\":");
    write_json_string(&mut body, &request.trace);
    body.push(b'}');
    Ok(SandboxResponse::new(201, body))
}

impl TaskSearchCriteria {
    fn parse(body: &Map<String, Value>) -> Result<Self, EndpointError> {
        if let Some(unknown) = body.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(EndpointError::unknown_property(unknown));
        }
        let limit = parse_count(body, "limit", 25)?;
        if limit > LARGEST_PAGE || limit == 0 {
            return Err(EndpointError::validation_failed(vec![
                "limit must not be greater than 500".to_owned(),
            ]));
        }
        let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
        Ok(Self {
            contacts: parse_strings(body, "contactId")?,
            users: parse_strings(body, "assignedTo")?,
            completed: parse_bool(body, "completed")?,
            text: text("query").map(|text| text.to_lowercase()).filter(|text| !text.is_empty()),
            business: text("businessId"),
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            skip: usize::try_from(parse_count(body, "skip", 0)?).unwrap_or(usize::MAX),
            after: parse_cursor(body)?,
        })
    }

    /// Whether a task is wanted; `contact` is the one that lists it.
    fn matches_task(
        &self,
        place: &LocationStore,
        contact: Option<&str>,
        task: &StoredTask,
    ) -> bool {
        let shown = contact.map_or_else(|| task.shown_contact(), |id| Some(id.to_owned()));
        let is_wanted = |ids: &Vec<String>| shown.as_ref().is_some_and(|shown| ids.contains(shown));
        if !self.contacts.as_ref().is_none_or(is_wanted) {
            return false;
        }
        if self.users.is_none()
            && self.completed.is_none()
            && self.text.is_none()
            && self.business.is_none()
        {
            return true;
        }
        let fields = task.to_fields();
        let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default();
        let user =
            self.users.as_ref().is_none_or(|ids| ids.iter().any(|id| id == text("assignedTo")));
        let done = self.completed.is_none_or(|done| {
            fields.get("completed").and_then(Value::as_bool).unwrap_or_default() == done
        });
        let words = self.text.as_ref().is_none_or(|query| {
            text("title").to_lowercase().contains(query)
                || text("body").to_lowercase().contains(query)
        });
        let business = self.business.as_ref().is_none_or(|business| {
            let slot = contact.and_then(|contact| place.find_by_id(contact));
            let row = slot.map(|slot| place.contact(slot).parse_row());
            row.is_some_and(|row| row.get("businessId").and_then(Value::as_str) == Some(business))
        });
        user && done && words && business
    }
}

fn parse_count(body: &Map<String, Value>, key: &str, default: u64) -> Result<u64, EndpointError> {
    let Some(value) = body.get(key) else { return Ok(default) };
    value.as_u64().ok_or_else(|| {
        EndpointError::validation_failed(vec![format!("{key} must be a positive number")])
    })
}

fn parse_bool(body: &Map<String, Value>, key: &str) -> Result<Option<bool>, EndpointError> {
    let Some(value) = body.get(key) else { return Ok(None) };
    let wrong = || EndpointError::validation_failed(vec![format!("{key} must be a boolean value")]);
    value.as_bool().map(Some).ok_or_else(wrong)
}

fn parse_strings(
    body: &Map<String, Value>,
    key: &str,
) -> Result<Option<Vec<String>>, EndpointError> {
    let Some(value) = body.get(key) else { return Ok(None) };
    let wrong =
        || EndpointError::validation_failed(vec![format!("each value in {key} must be a string")]);
    let list = value.as_array().ok_or_else(wrong)?;
    let texts: Option<Vec<String>> =
        list.iter().map(|one| one.as_str().map(str::to_owned)).collect();
    texts.map(Some).ok_or_else(wrong)
}

fn parse_cursor(body: &Map<String, Value>) -> Result<Option<(i64, Box<str>)>, EndpointError> {
    let Some(value) = body.get("searchAfter") else { return Ok(None) };
    let cursor = value.as_array().map(Vec::as_slice);
    match cursor {
        Some([added, id]) => {
            let cursor = added.as_i64().zip(id.as_str());
            cursor.map(|(added, id)| Some((added, id.into())))
        }
        Some([]) => Some(None),
        _ => None,
    }
    .ok_or_else(|| EndpointError::bad_request("searchAfter is invalid"))
}
