//! The lists that are not searches: `GET /contacts/`, deprecated, and the contacts of a business.

use serde_json::{Value, json};

use super::dialect;
use super::filter_parse::full_text;
use crate::sandbox::http::request::Ask;
use crate::sandbox::http::response::{Answer, Outcome, Refusal};
use crate::sandbox::store::contact::Row;
use crate::sandbox::store::state::State;

const LARGEST_PAGE: i64 = 100;

/// `GET /contacts/`: the newest first.
pub(crate) fn contacts(state: &mut State, ask: &Ask) -> Outcome {
    let shelf = state.named_shelf(ask)?;
    ask.only_parameters(&["locationId", "startAfterId", "startAfter", "query", "limit"])?;
    let limit = limit(ask, 20)?;
    let after = ask.number("startAfter")?.zip(ask.parameter("startAfterId"));
    let shelf = &mut state.shelves[shelf];
    shelf.catch_up(std::time::Instant::now());
    let end = match after {
        Some((added, id)) => shelf.rank(added, id, false),
        None => shelf.order_len(),
    };
    let matches = |row: &Row| ask.parameter("query").is_none_or(|query| full_text(row, query));
    let seen = shelf.seen(0, end).rev();
    let rows = seen.map(|(_, view)| (view.contact, view.row())).filter(|(_, row)| matches(row));
    let page: Vec<_> = rows.take(limit).collect();
    let last = page.last().map(|(contact, _)| (contact.added, contact.id.to_string()));
    let last = last.filter(|_| page.len() == limit);
    let rows: Vec<Row> = page.into_iter().map(|(_, row)| dialect::list_row(row)).collect();
    let total = match ask.parameter("query") {
        None => shelf.seen_count(),
        Some(_) => {
            shelf.seen(0, shelf.order_len()).filter(|(_, view)| matches(&view.row())).count()
        }
    };
    let next = last.as_ref().map(|(added, id)| {
        let location = &shelf.location;
        format!(
            "http://localhost:5058/contacts/?locationId={location}&startAfter={added}&startAfterId={id}&limit={limit}"
        )
    });
    let body = json!({
        "contacts": rows,
        "count": total,
        "meta": {
            "total": total,
            "nextPageUrl": next,
            "startAfterId": last.as_ref().map(|(_, id)| id),
            "startAfter": last.as_ref().map(|(added, _)| added),
            "currentPage": 1,
            "nextPage": last.as_ref().map_or(Value::from(""), |_| Value::from(2)),
            "prevPage": null,
        },
        "traceId": ask.trace,
    });
    Ok(Answer::json(200, &body))
}

/// `GET /contacts/business/{id}`.
pub(crate) fn of_business(state: &mut State, ask: &Ask) -> Outcome {
    let shelf = state.named_shelf(ask)?;
    let allowed = ["locationId", "limit", "skip", "query"];
    ask.only_parameters(&allowed[..])?;
    let (limit, skip) = (limit(ask, 25)?, ask.number("skip")?.unwrap_or_default());
    let skip = usize::try_from(skip).unwrap_or_default();
    let business = ask.segment(2);
    let shelf = &mut state.shelves[shelf];
    shelf.catch_up(std::time::Instant::now());
    let rows: Vec<Row> = shelf
        .seen(0, shelf.order_len())
        // The id stands in the row's text; parsing only such rows keeps a large account quick.
        .filter(|(_, view)| view.open_row.contains(business))
        .map(|(_, view)| view.row())
        .filter(|row| row.get("businessId").and_then(Value::as_str) == Some(business))
        .filter(|row| ask.parameter("query").is_none_or(|query| full_text(row, query)))
        .collect();
    let count = rows.len();
    let page: Vec<Row> = rows.into_iter().skip(skip).take(limit).map(dialect::list_row).collect();
    let body = json!({ "contacts": page, "count": count, "traceId": ask.trace });
    Ok(Answer::json(200, &body))
}

fn limit(ask: &Ask, default: i64) -> Result<usize, Refusal> {
    let limit = ask.number("limit")?.unwrap_or(default);
    if (1..=LARGEST_PAGE).contains(&limit) {
        return Ok(usize::try_from(limit).unwrap_or_default());
    }
    Err(Refusal::invalid(vec!["limit must not be greater than 100".to_owned()]))
}
