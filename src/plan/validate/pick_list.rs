//! Pick lists: the options that a cell names, and what becomes of values that are not options of the field.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::Value as Json;

use super::RowValidator;
use super::field_rule::FieldRule;
use super::read_cell::JsonReadResult;
use super::row_context::RowContext;
use super::value_type::FieldOptions;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::model::UnknownOptionRule;
use crate::sheet::SheetColumn;

/// The maximum number of distinct cells stored: a wrong column may contain as many as the sheet has rows.
const KEPT: usize = 1_000;

/// How many items an option with separators may be split into.
const LONGEST_OPTION: usize = 6;

/// A cell with values that are not options of its field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnknownOptionCell {
    /// The column's index; `None` for a constant of the mapping.
    pub column: Option<usize>,
    /// The column's header, or the target.
    pub field: String,
    /// The target.
    pub target: String,
    /// The cell's text; empty for the cells beyond those that are stored one by one.
    pub cell: String,
    /// The values that are not options, with the closest option of each.
    pub values: Vec<(String, Option<String>)>,
    /// The number of rows with this cell.
    pub rows: u64,
}

/// The unknown options that stop the import.
#[derive(Debug, Default)]
pub(super) struct UnknownOptionTally(Mutex<CellCounts>);

/// By column, target and text.
type CellCounts = BTreeMap<(Option<usize>, String, String), CellCount>;

#[derive(Debug, Default)]
struct CellCount {
    values: Vec<(String, Option<String>)>,
    rows: u64,
}

impl UnknownOptionTally {
    fn count_cell(
        &self,
        step: &FieldRule,
        column: Option<usize>,
        cell: &str,
        values: &[(String, Option<String>)],
    ) {
        let mut cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let target = step.target.to_string();
        let key = (column, target.clone(), cell.to_owned());
        // Cells beyond the limit are counted together.
        let is_stored = cells.len() < KEPT || cells.contains_key(&key);
        let key = if is_stored { key } else { (column, target, String::new()) };
        let count = cells.entry(key).or_insert_with(|| CellCount {
            values: if is_stored { values.to_vec() } else { Vec::new() },
            rows: 0,
        });
        count.rows += 1;
    }

    /// The cells by column and text.
    pub(super) fn list_cells(&self, columns: &[SheetColumn]) -> Vec<UnknownOptionCell> {
        let cells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let header = |column: &Option<usize>| {
            let name = column.and_then(|at| columns.get(at)).map(|column| column.name.clone());
            name.filter(|name| !name.is_empty())
        };
        cells
            .iter()
            .map(|((column, target, cell), count)| UnknownOptionCell {
                column: *column,
                field: header(column).unwrap_or_else(|| target.clone()),
                target: target.clone(),
                cell: cell.clone(),
                values: count.values.clone(),
                rows: count.rows,
            })
            .collect()
    }
}

/// Joins items that are together one option, which contains the separator: `chess, blitz`. Items that are options
/// themselves stay.
fn join_split_options(options: &FieldOptions, items: &[String]) -> Vec<String> {
    let mut joined = Vec::with_capacity(items.len());
    let mut rest = items;
    while let Some((first, others)) = rest.split_first() {
        let longest = rest.len().min(LONGEST_OPTION);
        let together = (2..=longest).rev().find_map(|count| {
            let texts = [", ", ","].map(|separator| rest[..count].join(separator));
            let option = texts.into_iter().find(|text| options.has_option(text))?;
            Some((option, &rest[count..]))
        });
        let (item, after) = match together {
            Some(found) if !options.has_option(first) => found,
            _ => (first.clone(), others),
        };
        joined.push(item);
        rest = after;
    }
    joined
}

impl RowValidator {
    /// The option that a cell names.
    pub(super) fn read_option(
        &self,
        options: &FieldOptions,
        (step, column): (&FieldRule, Option<usize>),
        text: &str,
        work: &RowContext<'_>,
    ) -> JsonReadResult {
        match options.canonical_option(text) {
            Ok(option) => Ok((Some(option.into()), Vec::new())),
            Err(unknown) => {
                let values = [(text.to_owned(), unknown.nearest)];
                let trouble = Diagnostic::new(DiagnosticCode::R_OPTION_UNKNOWN, unknown.message);
                Err(self.judge_unknown_options((step, column), text, &values, trouble, work))
            }
        }
    }

    /// The options that a cell names. An option that contains a separator may be the whole cell.
    pub(super) fn read_options(
        &self,
        options: &FieldOptions,
        (step, column): (&FieldRule, Option<usize>),
        text: &str,
        work: &mut RowContext<'_>,
    ) -> JsonReadResult {
        let is_whole = options.has_option(text);
        let items = if is_whole {
            vec![text.to_owned()]
        } else {
            join_split_options(options, &step.split_values(text))
        };
        let (mut chosen, mut values, mut messages) = (Vec::new(), Vec::new(), Vec::new());
        for item in items {
            match options.canonical_option(&item) {
                Ok(option) if chosen.contains(&option) => {}
                Ok(option) => chosen.push(option),
                Err(unknown) => {
                    messages.push(unknown.message);
                    values.push((item, unknown.nearest));
                }
            }
        }
        let known = (!chosen.is_empty()).then(|| Json::from(chosen));
        if values.is_empty() {
            return Ok((known, Vec::new()));
        }
        let trouble = Diagnostic::new(DiagnosticCode::R_OPTION_UNKNOWN, messages.join("; "));
        let trouble = self.judge_unknown_options((step, column), text, &values, trouble, work);
        let keeps_others = trouble.code == DiagnosticCode::W_OPTION_UNKNOWN
            && known.is_some()
            && !step.identity
            && !self.policy.strict;
        if !keeps_others {
            return Err(trouble);
        }
        // The contact may have exactly these values, from a time when they were options.
        if let Some(column) = column {
            work.store_cell_text(step, column);
        }
        let message = format!("{}; it is left out, and the others are kept", trouble.message);
        Ok((known, vec![trouble.with_message(message)]))
    }

    /// The diagnostic of a cell with unknown options, as the policy wants it.
    fn judge_unknown_options(
        &self,
        (step, column): (&FieldRule, Option<usize>),
        cell: &str,
        values: &[(String, Option<String>)],
        trouble: Diagnostic,
        work: &RowContext<'_>,
    ) -> Diagnostic {
        match self.policy.unknown_option {
            UnknownOptionRule::Reject => trouble,
            UnknownOptionRule::DropValue => trouble.with_code(DiagnosticCode::W_OPTION_UNKNOWN),
            UnknownOptionRule::Ask => {
                // A row that is rejected anyway needs no option.
                if !work.is_rejected() {
                    self.unknown_options.count_cell(step, column, cell, values);
                }
                trouble
            }
        }
    }
}
