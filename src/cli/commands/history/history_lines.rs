//! A history for people: a block for each sync that saw a change.

use jiff::Timestamp;
use serde_json::Value;

use crate::cli::output::page_text::{PageLines, is_empty, plain_text};
use crate::inspect::{ChangeWindow, ContactHistory, FieldChange, RecordedChange};
use crate::mirror::{ChangeKind, RecordKind};
use crate::text::truncate_text;

/// The longest value that is shown, in characters; `--json` has all of it.
const LONGEST: usize = 500;
/// Columns that say nothing that the rest of a change does not say.
const LEFT_OUT: [&str; 4] = ["id", "location_id", "contact_id", "date_updated"];

/// The text, safe for a terminal.
pub(super) fn history_text(history: &ContactHistory, width: usize) -> String {
    let mut page = PageLines::new(width);
    page.add_text("", &title(history));
    let mut changes = history.changes.iter().peekable();
    while let Some(first) = changes.next() {
        page.add_heading(&window_text(first.between));
        add_change(&mut page, first, history);
        while let Some(next) =
            changes.next_if(|next| (next.seq, next.between) == (first.seq, first.between))
        {
            add_change(&mut page, next, history);
        }
    }
    page.add_heading(
        "Several changes between two syncs are seen as one. The API does not say who made a change; HighLevel's audit \
         log does (Settings > Audit Logs).",
    );
    page.into_text()
}

fn title(history: &ContactHistory) -> String {
    let contact = &history.contact;
    let both = [contact.text("first_name"), contact.text("last_name")];
    let name = both.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let parts = [Some(name.as_str()), contact.text("email"), contact.text("id")];
    let parts = parts.into_iter().flatten().filter(|part| !part.trim().is_empty());
    parts.collect::<Vec<_>>().join("  ")
}

fn window_text(ChangeWindow(from, until): ChangeWindow) -> String {
    let text = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M").to_string();
    match from {
        Some(from) => format!("between {} and {} UTC", text(from), text(until)),
        None => format!("until {} UTC (the first sync)", text(until)),
    }
}

fn add_change(page: &mut PageLines, change: &RecordedChange, history: &ContactHistory) {
    let what = match change.kind {
        RecordKind::Contact => "contact",
        RecordKind::Note => "note",
        _ => "task",
    };
    let happened = match change.change {
        ChangeKind::Insert => "added",
        ChangeKind::Update => "edited",
        ChangeKind::Delete => "deleted",
        ChangeKind::Return => "there again after it had been deleted",
    };
    let id = match change.kind {
        RecordKind::Contact => String::new(),
        _ => format!(" {}", change.id),
    };
    page.add_text("  ", &format!("{what}{id} {happened}"));
    if change.before_unknown {
        page.add_text("    ", "what it said before is no longer kept");
    }
    let is_all = change.fields.keys().all(|column| LEFT_OUT.contains(&column.as_str()));
    for (column, field) in &change.fields {
        // An edit that shows nowhere else is shown by its date.
        if !LEFT_OUT.contains(&column.as_str()) || (is_all && column == "date_updated") {
            let label = history.field_labels.get(column).unwrap_or(column);
            add_field(page, label, field);
        }
    }
}

fn add_field(page: &mut PageLines, label: &str, field: &FieldChange) {
    if let Some((gained, lost)) = field.list_difference() {
        let gained = gained.iter().map(|item| format!("+ {item}"));
        let items = gained.chain(lost.iter().map(|item| format!("− {item}")));
        page.add_text("    ", &format!("{label}: {}", items.collect::<Vec<_>>().join(", ")));
        return;
    }
    let text = |value: &Value| {
        if is_empty(value) {
            return "(empty)".to_owned();
        }
        truncate_text(&plain_text(value).replace("\r\n", "\n").replace('\n', " ⏎ "), LONGEST)
    };
    if field.before.is_null() && is_empty(&field.after) {
        return;
    }
    let line = match (&field.before, &field.after) {
        (Value::Null, after) => format!("{label}: {}", text(after)),
        (before, after) => format!("{label}: {} → {}", text(before), text(after)),
    };
    page.add_text("    ", &line);
}
