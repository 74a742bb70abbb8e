//! Calendars and their events.

use serde_json::{Value, json};

use crate::sandbox::http::request::Ask;
use crate::sandbox::http::response::{Answer, Outcome, Refusal};
use crate::sandbox::store::calendar_events::Event;
use crate::sandbox::store::state::State;

/// `GET /calendars/?locationId`.
pub(crate) fn list(state: &mut State, ask: &Ask) -> Outcome {
    let shelf = state.named_shelf(ask)?;
    ask.only_parameters(&["locationId", "groupId", "showDrafted"])?;
    let calendars = &state.shelves[shelf].metadata.calendars;
    Ok(Answer::json(200, &json!({ "calendars": calendars, "traceId": ask.trace })))
}

/// `GET /calendars/events`: what starts in a window, by user, calendar or group.
pub(crate) fn events(state: &mut State, ask: &Ask) -> Outcome {
    let shelf = state.named_shelf(ask)?;
    let allowed = ["locationId", "startTime", "endTime", "userId", "calendarId", "groupId"];
    ask.only_parameters(&allowed)?;
    let (start, end) = window(state, ask)?;
    let wanted = [("userId", user as Of), ("calendarId", calendar), ("groupId", group)];
    let wanted: Vec<(&str, Of)> =
        wanted.into_iter().filter_map(|(name, of)| Some((ask.parameter(name)?, of))).collect();
    if wanted.is_empty() {
        return Err(Refusal::unprocessable("Either of userId, groupId or calendarId is required"));
    }
    let all = state.shelves[shelf].events.all();
    let events: Vec<Value> = all
        .filter(|event| (start..end).contains(&event.start))
        .filter(|event| wanted.iter().all(|(id, of)| of(event) == *id))
        .map(Event::in_calendar)
        .collect();
    Ok(Answer::json(200, &json!({ "events": events, "traceId": ask.trace })))
}

/// `GET /contacts/{id}/appointments`.
pub(crate) fn of_contact(state: &mut State, ask: &Ask) -> Outcome {
    let place = state.contact(ask)?;
    let events = state.shelves[place.shelf].events.of(place.slot);
    let events: Vec<Value> = events.map(Event::on_contact).collect();
    Ok(Answer::json(200, &json!({ "events": events, "traceId": ask.trace })))
}

type Of = fn(&Event) -> &str;

fn user(event: &Event) -> &str {
    &event.user
}

fn calendar(event: &Event) -> &str {
    &event.calendar
}

fn group(event: &Event) -> &str {
    &event.group
}

fn window(state: &State, ask: &Ask) -> Result<(i64, i64), Refusal> {
    let bound = |name: &str| {
        let wrong = || Refusal::invalid(vec![format!("{name} must be a number string")]);
        ask.parameter(name).and_then(|text| text.parse::<i64>().ok()).ok_or_else(wrong)
    };
    let (start, end) = (bound("startTime")?, bound("endTime")?);
    let length = u128::try_from(end - start)
        .map_err(|_| Refusal::unprocessable("endTime must be greater than startTime"))?;
    if state.settings.event_window.is_some_and(|longest| length > longest.as_millis()) {
        return Err(Refusal::unprocessable("The time range is too large"));
    }
    Ok((start, end))
}
