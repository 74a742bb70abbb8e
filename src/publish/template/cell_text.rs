//! The text of one cell: values in the words, the dates and the lists of the system.

use std::borrow::Cow;

use crate::mapping::preset::ExportTemplate;
use crate::mapping::preset::template::TemplateColumn;
use crate::resource::ColumnKind;

/// What parts the items of a list when a preset does not say.
const SEPARATORS: [&str; 6] = [",", ";", "|", "\n", "\r", " ::: "];

/// A day or moment as the layout writes it; any other text as it is.
pub(super) fn format_date<'t>(
    text: Cow<'t, str>,
    kind: ColumnKind,
    layout: &ExportTemplate,
) -> Cow<'t, str> {
    let pattern = match kind {
        ColumnKind::Date => layout.date.as_deref(),
        ColumnKind::Timestamp => layout.time.as_deref(),
        _ => return text,
    };
    let Some(pattern) = pattern else {
        return match text.strip_suffix(".000Z") {
            Some(whole) if kind == ColumnKind::Timestamp => format!("{whole}Z").into(),
            _ => text,
        };
    };
    let written = match kind {
        ColumnKind::Date => {
            text.parse::<jiff::civil::Date>().ok().map(|day| day.strftime(pattern).to_string())
        }
        _ => {
            text.parse::<jiff::Timestamp>().ok().map(|moment| moment.strftime(pattern).to_string())
        }
    };
    written.map_or(text, Cow::Owned)
}

/// Values as the system words them: without the prefix that marks them, and in its own words.
pub(super) fn translate_values<'t>(
    texts: Vec<Cow<'t, str>>,
    column: &TemplateColumn,
) -> Vec<Cow<'t, str>> {
    let prefix = &column.prefix;
    let bare = |text: Cow<'t, str>| match text.strip_prefix(prefix.as_str()) {
        Some(bare) if !prefix.is_empty() => Some(Cow::Owned(bare.to_owned())),
        Some(_) => Some(text),
        None => None,
    };
    let word = |text: Cow<'t, str>| match column.values.get(&text.trim().to_lowercase()) {
        Some(word) if !column.values.is_empty() => Cow::Owned(word.clone()),
        _ => text,
    };
    texts.into_iter().filter_map(bare).map(word).collect()
}

/// Several values in one cell. Where it would not come apart again it is a JSON array.
pub(super) fn join_values(
    items: &[Cow<'_, str>],
    column: &TemplateColumn,
    layout: &ExportTemplate,
    is_list: bool,
) -> String {
    if items.is_empty() || !is_list && items.len() == 1 {
        return items.first().map(|item| item.clone().into_owned()).unwrap_or_default();
    }
    let split: Vec<&str> = match &column.split {
        Some(split) => split.iter().map(String::as_str).collect(),
        None => SEPARATORS.to_vec(),
    };
    let between = list_separator(column, layout, &split);
    let outer = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let is_plain = |item: &Cow<'_, str>| {
        !item.starts_with(['[', '"', '*'])
            && !outer(item.chars().next())
            && !outer(item.chars().next_back())
            && !split.iter().any(|mark| item.contains(mark))
            && !item.contains(between.trim())
    };
    if items.iter().all(is_plain) {
        return items.join(&between);
    }
    serde_json::to_string(items).expect("texts are JSON")
}

/// What stands between values: what the column or the layout says, else what a reader parts them at.
fn list_separator(column: &TemplateColumn, layout: &ExportTemplate, split: &[&str]) -> String {
    let said = column.join.as_ref().or(layout.list.as_ref());
    said.cloned().unwrap_or_else(|| match split.first() {
        Some(first) if !split.contains(&";") => match *first {
            "," => ", ".to_owned(),
            mark => mark.to_owned(),
        },
        _ => "; ".to_owned(),
    })
}

/// Whether a text is nothing but phone numbers and what parts them.
pub(super) fn is_phone_list(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '|' | ' '))
}
