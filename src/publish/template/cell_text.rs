//! The text of one cell: values in the target system's words, date format and list format.

use std::borrow::Cow;

use crate::mapping::preset::ExportTemplate;
use crate::mapping::preset::template::TemplateColumn;
use crate::resource::ColumnKind;

/// List separators to try when a preset does not specify one.
const SEPARATORS: [&str; 6] = [",", ";", "|", "\n", "\r", " ::: "];

/// A date or time in the template's format; any other text unchanged.
pub(super) fn format_date<'t>(
    text: Cow<'t, str>,
    kind: ColumnKind,
    template: &ExportTemplate,
) -> Cow<'t, str> {
    let pattern = match kind {
        ColumnKind::Date => template.date.as_deref(),
        ColumnKind::Timestamp => template.time.as_deref(),
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

/// Values in the target system's words, without the prefix that marks them.
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

/// Joins several values into one cell. If they could not be split again, the cell is a JSON array.
pub(super) fn join_values(
    items: &[Cow<'_, str>],
    column: &TemplateColumn,
    template: &ExportTemplate,
    is_list: bool,
) -> String {
    if items.is_empty() || !is_list && items.len() == 1 {
        return items.first().map(|item| item.clone().into_owned()).unwrap_or_default();
    }
    let split: Vec<&str> = match &column.split {
        Some(split) => split.iter().map(String::as_str).collect(),
        None => SEPARATORS.to_vec(),
    };
    let between = list_separator(column, template, &split);
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

/// The separator between values: what the column or the template specifies, else what a reader
/// splits at.
fn list_separator(column: &TemplateColumn, template: &ExportTemplate, split: &[&str]) -> String {
    let separator = column.join.as_ref().or(template.list.as_ref());
    separator.cloned().unwrap_or_else(|| match split.first() {
        Some(first) if !split.contains(&";") => match *first {
            "," => ", ".to_owned(),
            mark => mark.to_owned(),
        },
        _ => "; ".to_owned(),
    })
}

/// Whether a text consists only of phone numbers and separators.
pub(super) fn is_phone_list(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '|' | ' '))
}
