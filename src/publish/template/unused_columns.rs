//! Columns that hold values but have no place in the files of a template, so that they are not exported.

use std::collections::BTreeSet;

use super::cell_source::TemplateCellSource;
use crate::model::draft::split_priority_line;
use crate::resource::TableSchema;
use crate::table::BatchTexts;

/// Columns that are named.
const COLUMNS: usize = 60;
/// What every row has and no system asks for: HighLevel's own.
const OWN: [&str; 4] = ["id", "location_id", "contact_id", "extra"];

/// What of a table's rows no file has a column for.
#[derive(Debug)]
pub(super) struct UnusedColumns {
    table: &'static str,
    columns: Vec<String>,
    used: BTreeSet<usize>,
    /// Where the texts stand whose priority is used.
    priority: Option<usize>,
    /// The places of columns that nobody uses and rows have values of.
    left: BTreeSet<usize>,
}

impl UnusedColumns {
    pub(super) fn new(table: &TableSchema) -> Self {
        let columns: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        let own = |name: &String| OWN.contains(&name.as_str());
        let used =
            columns.iter().enumerate().filter(|(_, name)| own(name)).map(|(at, _)| at).collect();
        Self { table: table.name, columns, used, priority: None, left: BTreeSet::new() }
    }

    /// A file has a column for what a source reads.
    pub(super) fn mark_used(&mut self, source: Option<&TemplateCellSource>) {
        let Some(source) = source else { return };
        match source {
            TemplateCellSource::Priority(place) => self.priority = Some(*place),
            _ => self.used.extend(source.column_indexes()),
        }
        // A name is made of its parts, and they of it.
        for (part, whole) in [("first_name", "name"), ("last_name", "name")] {
            let place = |name: &str| self.columns.iter().position(|column| column == name);
            if let (Some(part), Some(whole)) = (place(part), place(whole))
                && source.column_indexes().contains(&part)
            {
                self.used.insert(whole);
            }
        }
    }

    /// Looks which of the others rows have.
    pub(super) fn scan_unused_values(&mut self, texts: &BatchTexts<'_>) {
        for column in 0..texts.column_count() {
            let open = !self.used.contains(&column) && !self.left.contains(&column);
            let says = |row: usize| match self.priority {
                Some(place) if place == column => {
                    !split_priority_line(&texts.cell_texts(column, row).concat())
                        .1
                        .trim()
                        .is_empty()
                }
                _ => texts.has_value(column, row),
            };
            if open && (0..texts.row_count()).any(says) {
                self.left.insert(column);
            }
        }
    }

    /// Forgets what was seen.
    pub(super) fn clear(&mut self) {
        self.left.clear();
    }
}

/// The sentence about what stays behind, with its code.
pub(super) fn build_warning(rest: &[UnusedColumns]) -> Option<(&'static str, String)> {
    let of_table = |rest: &UnusedColumns| {
        let names: Vec<&str> = rest.left.iter().map(|at| rest.columns[*at].as_str()).collect();
        let more = names.len().saturating_sub(COLUMNS);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let shown = names.iter().take(COLUMNS).copied().collect::<Vec<_>>().join(", ");
        (!names.is_empty()).then(|| format!("of {}: {shown}{more}", rest.table))
    };
    let tables: Vec<String> = rest.iter().filter_map(of_table).collect();
    (!tables.is_empty()).then(|| {
        let message = format!(
            "not in these files, which have no column for it: {}; add `--format csv` to keep it",
            tables.join("; ")
        );
        ("left_behind", message)
    })
}
