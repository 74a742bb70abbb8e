//! Estimates the cost of an export with a few requests.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{ExportError, ExportRequest, NoteReading, business};
use crate::api::{ApiClient, ApiErrorKind, ContactPage, RateLimits, SEARCH_LIMIT};
use crate::pull::{self, NoteCost, NoteStrategyCosts, SelectionCost};
use crate::run::LocationFacts;

/// Businesses per page of their list (api.md §6.3).
const BUSINESS_PAGE: usize = 100;
/// What is assumed where the first page of businesses is full.
const FEW_BUSINESSES: &str =
    "the location has at most 200 businesses; 100 more take another request";

/// The estimated cost of an export.
#[derive(Debug, Clone, Serialize)]
pub struct ExportEstimate {
    /// Contacts that pass the filter.
    pub contacts: u64,
    /// Requests by purpose.
    pub requests: BTreeMap<&'static str, u64>,
    /// The requests for notes by each way to read them, where there is a choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes_by: Option<NoteStrategyCosts>,
    /// Requests in total.
    pub total: u64,
    /// Seconds that they take at the rate limit.
    pub seconds: u64,
    /// The daily request quota.
    pub daily_limit: u64,
    /// The share of the daily quota, in per cent.
    pub daily_share: f64,
    /// The remaining daily quota, if the server reported it.
    pub daily_left: Option<u64>,
    /// What the numbers assume, as sentences without a full stop.
    pub assumptions: Vec<String>,
}

/// Estimates an export, with the first page of contacts and what earlier runs learnt about the location.
pub async fn estimate_cost(
    client: &ApiClient,
    facts: LocationFacts,
    request: ExportRequest,
) -> Result<ExportEstimate, ExportError> {
    client.attach_location_facts(facts.clone());
    let mut request = business::resolve_id(client, request).await?;
    let filter = request.filters.to_api_filter();
    let first = client.search_contacts(&filter, SEARCH_LIMIT, None).await?.head;
    let total = first.total.unwrap_or(first.rows.len() as u64);
    let page_size = usual_page_size(&first, client.contact_page_size());
    let page = page_size as u64;
    let (contacts, cost) = match &mut request.contacts {
        Some(contact_list) => {
            let list = contact_list.read_contacts(client).await?;
            (list.keys.len() as u64, pull::estimate_cost(&list, total, page_size))
        }
        None => {
            (total, SelectionCost { method: "contacts", requests: total.div_ceil(page).max(1) })
        }
    };
    let covers_everything = filter.is_empty() && request.contacts.is_none();
    let mut requests =
        BTreeMap::from([(cost.method, cost.requests), ("custom fields, users, tags, location", 4)]);
    let (mut assumptions, mut notes_by) = (Vec::new(), None);
    if request.tables.notes {
        let cost = estimate_notes(client, &facts, &request, contacts, covers_everything).await?;
        requests.insert("notes", cost.requests);
        assumptions.extend(cost.assumption);
        notes_by = cost.by_strategy;
    }
    if request.tables.tasks {
        // The task search reports no total; accounts have about one task per contact, or fewer.
        let page = client.task_page_size() as u64;
        let tasks =
            if covers_everything { contacts.div_ceil(page) } else { contacts.div_ceil(100) };
        requests.insert("tasks", tasks + 1);
    }
    if request.tables.appointments {
        let per_contact = (!covers_everything).then_some(contacts);
        let cost = estimate_appointments(client, &request, per_contact).await?;
        requests.insert("appointments", cost);
    }
    if request.tables.businesses {
        let (pages, is_guess) = estimate_business_pages(client).await?;
        requests.insert("businesses", pages);
        assumptions.extend(is_guess.then(|| FEW_BUSINESSES.to_owned()));
    }
    let total = requests.values().sum::<u64>();
    let limits = client.rate_limiter().current_limits();
    #[expect(clippy::cast_precision_loss, reason = "a share to two digits")]
    let daily_share = 100.0 * total as f64 / limits.daily as f64;
    let daily_left = client.rate_limiter().spendable_today();
    Ok(ExportEstimate {
        contacts,
        requests,
        notes_by,
        total,
        seconds: estimate_seconds(total, &limits),
        daily_limit: limits.daily,
        daily_share,
        daily_left,
        assumptions,
    })
}

/// What the notes of so many contacts take, as the request wants them read.
async fn estimate_notes(
    client: &ApiClient,
    facts: &LocationFacts,
    request: &ExportRequest,
    contacts: u64,
    covers_everything: bool,
) -> Result<NoteCost, ExportError> {
    match request.notes_by {
        NoteReading::Contact => Ok(NoteCost::per_contact(contacts)),
        NoteReading::Auto => {
            Ok(pull::estimate_note_cost(client, facts, contacts, covers_everything).await?)
        }
    }
}

/// The rows of a page of contacts: those of the first one, if there are more contacts than it shows.
fn usual_page_size(first: &ContactPage, asked: usize) -> usize {
    let rows = first.rows.len();
    let is_cut = rows > 0 && first.total.is_some_and(|total| total > rows as u64);
    if is_cut { rows.min(asked) } else { asked }
}

/// How many requests the list of businesses takes, and whether that is a guess: the list has no total, so that a full
/// page says only that there may be more.
async fn estimate_business_pages(client: &ApiClient) -> Result<(u64, bool), ExportError> {
    let rows = match client.list_businesses(0).await {
        Ok(page) => page.head.rows,
        Err(error) if error.kind == ApiErrorKind::Scope => 0,
        Err(error) => return Err(error.into()),
    };
    let is_full = rows >= BUSINESS_PAGE;
    Ok((1 + u64::from(rows > 0) + u64::from(is_full), is_full))
}

/// How many requests appointments take: by calendar, or contact by contact if a number of contacts is given.
async fn estimate_appointments(
    client: &ApiClient,
    request: &ExportRequest,
    per_contact: Option<u64>,
) -> Result<u64, ExportError> {
    let Some(contacts) = per_contact else {
        return Ok(client.list_calendars().await?.head.calendars.len() as u64 + 1);
    };
    Ok(contacts + u64::from(request.needs_calendar_names()?))
}

/// The seconds that so many requests take at the rate limit.
fn estimate_seconds(requests: u64, limits: &RateLimits) -> u64 {
    let windows = requests.div_ceil(u64::from(limits.requests)).saturating_sub(1);
    (limits.window * u32::try_from(windows).unwrap_or(u32::MAX)).as_secs()
}
