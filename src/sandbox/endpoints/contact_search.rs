//! `POST /contacts/search`: pages of contacts.
//!
//! A search without conditions sorted by `dateAdded` walks along the stored order. Every other
//! search is ranked once and cached until the next write, so that its pages do not each scan all
//! contacts.

use std::sync::Arc;
use std::time::Instant;

use super::filter_parse::matches_full_text;
use super::search_body::{PageStart, ParsedSearchBody, validate_keys};
use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointResult, SandboxResponse};
use crate::sandbox::sandbox_settings::ServiceQuirk;
use crate::sandbox::store::contact::IndexedContact;
use crate::sandbox::store::location_store::LocationStore;
use crate::sandbox::store::search_candidate::SearchCandidate;
use crate::sandbox::store::slots::ContactSlot;
use crate::sandbox::store::sort_order::{RankedResults, SearchSortDirection, SortCursor};
use crate::sandbox::store::state::SandboxState;
use crate::sandbox::text::write_json_string;

/// Cached rankings; a client runs a few searches at a time, not many.
const KEPT: usize = 8;

pub(crate) fn search_contacts(
    state: &mut SandboxState,
    request: &SandboxRequest,
) -> EndpointResult {
    let body = request.body_object()?;
    validate_keys(&body)?;
    let store = state.authorize_named_location(request)?;
    let query = ParsedSearchBody::parse(&body, &state.stores[store].metadata, &state.settings)?;
    let lower = state.settings.has_quirk(ServiceQuirk::LowerCaseNames);
    let store = &mut state.stores[store];
    store.refresh_index(Instant::now());
    let mut page = SearchPageWriter::new(lower);
    let total = match query.sort.date_added_direction() {
        Some(direction) if query.filter.is_empty() && query.text.is_none() => {
            fill_in_date_order(store, &query, direction, &mut page);
            store.indexed_count()
        }
        _ => {
            let ranking = ranked_results(store, &query);
            let rows = match &query.start {
                PageStart::Skip(count) => ranking.rows_from(*count),
                PageStart::After(cursor) => ranking.rows_after(cursor, &query.sort),
            };
            for (cursor, slot) in rows.iter().take(query.limit) {
                if let Some(view) = store.indexed_view(*slot) {
                    page.push(view, |out| cursor.write_json(out));
                }
            }
            ranking.len()
        }
    };
    Ok(SandboxResponse::new(200, page.finish(total, &request.trace)))
}

/// Fills a page from the stored order of contacts.
fn fill_in_date_order(
    store: &LocationStore,
    query: &ParsedSearchBody,
    direction: SearchSortDirection,
    page: &mut SearchPageWriter,
) {
    let up = direction == SearchSortDirection::Ascending;
    let (mut start, mut end, mut skip) = (0, store.order_len(), 0);
    match &query.start {
        PageStart::Skip(count) => skip = *count,
        PageStart::After(cursor) => {
            let (added, id) = cursor.date_and_id();
            if up {
                start = store.order_position(added, id, true);
            } else {
                end = store.order_position(added, id, false);
            }
        }
    }
    let seen = store.indexed_range(start, end);
    let mut push = |(_, view): (ContactSlot, IndexedContact<'_>)| {
        page.push(view, |out| {
            out.push(b'[');
            out.extend_from_slice(view.contact.added.to_string().as_bytes());
            out.push(b',');
            write_json_string(out, &view.contact.id);
            out.push(b']');
        });
    };
    if up {
        seen.skip(skip).take(query.limit).for_each(&mut push);
    } else {
        seen.rev().skip(skip).take(query.limit).for_each(&mut push);
    }
}

/// All results of a search, in its order.
fn ranked_results(store: &mut LocationStore, query: &ParsedSearchBody) -> Arc<RankedResults> {
    let generation = store.generation();
    let kept = store.rankings.iter().find(|(at, key, _)| *at == generation && *key == query.key);
    if let Some((_, _, ranking)) = kept {
        return Arc::clone(ranking);
    }
    let mut rows: Vec<(SortCursor, ContactSlot)> = Vec::new();
    let mut judge = |slot: ContactSlot, view: IndexedContact<'_>| {
        let seen = SearchCandidate::new(view);
        let text =
            query.text.as_ref().is_none_or(|text| matches_full_text(seen.cached_row(), text));
        if text && query.filter.matches(&seen) {
            rows.push((query.sort.cursor_for(&seen), slot));
        }
    };
    match query.filter.candidate_slots(store) {
        Some(slots) => {
            for slot in slots {
                if let Some(view) = store.indexed_view(slot) {
                    judge(slot, view);
                }
            }
        }
        None => {
            store.indexed_range(0, store.order_len()).for_each(|(slot, view)| judge(slot, view));
        }
    }
    let ranking = Arc::new(RankedResults::new(rows, &query.sort));
    if store.rankings.len() == KEPT {
        store.rankings.pop_front();
    }
    store.rankings.push_back((generation, query.key.clone(), Arc::clone(&ranking)));
    ranking
}

/// A page under construction.
struct SearchPageWriter {
    body: Vec<u8>,
    empty: bool,
    lower: bool,
}

impl SearchPageWriter {
    fn new(lower: bool) -> Self {
        let mut body = Vec::with_capacity(1 << 16);
        body.extend_from_slice(b"{\"contacts\":[");
        Self { body, empty: true, lower }
    }

    fn push(&mut self, view: IndexedContact<'_>, cursor: impl FnOnce(&mut Vec<u8>)) {
        if !std::mem::take(&mut self.empty) {
            self.body.push(b',');
        }
        if self.lower {
            self.body.extend_from_slice(lowercase_names(view).as_bytes());
        } else {
            self.body.extend_from_slice(view.open_row.as_bytes());
        }
        self.body.extend_from_slice(b",\"searchAfter\":");
        cursor(&mut self.body);
        self.body.push(b'}');
    }

    fn finish(mut self, total: usize, trace: &str) -> Vec<u8> {
        self.body.extend_from_slice(format!("],\"total\":{total},\"traceId\":").as_bytes());
        write_json_string(&mut self.body, trace);
        self.body.push(b'}');
        self.body
    }
}

/// An open row with its names in lower case, plus the names as entered.
fn lowercase_names(view: IndexedContact<'_>) -> String {
    let mut row = view.parse_row();
    for key in ["firstName", "lastName"] {
        let typed = row.get(key).cloned().unwrap_or_default();
        let lower = typed.as_str().map(str::to_lowercase);
        row.insert(key.to_owned(), lower.into());
        row.insert(format!("{key}Raw"), typed);
    }
    let mut text = serde_json::to_string(&row).expect("a row is JSON");
    text.pop();
    text
}
