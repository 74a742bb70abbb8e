//! One contact: read, create, update, upsert, delete, and the look-up of duplicates.
//!
//! Knows what the service makes of a write and which traps it keeps; `draft` knows which bodies it
//! takes.

use serde_json::{Value, json};

use super::contact_body::{self, Purpose};
use super::dialect;
use crate::sandbox::http::request::Ask;
use crate::sandbox::http::response::{Answer, Outcome, Refusal};
use crate::sandbox::sandbox_settings::{Identity, Quirk};
use crate::sandbox::store::contact::{Contact, Row};
use crate::sandbox::store::location_store::Slot;
use crate::sandbox::store::state::{Place, State, now};
use crate::sandbox::text;

pub(crate) fn get(state: &mut State, ask: &Ask) -> Outcome {
    let place = state.contact(ask)?;
    let contact = record(state, place, ask);
    Ok(Answer::json(200, &json!({ "contact": contact, "traceId": ask.trace })))
}

pub(crate) fn create(state: &mut State, ask: &Ask) -> Outcome {
    let body = ask.object()?;
    contact_body::check(&body, Purpose::Create, ask.is_v3())?;
    let shelf = state.named_shelf(ask)?;
    refuse_duplicate(state, shelf, &body, None)?;
    let place = add(state, ask, shelf, &body)?;
    let mut contact = record(state, place, ask);
    contact.insert("deleted".to_owned(), false.into());
    Ok(Answer::json(201, &json!({ "contact": contact, "traceId": ask.trace })))
}

pub(crate) fn update(state: &mut State, ask: &Ask) -> Outcome {
    let place = state.contact(ask)?;
    let body = ask.object()?;
    contact_body::check(&body, Purpose::Update, ask.is_v3())?;
    refuse_duplicate(state, place.shelf, &body, Some(place.slot))?;
    write(state, ask, place, &body)?;
    let contact = record(state, place, ask);
    let both = json!({
        "succeded": true, "succeeded": true, "contact": contact, "traceId": ask.trace,
    });
    let one = json!({ "succeeded": true, "contact": contact, "traceId": ask.trace });
    Ok(Answer::json(200, if ask.is_v3() { &one } else { &both }))
}

/// `POST /contacts/upsert`, with the traps of the real one: an e-mail address that is only an
/// additional one matches too and replaces the primary, and a phone that belongs to somebody else
/// is dropped in silence.
pub(crate) fn upsert(state: &mut State, ask: &Ask) -> Outcome {
    let mut body = ask.object()?;
    contact_body::check(&body, Purpose::Upsert, ask.is_v3())?;
    let shelf = state.named_shelf(ask)?;
    let apart = body.remove("createNewIfDuplicateAllowed") == Some(Value::Bool(true));
    let found = match_for_upsert(state, shelf, &body);
    let found = found.filter(|_| !(apart && state.settings.allow_duplicates));
    let (place, new) = match found {
        None => (add(state, ask, shelf, &body)?, true),
        Some(slot) => {
            let place = Place { shelf, slot };
            body.remove("gender");
            for identity in [Identity::Email, Identity::Phone] {
                let owners = owners(state, shelf, &body, identity);
                if !owners.is_empty() && !owners.contains(&slot) {
                    body.remove(identity.key());
                }
            }
            write(state, ask, place, &body)?;
            (place, false)
        }
    };
    let contact = record(state, place, ask);
    let status = if new { 201 } else { 200 };
    Ok(done(status, ask, json!({ "new": new, "contact": contact })))
}

pub(crate) fn delete(state: &mut State, ask: &Ask) -> Outcome {
    let place = state.contact(ask)?;
    state.shelves[place.shelf].remove(place.slot, true);
    let mut body = json!({ "succeded": true, "traceId": ask.trace });
    if ask.is_v3() {
        body["succeeded"] = true.into();
    }
    Ok(Answer::json(200, &body))
}

/// `GET /contacts/search/duplicate?locationId&number&email`; it reads the contacts, not the index.
pub(crate) fn duplicate(state: &mut State, ask: &Ask) -> Outcome {
    let shelf = state.named_shelf(ask)?;
    ask.only_parameters(&["locationId", "number", "email"])?;
    let (number, email) = (ask.parameter("number"), ask.parameter("email"));
    if number.is_none() && email.is_none() {
        let text = "Pass at least one of number, email query parameter";
        return Err(Refusal::bad_request(text));
    }
    let mut body = Row::new();
    for (key, value) in [("phone", number), ("email", email)] {
        if let Some(value) = value {
            body.insert(key.to_owned(), value.into());
        }
    }
    let unique = state.settings.unique.clone();
    let found = unique.iter().find_map(|identity| owner(state, shelf, &body, *identity));
    let contact = found.map(|slot| record(state, Place { shelf, slot }, ask));
    Ok(Answer::json(200, &json!({ "contact": contact, "traceId": ask.trace })))
}

/// An answer with the version's flag of success beside other fields.
pub(crate) fn done(status: u16, ask: &Ask, mut body: Value) -> Answer {
    let flag = if ask.is_v3() { "succeeded" } else { "succeded" };
    body[flag] = true.into();
    body["traceId"] = ask.trace.as_str().into();
    Answer::json(status, &body)
}

fn record(state: &State, place: Place, ask: &Ask) -> Row {
    dialect::record(state.shelves[place.shelf].contact(place.slot), ask.is_v3())
}

/// The contacts that have the body's value of one identity; old ones may share it.
fn owners<'a>(state: &'a State, shelf: usize, body: &Row, identity: Identity) -> &'a [Slot] {
    let Some(value) = body.get(identity.key()).and_then(Value::as_str) else { return &[] };
    let shelf = &state.shelves[shelf];
    match identity {
        Identity::Email => shelf.by_email(value),
        Identity::Phone => text::phone(value).map_or(&[], |phone| shelf.by_phone(&phone)),
    }
}

fn owner(state: &State, shelf: usize, body: &Row, identity: Identity) -> Option<Slot> {
    owners(state, shelf, body, identity).first().copied()
}

fn match_for_upsert(state: &State, shelf: usize, body: &Row) -> Option<Slot> {
    state.settings.unique.iter().find_map(|identity| {
        let found = owner(state, shelf, body, *identity);
        if found.is_some() || *identity == Identity::Phone {
            return found;
        }
        let email = body.get("email").and_then(Value::as_str)?;
        state.shelves[shelf].by_other_email(email).first().copied()
    })
}

fn refuse_duplicate(
    state: &State,
    shelf: usize,
    body: &Row,
    own: Option<Slot>,
) -> Result<(), Refusal> {
    if state.settings.allow_duplicates {
        return Ok(());
    }
    for identity in &state.settings.unique {
        let owners = owners(state, shelf, body, *identity);
        let Some(slot) = owners.first().filter(|_| own.is_none_or(|own| !owners.contains(&own)))
        else {
            continue;
        };
        let contact = state.shelves[shelf].contact(*slot);
        let name = contact.row().remove("contactName").unwrap_or_default();
        return Err(Refusal::duplicate(&contact.id, &name, identity.key()));
    }
    Ok(())
}

fn add(state: &mut State, ask: &Ask, shelf: usize, body: &Row) -> Result<Place, Refusal> {
    let id = state.mint();
    let time = now();
    let mut row = contact_body::empty_row(&id, &state.shelves[shelf].location, time);
    let tags = apply(state, shelf, body, &mut row, ask)?;
    super::tags::learn(state, shelf, &tags);
    let text = serde_json::to_string(&row).expect("a row is JSON");
    let mut contact = Contact::new(&id, time, time, &text);
    let extra = json!({
        "gender": body.get("gender"),
        "createdBy": {
            "source": "INTEGRATION", "channel": "OAUTH", "sourceId": "sandboxIntegration01",
            "timestamp": text::iso(time),
        },
    });
    contact.extra = Some(extra.to_string().into());
    let slot = state.shelves[shelf].insert(contact, true);
    Ok(Place { shelf, slot })
}

fn write(state: &mut State, ask: &Ask, place: Place, body: &Row) -> Result<(), Refusal> {
    let mut row = state.shelves[place.shelf].contact(place.slot).row();
    let tags = apply(state, place.shelf, body, &mut row, ask)?;
    super::tags::learn(state, place.shelf, &tags);
    state.rewrite(place, &mut row);
    Ok(())
}

/// Applies a checked body to a row; the tags that it brought are returned.
fn apply(
    state: &State,
    shelf: usize,
    body: &Row,
    row: &mut Row,
    ask: &Ask,
) -> Result<Vec<String>, Refusal> {
    let metadata = &state.shelves[shelf].metadata;
    let strict = state.settings.has(Quirk::RefuseUnknownFields);
    contact_body::apply(body, row, metadata, strict, ask.is_v3())
}
