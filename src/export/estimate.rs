//! What an export would cost, for a handful of requests.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Error, Request, business};
use crate::api::{Client, SEARCH_LIMIT};
use crate::pull::{self, Cost};

/// What an export would cost.
#[derive(Debug, Clone, Serialize)]
pub struct Estimate {
    /// Contacts that pass the filter.
    pub contacts: u64,
    /// Requests by what they are for.
    pub requests: BTreeMap<&'static str, u64>,
    /// Requests in all.
    pub total: u64,
    /// Seconds that they take at the limit.
    pub seconds: u64,
    /// The daily budget.
    pub daily_limit: u64,
    /// The share of the daily budget, in per cent.
    pub daily_share: f64,
    /// What is left of the day, where the server has told.
    pub daily_left: Option<u64>,
}

/// Estimates an export.
///
/// # Errors
/// When the location cannot be read.
pub async fn estimate(client: &Client, request: Request) -> Result<Estimate, Error> {
    let mut request = business::resolve(client, request).await?;
    let filter = request.filters.filter();
    let first = client.search_contacts(&filter, 1, None).await?;
    let total = first.head.total.unwrap_or(first.head.rows.len() as u64);
    let page = SEARCH_LIMIT as u64;
    let (contacts, cost) = match &mut request.contacts {
        Some(chosen) => {
            let list = chosen.read(client).await?;
            (list.keys.len() as u64, pull::cost(&list, total))
        }
        None => (total, Cost { how: "contacts", requests: total.div_ceil(page).max(1) }),
    };
    let whole = filter.is_empty() && request.contacts.is_none();
    let mut requests =
        BTreeMap::from([(cost.how, cost.requests), ("custom fields, users, tags, location", 4)]);
    if request.tables.notes {
        requests.insert("notes", contacts);
    }
    if request.tables.tasks {
        // The search gives no total; accounts have about one task per contact, or fewer.
        let tasks = if whole { contacts.div_ceil(page) } else { contacts.div_ceil(100) };
        requests.insert("tasks", tasks + 1);
    }
    if request.tables.appointments {
        let calendars = if whole {
            client.calendars().await?.head.calendars.len() as u64 + 1
        } else {
            contacts
        };
        requests.insert("appointments", calendars);
    }
    let total = requests.values().sum::<u64>();
    let limits = client.pace().limits();
    let windows = total.div_ceil(u64::from(limits.requests)).saturating_sub(1);
    let seconds = (limits.window * u32::try_from(windows).unwrap_or(u32::MAX)).as_secs();
    #[expect(clippy::cast_precision_loss, reason = "a share to two digits")]
    let daily_share = 100.0 * total as f64 / limits.daily as f64;
    let daily_left = client.pace().spendable();
    Ok(Estimate {
        contacts,
        requests,
        total,
        seconds,
        daily_limit: limits.daily,
        daily_share,
        daily_left,
    })
}
