//! `POST /notes/search`: the notes of a location, of many contacts, or of other records.
//!
//! What is unknown of the real service is a setting, `NotesSearchBehavior`.

use serde_json::{Value, json};

use super::notes_search_body::NotesSearchCriteria;
use crate::sandbox::http::request::SandboxRequest;
use crate::sandbox::http::response::{EndpointError, EndpointResult, SandboxResponse};
use crate::sandbox::notes_search_behavior::{
    NotesSearchBehavior, PageBorder, RelationJoin, RequestTolerance, ServedOrder, TotalName,
};
use crate::sandbox::store::location_store::LocationStore;
use crate::sandbox::store::note::StoredNote;
use crate::sandbox::store::slots::NoteSlot;
use crate::sandbox::store::state::SandboxState;
use crate::sandbox::text::write_json_string;

pub(crate) fn search_notes(state: &mut SandboxState, request: &SandboxRequest) -> EndpointResult {
    let behavior = state.settings.notes_search.clone();
    let wanted = NotesSearchCriteria::parse(&request.body_object()?, &behavior)?;
    let store = state.authorize_named_location(request)?;
    let store = &mut state.stores[store];
    store.notes.index.begin_search(behavior.lag);
    let found = find_notes(store, &wanted, &behavior);
    let page = match behavior.window {
        Some(window) if wanted.skip.saturating_add(wanted.limit) > window => {
            if behavior.over_window == RequestTolerance::Refuse {
                return Err(EndpointError::validation_failed(vec![format!(
                    "Result window is too large, skip + limit must be less than or equal to: [{window}]"
                )]));
            }
            &[]
        }
        _ => cut_page(&found, &wanted, behavior.borders),
    };
    let mut page = page.to_vec();
    if behavior.borders == PageBorder::Lose && !page.is_empty() && wanted.skip > 0 {
        page[0] = found[wanted.skip - 1];
    }
    let notes: Vec<&StoredNote> =
        page.iter().filter_map(|slot| store.notes.indexed_view(*slot)).collect();
    let body = render_answer(store, &notes, found.len(), (&wanted, &behavior), &request.trace);
    Ok(SandboxResponse::new(behavior.status, body))
}

/// All notes that the search finds, in its order.
fn find_notes(
    store: &mut LocationStore,
    wanted: &NotesSearchCriteria,
    behavior: &NotesSearchBehavior,
) -> Vec<NoteSlot> {
    let oldest = behavior.missing_before.unwrap_or(i64::MIN);
    let keeps = |note: &StoredNote| note.added >= oldest && matches_filters(note, wanted);
    let mut found = if let Some(relations) = &wanted.relations {
        let mut related = find_related(store, relations, behavior.join);
        related.retain(|slot| store.notes.indexed_view(*slot).is_some_and(keeps));
        store.notes.sort_by_date(related)
    } else {
        let key = format!("{} {oldest}", wanted.filter_key());
        store.notes.rank_notes(&key, keeps).to_vec()
    };
    match behavior.order {
        ServedOrder::Sorted if wanted.ascending => {}
        ServedOrder::Sorted | ServedOrder::Newest => found.reverse(),
        ServedOrder::Unsorted => found.sort_by_cached_key(|slot| slot.wrapping_mul(0x9e37_79b1)),
    }
    found
}

fn matches_filters(note: &StoredNote, wanted: &NotesSearchCriteria) -> bool {
    if wanted.sources.as_ref().is_some_and(|sources| !sources.contains(&note.source)) {
        return false;
    }
    if wanted.author.is_none() && wanted.text.is_none() {
        return true;
    }
    let fields = note.to_fields();
    let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default();
    wanted.author.as_ref().is_none_or(|author| text("userId") == author)
        && wanted.text.as_ref().is_none_or(|wanted| {
            ["body", "title"].iter().any(|key| text(key).to_lowercase().contains(wanted))
        })
}

/// The notes that relate to the records, each once, as searches show them.
fn find_related(
    store: &LocationStore,
    relations: &[(Option<String>, String)],
    join: RelationJoin,
) -> Vec<NoteSlot> {
    let mut slots: Vec<NoteSlot> = store.notes.index.pending_slots().collect();
    for (_, id) in relations {
        match store.find_by_id(id) {
            Some(contact) => slots.extend(&store.contact(contact).notes),
            None => slots.extend(store.notes.notes_of_record(id)),
        }
    }
    slots.sort_unstable();
    slots.dedup();
    let relates = |note: &StoredNote, (object, id): &(Option<String>, String)| {
        let mut own = note.relations.iter().map(|relation| store.related_record(relation));
        own.any(|own| own.1 == id && object.as_ref().is_none_or(|object| object == own.0))
    };
    slots.retain(|slot| {
        store.notes.indexed_view(*slot).is_some_and(|note| match join {
            RelationJoin::And => relations.iter().all(|relation| relates(note, relation)),
            RelationJoin::Or | RelationJoin::First => {
                relations.iter().any(|relation| relates(note, relation))
            }
        })
    });
    slots
}

fn cut_page<'a>(
    found: &'a [NoteSlot],
    wanted: &NotesSearchCriteria,
    borders: PageBorder,
) -> &'a [NoteSlot] {
    let early = usize::from(borders == PageBorder::Repeat && wanted.skip > 0);
    let start = (wanted.skip - early).min(found.len());
    let end = start.saturating_add(wanted.limit).min(found.len());
    &found[start..end]
}

fn render_answer(
    store: &LocationStore,
    notes: &[&StoredNote],
    count: usize,
    (wanted, behavior): (&NotesSearchCriteria, &NotesSearchBehavior),
    trace: &str,
) -> Vec<u8> {
    let shown = (wanted.shows_records, behavior.longest_body);
    let mut body = Vec::with_capacity(1 << 16);
    if behavior.documented_shape {
        body.extend_from_slice(b"{\"note\":");
        match notes.first() {
            Some(note) => write_note(&mut body, store, note, shown),
            None => body.extend_from_slice(b"{}"),
        }
    } else {
        body.extend_from_slice(b"{\"notes\":[");
        for (number, note) in notes.iter().enumerate() {
            if number > 0 {
                body.push(b',');
            }
            write_note(&mut body, store, note, shown);
        }
        body.push(b']');
    }
    if wanted.counts || !behavior.total_only_if_asked {
        let total = shown_total(count, behavior);
        let part = match behavior.total {
            TotalName::Total => format!(",\"total\":{total}"),
            TotalName::Count => format!(",\"count\":{total}"),
            TotalName::MetaTotal => format!(",\"meta\":{{\"total\":{total}}}"),
            TotalName::None => String::new(),
        };
        body.extend_from_slice(part.as_bytes());
    }
    body.extend_from_slice(b",\"traceId\":");
    write_json_string(&mut body, trace);
    body.push(b'}');
    body
}

fn shown_total(count: usize, behavior: &NotesSearchBehavior) -> i64 {
    let total = count.min(behavior.total_cap.unwrap_or(usize::MAX));
    i64::try_from(total).unwrap_or(i64::MAX).saturating_add(behavior.total_add).max(0)
}

/// A note with its relations, as JSON.
pub(crate) fn render_note(store: &LocationStore, note: &StoredNote) -> Value {
    let mut json = Vec::new();
    write_note(&mut json, store, note, (false, None));
    serde_json::from_slice(&json).expect("a note is JSON")
}

/// A note as the routes below `/notes` show it: its own fields, and what contacts' lists leave out.
fn write_note(
    out: &mut Vec<u8>,
    store: &LocationStore,
    note: &StoredNote,
    (shows_records, longest_body): (bool, Option<usize>),
) {
    match longest_body {
        Some(longest) => {
            let mut fields = note.to_fields();
            if let Some(body) = fields.get("body").and_then(Value::as_str) {
                let body: String = body.chars().take(longest).collect();
                fields.insert("body".to_owned(), body.into());
            }
            out.extend_from_slice(Value::Object(fields).to_string().as_bytes());
        }
        None => out.extend_from_slice(note.json.as_bytes()),
    }
    out.pop();
    out.extend_from_slice(b",\"source\":");
    write_json_string(out, note.source.json_word());
    out.extend_from_slice(b",\"relations\":");
    write_relations(out, store, note, shows_records);
    out.extend_from_slice(b",\"attachments\":");
    out.extend_from_slice(note.attachments.as_deref().unwrap_or("[]").as_bytes());
    out.push(b'}');
}

/// Writes the relations of a note; with `shows_records` each has the record's name.
fn write_relations(
    out: &mut Vec<u8>,
    store: &LocationStore,
    note: &StoredNote,
    shows_records: bool,
) {
    out.push(b'[');
    for (number, relation) in note.relations.iter().enumerate() {
        let (object, id) = store.related_record(relation);
        out.extend_from_slice(if number > 0 { b",{" } else { b"{" });
        out.extend_from_slice(b"\"objectKey\":");
        write_json_string(out, object);
        out.extend_from_slice(b",\"recordId\":");
        write_json_string(out, id);
        if shows_records && let Some(slot) = store.find_by_id(id) {
            let row = store.contact(slot).parse_row();
            let name = |key: &str| row.get(key).cloned().unwrap_or_default();
            let record =
                json!({ "id": id, "firstName": name("firstName"), "lastName": name("lastName") });
            out.extend_from_slice(format!(",\"record\":{record}").as_bytes());
        }
        out.push(b'}');
    }
    out.push(b']');
}
