//! Files of records: the JSON Lines and Parquet files of an export, read like sheets.
//!
//! Their cells have types, so nothing has to be guessed: a number is a number, whatever its decimal sign would be.

pub(super) mod json_lines;
pub(super) mod parquet_file;

use super::SheetCell;
use super::row::is_blank_text;

/// The maximum number of columns, as in a spreadsheet.
const MAX_COLUMNS: usize = 16_384;

fn text_cell(text: String) -> SheetCell {
    if is_blank_text(&text) { SheetCell::Empty } else { SheetCell::Text(text) }
}
