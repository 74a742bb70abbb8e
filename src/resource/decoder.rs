//! The decoder: raw rows in, record batches out.
//!
//! This is the hot loop of publishing, so a row is walked once, values go from its text straight into Arrow builders,
//! and no tree of values is ever built. A row is taken whole or not at all.
//!
//! What goes to `extra`: members without a column; every value that its column cannot give back exactly; every value
//! that came under another key than the search dialect's; all values of a column that came under several keys. So a
//! column speaks for its keys unless one of them is in `extra`, and then `extra` speaks for all of them.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use jiff::tz::TimeZone;

use super::Error;
use super::column_builder::{Cell, Context, Fit};
use super::custom_values::{CUSTOM_FIELDS, Entries};
use super::decode_plan::{Plan, Source};
use super::extra::Extra;
use super::table::Table;

/// The most raw text one batch may be made of: well below the 2 GiB that the texts of an Arrow column can be.
const FULL: usize = 1 << 30;

/// Turns raw rows of one table into record batches.
#[derive(Debug)]
pub struct Decoder {
    plan: Plan,
    schema: SchemaRef,
    cells: Vec<Cell>,
    misfits: Vec<u64>,
    context: Context,
    extra: Extra,
    rows: usize,
    bytes: usize,
}

impl Decoder {
    /// A decoder for rows of this table.
    #[must_use]
    pub fn new(table: &Table) -> Self {
        Self {
            plan: Plan::new(table),
            schema: table.schema(),
            cells: table.columns.iter().map(Cell::new).collect(),
            misfits: vec![0; table.columns.len()],
            context: Context::default(),
            extra: Extra::default(),
            rows: 0,
            bytes: 0,
        }
    }

    /// The same decoder, reading times sent without a zone as times of this one.
    #[must_use]
    pub fn in_zone(mut self, zone: TimeZone) -> Self {
        self.context.zone = Some(zone);
        self
    }

    /// Adds a row: the text of a JSON object that has passed a parser.
    pub fn push(&mut self, row: &str) -> Result<(), Error> {
        let table = self.plan.table;
        if self.bytes + row.len() > FULL {
            return Err(Error::Full { table });
        }
        self.extra.clear();
        let mut found = self
            .plan
            .keys
            .walk(row, |key, raw| self.extra.push(key, raw))
            .ok_or_else(|| Error::not_a_row(table, "it is no object", row))?;
        if self.plan.id(&found).is_none() {
            return Err(Error::not_a_row(table, "it has no id", row));
        }
        self.plan.drop_derived(&mut found, &mut self.extra);
        self.fill(&found);
        self.rows += 1;
        self.bytes += row.len();
        Ok(())
    }

    /// How many rows the next batch holds so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether the next batch holds no row so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// About how much memory the next batch takes so far: the bytes of the raw rows.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The batch of all rows since the last one. The decoder is then empty and ready for more.
    ///
    /// # Panics
    /// If the columns are not equally long, which is a bug.
    pub fn finish(&mut self) -> RecordBatch {
        self.rows = 0;
        self.bytes = 0;
        let columns = self.cells.iter_mut().map(Cell::finish).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .expect("every row adds one value of its type to every column")
    }

    /// The schema of the batches.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The columns that met values of another type than theirs, and how many since the decoder was made.
    pub fn misfits(&self) -> impl Iterator<Item = (&str, u64)> {
        let names = self.plan.names.iter().map(String::as_str);
        names.zip(self.misfits.iter().copied()).filter(|(_, count)| *count > 0)
    }

    /// Adds one value to every column; the last one, `extra`, gets what the others left.
    fn fill(&mut self, found: &[Option<&str>]) {
        let Self { plan, context, .. } = self;
        let raw = plan.entries.and_then(|place| found[place]);
        let mut entries = Entries::read(raw, &plan.fields);
        let columns = self.cells.iter_mut().zip(&mut self.misfits);
        for ((cell, misfits), source) in columns.zip(&plan.sources) {
            let fit = match source {
                Source::Member(places, primary) => {
                    let places = (places.clone(), *primary);
                    member(cell, places, found, context, |place, raw| {
                        self.extra.push(plan.known[place], raw);
                    })
                }
                Source::Field(place) => field(cell, *place, &mut entries, context),
                Source::ById(names) => {
                    let id = plan.id(found).and_then(super::json_scan::inside);
                    cell.plain(id.and_then(|id| names.get(id)).map(String::as_str));
                    Fit::Exact
                }
                Source::Rest => {
                    keep_entries(&mut self.extra, raw, &entries.kept);
                    cell.plain(self.extra.close());
                    Fit::Exact
                }
            };
            *misfits += u64::from(fit == Fit::Misfit);
        }
    }
}

/// Decodes the best value of a column, and keeps whatever the column alone would not give back.
fn member(
    cell: &mut Cell,
    (places, primary): (Range<usize>, usize),
    found: &[Option<&str>],
    context: &mut Context,
    mut keep: impl FnMut(usize, &str),
) -> Fit {
    let mut values = places.clone().filter_map(|place| Some((place, found[place]?)));
    let Some((best, raw)) = values.next() else {
        cell.null();
        return Fit::Exact;
    };
    let fit = cell.decode(raw, context);
    let alone = values.next().is_none();
    if fit > Fit::Exact || best != primary || !alone {
        for place in places {
            found[place].into_iter().for_each(|raw| keep(place, raw));
        }
    }
    fit
}

fn field(cell: &mut Cell, place: usize, entries: &mut Entries, context: &mut Context) -> Fit {
    let found = entries.found[place];
    let Some((found, raw)) = found.and_then(|found| Some((found, found.value?))) else {
        cell.null();
        return Fit::Exact;
    };
    let fit = cell.decode(raw, context);
    if fit > Fit::Exact && !found.kept {
        entries.kept.push(found.entry);
    }
    fit
}

/// Keeps the entries that have to be, or all of what was sent if that was no list of entries.
fn keep_entries(extra: &mut Extra, raw: Option<&str>, kept: &[&str]) {
    match raw {
        Some(raw) if !raw.starts_with('[') => extra.push(CUSTOM_FIELDS, raw),
        _ => extra.push_all(CUSTOM_FIELDS, kept),
    }
}
