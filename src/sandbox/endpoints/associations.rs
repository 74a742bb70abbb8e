//! Associations of contacts: followers, and the business they belong to.

use serde_json::{Value, json};

use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::store::state::{ContactPosition, SandboxState};

/// How many contacts one request may assign to a business under `v3`.
const LARGEST_BATCH: usize = 50;

pub(crate) fn add_followers(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    change_followers(state, request, true)
}

pub(crate) fn remove_followers(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> EndpointResult {
    change_followers(state, request, false)
}

fn change_followers(
    state: &mut SandboxState,
    request: &SandboxRequest,
    adds: bool,
) -> EndpointResult {
    let place = state.authorize_contact(request)?;
    let wanted = super::tags::parse_single_list(request, "followers")?;
    let mut row = state.stores[place.store].contact(place.slot).parse_row();
    let mut followers = row.get("followers").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut changed = Vec::new();
    for user in wanted.as_array().into_iter().flatten() {
        let found = followers.iter().position(|one| one == user);
        match (adds, found) {
            (true, None) => {
                followers.push(user.clone());
                changed.push(user.clone());
            }
            (false, Some(index)) => changed.push(followers.remove(index)),
            _ => {}
        }
    }
    row.insert("followers".to_owned(), followers.clone().into());
    if !changed.is_empty() {
        state.rewrite_contact(place, &mut row);
    }
    let (status, name) = if adds { (201, "followersAdded") } else { (200, "followersRemoved") };
    let body = json!({ "followers": followers, name: changed, "traceId": request.trace });
    Ok(SandboxResponse::json(status, &body))
}

/// `POST /contacts/bulk/business`: assigns contacts to a business, or to none.
pub(crate) fn assign_business(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> EndpointResult {
    let body = request.body_object()?;
    let allowed = ["locationId", "ids", "businessId"];
    if let Some(unknown) = body.keys().find(|key| !allowed.contains(&key.as_str())) {
        return Err(EndpointError::unknown_property(unknown));
    }
    let ids = body.get("ids").and_then(Value::as_array);
    let Some(ids) = ids.filter(|ids| ids.iter().all(Value::is_string)) else {
        return Err(EndpointError::validation_failed(vec!["ids must be an array".to_owned()]));
    };
    if request.is_v3() && ids.len() > LARGEST_BATCH {
        let text = "ids must contain no more than 50 elements";
        return Err(EndpointError::validation_failed(vec![text.to_owned()]));
    }
    let store = state.authorize_named_location(request)?;
    let business = body.get("businessId").cloned().unwrap_or_default();
    let name = match &business {
        Value::Null => Value::Null,
        id => state.stores[store]
            .metadata
            .business_name(id)
            .ok_or_else(|| EndpointError::bad_request("Business not found"))?,
    };
    let mut changed = Vec::new();
    for id in ids {
        let slot = id.as_str().and_then(|id| state.stores[store].find_by_id(id));
        let Some(slot) = slot else { continue };
        let mut row = state.stores[store].contact(slot).parse_row();
        row.insert("businessId".to_owned(), business.clone());
        row.insert("businessName".to_owned(), name.clone());
        state.rewrite_contact(ContactPosition { store, slot }, &mut row);
        changed.push(id.clone());
    }
    Ok(SandboxResponse::json(
        200,
        &json!({ "success": true, "ids": changed, "traceId": request.trace }),
    ))
}
