//! Calendars and their events.

use serde_json::{Value, json};

use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::store::calendar_events::StoredAppointment;
use crate::sandbox::store::state::SandboxState;

/// `GET /calendars/?locationId`.
pub(crate) fn list(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let store = state.authorize_named_location(request)?;
    request.reject_unknown_parameters(&["locationId", "groupId", "showDrafted"])?;
    let calendars = &state.stores[store].metadata.calendars;
    Ok(SandboxResponse::json(200, &json!({ "calendars": calendars, "traceId": request.trace })))
}

/// `GET /calendars/events`: the events that start in a window, by user, calendar or group.
pub(crate) fn list_events(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let store = state.authorize_named_location(request)?;
    let allowed = ["locationId", "startTime", "endTime", "userId", "calendarId", "groupId"];
    request.reject_unknown_parameters(&allowed)?;
    let (start, end) = parse_time_range(state, request)?;
    let wanted =
        [("userId", user_id as EventIdGetter), ("calendarId", calendar_id), ("groupId", group_id)];
    let wanted: Vec<(&str, EventIdGetter)> = wanted
        .into_iter()
        .filter_map(|(name, of)| Some((request.query_parameter(name)?, of)))
        .collect();
    if wanted.is_empty() {
        return Err(EndpointError::unprocessable(
            "Either of userId, groupId or calendarId is required",
        ));
    }
    let all = state.stores[store].events.all_appointments();
    let events: Vec<Value> = all
        .filter(|event| (start..end).contains(&event.start))
        .filter(|event| wanted.iter().all(|(id, of)| of(event) == *id))
        .map(StoredAppointment::to_calendar_json)
        .collect();
    Ok(SandboxResponse::json(200, &json!({ "events": events, "traceId": request.trace })))
}

/// `GET /contacts/{id}/appointments`.
pub(crate) fn list_appointments(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> EndpointResult {
    let place = state.authorize_contact(request)?;
    let events = state.stores[place.store].events.for_contact(place.slot);
    let events: Vec<Value> = events.map(StoredAppointment::to_contact_json).collect();
    Ok(SandboxResponse::json(200, &json!({ "events": events, "traceId": request.trace })))
}

type EventIdGetter = fn(&StoredAppointment) -> &str;

fn user_id(event: &StoredAppointment) -> &str {
    &event.user
}

fn calendar_id(event: &StoredAppointment) -> &str {
    &event.calendar
}

fn group_id(event: &StoredAppointment) -> &str {
    &event.group
}

fn parse_time_range(
    state: &SandboxState,
    request: &SandboxRequest,
) -> Result<(i64, i64), EndpointError> {
    let bound = |name: &str| {
        let wrong =
            || EndpointError::validation_failed(vec![format!("{name} must be a number string")]);
        request.query_parameter(name).and_then(|text| text.parse::<i64>().ok()).ok_or_else(wrong)
    };
    let (start, end) = (bound("startTime")?, bound("endTime")?);
    let length = u128::try_from(end - start)
        .map_err(|_| EndpointError::unprocessable("endTime must be greater than startTime"))?;
    if state.settings.event_window.is_some_and(|longest| length > longest.as_millis()) {
        return Err(EndpointError::unprocessable("The time range is too large"));
    }
    Ok((start, end))
}
