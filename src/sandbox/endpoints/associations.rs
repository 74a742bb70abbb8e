//! What links contacts to others: followers, and the business they belong to.

use serde_json::{Value, json};

use crate::sandbox::http::request::Ask;
use crate::sandbox::http::response::{Answer, Outcome, Refusal};
use crate::sandbox::store::state::{Place, State};

/// How many contacts one request may give to a business under `v3`.
const LARGEST_BATCH: usize = 50;

pub(crate) fn follow(state: &mut State, ask: &Ask) -> Outcome {
    change(state, ask, true)
}

pub(crate) fn unfollow(state: &mut State, ask: &Ask) -> Outcome {
    change(state, ask, false)
}

fn change(state: &mut State, ask: &Ask, adds: bool) -> Outcome {
    let place = state.contact(ask)?;
    let wanted = super::tags::only_list(ask, "followers")?;
    let mut row = state.shelves[place.shelf].contact(place.slot).row();
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
        state.rewrite(place, &mut row);
    }
    let (status, name) = if adds { (201, "followersAdded") } else { (200, "followersRemoved") };
    let body = json!({ "followers": followers, name: changed, "traceId": ask.trace });
    Ok(Answer::json(status, &body))
}

/// `POST /contacts/bulk/business`: gives contacts to a business, or to none.
pub(crate) fn business(state: &mut State, ask: &Ask) -> Outcome {
    let body = ask.object()?;
    let allowed = ["locationId", "ids", "businessId"];
    if let Some(unknown) = body.keys().find(|key| !allowed.contains(&key.as_str())) {
        return Err(Refusal::unknown_property(unknown));
    }
    let ids = body.get("ids").and_then(Value::as_array);
    let Some(ids) = ids.filter(|ids| ids.iter().all(Value::is_string)) else {
        return Err(Refusal::invalid(vec!["ids must be an array".to_owned()]));
    };
    if ask.is_v3() && ids.len() > LARGEST_BATCH {
        let text = "ids must contain no more than 50 elements";
        return Err(Refusal::invalid(vec![text.to_owned()]));
    }
    let shelf = state.named_shelf(ask)?;
    let business = body.get("businessId").cloned().unwrap_or_default();
    let name = match &business {
        Value::Null => Value::Null,
        id => state.shelves[shelf]
            .metadata
            .business_name(id)
            .ok_or_else(|| Refusal::bad_request("Business not found"))?,
    };
    let mut changed = Vec::new();
    for id in ids {
        let slot = id.as_str().and_then(|id| state.shelves[shelf].find(id));
        let Some(slot) = slot else { continue };
        let mut row = state.shelves[shelf].contact(slot).row();
        row.insert("businessId".to_owned(), business.clone());
        row.insert("businessName".to_owned(), name.clone());
        state.rewrite(Place { shelf, slot }, &mut row);
        changed.push(id.clone());
    }
    Ok(Answer::json(200, &json!({ "success": true, "ids": changed, "traceId": ask.trace })))
}
