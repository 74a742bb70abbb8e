//! A column: its name, its type, the API's keys for it, and what it means.
//!
//! A column lists the keys under which its value arrives. When a row is rebuilt, the key of the
//! search endpoint is used; other endpoints and versions spell some keys differently. The column
//! does not know how values are parsed or written.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::{DataType, Field, TimeUnit};
use serde::{Deserialize, Serialize};

/// The Arrow field metadata entry with details that the Arrow type cannot express.
pub const KIND: &str = "ghl.kind";

/// The value of [`KIND`] for text columns that contain JSON.
pub const JSON_KIND: &str = "json";

/// The type of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnKind {
    /// Text.
    Text,
    /// True or false.
    Boolean,
    /// A 64-bit integer.
    Integer,
    /// A double-precision number.
    Float,
    /// A calendar date.
    Date,
    /// An instant in UTC, to the millisecond.
    Timestamp,
    /// A list of strings.
    TextList,
    /// Any JSON value, as the text that the server sent.
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

    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Text,
        Self::Boolean,
        Self::Integer,
        Self::Float,
        Self::Date,
        Self::Timestamp,
        Self::TextList,
        Self::Json,
    ];

    /// The kind with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The name of the kind, for help texts and manifests.
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
        /// The key of the search endpoint, used to rebuild a row.
        key: &'static str,
        /// Keys that are preferred over it if present, best first.
        preferred_keys: &'static [&'static str],
        /// Fallback keys, best first.
        fallback_keys: &'static [&'static str],
    },
    /// The value of a custom field.
    Field(CustomFieldSource),
    /// None any more: the values of this custom field have another type now, and another column.
    FormerField(CustomFieldSource),
    /// Not sent by the server: looked up by the row's id.
    ById(Arc<HashMap<String, String>>),
    /// Everything that no other column preserves exactly.
    Extra,
}

/// The custom field that a column has the values of, as its definition describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomFieldSource {
    /// The field's id.
    pub id: String,
    /// The field's key, without its model; empty if it has none.
    pub key: String,
    /// The field's name, as users see it.
    pub label: String,
    /// The type of its values, such as `MONETORY`.
    pub data_type: String,
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableColumn {
    /// The name, in `snake_case`.
    pub name: String,
    /// The type.
    pub kind: ColumnKind,
    /// Where the value comes from.
    pub source: ColumnSource,
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

    /// The keys under which the value may arrive, best first; none for columns that are not members
    /// of the row.
    pub fn source_keys(&self) -> impl Iterator<Item = &'static str> + use<> {
        let (preferred_keys, key, fallback_keys): (&[_], _, &[_]) = match self.source {
            ColumnSource::Member { key, preferred_keys, fallback_keys } => {
                (preferred_keys, Some(key), fallback_keys)
            }
            _ => (&[], None, &[]),
        };
        preferred_keys.iter().copied().chain(key).chain(fallback_keys.iter().copied())
    }

    /// The same column with keys that are preferred over its own.
    pub(super) fn with_preferred_keys(mut self, keys: &'static [&'static str]) -> Self {
        if let ColumnSource::Member { preferred_keys, .. } = &mut self.source {
            *preferred_keys = keys;
        }
        self
    }

    /// The same column with keys that are used when its own is absent.
    pub(super) fn with_fallback_keys(mut self, keys: &'static [&'static str]) -> Self {
        if let ColumnSource::Member { fallback_keys, .. } = &mut self.source {
            *fallback_keys = keys;
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
    let source = ColumnSource::Member { key, preferred_keys: &[], fallback_keys: &[] };
    TableColumn { name: name.to_owned(), kind, source, doc }
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
        source: ColumnSource::Extra,
        doc: "Everything else that the server sent, as a JSON object under the server's keys: members without a \
              column, and raw values that a column cannot reproduce exactly. Null if there are none.",
    }
}
