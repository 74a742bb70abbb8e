//! `POST /contacts/search`: pages of contacts.
//!
//! A search without conditions in the order of `dateAdded` is a walk along the shelf. Every other
//! one is ranked once and kept until something is written, so that its pages do not each look at
//! all contacts.

use std::sync::Arc;
use std::time::Instant;

use super::filter_parse::{Seen, full_text};
use super::search_body::{Query, Start, check_keys};
use crate::sandbox::http::request::Ask;
use crate::sandbox::http::response::{Answer, Outcome};
use crate::sandbox::sandbox_settings::Quirk;
use crate::sandbox::store::contact::View;
use crate::sandbox::store::location_store::{Shelf, Slot};
use crate::sandbox::store::sort_order::{Cursor, Direction, Ranking};
use crate::sandbox::store::state::State;
use crate::sandbox::text::quote;

/// Rankings kept; a client has a few searches under way, not many.
const KEPT: usize = 8;

pub(crate) fn contacts(state: &mut State, ask: &Ask) -> Outcome {
    let body = ask.object()?;
    check_keys(&body)?;
    let shelf = state.named_shelf(ask)?;
    let query = Query::read(&body, &state.shelves[shelf].metadata, &state.settings)?;
    let lower = state.settings.has(Quirk::LowerCaseNames);
    let shelf = &mut state.shelves[shelf];
    shelf.catch_up(Instant::now());
    let mut page = Page::new(lower);
    let total = match query.sort.by_date_added() {
        Some(direction) if query.filter.is_empty() && query.text.is_none() => {
            walk(shelf, &query, direction, &mut page);
            shelf.seen_count()
        }
        _ => {
            let ranking = ranking(shelf, &query);
            let rows = match &query.start {
                Start::Skip(count) => ranking.from(*count),
                Start::After(cursor) => ranking.after(cursor, &query.sort),
            };
            for (cursor, slot) in rows.iter().take(query.limit) {
                if let Some(view) = shelf.view(*slot) {
                    page.push(view, |out| cursor.write(out));
                }
            }
            ranking.len()
        }
    };
    Ok(Answer::new(200, page.finish(total, &ask.trace)))
}

/// Fills a page from the order in which the shelf keeps its contacts.
fn walk(shelf: &Shelf, query: &Query, direction: Direction, page: &mut Page) {
    let up = direction == Direction::Ascending;
    let (mut start, mut end, mut skip) = (0, shelf.order_len(), 0);
    match &query.start {
        Start::Skip(count) => skip = *count,
        Start::After(cursor) => {
            let (added, id) = cursor.date_and_id();
            if up {
                start = shelf.rank(added, id, true);
            } else {
                end = shelf.rank(added, id, false);
            }
        }
    }
    let seen = shelf.seen(start, end);
    let mut push = |(_, view): (Slot, View<'_>)| {
        page.push(view, |out| {
            out.push(b'[');
            out.extend_from_slice(view.contact.added.to_string().as_bytes());
            out.push(b',');
            quote(out, &view.contact.id);
            out.push(b']');
        });
    };
    if up {
        seen.skip(skip).take(query.limit).for_each(&mut push);
    } else {
        seen.rev().skip(skip).take(query.limit).for_each(&mut push);
    }
}

/// Everything that a search finds, in its order.
fn ranking(shelf: &mut Shelf, query: &Query) -> Arc<Ranking> {
    let generation = shelf.generation();
    let kept = shelf.rankings.iter().find(|(at, key, _)| *at == generation && *key == query.key);
    if let Some((_, _, ranking)) = kept {
        return Arc::clone(ranking);
    }
    let mut rows: Vec<(Cursor, Slot)> = Vec::new();
    let mut judge = |slot: Slot, view: View<'_>| {
        let seen = Seen::new(view);
        let text = query.text.as_ref().is_none_or(|text| full_text(seen.row(), text));
        if text && query.filter.matches(&seen) {
            rows.push((query.sort.place(&seen), slot));
        }
    };
    match query.filter.candidates(shelf) {
        Some(slots) => {
            for slot in slots {
                if let Some(view) = shelf.view(slot) {
                    judge(slot, view);
                }
            }
        }
        None => shelf.seen(0, shelf.order_len()).for_each(|(slot, view)| judge(slot, view)),
    }
    let ranking = Arc::new(Ranking::new(rows, &query.sort));
    if shelf.rankings.len() == KEPT {
        shelf.rankings.pop_front();
    }
    shelf.rankings.push_back((generation, query.key.clone(), Arc::clone(&ranking)));
    ranking
}

/// A page as it is written.
struct Page {
    body: Vec<u8>,
    empty: bool,
    lower: bool,
}

impl Page {
    fn new(lower: bool) -> Self {
        let mut body = Vec::with_capacity(1 << 16);
        body.extend_from_slice(b"{\"contacts\":[");
        Self { body, empty: true, lower }
    }

    fn push(&mut self, view: View<'_>, cursor: impl FnOnce(&mut Vec<u8>)) {
        if !std::mem::take(&mut self.empty) {
            self.body.push(b',');
        }
        if self.lower {
            self.body.extend_from_slice(lower_names(view).as_bytes());
        } else {
            self.body.extend_from_slice(view.open_row.as_bytes());
        }
        self.body.extend_from_slice(b",\"searchAfter\":");
        cursor(&mut self.body);
        self.body.push(b'}');
    }

    fn finish(mut self, total: usize, trace: &str) -> Vec<u8> {
        self.body.extend_from_slice(format!("],\"total\":{total},\"traceId\":").as_bytes());
        quote(&mut self.body, trace);
        self.body.push(b'}');
        self.body
    }
}

/// An open row whose names are in lower case, with the typed ones beside them.
fn lower_names(view: View<'_>) -> String {
    let mut row = view.row();
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
