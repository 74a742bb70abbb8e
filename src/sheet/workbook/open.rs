//! Looking a spreadsheet over: its sheet, its header, and the rows that count.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use super::grid::Grid;
use super::reader::Workbook;
use super::select::{self, head_rows};
use super::{Book, Content, Opened, read};
use crate::sheet::file_type::Kind;
use crate::sheet::header_row;
use crate::sheet::{Hidden, Reading, Refusal, Warning};

/// Columns behind the header that may hold values without a name. What stands further out is a note.
const UNNAMED: usize = 64;

/// Looks a spreadsheet over.
pub(in crate::sheet) fn open(
    path: &Path,
    kind: Kind,
    reading: &Reading,
    known: &dyn Fn(&str) -> bool,
) -> Result<Opened, Refusal> {
    let (bytes, stamp, digest) = read(path)?;
    let mut warnings = Vec::new();
    let mut book = Workbook::open(kind, &Cursor::new(bytes))?;
    let sheet = select::choose(&mut book, reading.sheet.as_deref(), known, &mut warnings)?;
    let (grid, filtered) = book.read(&sheet)?;
    let unseen = book.hides_unseen().filter(|_| reading.hidden != Hidden::Include);
    let what = format!("{}, sheet \"{sheet}\"", book.format());
    drop(book);
    let header = find_header(&grid, &sheet, reading.header_row, known)?;
    warnings.extend(preamble(&grid, header));
    let (names, used) = names(&grid, header);
    let columns = header_row::columns(&names);
    warnings.extend(header_row::unnamed(&columns, &used));
    let total = count(&grid, header + 1, reading.hidden, filtered)?;
    if total == 0 {
        warnings.push(header_row::no_rows());
    }
    warnings.extend(unseen);
    let content = Content {
        grid,
        sheet: sheet.into(),
        names: names.into(),
        first: header + 1,
        total,
        hidden: reading.hidden,
    };
    let book = Book { path: path.to_owned(), stamp, digest, content: Arc::new(content) };
    Ok(Opened { book, columns, what, warnings })
}

/// The index of the header in the grid.
fn find_header(
    grid: &Grid,
    sheet: &str,
    asked: Option<u32>,
    known: &dyn Fn(&str) -> bool,
) -> Result<usize, Refusal> {
    let at = |line: u64| (0..grid.len()).find(|it| grid.line(*it) == line && !grid.is_blank(*it));
    if let Some(line) = asked {
        return at(u64::from(line)).ok_or_else(|| {
            Refusal::new("E_NO_HEADER", format!("row {line} of sheet `{sheet}` is empty"))
                .hint("`--header-row` names the row of the columns' names, counted from 1")
        });
    }
    let rows = head_rows(grid);
    if rows.is_empty() {
        return Err(Refusal::new("E_EMPTY_FILE", format!("sheet `{sheet}` holds nothing")));
    }
    let line = rows[header_row::find(&rows, known)?].line;
    Ok(at(line).expect("the header is a row of the grid"))
}

fn preamble(grid: &Grid, header: usize) -> Option<Warning> {
    let skipped = (0..header).any(|index| !grid.is_blank(index));
    let line = grid.line(header);
    let rows = if line == 2 { "row 1".to_owned() } else { format!("rows 1-{}", line - 1) };
    let message = format!("{rows} (header found in row {line})");
    skipped.then(|| Warning::new("W_PREAMBLE_SKIPPED", message))
}

/// The columns' names, and whether columns without one hold values.
fn names(grid: &Grid, header: usize) -> (Vec<String>, Vec<bool>) {
    let cells = grid.cells(header, grid.width(header));
    let mut names: Vec<String> = cells.iter().map(|cell| header_row::clean(&cell.text())).collect();
    let limit = names.len() + UNNAMED;
    let mut nameless: BTreeSet<usize> = (0..limit).collect();
    nameless.retain(|index| names.get(*index).is_none_or(String::is_empty));
    let mut used = vec![false; limit];
    for index in header + 1..grid.len() {
        // Most sheets have names for all their columns.
        if nameless.first().is_none_or(|first| grid.width(index) <= *first) {
            continue;
        }
        for column in grid.used(index) {
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

/// The rows that are read, unless nobody said what becomes of the hidden ones.
fn count(grid: &Grid, first: usize, rule: Hidden, filtered: bool) -> Result<u64, Refusal> {
    let (mut total, mut hidden) = (0_u64, 0_u64);
    for index in (first..grid.len()).filter(|index| !grid.is_blank(*index)) {
        total += 1;
        hidden += u64::from(grid.is_hidden(index));
    }
    match rule {
        Hidden::Refuse if hidden > 0 => Err(hidden_rows(total, hidden, filtered)),
        Hidden::Skip => Ok(total - hidden),
        Hidden::Refuse | Hidden::Include => Ok(total),
    }
}

fn hidden_rows(total: u64, hidden: u64, filtered: bool) -> Refusal {
    let verb = if hidden == 1 { "is" } else { "are" };
    let why = if filtered { " (a filter is on)" } else { "" };
    let left = total - hidden;
    let rows = if left == 1 { "row" } else { "rows" };
    let message = format!("{hidden} of {total} rows {verb} hidden{why}");
    Refusal::new("E_HIDDEN_ROWS", message)
        .hint(format!("choose `--hidden skip` ({left} {rows}) or `--hidden include` (all {total})"))
}
