//! What is wrong with a sheet, by column and kind of problem: how often, and one example.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Diagnostic, DiagnosticCode, ProblemSubject};
use crate::import::ImportError;
use crate::run::ImportStore;
use crate::text::truncate_text;

/// How many characters of an example's cell are kept.
const LONGEST_VALUE: usize = 100;

/// The problems of one kind in one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemSummary {
    /// The column's header, or the target if there is no column; empty if the row or file as a whole is to
    /// blame.
    pub field: String,
    /// The code.
    pub code: DiagnosticCode,
    /// How many values or rows have the problem.
    pub count: u64,
    /// The first such value; empty if no cell is to blame.
    pub value: String,
    /// The position of the first such row; empty if the file as a whole is to blame.
    pub place: String,
    /// The message about it.
    pub message: String,
}

/// Counts problems by column and kind.
#[derive(Debug, Default)]
pub(crate) struct ProblemCounter(BTreeMap<(String, DiagnosticCode), ProblemSummary>);

impl ProblemCounter {
    /// Counts problems of row `n`, of which this is the first; 0 is the whole file.
    pub(crate) fn add(
        &mut self,
        rows: &ImportStore,
        n: u64,
        problem: &Diagnostic,
        count: u64,
    ) -> Result<(), ImportError> {
        let of_column = matches!(
            problem.code.problem_phrase().subject,
            ProblemSubject::LeftOutValue | ProblemSubject::Value | ProblemSubject::File
        );
        let field = if of_column { problem.field.clone() } else { String::new() };
        let key = (field, problem.code);
        if let Some(known) = self.0.get_mut(&key) {
            known.count += count;
            return Ok(());
        }
        let (value, place) = read_example(rows, n, problem.place.column)?;
        let message = problem.message.clone();
        let (field, code) = key.clone();
        self.0.insert(key, ProblemSummary { field, code, count, value, place, message });
        Ok(())
    }

    /// The problems, the most frequent first.
    pub(crate) fn into_summaries(self) -> Vec<ProblemSummary> {
        let mut all: Vec<_> = self.0.into_values().collect();
        all.sort_by_key(|problem| (std::cmp::Reverse(problem.count), problem.field.is_empty()));
        all
    }
}

/// The cell of a row, and the row's position.
fn read_example(
    rows: &ImportStore,
    n: u64,
    column: Option<usize>,
) -> Result<(String, String), ImportError> {
    let Some(row) = rows.find_row(n)?.filter(|_| n > 0) else { return Ok(Default::default()) };
    let cells: Vec<String> = serde_json::from_str(&row.cells)
        .map_err(|error| ImportError::Bug(format!("the cells of row {n}: {error}")))?;
    let cell = column.and_then(|column| cells.get(column)).map_or("", |cell| cell.trim());
    Ok((truncate_text(cell, LONGEST_VALUE), row.place))
}
