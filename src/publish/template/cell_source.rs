//! Where the cells of a template's column come from.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::model::draft::split_priority_line;
use crate::resource::ColumnKind;
use crate::table::BatchTexts;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TemplateCellSource {
    /// A column of the table.
    Column(usize, ColumnKind),
    /// First and last name, or else the full name.
    Name([usize; 2], usize),
    /// Whether do-not-disturb is set for a channel.
    Channel(usize, &'static str),
    /// The priority line in a task's body.
    Priority(usize),
    /// A task's body without its priority line.
    WithoutPriority(usize),
    /// A value of the row's contact: the index of the contact field, and the column with the contact's
    /// id.
    Person(usize, usize),
    /// The name of the calendar whose id is in a column.
    Calendar(usize),
}

impl TemplateCellSource {
    /// The table columns that it reads.
    pub(super) fn column_indexes(&self) -> Vec<usize> {
        match self {
            Self::Column(place, _)
            | Self::Calendar(place)
            | Self::Channel(place, _)
            | Self::Priority(place)
            | Self::WithoutPriority(place) => vec![*place],
            Self::Name(parts, whole) => vec![parts[0], parts[1], *whole],
            Self::Person(..) => Vec::new(),
        }
    }

    /// A row's values: none, one or several. What is looked up elsewhere is not included.
    pub(super) fn read_values<'b>(&self, texts: &BatchTexts<'b>, row: usize) -> Vec<Cow<'b, str>> {
        let one =
            |place: usize| texts.cell_texts(place, row).into_iter().next().unwrap_or_default();
        let some = |text: String| if text.is_empty() { Vec::new() } else { vec![Cow::Owned(text)] };
        match self {
            Self::Column(place, _) => texts.cell_texts(*place, row),
            Self::Name(parts, whole) => {
                let parts = parts.map(one);
                let parts: Vec<&str> = parts
                    .iter()
                    .map(|part| &**part)
                    .filter(|part| !part.trim().is_empty())
                    .collect();
                if parts.is_empty() { texts.cell_texts(*whole, row) } else { some(parts.join(" ")) }
            }
            Self::Channel(place, channel) => {
                let settings: Json = serde_json::from_str(&one(*place)).unwrap_or_default();
                let status = settings[*channel]["status"].as_str();
                let blocked = status.map(|status| matches!(status, "active" | "permanent"));
                blocked.map(|it| Cow::Owned(it.to_string())).into_iter().collect()
            }
            Self::Priority(place) => {
                some(split_priority_line(&one(*place)).0.unwrap_or_default().to_owned())
            }
            Self::WithoutPriority(place) => some(split_priority_line(&one(*place)).1),
            Self::Person(..) | Self::Calendar(_) => Vec::new(),
        }
    }
}
