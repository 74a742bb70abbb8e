//! Prescans a spreadsheet: its sheet, its header, and the number of rows.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use super::grid::{CellGrid, LongNumbers};
use super::reader::{ReadSheet, WorkbookReader};
use super::select::{self, header_candidates};
use super::{OpenedWorkbook, WorkbookContent, WorkbookFile, read_file};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::sheet::file_type::SheetFileType;
use crate::sheet::header_row;
use crate::sheet::{HiddenRowPolicy, SheetColumn, SheetReadOptions};
use crate::text::{format_plural, select_plural};

/// How many columns after the header's may contain values without a name. Anything further right is a remark.
const UNNAMED: usize = 64;

/// Prescans a spreadsheet.
pub(in crate::sheet) fn open(
    path: &Path,
    kind: SheetFileType,
    reading: &SheetReadOptions,
    known: &dyn Fn(&str) -> bool,
) -> Result<OpenedWorkbook, Diagnostic> {
    let (bytes, stamp, digest) = read_file(path)?;
    let mut warnings = Vec::new();
    let mut workbook = WorkbookReader::open(kind, &Cursor::new(bytes))?;
    let sheet =
        select::select_sheet(&mut workbook, reading.sheet.as_deref(), known, &mut warnings)?;
    let ReadSheet { mut grid, filtered, merged } = workbook.read_sheet(&sheet)?;
    let unseen =
        workbook.hidden_rows_warning().filter(|_| reading.hidden != HiddenRowPolicy::Include);
    let what = format!("{}, sheet \"{sheet}\"", workbook.format_name());
    drop(workbook);
    let header = find_header(&grid, &sheet, reading.header_row, known)?;
    warnings.extend(preamble_warning(&grid, header));
    warnings.extend(merged.fill_down(&mut grid, header));
    let (names, used) = column_names(&grid, header);
    let columns = header_row::columns_from_names(&names);
    warnings.extend(header_row::unnamed_column_warnings(&columns, &used));
    warnings.extend(long_number_warnings(&grid, &columns));
    let total = count_rows(&grid, header + 1, reading.hidden, filtered)?;
    if total == 0 {
        warnings.push(header_row::no_rows_warning());
    }
    warnings.extend(unseen);
    let content = WorkbookContent {
        grid,
        sheet: sheet.into(),
        names: names.into(),
        first: header + 1,
        total,
        hidden: reading.hidden,
    };
    let workbook =
        WorkbookFile { path: path.to_owned(), stamp, digest, content: Arc::new(content) };
    Ok(OpenedWorkbook { workbook, columns, what, warnings })
}

/// Warnings about the columns with numbers of more digits than a spreadsheet keeps.
fn long_number_warnings(grid: &CellGrid, columns: &[SheetColumn]) -> Vec<Diagnostic> {
    let warning = |(column, found): (&u32, &LongNumbers)| {
        let column = columns.get(*column as usize)?;
        let name = if column.name.is_empty() { &column.letters } else { &column.name };
        let message = format!(
            "{} {} more than 15 digits, such as `{}` in row {}: a spreadsheet keeps 15, so the last digits may be wrong",
            format_plural(found.count, "number"),
            select_plural(found.count, "has", "have"),
            found.first,
            found.line
        );
        let warning = Diagnostic::new(DiagnosticCode::W_LONG_NUMBER, message);
        Some(warning.in_field(name.clone()))
    };
    grid.long_numbers().iter().filter_map(warning).collect()
}

/// The index of the header in the grid.
fn find_header(
    grid: &CellGrid,
    sheet: &str,
    asked: Option<u32>,
    known: &dyn Fn(&str) -> bool,
) -> Result<usize, Diagnostic> {
    let at = |line: u64| {
        (0..grid.row_count()).find(|it| grid.line_number(*it) == line && !grid.is_blank(*it))
    };
    if let Some(line) = asked {
        return at(u64::from(line)).ok_or_else(|| {
            Diagnostic::new(
                DiagnosticCode::E_NO_HEADER,
                format!("row {line} of sheet `{sheet}` is empty"),
            )
            .with_hint("set `--header-row` to the row with the column names, counted from 1")
        });
    }
    let rows = header_candidates(grid);
    if rows.is_empty() {
        return Err(Diagnostic::new(
            DiagnosticCode::E_EMPTY_FILE,
            format!("sheet `{sheet}` is empty"),
        ));
    }
    let line = rows[header_row::find_header_row(&rows, known)?].line;
    Ok(at(line).expect("the header is a row of the grid"))
}

fn preamble_warning(grid: &CellGrid, header: usize) -> Option<Diagnostic> {
    let skipped = (0..header).any(|index| !grid.is_blank(index));
    let line = grid.line_number(header);
    let rows = if line == 2 { "row 1".to_owned() } else { format!("rows 1-{}", line - 1) };
    let message = format!("{rows} (header found in row {line})");
    skipped.then(|| Diagnostic::new(DiagnosticCode::W_PREAMBLE_SKIPPED, message))
}

/// The names of the columns, and for columns without one whether they contain values.
fn column_names(grid: &CellGrid, header: usize) -> (Vec<String>, Vec<bool>) {
    let cells = grid.row_cells(header, grid.row_width(header));
    let mut names: Vec<String> =
        cells.iter().map(|cell| header_row::clean_name(&cell.to_text())).collect();
    let limit = names.len() + UNNAMED;
    let mut nameless: BTreeSet<usize> = (0..limit).collect();
    nameless.retain(|index| names.get(*index).is_none_or(String::is_empty));
    let mut used = vec![false; limit];
    for index in header + 1..grid.row_count() {
        // Most sheets have names for all their columns.
        if nameless.first().is_none_or(|first| grid.row_width(index) <= *first) {
            continue;
        }
        for column in grid.filled_columns(index) {
            if nameless.remove(&column) {
                used[column] = true;
            }
        }
    }
    let width = used.iter().rposition(|used| *used).map_or(0, |last| last + 1).max(names.len());
    names.resize(width, String::new());
    used.truncate(width);
    (names, used)
}

/// Counts the rows to read; an error if hidden rows need a decision.
fn count_rows(
    grid: &CellGrid,
    first: usize,
    rule: HiddenRowPolicy,
    filtered: bool,
) -> Result<u64, Diagnostic> {
    let (mut total, mut hidden) = (0_u64, 0_u64);
    for index in (first..grid.row_count()).filter(|index| !grid.is_blank(*index)) {
        total += 1;
        hidden += u64::from(grid.is_hidden(index));
    }
    match rule {
        HiddenRowPolicy::Refuse if hidden > 0 => Err(hidden_rows_error(total, hidden, filtered)),
        HiddenRowPolicy::Skip => Ok(total - hidden),
        HiddenRowPolicy::Refuse | HiddenRowPolicy::Include => Ok(total),
    }
}

fn hidden_rows_error(total: u64, hidden: u64, filtered: bool) -> Diagnostic {
    let verb = select_plural(hidden, "is", "are");
    let why = if filtered { " (a filter is on)" } else { "" };
    let rows = format_plural(total - hidden, "row");
    let message = format!("{hidden} of {total} rows {verb} hidden{why}");
    Diagnostic::new(DiagnosticCode::E_HIDDEN_ROWS, message)
        .with_hint(format!("choose `--hidden skip` ({rows}) or `--hidden include` (all {total})"))
}
