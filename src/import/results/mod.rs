//! The result files: each row of the sheet is in exactly one of them.
//!
//! All are derived from the run's store: rows, decisions and the ledger. They are written under temporary
//! names, synced and renamed, so they are always complete, and they can be written again at any time. Cells
//! that a spreadsheet would execute as a formula are escaped, reversibly.

pub(super) mod field_outcome;
pub(super) mod final_state;
pub(super) mod not_kept;
pub(super) mod recreated_file;
mod rejected_workbook;
pub(super) mod resolve;
pub(super) mod row_outcome;
pub(super) mod source_sheet;
pub(super) mod status;

use std::collections::HashMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use csv::Writer;
use tempfile::NamedTempFile;

use self::rejected_workbook::RejectedWorkbook;
use self::row_outcome::{RowError, RowOutcome, RowOutcomes};
use self::source_sheet::{REJECTED_CSV, REJECTED_WORKBOOK, SourceSheet};
use super::ImportError;
use super::run_files::create_temporary_file;
use crate::diagnostic::Diagnostic;
use crate::failpoint::{self, FailPoint};
use crate::model::result_columns;
use crate::plan::diff::FieldChange;
use crate::run::{ImportStore, RowAction, RowDecision, StoredRow};
use crate::table::{FormulaGuardMode, guard_formula};
use crate::text::escape_for_table;

/// Rows written per batch.
const LOT: usize = 1_000;

/// The file with what a restore cannot bring back.
pub(super) const LOSSES_CSV: &str = "losses.csv";

/// The names of all files that an import writes.
pub(super) const FILES: [&str; 13] = [
    "plan.csv",
    "succeeded.csv",
    "unchanged.csv",
    REJECTED_CSV,
    REJECTED_WORKBOOK,
    "in_doubt.csv",
    "pending.csv",
    "warnings.csv",
    "duplicates.csv",
    super::results::recreated_file::RecreatedFile::Undo.name(),
    super::results::recreated_file::RecreatedFile::Restore.name(),
    LOSSES_CSV,
    "summary.json",
];

/// A custom field that a plan creates or deletes, as `plan.csv` shows it.
#[derive(Debug)]
pub(super) struct PlannedFieldRow {
    pub(super) action: &'static str,
    pub(super) name: String,
    pub(super) old: String,
    pub(super) new: String,
}

/// How many rows ended with each outcome. Together they are all rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RowOutcomeCounts {
    /// Applied, or merged into a row that was.
    pub succeeded: u64,
    /// There was nothing to do.
    pub unchanged: u64,
    /// Rejected by validation, the plan, the server or a conflict.
    pub rejected: u64,
    /// The user must decide.
    pub in_doubt: u64,
    /// Not done yet.
    pub pending: u64,
}

impl RowOutcomeCounts {
    /// All rows counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.succeeded + self.unchanged + self.rejected + self.in_doubt + self.pending
    }
}

/// Writes the files of a plan: `plan.csv`, `rejected.csv`, `warnings.csv`.
pub(super) fn write_plan_files(
    rows: &ImportStore,
    out: &Path,
    sheet: &SourceSheet,
    fields: &[PlannedFieldRow],
) -> Result<Vec<PathBuf>, ImportError> {
    let outcomes = RowOutcomes::empty();
    let mut files =
        vec![write_plan_csv(rows, out, fields)?, write_warnings_csv(rows, &outcomes, out)?];
    let (rejected, _) = write_outcome_files(rows, &outcomes, out, sheet, &[REJECTED_CSV])?;
    files.extend(rejected);
    Ok(files)
}

/// Writes all result files, and counts the outcomes.
pub(super) fn write_all(
    rows: &ImportStore,
    outcomes: &RowOutcomes,
    out: &Path,
    sheet: &SourceSheet,
) -> Result<(Vec<PathBuf>, RowOutcomeCounts), ImportError> {
    let mut files = vec![write_warnings_csv(rows, outcomes, out)?];
    failpoint::kill_if_due(FailPoint::DuringResults);
    let all = ["succeeded.csv", "unchanged.csv", REJECTED_CSV, "in_doubt.csv", "pending.csv"];
    let (written, tally) = write_outcome_files(rows, outcomes, out, sheet, &all)?;
    files.extend(written);
    Ok((files, tally))
}

/// Counts the outcomes without writing.
pub(super) fn count_outcomes(
    rows: &ImportStore,
    outcomes: &RowOutcomes,
) -> Result<RowOutcomeCounts, ImportError> {
    let mut tally = RowOutcomeCounts::default();
    for_each_row(rows, |row, decision| {
        let (_, count) = outcome_file(&mut tally, outcomes, decision, row.n);
        *count += 1;
        Ok(())
    })?;
    Ok(tally)
}

/// Visits every row with its decision.
fn for_each_row(
    rows: &ImportStore,
    mut visit: impl FnMut(&StoredRow, &RowDecision) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut after = 0;
    loop {
        let lot = rows.rows_after(after, LOT)?;
        let Some(last) = lot.last() else { return Ok(()) };
        let decisions: HashMap<u64, RowDecision> =
            rows.decisions_after(after, LOT)?.into_iter().collect();
        after = last.n;
        let undecided = RowDecision { action: RowAction::Pending, ..RowDecision::default() };
        for row in &lot {
            visit(row, decisions.get(&row.n).unwrap_or(&undecided))?;
        }
    }
}

/// The file that a row belongs in, and the count that it belongs to.
fn outcome_file<'t>(
    tally: &'t mut RowOutcomeCounts,
    outcomes: &RowOutcomes,
    decision: &RowDecision,
    n: u64,
) -> (&'static str, &'t mut u64) {
    let outcome = match (decision.action, decision.merged_into) {
        (RowAction::Rejected, _) => RowOutcome::Rejected,
        (RowAction::Pending, _) => RowOutcome::Pending,
        (_, leader) => outcomes.row_outcome(leader.unwrap_or(n)),
    };
    match outcome {
        RowOutcome::Unchanged => ("unchanged.csv", &mut tally.unchanged),
        RowOutcome::Succeeded => ("succeeded.csv", &mut tally.succeeded),
        RowOutcome::Rejected => (REJECTED_CSV, &mut tally.rejected),
        RowOutcome::InDoubt => ("in_doubt.csv", &mut tally.in_doubt),
        RowOutcome::Pending => ("pending.csv", &mut tally.pending),
    }
}

fn write_outcome_files(
    rows: &ImportStore,
    outcomes: &RowOutcomes,
    out: &Path,
    sheet: &SourceSheet,
    wanted: &[&'static str],
) -> Result<(Vec<PathBuf>, RowOutcomeCounts), ImportError> {
    let columns = sheet.columns.as_slice();
    let source: Vec<bool> =
        columns.iter().map(|name| !result_columns::is_result_column(name)).collect();
    let longest = rows.max_cell_count()?.max(columns.len());
    let (mut files, mut workbook) = (Vec::new(), None);
    for name in wanted {
        let mut header: Vec<String> = source_cells(columns, &source);
        if *name == REJECTED_CSV {
            header.extend(
                (columns.len()..longest).map(|i| format!("_extra_{}", i - columns.len() + 1)),
            );
        }
        header.extend(added_columns(name).iter().map(|name| (*name).to_owned()));
        if *name == REJECTED_CSV && sheet.is_workbook {
            workbook = Some(RejectedWorkbook::new(out, &header)?);
        }
        files.push((*name, AtomicCsvWriter::new(out, name, &header)?));
    }
    let mut tally = RowOutcomeCounts::default();
    for_each_row(rows, |row, decision| {
        let (file, count) = outcome_file(&mut tally, outcomes, decision, row.n);
        *count += 1;
        let Some((name, table)) = files.iter_mut().find(|(name, _)| *name == file) else {
            return Ok(());
        };
        let all = parse_cells(row)?;
        let mut record = source_cells(&all, &source);
        if *name == REJECTED_CSV {
            record
                .extend((columns.len()..longest).map(|i| all.get(i).cloned().unwrap_or_default()));
        }
        record.extend(
            added_cells(name, row, decision, outcomes)
                .into_iter()
                .map(|cell| escape_for_table(&cell).into_owned()),
        );
        if let Some(workbook) = workbook.as_mut().filter(|_| *name == REJECTED_CSV) {
            workbook.write_record(&record)?;
        }
        table.write_record(&record)
    })?;
    let paths = files.into_iter().map(|(_, table)| table.commit());
    let paths = paths.chain(workbook.map(RejectedWorkbook::commit)).collect::<Result<_, _>>()?;
    Ok((paths, tally))
}

/// The cells of the source columns.
fn source_cells(cells: &[String], source: &[bool]) -> Vec<String> {
    source
        .iter()
        .enumerate()
        .filter(|(_, own)| **own)
        .map(|(i, _)| cells.get(i).cloned().unwrap_or_default())
        .collect()
}

fn parse_cells(row: &StoredRow) -> Result<Vec<String>, ImportError> {
    serde_json::from_str(&row.cells)
        .map_err(|error| ImportError::Bug(format!("the cells of row {}: {error}", row.n)))
}

/// The columns that a file has in addition to the source columns.
fn added_columns(name: &str) -> &'static [&'static str] {
    use result_columns as column;
    match name {
        "succeeded.csv" => &[column::CONTACT_ID, column::ACTION],
        "unchanged.csv" => &[column::CONTACT_ID, column::ACTION, column::REASON],
        REJECTED_CSV => {
            &[column::REJECT_LINE, column::REJECT_CODE, column::REJECT_FIELD, column::REJECT_REASON]
        }
        "in_doubt.csv" => &[
            column::DOUBT_LINE,
            column::DOUBT_OP,
            column::DOUBT_WHAT,
            column::DOUBT_SENT,
            column::DOUBT_DECISION,
        ],
        _ => &[],
    }
}

fn added_cells(
    name: &str,
    row: &StoredRow,
    decision: &RowDecision,
    outcomes: &RowOutcomes,
) -> Vec<String> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let line = row.line.to_string();
    match name {
        "succeeded.csv" | "unchanged.csv" => {
            let made = outcomes.created_contact(row.n).map(str::to_owned);
            let contact = made.unwrap_or_else(|| text(&decision.contact));
            let mut cells = vec![contact, decision.action.to_string()];
            let error =
                || outcomes.row_error(row.n).map(|why| why.reason.clone()).unwrap_or_default();
            let reason = || decision.reason.clone().unwrap_or_else(error);
            cells.extend((name == "unchanged.csv").then(reason));
            cells
        }
        REJECTED_CSV => match outcomes.row_error(row.n) {
            Some(why) => vec![line, why.code.to_string(), why.field.clone(), why.reason.clone()],
            None => vec![
                line,
                rejection_codes(decision),
                rejection_fields(decision),
                rejection_reasons(decision),
            ],
        },
        "in_doubt.csv" => {
            // A row that was merged into another one has no op of its own.
            let why = outcomes.row_error(row.n);
            let op = why.map_or(0, |why| why.op).to_string();
            let cell = |of: fn(&RowError) -> &String| why.map(of).cloned().unwrap_or_default();
            vec![line, op, cell(|why| &why.reason), cell(|why| &why.sent), String::new()]
        }
        _ => Vec::new(),
    }
}

/// The codes of a row's rejections, separated by spaces.
fn rejection_codes(decision: &RowDecision) -> String {
    join_distinct(decision.rejections.iter().map(|it| it.code.to_string()), " ")
}

/// The columns or fields of a row's rejections.
fn rejection_fields(decision: &RowDecision) -> String {
    join_distinct(decision.rejections.iter().map(|it| it.field.clone()), "; ")
}

/// The reasons of a row's rejections, each with its cell and hint.
fn rejection_reasons(decision: &RowDecision) -> String {
    join_distinct(decision.rejections.iter().map(Diagnostic::full_message), "; ")
}

/// Joins texts without empty and repeated ones.
fn join_distinct(texts: impl Iterator<Item = String>, separator: &str) -> String {
    let mut all: Vec<String> = Vec::new();
    for text in texts.filter(|text| !text.is_empty()) {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all.join(separator)
}

fn write_plan_csv(
    rows: &ImportStore,
    out: &Path,
    fields: &[PlannedFieldRow],
) -> Result<PathBuf, ImportError> {
    let header = ["row", "line", "action", "contact_id", "field", "old", "new"].map(str::to_owned);
    let mut table = AtomicCsvWriter::new(out, "plan.csv", &header)?;
    for PlannedFieldRow { action, name, old, new } in fields {
        let field = format!("customFields.{name}");
        let cells = ["", "", action, "", &field, old, new];
        table.write_record(&cells.map(|cell| escape_for_table(cell).into_owned()))?;
    }
    for_each_row(rows, |row, decision| {
        let (n, line) = (row.n.to_string(), row.line.to_string());
        let contact = decision.contact.clone().unwrap_or_default();
        let mut record = |field: &str, old: &str, new: &str| {
            let cells = [&n, &line, decision.action.name(), &contact, field, old, new];
            table.write_record(&cells.map(|cell| escape_for_table(cell).into_owned()))
        };
        let changes = decision.changes.as_deref().map(serde_json::from_str::<Vec<FieldChange>>);
        match changes {
            Some(Ok(changes)) if !changes.is_empty() => {
                changes.iter().try_for_each(|it| record(&it.field, &it.old, &it.new))
            }
            _ => {
                let reasons = rejection_reasons(decision);
                let reason = decision.reason.as_deref().unwrap_or(&reasons);
                record(&rejection_codes(decision), "", reason)
            }
        }
    })?;
    table.commit()
}

/// The warnings of the plan and of the responses.
fn write_warnings_csv(
    rows: &ImportStore,
    outcomes: &RowOutcomes,
    out: &Path,
) -> Result<PathBuf, ImportError> {
    let header = ["row", "line", "field", "code", "message"].map(str::to_owned);
    let mut table = AtomicCsvWriter::new(out, "warnings.csv", &header)?;
    let last = rows.last_row_number()?;
    for from in (0..=last).step_by(LOT) {
        let lot = rows.warnings_in_range(from, from + LOT as u64)?;
        for warning in lot {
            write_warning(rows, &mut table, warning)?;
        }
    }
    for warning in outcomes.difference_warnings().cloned() {
        write_warning(rows, &mut table, warning)?;
    }
    table.commit()
}

fn write_warning(
    rows: &ImportStore,
    table: &mut AtomicCsvWriter,
    warning: Diagnostic,
) -> Result<(), ImportError> {
    let n = warning.place.record;
    let row = n.map(|n| rows.find_row(n)).transpose()?.flatten();
    let line = row.map(|row| row.line.to_string()).unwrap_or_default();
    let n = n.map(|n| n.to_string()).unwrap_or_default();
    let code = warning.code.to_string();
    let message = warning.full_message();
    table.write_record(
        &[n, line, warning.field, code, message].map(|cell| escape_for_table(&cell).into_owned()),
    )
}

/// A CSV file that appears under its name only when it is complete.
pub(super) struct AtomicCsvWriter {
    path: PathBuf,
    writer: Writer<BufWriter<NamedTempFile>>,
}

impl AtomicCsvWriter {
    pub(super) fn new(out: &Path, name: &str, header: &[String]) -> Result<Self, ImportError> {
        let path = out.join(name);
        let fail = |source| ImportError::File { path: path.clone(), source };
        let file = create_temporary_file(out).map_err(fail)?;
        let mut table = Self { path, writer: Writer::from_writer(BufWriter::new(file)) };
        table.write_record(header)?;
        Ok(table)
    }

    pub(super) fn write_record(&mut self, cells: &[String]) -> Result<(), ImportError> {
        let mut guarded = cells.iter().map(|cell| guard_formula(cell, FormulaGuardMode::Formulas));
        let written = guarded
            .try_for_each(|cell| self.writer.write_field(cell.as_bytes()))
            .and_then(|()| self.writer.write_record(None::<&[u8]>));
        written.map_err(|error| ImportError::File { path: self.path.clone(), source: error.into() })
    }

    pub(super) fn commit(self) -> Result<PathBuf, ImportError> {
        let path = self.path;
        let fail = |source| ImportError::File { path: path.clone(), source };
        let file = self.writer.into_inner().map_err(|error| fail(error.into_error()))?;
        let file = file.into_inner().map_err(|error| fail(error.into_error()))?;
        persist_file(file, path)
    }
}

/// Gives a complete file its name, durably.
fn persist_file(file: NamedTempFile, path: PathBuf) -> Result<PathBuf, ImportError> {
    let fail = |source| ImportError::File { path: path.clone(), source };
    file.as_file().sync_all().map_err(fail)?;
    file.persist(&path).map_err(|error| fail(error.error))?;
    // The file name is durable only when its directory is synced.
    if let Some(dir) = path.parent() {
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(fail)?;
    }
    Ok(path)
}
