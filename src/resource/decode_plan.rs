//! The plan of a decoder: where each column's value is in a row.
//!
//! It is built once per table, so that decoding a row needs only one lookup per member.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::column::{ColumnSource, TableColumn};
use super::custom_values::{CUSTOM_FIELDS, FIRST_CUSTOM_FIELDS};
use super::derived::DerivedKey;
use super::extra::ExtraBuilder;
use super::row::{self, FxHashMap, RowKeyIndex};
use super::table::TableSchema;

/// Where the value of each column is.
#[derive(Debug)]
pub(super) struct DecodePlan {
    pub(super) table: &'static str,
    pub(super) names: Vec<String>,
    pub(super) keys: RowKeyIndex,
    /// The known keys, by index.
    pub(super) known: Vec<&'static str>,
    pub(super) sources: Vec<ResolvedColumnSource>,
    pub(super) fields: FxHashMap<String, usize>,
    /// The index of `customFields`, if custom fields are columns.
    pub(super) entries: Option<usize>,
    /// The index of `customField`, its name in the API's first version.
    pub(super) first_entries: Option<usize>,
    derived: Vec<(usize, DerivedKey)>,
    /// The derived keys that are not also the key of a column.
    derived_only: Vec<usize>,
}

/// Where the value of one column is.
#[derive(Debug)]
pub(super) enum ResolvedColumnSource {
    /// Under these keys, best first, with the key of the search endpoint repeated.
    Member(Range<usize>, usize),
    /// Among the custom-field values.
    Field(usize),
    /// Nowhere: the column is null.
    Nothing,
    /// In this map, by the row's id.
    ById(Arc<HashMap<String, String>>),
    /// In the remaining members.
    Extra,
}

impl DecodePlan {
    pub(super) fn new(table: &TableSchema) -> Self {
        let mut plan = Self {
            table: table.name,
            names: table.columns.iter().map(|c| c.name.clone()).collect(),
            keys: RowKeyIndex::default(),
            known: Vec::new(),
            sources: Vec::new(),
            fields: FxHashMap::default(),
            entries: None,
            first_entries: None,
            derived: Vec::new(),
            derived_only: Vec::new(),
        };
        plan.sources = table.columns.iter().map(|c| plan.resolve_source(c)).collect();
        let columns = plan.known.len();
        if table.has_custom_fields() {
            plan.entries = Some(plan.intern_key(CUSTOM_FIELDS));
            plan.first_entries = Some(plan.intern_key(FIRST_CUSTOM_FIELDS));
        }
        for derived in table.derived {
            let place = plan.intern_key(derived.key);
            plan.derived.push((place, *derived));
            plan.derived_only.extend((place >= columns).then_some(place));
        }
        plan
    }

    fn intern_key(&mut self, key: &'static str) -> usize {
        let place = self.keys.intern_key(key);
        if place == self.known.len() {
            self.known.push(key);
        }
        place
    }

    fn resolve_source(&mut self, column: &TableColumn) -> ResolvedColumnSource {
        match &column.source {
            ColumnSource::Member { key, .. } => {
                let start = self.known.len();
                let end = column.source_keys().map(|key| self.intern_key(key)).last();
                let places = start..end.map_or(start, |end| end + 1);
                ResolvedColumnSource::Member(places, self.intern_key(key))
            }
            ColumnSource::Field(field) => {
                let place = self.fields.len();
                ResolvedColumnSource::Field(*self.fields.entry(field.id.clone()).or_insert(place))
            }
            ColumnSource::FormerField(_) => ResolvedColumnSource::Nothing,
            ColumnSource::ById(names) => ResolvedColumnSource::ById(Arc::clone(names)),
            ColumnSource::Extra => ResolvedColumnSource::Extra,
        }
    }

    /// The row's id, as JSON text: a text or a number.
    pub(super) fn row_id<'r>(&self, found: &[Option<&'r str>]) -> Option<&'r str> {
        let Some(ResolvedColumnSource::Member(places, _)) = self.sources.first() else {
            return None;
        };
        let id = places.clone().find_map(|place| found[place]);
        id.filter(|raw| row::is_row_id(raw))
    }

    /// Drops the derived keys that are redundant and moves the others to `extra`.
    pub(super) fn drop_redundant_keys(&self, found: &mut [Option<&str>], extra: &mut ExtraBuilder) {
        for (place, derived) in &self.derived {
            let find = |key: &str| self.keys.find_key(key).and_then(|place| found[place]);
            if found[*place].is_some_and(|raw| derived.is_redundant(raw, find)) {
                found[*place] = None;
            }
        }
        for place in &self.derived_only {
            if let Some(raw) = found[*place] {
                extra.push_member(self.known[*place], raw);
            }
        }
    }
}
