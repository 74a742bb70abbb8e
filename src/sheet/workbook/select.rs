//! Selects the sheet of a spreadsheet to read.

use super::reader::WorkbookReader;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::sheet::header_row::{self, HeaderCandidate};
use crate::text::select_plural;

/// A sheet that could be selected.
struct SheetCandidate {
    name: String,
    /// The number of header cells that are known words.
    known: usize,
}

/// Selects the requested sheet, the only one with data, or the one whose header is clearly the best match. Hidden
/// sheets are selected only on request.
pub(super) fn select_sheet(
    workbook: &mut WorkbookReader,
    asked: Option<&str>,
    known: &dyn Fn(&str) -> bool,
    warnings: &mut Vec<Diagnostic>,
) -> Result<String, Diagnostic> {
    let sheets = workbook.list_sheets();
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
        // A sheet that cannot be read is never selected, but it counts as present.
        let rows = read_header_candidates(workbook, &sheet.name);
        if rows.as_ref().is_err() || rows.as_ref().is_ok_and(|rows| !rows.is_empty()) {
            let rows = rows.unwrap_or_default();
            let found = header_row::find_header_row(&rows, known).ok();
            let known = found.map_or(0, |index| rows[index].known_name_count(known));
            candidates.push(SheetCandidate { name: sheet.name.clone(), known });
        }
    }
    if let Some(asked) = asked {
        let message = format!("there is no sheet `{asked}`; {}", describe_candidates(&candidates));
        return Err(Diagnostic::new(DiagnosticCode::E_SHEET_AMBIGUOUS, message)
            .with_hint("choose one with `--sheet NAME`"));
    }
    if candidates.is_empty() {
        let hidden = sheets.iter().any(|sheet| !sheet.visible);
        let hint = "choose a hidden sheet with `--sheet NAME`";
        let refusal = Diagnostic::new(
            DiagnosticCode::E_EMPTY_FILE,
            "all sheets of the spreadsheet are empty",
        );
        return Err(if hidden { refusal.with_hint(hint) } else { refusal });
    }
    select_clear_match(&candidates, warnings)
}

fn select_clear_match(
    candidates: &[SheetCandidate],
    warnings: &mut Vec<Diagnostic>,
) -> Result<String, Diagnostic> {
    if let [only] = candidates {
        return Ok(only.name.clone());
    }
    let best = candidates.iter().max_by_key(|it| it.known).expect("there is at least one");
    let others = candidates.iter().filter(|it| it.name != best.name);
    let second = others.map(|it| it.known).max().unwrap_or(0);
    if best.known >= 2 && best.known >= second * 2 {
        let message = format!("`{}`; {}", best.name, describe_candidates(candidates));
        warnings.push(Diagnostic::new(DiagnosticCode::W_SHEET_CHOSEN, message));
        return Ok(best.name.clone());
    }
    let message =
        format!("it is not clear which sheet is meant; {}", describe_candidates(candidates));
    Err(Diagnostic::new(DiagnosticCode::E_SHEET_AMBIGUOUS, message)
        .with_hint("choose one with `--sheet NAME`"))
}

fn describe_candidates(candidates: &[SheetCandidate]) -> String {
    let names: Vec<String> = candidates.iter().map(|it| format!("`{}`", it.name)).collect();
    let verb = select_plural(names.len() as u64, "holds", "hold");
    format!("{} {verb} data", if names.is_empty() { "none".to_owned() } else { names.join(", ") })
}

fn read_header_candidates(
    workbook: &mut WorkbookReader,
    sheet: &str,
) -> Result<Vec<HeaderCandidate>, Diagnostic> {
    let grid = workbook.read_head(sheet, 2 * header_row::ROWS)?;
    Ok(header_candidates(&grid))
}

/// The first rows of a grid that are not blank.
pub(super) fn header_candidates(grid: &super::grid::CellGrid) -> Vec<HeaderCandidate> {
    let filled =
        (0..grid.row_count()).filter(|index| !grid.is_blank(*index)).take(2 * header_row::ROWS);
    let row = |index| {
        let cells = grid.row_cells(index, grid.row_width(index));
        HeaderCandidate::new(
            grid.line_number(index),
            cells.iter().map(|cell| cell.to_text().into_owned()),
        )
    };
    filled.map(row).collect()
}
