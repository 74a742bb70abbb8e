//! Which sheet of a spreadsheet is meant.

use super::reader::Workbook;
use crate::sheet::header_row::{self, HeadRow};
use crate::sheet::{Refusal, Warning};

/// A sheet that could be meant.
struct Candidate {
    name: String,
    /// Cells of its header that are known words.
    known: usize,
}

/// Chooses the sheet: the one that was asked for, the only one with data, or the one whose header says
/// so clearly. Hidden sheets only when they are asked for.
pub(super) fn choose(
    book: &mut Workbook,
    asked: Option<&str>,
    known: &dyn Fn(&str) -> bool,
    warnings: &mut Vec<Warning>,
) -> Result<String, Refusal> {
    let sheets = book.sheets();
    if let Some(asked) = asked {
        let wanted = asked.trim();
        let exact = sheets.iter().find(|sheet| sheet.name == asked);
        let alike =
            || sheets.iter().find(|it| it.name.trim().to_lowercase() == wanted.to_lowercase());
        if let Some(sheet) = exact.or_else(alike) {
            return Ok(sheet.name.clone());
        }
    }
    let mut candidates = Vec::new();
    for sheet in sheets.iter().filter(|sheet| sheet.visible) {
        // A sheet that cannot be read is not chosen, but it is there.
        let rows = head(book, &sheet.name);
        if rows.as_ref().is_err() || rows.as_ref().is_ok_and(|rows| !rows.is_empty()) {
            let rows = rows.unwrap_or_default();
            let found = header_row::find(&rows, known).ok();
            let known = found.map_or(0, |index| rows[index].known(known));
            candidates.push(Candidate { name: sheet.name.clone(), known });
        }
    }
    if let Some(asked) = asked {
        let message = format!("there is no sheet `{asked}`; {}", with_data(&candidates));
        return Err(Refusal::new("E_SHEET_AMBIGUOUS", message).hint("name one with `--sheet NAME`"));
    }
    if candidates.is_empty() {
        let hidden = sheets.iter().any(|sheet| !sheet.visible);
        let hint = "one of its hidden sheets can be named with `--sheet NAME`";
        let refusal = Refusal::new("E_EMPTY_FILE", "no sheet of the spreadsheet holds anything");
        return Err(if hidden { refusal.hint(hint) } else { refusal });
    }
    clearest(&candidates, warnings)
}

fn clearest(candidates: &[Candidate], warnings: &mut Vec<Warning>) -> Result<String, Refusal> {
    if let [only] = candidates {
        return Ok(only.name.clone());
    }
    let best = candidates.iter().max_by_key(|it| it.known).expect("there is at least one");
    let others = candidates.iter().filter(|it| it.name != best.name);
    let second = others.map(|it| it.known).max().unwrap_or(0);
    if best.known >= 2 && best.known >= second * 2 {
        let message = format!("`{}`; {}", best.name, with_data(candidates));
        warnings.push(Warning::new("W_SHEET_CHOSEN", message));
        return Ok(best.name.clone());
    }
    let message = format!("it is not clear which sheet is meant; {}", with_data(candidates));
    Err(Refusal::new("E_SHEET_AMBIGUOUS", message).hint("name one with `--sheet NAME`"))
}

fn with_data(candidates: &[Candidate]) -> String {
    let names: Vec<String> = candidates.iter().map(|it| format!("`{}`", it.name)).collect();
    let verb = if names.len() == 1 { "holds" } else { "hold" };
    format!("{} {verb} data", if names.is_empty() { "none".to_owned() } else { names.join(", ") })
}

fn head(book: &mut Workbook, sheet: &str) -> Result<Vec<HeadRow>, Refusal> {
    let grid = book.head(sheet, 2 * header_row::ROWS)?;
    Ok(head_rows(&grid))
}

/// The first rows of a grid that are not blank.
pub(super) fn head_rows(grid: &super::grid::Grid) -> Vec<HeadRow> {
    let filled = (0..grid.len()).filter(|index| !grid.is_blank(*index)).take(2 * header_row::ROWS);
    let row = |index| {
        let cells = grid.cells(index, grid.width(index));
        HeadRow::new(grid.line(index), cells.iter().map(|cell| cell.text().into_owned()))
    };
    filled.map(row).collect()
}
