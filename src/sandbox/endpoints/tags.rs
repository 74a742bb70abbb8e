//! Tags: added to and removed from one contact or many.
//!
//! The service stores tags in lower case, and a new tag is added to the location's tags.

use serde_json::{Map, Value, json};

use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::store::state::{ContactPosition, SandboxState};

/// The effect of one write on a contact's tags.
#[derive(Debug, Default)]
struct TagChanges {
    before: Vec<String>,
    after: Vec<String>,
    added: Vec<String>,
    removed: Vec<String>,
}

pub(crate) fn add_tags(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let place = state.authorize_contact(request)?;
    let tags = normalize_tags(&parse_single_list(request, "tags")?)?;
    let changed = change_tags(state, place, &tags, true);
    let body =
        json!({ "tags": changed.after, "tagsAdded": changed.added, "traceId": request.trace });
    Ok(SandboxResponse::json(201, &body))
}

pub(crate) fn remove_tags(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let place = state.authorize_contact(request)?;
    let tags = normalize_tags(&parse_single_list(request, "tags")?)?;
    let changed = change_tags(state, place, &tags, false);
    let body =
        json!({ "tags": changed.after, "tagsRemoved": changed.removed, "traceId": request.trace });
    Ok(SandboxResponse::json(200, &body))
}

/// `POST /contacts/bulk/tags/update/{add|remove}`: an outcome for every contact.
pub(crate) fn bulk_update(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let body = request.body_object()?;
    let adds = request.path_segment(4) == "add";
    validate_bulk(&body, adds, state.settings.bulk_tags)?;
    let store = state.authorize_named_location(request)?;
    let all = body.get("removeAllTags") == Some(&Value::Bool(true));
    let tags = if all { Vec::new() } else { normalize_tags(&body["tags"])? };
    let ids = body["contacts"].as_array().cloned().unwrap_or_default();
    let responses: Vec<Value> = ids
        .iter()
        .map(|id| {
            bulk_update_contact(state, store, id.as_str().unwrap_or_default(), &tags, (adds, all))
        })
        .collect();
    let errors = responses.iter().filter(|response| response["type"] == "error").count();
    // Under `v3` this response has the flag in both spellings.
    let outcome = json!({ "succeded": true, "errorCount": errors, "responses": responses });
    Ok(super::dialect::success_response(201, request, outcome))
}

fn bulk_update_contact(
    state: &mut SandboxState,
    store: usize,
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
    let Some(slot) = state.stores[store].find_by_id(id) else {
        let deleted = state.stores[store].is_deleted(id);
        return error(if deleted {
            "contact is deleted"
        } else {
            "contact does not belong to location"
        });
    };
    let place = ContactPosition { store, slot };
    let tags = if all { contact_tags(state, place) } else { tags.to_vec() };
    let changed = change_tags(state, place, &tags, adds);
    json!({
        "contactId": id, "message": "Tags updated", "type": "success",
        "oldTags": changed.before, "tagsAdded": changed.added, "tagsRemoved": changed.removed,
    })
}

fn validate_bulk(
    body: &Map<String, Value>,
    adds: bool,
    largest: usize,
) -> Result<(), EndpointError> {
    let allowed = ["contacts", "tags", "locationId", "removeAllTags"];
    if let Some(unknown) = body.keys().find(|key| !allowed.contains(&key.as_str())) {
        return Err(EndpointError::unknown_property(unknown));
    }
    if !body.get("locationId").is_some_and(Value::is_string) {
        return Err(EndpointError::bad_request("LocationId can't be undefined"));
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
    if wrong.is_empty() { Ok(()) } else { Err(EndpointError::validation_failed(wrong)) }
}

/// The list in a body that must contain nothing else.
pub(crate) fn parse_single_list(
    request: &SandboxRequest,
    name: &str,
) -> Result<Value, EndpointError> {
    let mut body = request.body_object()?;
    if let Some(unknown) = body.keys().find(|key| *key != name) {
        return Err(EndpointError::unknown_property(unknown));
    }
    let list = body.remove(name).unwrap_or_default();
    match list.as_array() {
        None => Err(EndpointError::validation_failed(vec![format!("{name} must be an array")])),
        Some(list) if !list.iter().all(Value::is_string) => Err(EndpointError::validation_failed(
            vec![format!("each value in {name} must be a string")],
        )),
        Some(_) => Ok(list),
    }
}

/// Tags as the service stores them: lower case, without duplicates.
pub(crate) fn normalize_tags(tags: &Value) -> Result<Vec<String>, EndpointError> {
    let wrong =
        || EndpointError::validation_failed(vec!["each value in tags must be a string".to_owned()]);
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

fn contact_tags(state: &SandboxState, place: ContactPosition) -> Vec<String> {
    let row = state.stores[place.store].contact(place.slot).parse_row();
    let tags = row.get("tags").and_then(Value::as_array);
    tags.into_iter().flatten().filter_map(|tag| tag.as_str().map(str::to_owned)).collect()
}

fn change_tags(
    state: &mut SandboxState,
    place: ContactPosition,
    tags: &[String],
    adds: bool,
) -> TagChanges {
    let before = contact_tags(state, place);
    let mut changed = TagChanges { before: before.clone(), after: before, ..TagChanges::default() };
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
    register_tags(state, place.store, &changed.added);
    let mut row = state.stores[place.store].contact(place.slot).parse_row();
    row.insert("tags".to_owned(), changed.after.clone().into());
    state.rewrite_contact(place, &mut row);
    changed
}

/// Adds new tags to the location's tags.
pub(crate) fn register_tags(state: &mut SandboxState, store: usize, tags: &[String]) {
    for tag in tags {
        let id = state.generate_id();
        let location = state.stores[store].location.clone();
        state.stores[store].metadata.add_tag(&id, tag, &location);
    }
}
