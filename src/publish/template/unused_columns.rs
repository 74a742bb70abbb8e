//! Columns with values that no template file contains, so that they are not exported.

use std::collections::BTreeSet;

use super::cell_source::TemplateCellSource;
use crate::diagnostic::EventWarningCode;
use crate::event::RunWarning;
use crate::model::draft::split_priority_line;
use crate::resource::{SYNC_COLUMN_PREFIX, TableSchema};
use crate::table::BatchTexts;

/// Most columns in a warning.
const MAX_COLUMNS: usize = 60;
/// HighLevel's own columns, which every row has and no other system uses, as those of syncs.
const IGNORED_COLUMNS: [&str; 4] = ["id", "location_id", "contact_id", "extra"];

/// The columns of a table that no file contains.
#[derive(Debug)]
pub(super) struct UnusedColumns {
    table: &'static str,
    columns: Vec<String>,
    used: BTreeSet<usize>,
    /// The column with a body whose priority line is used.
    priority: Option<usize>,
    /// The unused columns that have values.
    unused_with_values: BTreeSet<usize>,
}

impl UnusedColumns {
    pub(super) fn new(table: &TableSchema) -> Self {
        let columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        let own = |name: &String| {
            IGNORED_COLUMNS.contains(&name.as_str()) || name.starts_with(SYNC_COLUMN_PREFIX)
        };
        let used =
            columns.iter().enumerate().filter(|(_, name)| own(name)).map(|(at, _)| at).collect();
        Self {
            table: table.name,
            columns,
            used,
            priority: None,
            unused_with_values: BTreeSet::new(),
        }
    }

    /// Marks the columns that a source reads as used.
    pub(super) fn mark_used(&mut self, source: Option<&TemplateCellSource>) {
        let Some(source) = source else { return };
        match source {
            TemplateCellSource::Priority(place) => self.priority = Some(*place),
            _ => self.used.extend(source.column_indexes()),
        }
        // First and last name together cover the full name.
        for (part, whole) in [("first_name", "name"), ("last_name", "name")] {
            let place = |name: &str| self.columns.iter().position(|column| column == name);
            if let (Some(part), Some(whole)) = (place(part), place(whole))
                && source.column_indexes().contains(&part)
            {
                self.used.insert(whole);
            }
        }
    }

    /// Finds the unused columns that have values.
    pub(super) fn scan_unused_values(&mut self, texts: &BatchTexts<'_>) {
        for column in 0..texts.column_count() {
            let unchecked =
                !self.used.contains(&column) && !self.unused_with_values.contains(&column);
            let has_value = |row: usize| match self.priority {
                Some(place) if place == column => {
                    !split_priority_line(&texts.cell_texts(column, row).concat())
                        .1
                        .trim()
                        .is_empty()
                }
                _ => texts.has_value(column, row),
            };
            if unchecked && (0..texts.row_count()).any(has_value) {
                self.unused_with_values.insert(column);
            }
        }
    }

    /// Forgets the values found so far.
    pub(super) fn clear(&mut self) {
        self.unused_with_values.clear();
    }
}

/// Builds the warning about columns that no file contains.
pub(super) fn build_warning(unused: &[UnusedColumns]) -> Option<RunWarning> {
    let columns = unused.iter().flat_map(|unused| {
        let column = |at: &usize| format!("{}.{}", unused.table, unused.columns[*at]);
        unused.unused_with_values.iter().map(column)
    });
    let of_table = |unused: &UnusedColumns| {
        let names: Vec<&str> =
            unused.unused_with_values.iter().map(|at| unused.columns[*at].as_str()).collect();
        let more = names.len().saturating_sub(MAX_COLUMNS);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let shown = names.iter().take(MAX_COLUMNS).copied().collect::<Vec<_>>().join(", ");
        (!names.is_empty()).then(|| format!("of {}: {shown}{more}", unused.table))
    };
    let tables: Vec<String> = unused.iter().filter_map(of_table).collect();
    (!tables.is_empty()).then(|| {
        let message = format!(
            "these columns are not in the template files: {}; to keep them, add `--format csv`",
            tables.join("; ")
        );
        RunWarning::new(EventWarningCode::ColumnsNotExported, message).about(columns)
    })
}
