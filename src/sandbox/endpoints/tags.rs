//! Tags: added to and removed from one contact, or many at once.
//!
//! The service writes tags in lower case, and a tag it has not met becomes one of the location's.

use serde_json::{Map, Value, json};

use crate::sandbox::http::request::Ask;
use crate::sandbox::http::response::{Answer, Outcome, Refusal};
use crate::sandbox::store::state::{Place, State};

/// What one write did to a contact's tags.
#[derive(Debug, Default)]
struct Changed {
    before: Vec<String>,
    after: Vec<String>,
    added: Vec<String>,
    removed: Vec<String>,
}

pub(crate) fn add(state: &mut State, ask: &Ask) -> Outcome {
    let place = state.contact(ask)?;
    let tags = wanted(&only_list(ask, "tags")?)?;
    let changed = change(state, place, &tags, true);
    let body = json!({ "tags": changed.after, "tagsAdded": changed.added, "traceId": ask.trace });
    Ok(Answer::json(201, &body))
}

pub(crate) fn remove(state: &mut State, ask: &Ask) -> Outcome {
    let place = state.contact(ask)?;
    let tags = wanted(&only_list(ask, "tags")?)?;
    let changed = change(state, place, &tags, false);
    let body =
        json!({ "tags": changed.after, "tagsRemoved": changed.removed, "traceId": ask.trace });
    Ok(Answer::json(200, &body))
}

/// `POST /contacts/bulk/tags/update/{add|remove}`: an outcome for every contact.
pub(crate) fn bulk(state: &mut State, ask: &Ask) -> Outcome {
    let body = ask.object()?;
    let adds = ask.segment(4) == "add";
    check_bulk(&body, adds, state.settings.bulk_tags)?;
    let shelf = state.named_shelf(ask)?;
    let all = body.get("removeAllTags") == Some(&Value::Bool(true));
    let tags = if all { Vec::new() } else { wanted(&body["tags"])? };
    let ids = body["contacts"].as_array().cloned().unwrap_or_default();
    let responses: Vec<Value> = ids
        .iter()
        .map(|id| bulk_one(state, shelf, id.as_str().unwrap_or_default(), &tags, (adds, all)))
        .collect();
    let errors = responses.iter().filter(|response| response["type"] == "error").count();
    // Under `v3` this answer carries the flag in both spellings.
    let outcome = json!({ "succeded": true, "errorCount": errors, "responses": responses });
    Ok(super::contacts::done(201, ask, outcome))
}

fn bulk_one(
    state: &mut State,
    shelf: usize,
    id: &str,
    tags: &[String],
    (adds, all): (bool, bool),
) -> Value {
    let error = |message: &str| {
        json!({
            "contactId": id, "message": message, "type": "error",
            "oldTags": [], "tagsAdded": [], "tagsRemoved": [],
        })
    };
    if id.len() != 20 || !id.chars().all(|letter| letter.is_ascii_alphanumeric()) {
        return error("contact id is not a valid firebase id");
    }
    let Some(slot) = state.shelves[shelf].find(id) else {
        let deleted = state.shelves[shelf].deleted(id);
        return error(if deleted {
            "contact is deleted"
        } else {
            "contact does not belong to location"
        });
    };
    let place = Place { shelf, slot };
    let tags = if all { tags_of(state, place) } else { tags.to_vec() };
    let changed = change(state, place, &tags, adds);
    json!({
        "contactId": id, "message": "Tags updated", "type": "success",
        "oldTags": changed.before, "tagsAdded": changed.added, "tagsRemoved": changed.removed,
    })
}

fn check_bulk(body: &Map<String, Value>, adds: bool, largest: usize) -> Result<(), Refusal> {
    let allowed = ["contacts", "tags", "locationId", "removeAllTags"];
    if let Some(unknown) = body.keys().find(|key| !allowed.contains(&key.as_str())) {
        return Err(Refusal::unknown_property(unknown));
    }
    if !body.get("locationId").is_some_and(Value::is_string) {
        return Err(Refusal::bad_request("LocationId can't be undefined"));
    }
    let mut wrong = Vec::new();
    for key in ["contacts", "tags"] {
        match body.get(key).and_then(Value::as_array) {
            None => wrong.push(format!("{key} must be an array")),
            Some(list) if !list.iter().all(Value::is_string) => {
                wrong.push(format!("each value in {key} must be a string"));
            }
            Some(list) if key == "contacts" && list.is_empty() => {
                wrong.push("contacts should not be empty".to_owned());
            }
            Some(list) if key == "contacts" && list.len() > largest => {
                wrong.push(format!("contacts must contain no more than {largest} elements"));
            }
            Some(_) => {}
        }
    }
    let all = body.get("removeAllTags");
    if all.is_some_and(|all| !all.is_boolean() || adds && *all == Value::Bool(true)) {
        wrong.push("removeAllTags is allowed with remove only".to_owned());
    }
    if wrong.is_empty() { Ok(()) } else { Err(Refusal::invalid(wrong)) }
}

/// The list in a body that holds nothing else.
pub(crate) fn only_list(ask: &Ask, name: &str) -> Result<Value, Refusal> {
    let mut body = ask.object()?;
    if let Some(unknown) = body.keys().find(|key| *key != name) {
        return Err(Refusal::unknown_property(unknown));
    }
    let list = body.remove(name).unwrap_or_default();
    match list.as_array() {
        None => Err(Refusal::invalid(vec![format!("{name} must be an array")])),
        Some(list) if !list.iter().all(Value::is_string) => {
            Err(Refusal::invalid(vec![format!("each value in {name} must be a string")]))
        }
        Some(_) => Ok(list),
    }
}

/// Tags as the service keeps them: lower case, each once.
pub(crate) fn wanted(tags: &Value) -> Result<Vec<String>, Refusal> {
    let wrong = || Refusal::invalid(vec!["each value in tags must be a string".to_owned()]);
    let list = tags.as_array().ok_or_else(wrong)?;
    let mut tags: Vec<String> = Vec::with_capacity(list.len());
    for tag in list {
        let tag = tag.as_str().ok_or_else(wrong)?.trim().to_lowercase();
        if !tag.is_empty() && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

fn tags_of(state: &State, place: Place) -> Vec<String> {
    let row = state.shelves[place.shelf].contact(place.slot).row();
    let tags = row.get("tags").and_then(Value::as_array);
    tags.into_iter().flatten().filter_map(|tag| tag.as_str().map(str::to_owned)).collect()
}

fn change(state: &mut State, place: Place, tags: &[String], adds: bool) -> Changed {
    let before = tags_of(state, place);
    let mut changed = Changed { before: before.clone(), after: before, ..Changed::default() };
    for tag in tags {
        let found = changed.after.iter().position(|one| one.to_lowercase() == *tag);
        match (adds, found) {
            (true, None) => {
                changed.after.push(tag.clone());
                changed.added.push(tag.clone());
            }
            (false, Some(index)) => changed.removed.push(changed.after.remove(index)),
            _ => {}
        }
    }
    if changed.added.is_empty() && changed.removed.is_empty() {
        return changed;
    }
    learn(state, place.shelf, &changed.added);
    let mut row = state.shelves[place.shelf].contact(place.slot).row();
    row.insert("tags".to_owned(), changed.after.clone().into());
    state.rewrite(place, &mut row);
    changed
}

/// Adds new tags to the location's own.
pub(crate) fn learn(state: &mut State, shelf: usize, tags: &[String]) {
    for tag in tags {
        let id = state.mint();
        let location = state.shelves[shelf].location.clone();
        state.shelves[shelf].metadata.add_tag(&id, tag, &location);
    }
}
