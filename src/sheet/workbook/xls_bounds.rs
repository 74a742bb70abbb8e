//! The bounds of an XLS file: how many cells its sheets would take, counted before the format's reader allocates them.
//!
//! The reader holds all sheets, each as a rectangle from its first to its last cell, and reserves what a sheet
//! announces. Two cells in opposite corners therefore take as much memory as all cells in between.

use super::compound::CompoundFile;
use super::{MAX_CELLS, far_apart_reason};

/// The maximum number of cells that a sheet may announce: all that Excel 97 could store.
const MAX_ANNOUNCED: u64 = 65_536 * 256;

const BOUND_SHEET: u16 = 0x0085;
const DIMENSIONS: u16 = 0x0200;
const FORMULA: u16 = 0x0006;
const MANY_NUMBERS: u16 = 0x00BD;
const END: u16 = 0x000A;
/// The other records of a cell. They all begin with its row and its column.
const CELLS: &[u16] = &[0x0203, 0x0204, 0x00D6, 0x0205, 0x027E, 0x00FD];

/// The smallest rectangle around some cells.
#[derive(Default)]
struct CellRectangle {
    rows: Option<(u64, u64)>,
    columns: Option<(u64, u64)>,
}

impl CellRectangle {
    fn add_cell(&mut self, row: u64, column: u64) {
        let widen = |range: Option<(u64, u64)>, at: u64| {
            Some(range.map_or((at, at), |(first, last)| (at.min(first), at.max(last))))
        };
        self.rows = widen(self.rows, row);
        self.columns = widen(self.columns, column);
    }

    fn cell_count(&self) -> u64 {
        let length = |range: Option<(u64, u64)>| range.map_or(0, |(first, last)| last - first + 1);
        length(self.rows) * length(self.columns)
    }
}

/// Refuses a file whose sectors run in a circle, or whose sheets would take too much memory.
pub(super) fn check_xls_bounds(bytes: &[u8]) -> Result<(), String> {
    let Some(file) = CompoundFile::check_chains(bytes)? else { return Ok(()) };
    let stream = match file.read_named_stream("Workbook")? {
        Some(stream) => Some(stream),
        None => file.read_named_stream("Book")?,
    };
    let Some(stream) = stream else { return Ok(()) };
    let mut total = 0;
    for (kind, data) in list_records(&stream) {
        let start = data.first_chunk::<4>().filter(|_| kind == BOUND_SHEET);
        let Some(start) = start.map(|it| u32::from_le_bytes(*it) as usize) else { continue };
        total += count_cells(stream.get(start..).unwrap_or_default())?;
        if total > MAX_CELLS {
            return Err(far_apart_reason(total));
        }
    }
    Ok(())
}

/// The number of cells that the reader allocates for a sheet: those with values and, apart, those with formulas.
fn count_cells(sheet: &[u8]) -> Result<u64, String> {
    let (mut values, mut formulas) = (CellRectangle::default(), CellRectangle::default());
    let mut depth = 0_u32;
    for (kind, data) in list_records(sheet) {
        match kind {
            0x0809 => depth += 1,
            END => depth = depth.saturating_sub(1),
            DIMENSIONS => check_dimensions(data)?,
            FORMULA | MANY_NUMBERS => {}
            _ if CELLS.contains(&kind) => {}
            _ => continue,
        }
        if kind == END && depth == 0 {
            break;
        }
        let (Some(row), Some(column)) = (read_u16(data, 0), read_u16(data, 2)) else { continue };
        if kind == FORMULA {
            formulas.add_cell(row, column);
        }
        if kind == FORMULA || kind == MANY_NUMBERS || CELLS.contains(&kind) {
            values.add_cell(row, column);
        }
        if kind == MANY_NUMBERS {
            // Its cells are six bytes each, one beside the other.
            values.add_cell(row, column + (data.len() as u64).saturating_sub(6) / 6);
        }
    }
    Ok(values.cell_count() + formulas.cell_count())
}

/// Refuses a sheet that announces more rows and columns than any sheet has.
fn check_dimensions(data: &[u8]) -> Result<(), String> {
    let number = |at: usize| read_u16(data, at).unwrap_or(0);
    let (first, last, left, right) = if data.len() < 14 {
        (number(0), number(2), number(4), number(6))
    } else {
        let long = |at: usize| number(at + 2) << 16 | number(at);
        (long(0), long(4), number(8), number(10))
    };
    if last > 0 && last < first {
        return Err("a sheet announces that its rows end before they begin".to_owned());
    }
    // The reader takes such a first column for 0.
    let left = if left > 0xFF || right < left { 0 } else { left };
    let cells = (last - first.min(last)) * (right - left);
    if cells > MAX_ANNOUNCED {
        return Err(format!(
            "a sheet announces {cells} cells; at most {MAX_ANNOUNCED} fit into one"
        ));
    }
    Ok(())
}

/// The records of a stream: their type and their data.
fn list_records(mut rest: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let ([a, b, c, d], behind) = rest.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_le_bytes([*c, *d]));
        let (data, behind) = behind.split_at_checked(length)?;
        rest = behind;
        Some((u16::from_le_bytes([*a, *b]), data))
    })
}

fn read_u16(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk::<2>().map(|it| u64::from(u16::from_le_bytes(*it)))
}
