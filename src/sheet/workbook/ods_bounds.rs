//! The bounds of an ODS file: how many cells its sheets would take, counted before the format's reader allocates them.
//!
//! The file may say of a row or cell that it is repeated any number of times, and the reader holds each sheet as a
//! rectangle up to its last cell. It also never ends where an element is cut off, so such a file is refused first.

use std::io::BufRead;

use quick_xml::events::{BytesStart, Event};

use super::archive::attribute_value;
use super::{MAX_CELLS, far_apart_reason};

/// The rows and columns of a sheet up to its last cell with content.
#[derive(Default)]
struct SheetExtent {
    rows: u64,
    columns: u64,
    /// The rows so far, with or without content.
    row: u64,
    /// The columns of the current row so far.
    column: u64,
    /// How often the current row is repeated.
    repeats: u64,
}

impl SheetExtent {
    fn begin_row(&mut self, row: &BytesStart<'_>) {
        self.row = self.row.saturating_add(self.repeats);
        self.column = 0;
        self.repeats = repeat_count(row, "number-rows-repeated");
    }

    fn add_cells(&mut self, cell: &BytesStart<'_>, has_content: bool) {
        self.column = self.column.saturating_add(repeat_count(cell, "number-columns-repeated"));
        if has_content {
            self.columns = self.columns.max(self.column);
            self.rows = self.row.saturating_add(self.repeats);
        }
    }

    fn cell_count(&self) -> u64 {
        self.rows.saturating_mul(self.columns)
    }
}

/// Refuses a file whose sheets would take too much memory, and one that is cut off.
pub(super) fn check_ods_bounds(content: impl BufRead) -> Result<(), String> {
    let mut xml = quick_xml::Reader::from_reader(content);
    let mut buffer = Vec::new();
    let (mut total, mut sheet) = (0_u64, SheetExtent::default());
    let mut open_elements = 0_u64;
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer).map_err(|error| error.to_string())? {
            Event::Start(e) => {
                open_elements += 1;
                sheet.add_element(&e, true);
            }
            Event::Empty(e) => sheet.add_element(&e, false),
            Event::End(e) => {
                open_elements = open_elements.saturating_sub(1);
                if e.name().as_ref() == "table:table" {
                    total = total.saturating_add(std::mem::take(&mut sheet).cell_count());
                }
            }
            Event::Eof if open_elements > 0 => {
                return Err("`content.xml` ends in the middle of an element".to_owned());
            }
            Event::Eof => break,
            _ => {}
        }
        if total.saturating_add(sheet.cell_count()) > MAX_CELLS {
            return Err(far_apart_reason(total.saturating_add(sheet.cell_count())));
        }
    }
    Ok(())
}

impl SheetExtent {
    /// Adds the beginning of an element, which may have `children`.
    fn add_element(&mut self, element: &BytesStart<'_>, children: bool) {
        match element.name().as_ref() {
            "table:table-row" => self.begin_row(element),
            "table:table-cell" | "table:covered-table-cell" => {
                let has_value = attribute_value(element, "value-type").is_some();
                self.add_cells(element, children || has_value);
            }
            _ => {}
        }
    }
}

fn repeat_count(element: &BytesStart<'_>, attribute: &str) -> u64 {
    attribute_value(element, attribute).map_or(1, |count| count.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rows: &str) -> bool {
        check_ods_bounds(format!("<table:table>{rows}</table:table>").as_bytes()).is_ok()
    }

    #[test]
    fn a_file_that_is_cut_off_is_refused() {
        assert!(check_ods_bounds(&b"<table:table><table:table-row/></table:table>"[..]).is_ok());
        for cut in ["<table:table><table:table-row>", "<a><table:table-cell><text:p>Email", "<a>"] {
            let reason = check_ods_bounds(cut.as_bytes()).unwrap_err();
            assert_eq!(reason, "`content.xml` ends in the middle of an element", "{cut}");
        }
    }

    #[test]
    fn repetitions_count_as_far_as_there_is_content() {
        let row = |repeats: &str, cells: &str| {
            format!(
                "<table:table-row table:number-rows-repeated=\"{repeats}\">{cells}</table:table-row>"
            )
        };
        let cell =
            "<table:table-cell office:value-type=\"string\"><text:p>x</text:p></table:table-cell>";
        let many = |count: u64| {
            format!(
                "<table:table-cell office:value-type=\"float\" table:number-columns-repeated=\"{count}\"/>"
            )
        };
        let blank = "<table:table-cell table:number-columns-repeated=\"16384\"/>";
        // What every spreadsheet program writes below and beside the content.
        assert!(check(&(row("1", &format!("{cell}{blank}")) + &row("1048575", blank))));
        assert!(check(&row("1048576", &many(8))));
        assert!(!check(&row("1048577", &many(8))));
        assert!(!check(&row("99999999999999999999999", cell)));
        assert!(!check(&row("1", &many(1 << 40))));
        assert!(!check(&(row("8388608", blank) + &row("1", &format!("{blank}{cell}")))));
    }
}
