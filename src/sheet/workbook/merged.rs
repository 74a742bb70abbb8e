//! Merged cells: a spreadsheet shows one value over several rows, but stores it in the first.
//!
//! Below the header, a value that is merged over rows is filled down, since it is shown beside each of them. A value
//! that is merged over columns belongs to no column in particular, so it stays in the first one and is reported.

use std::io::BufRead;

use quick_xml::events::{BytesStart, Event};

use super::archive::attribute_value;
use super::grid::CellGrid;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::sheet::header_row;
use crate::text::{format_plural, select_plural};

/// The maximum number of bytes that are filled, so that a merged text does not fill the memory.
const MAX_FILLED: usize = 64 * 1024 * 1024;

/// The maximum number of rows that merged cells cover together, several times each if they overlap.
const MAX_COVERED: u64 = 2 * 1024 * 1024;

/// The maximum number of merged cells that are considered.
const MAX_REGIONS: usize = 1024 * 1024;

/// A merged cell: its first and last row and column, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MergedRegion {
    pub(super) top: u32,
    pub(super) left: u32,
    pub(super) bottom: u32,
    pub(super) right: u32,
}

/// The merged cells of a sheet.
#[derive(Debug, Default)]
pub(super) struct MergedRegions(Vec<MergedRegion>);

impl MergedRegions {
    pub(super) fn add(&mut self, region: MergedRegion) {
        let MergedRegion { top, left, bottom, right } = region;
        if self.0.len() < MAX_REGIONS && top <= bottom && left <= right {
            self.0.push(region);
        }
    }

    /// Reads the merged cells of a sheet from an ODS file's content.
    pub(super) fn from_ods(content: impl BufRead, sheet: &str) -> Result<Self, quick_xml::Error> {
        let mut xml = quick_xml::Reader::from_reader(content);
        let mut buffer = Vec::new();
        let mut regions = Self::default();
        let (mut within, mut row, mut column, mut repeated) = (false, 0_u32, 0_u32, 1_u32);
        loop {
            buffer.clear();
            match xml.read_event_into(&mut buffer)? {
                Event::Start(e) | Event::Empty(e) => match e.name().as_ref() {
                    "table:table" => {
                        within = attribute_value(&e, "name").as_deref() == Some(sheet);
                        (row, column, repeated) = (0, 0, 0);
                    }
                    "table:table-row" if within => {
                        row = row.saturating_add(repeated);
                        repeated = count_attribute(&e, "number-rows-repeated");
                        column = 0;
                    }
                    "table:table-cell" | "table:covered-table-cell" if within => {
                        let spans = |name| count_attribute(&e, name) - 1;
                        let (rows, columns) =
                            (spans("number-rows-spanned"), spans("number-columns-spanned"));
                        if rows > 0 || columns > 0 {
                            regions.add(MergedRegion {
                                top: row,
                                left: column,
                                bottom: row.saturating_add(rows),
                                right: column.saturating_add(columns),
                            });
                        }
                        column =
                            column.saturating_add(count_attribute(&e, "number-columns-repeated"));
                    }
                    _ => {}
                },
                Event::End(e) if e.name().as_ref() == "table:table" => within = false,
                Event::Eof => return Ok(regions),
                _ => {}
            }
        }
    }

    /// Fills the values that are merged over rows below the header, and returns what to report.
    pub(super) fn fill_down(&self, grid: &mut CellGrid, header: usize) -> Vec<Diagnostic> {
        let below = grid.line_number(header);
        let (mut filled, mut beside) = (Tally::default(), Tally::default());
        let mut budget = FillBudget { bytes: MAX_FILLED, rows: MAX_COVERED };
        let mut added = Vec::new();
        for region in self.0.iter().filter(|region| u64::from(region.top) >= below) {
            let Some(value) = grid.find_cell(region.top, region.left) else { continue };
            if region.right > region.left {
                beside.count(region, region.top);
            }
            let length = value.to_text().len();
            for row in grid.rows_between(region.top.saturating_add(1), region.bottom) {
                if !budget.take(length) {
                    break;
                }
                if grid.find_cell(row, region.left).is_none() {
                    added.push((row, region.left, value.clone()));
                    filled.count(region, row);
                }
            }
        }
        for (row, column, value) in &added {
            grid.push_cell(*row, *column, value);
        }
        if !added.is_empty() {
            grid.sort_rows();
        }
        let incomplete = budget.rows == 0 || budget.bytes == 0;
        [filled.filled_warning(incomplete), beside.beside_warning()].into_iter().flatten().collect()
    }
}

/// How much may still be filled.
struct FillBudget {
    bytes: usize,
    rows: u64,
}

impl FillBudget {
    /// Takes a row with a text of this length; `false` if nothing is left.
    fn take(&mut self, length: usize) -> bool {
        self.rows = self.rows.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(length + 16);
        self.rows > 0 && self.bytes > 0
    }
}

/// How many cells were counted, and the first of them.
#[derive(Default)]
struct Tally {
    count: u64,
    first: String,
}

impl Tally {
    fn count(&mut self, region: &MergedRegion, row: u32) {
        if self.count == 0 {
            let name = |row: u32, column: u32| {
                format!("{}{}", header_row::column_letters(column as usize), u64::from(row) + 1)
            };
            let merged =
                format!("{}:{}", name(region.top, region.left), name(region.bottom, region.right));
            self.first = format!("{} of {merged}", name(row, region.left));
        }
        self.count += 1;
    }

    fn filled_warning(&self, incomplete: bool) -> Option<Diagnostic> {
        let rest = if incomplete { "; the sheet has too many to fill all of them" } else { "" };
        let message = format!(
            "{} {} the value of the merged cell above, such as {}{rest}",
            format_plural(self.count, "cell"),
            select_plural(self.count, "gets", "get"),
            self.first
        );
        (self.count > 0).then(|| Diagnostic::new(DiagnosticCode::W_MERGED_CELLS, message))
    }

    fn beside_warning(&self) -> Option<Diagnostic> {
        let message = format!(
            "{} over several columns; only the first column has the value, such as {}",
            select_plural(
                self.count,
                "1 cell is merged",
                &format!("{} cells are merged", self.count)
            ),
            self.first
        );
        (self.count > 0).then(|| Diagnostic::new(DiagnosticCode::W_MERGED_CELLS, message))
    }
}

/// The value of an attribute that counts, which is 1 unless it is given.
fn count_attribute(e: &BytesStart<'_>, name: &str) -> u32 {
    attribute_value(e, name).and_then(|text| text.parse().ok()).unwrap_or(1_u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_a_table_are_found_at_their_place() {
        let content = r#"<table:table table:name="A"><table:table-row><table:table-cell
            table:number-rows-spanned="9"/></table:table-row></table:table>
            <table:table table:name="B"><table:table-row table:number-rows-repeated="2"/><table:table-row>
            <table:table-cell table:number-columns-repeated="3"/><table:table-cell
            table:number-rows-spanned="2" table:number-columns-spanned="1"/></table:table-row>
            <table:table-row><table:table-cell table:number-columns-spanned="2"/></table:table-row></table:table>"#;
        let regions = MergedRegions::from_ods(content.as_bytes(), "B").unwrap();
        assert_eq!(
            regions.0,
            [
                MergedRegion { top: 2, left: 3, bottom: 3, right: 3 },
                MergedRegion { top: 3, left: 0, bottom: 3, right: 1 }
            ]
        );
    }
}
