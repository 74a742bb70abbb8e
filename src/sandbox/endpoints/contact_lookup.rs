//! `GET /contacts/lookup`: the contacts with exactly this e-mail address or phone number, additional
//! ones included (api.md §1.11). Only `v3` has it.
//!
//! Reads the contacts, not the index.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::json;

use super::dialect;
use crate::sandbox::http::auth::AccessGrant;
use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::sandbox_settings::ContactLookupAccess;
use crate::sandbox::store::contact::SearchRow;
use crate::sandbox::store::slots::ContactSlot;
use crate::sandbox::store::state::SandboxState;
use crate::sandbox::text::{is_email, normalize_phone};

const LARGEST_PAGE: i64 = 20;

pub(crate) fn look_up_contacts(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> EndpointResult {
    check_token(state, request)?;
    let store = state.authorize_named_location(request)?;
    request.reject_unknown_parameters(&["locationId", "email", "phone", "limit", "cursor"])?;
    let found = find_contacts(state, store, request)?;
    let limit = request.integer_parameter("limit")?.unwrap_or(LARGEST_PAGE);
    if !(1..=LARGEST_PAGE).contains(&limit) {
        let text = format!("limit must not be greater than {LARGEST_PAGE}");
        return Err(EndpointError::validation_failed(vec![text]));
    }
    let limit = usize::try_from(limit).unwrap_or_default();
    let skip = match request.query_parameter("cursor") {
        None => 0,
        Some(cursor) => decode_cursor(cursor).ok_or_else(|| {
            EndpointError::validation_failed(vec!["cursor is invalid".to_owned()])
        })?,
    };
    let page = found.iter().skip(skip).take(limit);
    let store = &state.stores[store];
    let contacts: Vec<SearchRow> =
        page.map(|slot| dialect::render_record(store.contact(*slot), true)).collect();
    let end = skip + contacts.len();
    let next = (end < found.len()).then(|| BASE64_URL_SAFE_NO_PAD.encode(end.to_string()));
    let body = json!({ "contacts": contacts, "nextCursor": next, "traceId": request.trace });
    Ok(SandboxResponse::json(200, &body))
}

/// Refuses a private integration where only apps may look contacts up.
fn check_token(state: &SandboxState, request: &SandboxRequest) -> Result<(), EndpointError> {
    let issued = matches!(state.authenticate_request(request)?, AccessGrant::Issued(_));
    match state.settings.contact_lookup {
        ContactLookupAccess::Everyone => Ok(()),
        ContactLookupAccess::Apps(_) if issued => Ok(()),
        ContactLookupAccess::Apps(status) => {
            let message = "Private Integration tokens are not supported for this endpoint.";
            Err(EndpointError::with_status(status, message))
        }
    }
}

/// The contacts with the address or the number, oldest first.
fn find_contacts(
    state: &SandboxState,
    store: usize,
    request: &SandboxRequest,
) -> Result<Vec<ContactSlot>, EndpointError> {
    let wrong = |text: &str| EndpointError::validation_failed(vec![text.to_owned()]);
    let store = &state.stores[store];
    let mut found = match (request.query_parameter("email"), request.query_parameter("phone")) {
        (Some(email), None) if is_email(email) => {
            [store.find_by_email(email), store.find_by_other_email(email)].concat()
        }
        (Some(_), None) => return Err(wrong("email must be an email")),
        (None, Some(phone)) if normalize_phone(phone).as_deref() == Some(phone) => {
            [store.find_by_phone(phone), store.find_by_other_phone(phone)].concat()
        }
        (None, Some(_)) => return Err(wrong("phone must be a valid phone number in E.164")),
        _ => return Err(wrong("Pass one of email, phone")),
    };
    found.sort_unstable_by_key(|slot| (store.contact(*slot).added, *slot));
    found.dedup();
    Ok(found)
}

fn decode_cursor(cursor: &str) -> Option<usize> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
    std::str::from_utf8(&bytes).ok()?.parse().ok()
}
