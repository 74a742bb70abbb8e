//! A column: its name, its type, what the API calls it, and what it means.
//!
//! A column says under which keys its value arrives. The first choice for rebuilding a row is the key of the search
//! dialect; other endpoints and versions spell some keys differently. The column knows nothing of how values are
//! parsed or written.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, TimeUnit};

/// The name of the Arrow field metadata entry that says more than the Arrow type does.
pub const KIND: &str = "ghl.kind";

/// The value of [`KIND`] on columns of text that is JSON.
pub const JSON_KIND: &str = "json";

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// Text.
    Text,
    /// True or false.
    Boolean,
    /// A whole number of 64 bits.
    Integer,
    /// A number of double precision.
    Float,
    /// A day of the calendar.
    Date,
    /// An instant in UTC, to the millisecond.
    Timestamp,
    /// A list of texts.
    TextList,
    /// Any JSON value, as the text the server sent.
    Json,
}

impl ColumnKind {
    /// The Arrow type of such a column.
    #[must_use]
    pub fn data_type(self) -> DataType {
        match self {
            Self::Text | Self::Json => DataType::Utf8,
            Self::Boolean => DataType::Boolean,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Date => DataType::Date32,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            Self::TextList => DataType::new_list(DataType::Utf8, true),
        }
    }

    /// The name of the kind, for help texts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::TextList => "list of text",
            Self::Json => "JSON",
        }
    }
}

/// Where a column's value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnSource {
    /// A member of the row.
    Member {
        /// The key in the search dialect, under which a row is rebuilt.
        key: &'static str,
        /// Keys that say it better when they are there, best first.
        better: &'static [&'static str],
        /// Keys that say it when no other does, best first.
        other: &'static [&'static str],
    },
    /// The value of the custom field with this id.
    Field(String),
    /// Not sent by the server: looked up by the row's id.
    ById(Arc<HashMap<String, String>>),
    /// Everything that no other column gives back exactly.
    Rest,
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableColumn {
    /// The name, in `snake_case`.
    pub name: String,
    /// The type.
    pub kind: ColumnKind,
    /// Where the value comes from.
    pub wire: ColumnSource,
    /// What it means, in a sentence or two.
    pub doc: &'static str,
}

impl TableColumn {
    /// The Arrow field of the column; only `id` is never null.
    #[must_use]
    pub fn arrow_field(&self) -> Field {
        let field = Field::new(&self.name, self.kind.data_type(), self.name != "id");
        match self.kind {
            ColumnKind::Json => field.with_metadata([(KIND.to_owned(), JSON_KIND.to_owned())]),
            _ => field,
        }
    }

    /// The keys under which the value may arrive, best first; none for columns that are not members of the row.
    pub fn source_keys(&self) -> impl Iterator<Item = &'static str> + use<> {
        let (better, key, other): (&[_], _, &[_]) = match self.wire {
            ColumnSource::Member { key, better, other } => (better, Some(key), other),
            _ => (&[], None, &[]),
        };
        better.iter().copied().chain(key).chain(other.iter().copied())
    }

    /// The same column, arriving under better keys too.
    pub(super) fn with_preferred_keys(mut self, keys: &'static [&'static str]) -> Self {
        if let ColumnSource::Member { better, .. } = &mut self.wire {
            *better = keys;
        }
        self
    }

    /// The same column, arriving under other keys when its own is absent.
    pub(super) fn with_fallback_keys(mut self, keys: &'static [&'static str]) -> Self {
        if let ColumnSource::Member { other, .. } = &mut self.wire {
            *other = keys;
        }
        self
    }
}

fn member_column(
    name: &str,
    key: &'static str,
    kind: ColumnKind,
    doc: &'static str,
) -> TableColumn {
    let wire = ColumnSource::Member { key, better: &[], other: &[] };
    TableColumn { name: name.to_owned(), kind, wire, doc }
}

pub(super) fn text_column(name: &str, key: &'static str, doc: &'static str) -> TableColumn {
    member_column(name, key, ColumnKind::Text, doc)
}

pub(super) fn boolean_column(name: &str, key: &'static str, doc: &'static str) -> TableColumn {
    member_column(name, key, ColumnKind::Boolean, doc)
}

pub(super) fn integer_column(name: &str, key: &'static str, doc: &'static str) -> TableColumn {
    member_column(name, key, ColumnKind::Integer, doc)
}

pub(super) fn date_column(name: &str, key: &'static str, doc: &'static str) -> TableColumn {
    member_column(name, key, ColumnKind::Date, doc)
}

pub(super) fn timestamp_column(name: &str, key: &'static str, doc: &'static str) -> TableColumn {
    member_column(name, key, ColumnKind::Timestamp, doc)
}

pub(super) fn text_list_column(name: &str, key: &'static str, doc: &'static str) -> TableColumn {
    member_column(name, key, ColumnKind::TextList, doc)
}

pub(super) fn json_column(name: &str, key: &'static str, doc: &'static str) -> TableColumn {
    member_column(name, key, ColumnKind::Json, doc)
}

/// The last column of every table.
pub(super) fn extra_column() -> TableColumn {
    TableColumn {
        name: "extra".to_owned(),
        kind: ColumnKind::Json,
        wire: ColumnSource::Rest,
        doc: "Everything else the server sent, as a JSON object under the server's keys: what has no column, and the \
              raw value of what a column cannot give back exactly. Null when there is nothing.",
    }
}
