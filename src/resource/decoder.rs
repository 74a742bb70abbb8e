//! The decoder: turns raw rows into record batches.
//!
//! This is the hot loop of publishing. A row is scanned once, values go from its text straight into
//! Arrow builders, and no value tree is ever built. A row is decoded completely or not at all.
//!
//! `extra` gets: members without a column; every value that its column cannot reproduce exactly;
//! every value that came under another key than that of the search endpoint; all values of a column
//! that came under several keys. So a column is authoritative for its keys unless one of them is in
//! `extra`; then `extra` is authoritative for all of them.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use jiff::tz::TimeZone;

use super::RowDecodeError;
use super::column_builder::{ColumnBuilder, DecodeContext, ValueFidelity};
use super::custom_values::{CUSTOM_FIELDS, CustomValueEntries, FIRST_CUSTOM_FIELDS};
use super::decode_plan::{DecodePlan, ResolvedColumnSource};
use super::extra::ExtraBuilder;
use super::table::TableSchema;

/// Most raw text in one batch: well below the 2 GiB limit of a text column in Arrow.
const MAX_BATCH_BYTES: usize = 1 << 30;

/// Rows by how their custom-field values could be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CustomValueCounts {
    /// Rows of a table that has custom fields as columns.
    pub rows: u64,
    /// Rows with a list or an object of values, be it empty.
    pub present: u64,
    /// Rows with a value in a form that is not known.
    pub unreadable: u64,
}

/// Turns raw rows of one table into record batches.
#[derive(Debug)]
pub struct RowDecoder {
    plan: DecodePlan,
    schema: SchemaRef,
    cells: Vec<ColumnBuilder>,
    misfits: Vec<u64>,
    custom_values: CustomValueCounts,
    context: DecodeContext,
    extra: ExtraBuilder,
    rows: usize,
    bytes: usize,
}

impl RowDecoder {
    /// A decoder for rows of this table.
    #[must_use]
    pub fn new(table: &TableSchema) -> Self {
        Self {
            plan: DecodePlan::new(table),
            schema: table.arrow_schema(),
            cells: table.columns.iter().map(ColumnBuilder::new).collect(),
            misfits: vec![0; table.columns.len()],
            custom_values: CustomValueCounts::default(),
            context: DecodeContext::default(),
            extra: ExtraBuilder::default(),
            rows: 0,
            bytes: 0,
        }
    }

    /// The same decoder, which reads times without a zone in this zone.
    #[must_use]
    pub fn with_time_zone(mut self, zone: TimeZone) -> Self {
        self.context.zone = Some(zone);
        self
    }

    /// Adds a row: the text of a JSON object that has passed a parser.
    pub fn push_row(&mut self, row: &str) -> Result<(), RowDecodeError> {
        let table = self.plan.table;
        if self.bytes + row.len() > MAX_BATCH_BYTES {
            return Err(RowDecodeError::Full { table });
        }
        self.extra.clear();
        let mut found = self
            .plan
            .keys
            .collect_known_values(row, |key, raw| self.extra.push_member(key, raw))
            .ok_or_else(|| RowDecodeError::not_a_row(table, "it is not an object", row))?;
        if self.plan.row_id(&found).is_none() {
            return Err(RowDecodeError::not_a_row(table, "it has no id", row));
        }
        self.plan.drop_redundant_keys(&mut found, &mut self.extra);
        self.append_row(&found);
        self.rows += 1;
        self.bytes += row.len();
        Ok(())
    }

    /// The number of rows in the next batch so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether the next batch is empty so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The approximate memory of the next batch so far: the bytes of the raw rows.
    #[must_use]
    pub fn byte_count(&self) -> usize {
        self.bytes
    }

    /// The batch of all rows since the last one. The decoder is empty afterwards and can be reused.
    ///
    /// # Panics
    /// If the columns differ in length, which is a bug.
    pub fn finish(&mut self) -> RecordBatch {
        self.rows = 0;
        self.bytes = 0;
        let columns = self.cells.iter_mut().map(ColumnBuilder::finish).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .expect("every row adds one value of its type to every column")
    }

    /// The schema of the batches.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The columns that received values of another type, and how many since the decoder was
    /// created.
    pub fn type_mismatch_counts(&self) -> impl Iterator<Item = (&str, u64)> {
        let names = self.plan.names.iter().map(String::as_str);
        names.zip(self.misfits.iter().copied()).filter(|(_, count)| *count > 0)
    }

    /// How the custom-field values could be read, since the decoder was created.
    #[must_use]
    pub fn custom_value_counts(&self) -> CustomValueCounts {
        self.custom_values
    }

    /// Adds one value to every column; the last one, `extra`, gets what the others did not
    /// preserve.
    fn append_row(&mut self, found: &[Option<&str>]) {
        let Self { plan, context, .. } = self;
        let raw = plan.entries.and_then(|place| found[place]);
        let first_raw = plan.first_entries.and_then(|place| found[place]);
        let mut entries = CustomValueEntries::parse_values(raw.or(first_raw), &plan.fields);
        if plan.entries.is_some() {
            self.custom_values.rows += 1;
            self.custom_values.present += u64::from(entries.is_present);
            self.custom_values.unreadable += u64::from(entries.has_unreadable);
        }
        let columns = self.cells.iter_mut().zip(&mut self.misfits);
        for ((cell, misfits), source) in columns.zip(&plan.sources) {
            let fit = match source {
                ResolvedColumnSource::Member(places, primary) => {
                    let places = (places.clone(), *primary);
                    append_member(cell, places, found, context, |place, raw| {
                        self.extra.push_member(plan.known[place], raw);
                    })
                }
                ResolvedColumnSource::Field(place) => {
                    append_custom_field(cell, *place, &mut entries, context)
                }
                ResolvedColumnSource::Nothing => {
                    cell.append_null();
                    ValueFidelity::Exact
                }
                ResolvedColumnSource::ById(names) => {
                    let id = plan.row_id(found).and_then(super::json_scan::strip_quotes);
                    cell.append_text(id.and_then(|id| names.get(id)).map(String::as_str));
                    ValueFidelity::Exact
                }
                ResolvedColumnSource::Extra => {
                    push_preserved_entries(&mut self.extra, (raw, first_raw), &entries.preserved);
                    cell.append_text(self.extra.finish_object());
                    ValueFidelity::Exact
                }
            };
            *misfits += u64::from(fit == ValueFidelity::TypeMismatch);
        }
    }
}

/// Decodes the best value of a column and preserves in `extra` what the column would lose.
fn append_member(
    cell: &mut ColumnBuilder,
    (places, primary): (Range<usize>, usize),
    found: &[Option<&str>],
    context: &mut DecodeContext,
    mut keep: impl FnMut(usize, &str),
) -> ValueFidelity {
    let mut values = places.clone().filter_map(|place| Some((place, found[place]?)));
    let Some((best, raw)) = values.next() else {
        cell.append_null();
        return ValueFidelity::Exact;
    };
    let fit = cell.append_json(raw, context);
    let alone = values.next().is_none();
    if fit > ValueFidelity::Exact || best != primary || !alone {
        for place in places {
            found[place].into_iter().for_each(|raw| keep(place, raw));
        }
    }
    fit
}

fn append_custom_field(
    cell: &mut ColumnBuilder,
    place: usize,
    entries: &mut CustomValueEntries,
    context: &mut DecodeContext,
) -> ValueFidelity {
    let found = entries.found[place];
    let Some((found, raw)) = found.and_then(|found| Some((found, found.value?))) else {
        cell.append_null();
        return ValueFidelity::Exact;
    };
    let fit = cell.append_json(raw, context);
    if fit > ValueFidelity::Exact && !found.preserved {
        entries.preserved.push(found.entry);
    }
    fit
}

/// Preserves the given entries, or everything that was sent if it was not one list of entries under its usual key.
fn push_preserved_entries(
    extra: &mut ExtraBuilder,
    (raw, first_raw): (Option<&str>, Option<&str>),
    preserved: &[&str],
) {
    match (raw, first_raw) {
        (Some(raw), None) if raw.starts_with('[') => extra.push_array(CUSTOM_FIELDS, preserved),
        _ => {
            for (key, raw) in [(CUSTOM_FIELDS, raw), (FIRST_CUSTOM_FIELDS, first_raw)] {
                if let Some(raw) = raw {
                    extra.push_member(key, raw);
                }
            }
        }
    }
}
