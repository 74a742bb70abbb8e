//! The rows of records as events show them: the columns of the exports' tables, with their values as JSON.

use arrow_array::RecordBatch;
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::table::json_members;

/// Names with values, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct RowMembers(Vec<(String, Box<RawValue>)>);

impl RowMembers {
    /// The columns of the first row of a batch.
    pub(super) fn from_row(row: &RecordBatch) -> Self {
        let members = json_members(row, 0).into_iter().map(|(name, value)| {
            (name, RawValue::from_string(value).expect("a value is written as JSON"))
        });
        Self(members.collect())
    }

    /// Names with texts.
    pub(super) fn from_texts(texts: Vec<(String, String)>) -> Self {
        let to_json = |text: String| Value::from(text).to_string();
        let members = texts.into_iter().map(|(name, text)| {
            (name, RawValue::from_string(to_json(text)).expect("a text is written as JSON"))
        });
        Self(members.collect())
    }

    /// Whether there is a column.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// The value of a column; null if there is no such column, or its number is out of range.
    pub(super) fn parse(&self, name: &str) -> Value {
        let value = self.value(name).and_then(|value| serde_json::from_str(value).ok());
        value.unwrap_or_default()
    }

    /// The value of a column as JSON text; `None` if there is no such column, or it is null.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let member = self.0.iter().find(|(known, _)| known == name);
        member.map(|(_, value)| value.get()).filter(|value| *value != "null")
    }

    /// A column with a text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.value(name)?).ok()
    }

    /// The members of a former version whose values are others now.
    pub(super) fn differing_from(&self, former: &Self) -> Self {
        let differs = |(name, value): &&(String, Box<RawValue>)| {
            let now = self.0.iter().find(|(known, _)| known == name);
            now.is_none_or(|(_, now)| now.get() != value.get())
        };
        Self(former.0.iter().filter(differs).cloned().collect())
    }

    /// The names.
    pub(super) fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }
}

impl Serialize for RowMembers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
