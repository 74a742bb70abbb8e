//! Totals over all rows, for what would be too much to report row by row.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::cell_value::shorten_for_message;
use super::field_rule::{FieldRule, FieldRuleSource};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::sheet::{SheetCell, SheetColumn, SheetRow};
use crate::text::{format_count, format_plural, select_plural};
use crate::value;

/// Counters over all rows.
#[derive(Debug)]
pub(super) struct ValidationTotals {
    /// Empty cells that did not clear, by field rule.
    left: Vec<AtomicU64>,
    unmapped: Vec<usize>,
    /// How many cells of a column `--empty-values` emptied: the first text, and their number.
    emptied: Mutex<BTreeMap<usize, (String, u64)>>,
    /// Errors in columns that are not imported: the first one, and their number.
    errors: Mutex<BTreeMap<usize, (String, u64)>>,
    /// Opt-outs in columns that are not imported: the first one, and their number.
    opt_outs: Mutex<BTreeMap<usize, (String, u64)>>,
}

impl ValidationTotals {
    pub(super) fn new(steps: usize, unmapped: Vec<usize>) -> Self {
        let left = std::iter::repeat_with(AtomicU64::default).take(steps).collect();
        Self {
            left,
            unmapped,
            emptied: Mutex::default(),
            errors: Mutex::default(),
            opt_outs: Mutex::default(),
        }
    }

    /// Counts an empty cell that should clear its field but must not.
    pub(super) fn count_uncleared(&self, step: usize) {
        self.left[step].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts spreadsheet errors in columns that are not imported.
    pub(super) fn count_unmapped_errors(&self, row: &SheetRow, columns: &[SheetColumn]) {
        for column in &self.unmapped {
            let text = match row.cells.get(*column) {
                Some(SheetCell::Error(text)) => text,
                Some(SheetCell::Text(text))
                    if text.starts_with('#') && value::is_spreadsheet_error(text) =>
                {
                    text
                }
                _ => continue,
            };
            let mut errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
            let letters = columns.get(*column).map_or("", |column| &column.letters);
            let first = || (format!("`{text}` ({})", row.place.cell_reference(letters)), 0);
            errors.entry(*column).or_insert_with(first).1 += 1;
        }
    }

    /// Counts cells of columns without a target that say that a person must not be contacted.
    pub(super) fn count_opt_outs(&self, row: &SheetRow, columns: &[SheetColumn]) {
        for column in &self.unmapped {
            let Some(SheetCell::Text(text)) = row.cells.get(*column) else { continue };
            if value::is_clear_opt_out(text) {
                let mut opt_outs = self.opt_outs.lock().unwrap_or_else(PoisonError::into_inner);
                let letters = columns.get(*column).map_or("", |column| &column.letters);
                let text = shorten_for_message(text.trim());
                let first = || (format!("`{text}` ({})", row.place.cell_reference(letters)), 0);
                opt_outs.entry(*column).or_insert_with(first).1 += 1;
            }
        }
    }

    pub(super) fn opt_outs_left_out(&self, columns: &[SheetColumn]) -> Vec<Diagnostic> {
        let opt_outs = self.opt_outs.lock().unwrap_or_else(PoisonError::into_inner);
        let question = |(column, (first, count)): (&usize, &(String, u64))| {
            let SheetColumn { name, letters } = columns.get(*column)?;
            let message = format!(
                "column {letters} (`{name}`) is left out, but {} of its cells {} that a person must not be \
                 contacted: {first}",
                format_count(*count),
                select_plural(*count, "says", "say")
            );
            let hint = format!(
                "block what it is about with `--map {letters}=dndSettings.Email` (or `.SMS`, `.Call`; `dnd` for \
                 everything), or leave it out with `--ignore-column {letters}`"
            );
            let question = Diagnostic::new(DiagnosticCode::E_COLUMN_UNDECIDED, message);
            Some(question.with_hint(hint).at_column(*column))
        };
        opt_outs.iter().filter_map(question).collect()
    }

    /// Counts the cells that `is_empty_value` empties.
    pub(super) fn count_emptied(&self, row: &SheetRow, is_empty_value: impl Fn(&str) -> bool) {
        for (column, cell) in row.cells.iter().enumerate() {
            let text = cell.to_text();
            if !text.is_empty() && !self.unmapped.contains(&column) && is_empty_value(&text) {
                let mut emptied = self.emptied.lock().unwrap_or_else(PoisonError::into_inner);
                emptied.entry(column).or_insert_with(|| (text.trim().to_owned(), 0)).1 += 1;
            }
        }
    }

    fn emptied_warnings(&self, columns: &[SheetColumn]) -> Vec<Diagnostic> {
        let emptied = self.emptied.lock().unwrap_or_else(PoisonError::into_inner);
        let warning = |(column, (first, count)): (&usize, &(String, u64))| {
            let message = format!(
                "{} {} as empty because of `--empty-values`, such as `{}`",
                format_plural(*count, "cell"),
                select_plural(*count, "counts", "count"),
                shorten_for_message(first)
            );
            Diagnostic::new(DiagnosticCode::W_EMPTIED_VALUES, message)
                .at_column(*column)
                .in_field(column_header(columns, *column))
        };
        emptied.iter().map(warning).collect()
    }

    pub(super) fn sheet_warnings(
        &self,
        steps: &[FieldRule],
        columns: &[SheetColumn],
    ) -> Vec<Diagnostic> {
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        let of_errors = errors.iter().map(|(column, (first, count))| {
            let more = if *count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            let message = format!(
                "the column, which is not imported, contains spreadsheet errors: {first}{more}"
            );
            Diagnostic::new(DiagnosticCode::W_SPREADSHEET_ERROR, message)
                .at_column(*column)
                .in_field(column_header(columns, *column))
        });
        steps
            .iter()
            .filter_map(|step| self.uncleared_warning(step, columns))
            .chain(of_errors)
            .chain(self.emptied_warnings(columns))
            .collect()
    }

    fn uncleared_warning(&self, step: &FieldRule, columns: &[SheetColumn]) -> Option<Diagnostic> {
        let count = self.left[step.place].load(Ordering::Relaxed);
        let FieldRuleSource::Columns { columns: from, .. } = &step.source else { return None };
        let column = from.first().copied();
        let field =
            column.map_or_else(|| step.target.to_string(), |index| column_header(columns, index));
        let message = format!(
            "{count} empty cells would clear `{}`, which needs `--allow-clear`; nothing is cleared",
            step.target
        );
        let warning = Diagnostic::new(DiagnosticCode::W_CLEAR_NOT_ALLOWED, message);
        (count > 0).then(|| warning.at_column(column).in_field(field))
    }
}

fn column_header(columns: &[SheetColumn], index: usize) -> String {
    columns.get(index).map_or_else(String::new, |column| match column.name.as_str() {
        "" => column.letters.clone(),
        name => name.to_owned(),
    })
}
