//! A record as its table shows it: the columns by name, in their order.

use jiff::tz::TimeZone;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::resource::{CustomFieldColumns, ResourceSpec, RowDecodeError, RowDecoder, TableSchema};
use crate::table;

/// Turns raw rows of one table into records, one at a time.
#[derive(Debug)]
pub(super) struct RecordReader {
    table: TableSchema,
    decoder: RowDecoder,
}

impl RecordReader {
    /// A reader of a table in an account with these custom fields. Times without a zone are in the zone, if it is known.
    pub(super) fn new(
        resource: &ResourceSpec,
        fields: &CustomFieldColumns,
        zone: Option<&TimeZone>,
    ) -> Self {
        let table = resource.table_schema(fields);
        let mut decoder = RowDecoder::new(&table);
        if let Some(zone) = zone {
            decoder = decoder.with_time_zone(zone.clone());
        }
        Self { table, decoder }
    }

    /// Decodes a raw row, which must have passed a JSON parser.
    ///
    /// # Errors
    /// When it is not a record of the table.
    pub(super) fn read_row(&mut self, row: &str) -> Result<RecordRow, RowDecodeError> {
        self.decoder.push_row(row)?;
        let line = table::format_json_lines(&self.decoder.finish());
        let mut values: Map<String, Value> =
            serde_json::from_str(&line).expect("a line of a table is a JSON object");
        let take = |name: &String| (name.clone(), values.remove(name).unwrap_or_default());
        let names = self.table.columns.iter().map(|column| &column.name);
        Ok(RecordRow { cells: names.map(take).collect() })
    }
}

/// A record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecordRow {
    cells: Vec<(String, Value)>,
}

impl RecordRow {
    /// The columns and their values, in the order of the table.
    pub fn cells(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.cells.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The value of a column; null if there is no such column.
    #[must_use]
    pub fn value(&self, column: &str) -> &Value {
        let found = self.cells.iter().find(|(name, _)| name == column);
        found.map_or(&Value::Null, |(_, value)| value)
    }

    /// The text of a column, if it has one.
    #[must_use]
    pub fn text(&self, column: &str) -> Option<&str> {
        self.value(column).as_str()
    }
}

impl Serialize for RecordRow {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.cells.len()))?;
        for (name, value) in &self.cells {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
