//! The plan of a decoder: where in a row each column's value is found.
//!
//! It is made once per table, so that decoding a row needs no look-ups by name but one per member.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::column::{Column, Wire};
use super::custom_values::CUSTOM_FIELDS;
use super::derived::Derived;
use super::extra::Extra;
use super::row::{self, Keys, Names};
use super::table::Table;

/// Where each column's value is found.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) table: &'static str,
    pub(super) names: Vec<String>,
    pub(super) keys: Keys,
    /// The known keys, by place.
    pub(super) known: Vec<&'static str>,
    pub(super) sources: Vec<Source>,
    pub(super) fields: Names<String, usize>,
    /// The place of `customFields`, where custom fields are columns.
    pub(super) entries: Option<usize>,
    derived: Vec<(usize, Derived)>,
    /// The derived keys that are not also the key of a column.
    spare: Vec<usize>,
}

/// Where one column's value is found.
#[derive(Debug)]
pub(super) enum Source {
    /// Under these places, best first; the one of the search dialect is named again.
    Member(Range<usize>, usize),
    /// Among the custom-field values.
    Field(usize),
    /// In this list, by the row's id.
    ById(Arc<HashMap<String, String>>),
    /// In what is left.
    Rest,
}

impl Plan {
    pub(super) fn new(table: &Table) -> Self {
        let mut plan = Self {
            table: table.name,
            names: table.columns.iter().map(|c| c.name.clone()).collect(),
            keys: Keys::default(),
            known: Vec::new(),
            sources: Vec::new(),
            fields: Names::default(),
            entries: None,
            derived: Vec::new(),
            spare: Vec::new(),
        };
        plan.sources = table.columns.iter().map(|c| plan.source(c)).collect();
        let columns = plan.known.len();
        if table.has_fields() {
            plan.entries = Some(plan.place(CUSTOM_FIELDS));
        }
        for derived in table.derived {
            let place = plan.place(derived.key);
            plan.derived.push((place, *derived));
            plan.spare.extend((place >= columns).then_some(place));
        }
        plan
    }

    fn place(&mut self, key: &'static str) -> usize {
        let place = self.keys.place(key);
        if place == self.known.len() {
            self.known.push(key);
        }
        place
    }

    fn source(&mut self, column: &Column) -> Source {
        match &column.wire {
            Wire::Member { key, .. } => {
                let start = self.known.len();
                let end = column.keys().map(|key| self.place(key)).last();
                let places = start..end.map_or(start, |end| end + 1);
                Source::Member(places, self.place(key))
            }
            Wire::Field(id) => {
                let place = self.fields.len();
                Source::Field(*self.fields.entry(id.clone()).or_insert(place))
            }
            Wire::ById(names) => Source::ById(Arc::clone(names)),
            Wire::Rest => Source::Rest,
        }
    }

    /// The row's id, as JSON text: a text or a number.
    pub(super) fn id<'r>(&self, found: &[Option<&'r str>]) -> Option<&'r str> {
        let Some(Source::Member(places, _)) = self.sources.first() else {
            return None;
        };
        let id = places.clone().find_map(|place| found[place]);
        id.filter(|raw| row::is_id(raw))
    }

    /// Forgets the derived keys that say nothing new, and keeps those that do.
    pub(super) fn drop_derived(&self, found: &mut [Option<&str>], extra: &mut Extra) {
        for (place, derived) in &self.derived {
            let find = |key: &str| self.keys.find(key).and_then(|place| found[place]);
            if found[*place].is_some_and(|raw| derived.holds(raw, find)) {
                found[*place] = None;
            }
        }
        for place in &self.spare {
            if let Some(raw) = found[*place] {
                extra.push(self.known[*place], raw);
            }
        }
    }
}
