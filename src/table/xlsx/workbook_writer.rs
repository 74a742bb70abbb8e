//! Writes rows of cells into a workbook, row by row, in bounded memory.
//!
//! The rows of a sheet go to a temporary file next to the workbook, and are packed when it is saved
//! (`rust_xlsxwriter`'s constant-memory mode). The library panics when that file cannot be written,
//! because the disk is full; such a panic is turned into the error that it is.

use std::borrow::Cow;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, IgnoreError, Workbook, XlsxError};

use super::super::TableWriteError;

/// The number format of instants. Its last character is the zone.
const INSTANT_FORMAT: &str = r#"yyyy-mm-dd hh:mm:ss"Z""#;

/// The most rows of a sheet, with its header.
const SHEET_ROWS: u32 = 1_048_576;
/// The most characters of a cell, in UTF-16.
const CELL_CHARACTERS: usize = 32_767;

/// How the cells of a column are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CellFormat {
    General,
    /// Stays text when a person edits the cell.
    Text,
    Day,
    Instant,
}

/// A column of a sheet.
#[derive(Debug, Clone)]
pub(super) struct SheetColumn {
    pub(super) name: String,
    pub(super) format: CellFormat,
    /// The width in characters; a longer name makes it wider.
    pub(super) width: f64,
}

/// A workbook under construction.
pub(super) struct WorkbookWriter {
    path: PathBuf,
    /// The name of the first sheet.
    title: String,
    columns: Vec<SheetColumn>,
    workbook: Workbook,
    sheets: usize,
    /// The current row of the last sheet; the header is row 0.
    row: u32,
    sheet_rows: u32,
    cut_cells: u64,
}

impl WorkbookWriter {
    /// Starts a workbook; `path` is where its file is, and gives the sheets their name.
    pub(super) fn new(path: &Path, columns: Vec<SheetColumn>) -> Result<Self, TableWriteError> {
        Self::with_sheet_rows(path, columns, SHEET_ROWS)
    }

    /// The same with another limit for the rows of a sheet.
    pub(super) fn with_sheet_rows(
        path: &Path,
        columns: Vec<SheetColumn>,
        sheet_rows: u32,
    ) -> Result<Self, TableWriteError> {
        let title = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let mut writer = Self {
            path: path.to_owned(),
            title: title.unwrap_or_else(|| "table".to_owned()),
            columns,
            workbook: Workbook::new(),
            sheets: 0,
            row: 0,
            sheet_rows,
            cut_cells: 0,
        };
        let dir = path.parent().unwrap_or(Path::new("."));
        let set = writer.workbook.set_tempdir(dir).map(drop);
        set.map_err(|error| convert_error(path, error))?;
        writer.catch_panic(Self::begin_sheet)?;
        Ok(writer)
    }

    /// The file's path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Sets the time of creation, and properties that Excel shows under File > Info.
    pub(super) fn set_properties(
        &mut self,
        created: Option<jiff::Timestamp>,
        properties: &[(String, String)],
    ) {
        let mut all = DocProperties::new().set_title(&self.title);
        // Without a time the library would take the clock's, and equal tables would differ.
        let seconds = created.map_or(0, jiff::Timestamp::as_second);
        if let Ok(time) = ExcelDateTime::from_timestamp(seconds) {
            all = all.set_creation_datetime(&time);
        }
        for (key, value) in properties {
            all = all.set_custom_property(key.as_str(), value.as_str());
        }
        self.workbook.set_properties(&all);
    }

    /// Writes rows: `write` calls [`Self::begin_row`] and the cells of each.
    pub(super) fn write_rows(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<(), TableWriteError>,
    ) -> Result<(), TableWriteError> {
        self.catch_panic(write)
    }

    /// Begins the next row, in another sheet if this one is full.
    pub(super) fn begin_row(&mut self) -> Result<(), TableWriteError> {
        if self.row + 1 == self.sheet_rows {
            self.finish_sheet()?;
            self.begin_sheet()?;
        }
        self.row += 1;
        Ok(())
    }

    /// Writes a text; one that is too long is cut.
    pub(super) fn write_text(&mut self, column: usize, text: &str) -> Result<(), TableWriteError> {
        if text.is_empty() {
            return Ok(());
        }
        let text = unify_line_breaks(text);
        let cut = cut_text(&text);
        self.cut_cells += u64::from(cut.is_some());
        let text = cut.as_deref().unwrap_or(&text);
        self.write_cell(column, |sheet, row, column| {
            sheet.write_string(row, column, text).map(drop)
        })
    }

    /// Writes a finite number, or the serial number of a day or an instant.
    pub(super) fn write_number(
        &mut self,
        column: usize,
        value: f64,
    ) -> Result<(), TableWriteError> {
        self.write_cell(column, |sheet, row, column| {
            sheet.write_number(row, column, value).map(drop)
        })
    }

    /// Writes a truth value.
    pub(super) fn write_boolean(
        &mut self,
        column: usize,
        value: bool,
    ) -> Result<(), TableWriteError> {
        self.write_cell(column, |sheet, row, column| {
            sheet.write_boolean(row, column, value).map(drop)
        })
    }

    /// Packs the workbook into a file. Returns how many cells were cut.
    pub(super) fn save(mut self, output: &mut (impl Write + Send)) -> Result<u64, TableWriteError> {
        self.catch_panic(|writer| {
            writer.finish_sheet()?;
            let saved = writer.workbook.save_to_writer(output);
            saved.map_err(|error| convert_error(&writer.path, error))
        })?;
        Ok(self.cut_cells)
    }

    fn write_cell(
        &mut self,
        column: usize,
        write: impl FnOnce(&mut rust_xlsxwriter::Worksheet, u32, u16) -> Result<(), XlsxError>,
    ) -> Result<(), TableWriteError> {
        // A column beyond the last possible one is refused by the library.
        let column = u16::try_from(column).unwrap_or(u16::MAX);
        let sheet = self.workbook.worksheet_from_index(self.sheets - 1);
        let written = sheet.and_then(|sheet| write(sheet, self.row, column));
        written.map_err(|error| convert_error(&self.path, error))
    }

    /// Begins a sheet with its header; formats must be there before the first row.
    fn begin_sheet(&mut self) -> Result<(), TableWriteError> {
        self.sheets += 1;
        self.row = 0;
        let name = match self.sheets {
            1 => self.title.clone(),
            n => format!("{} {n}", self.title),
        };
        let columns = &self.columns;
        let begin = |workbook: &mut Workbook| {
            let sheet = workbook.add_worksheet_with_constant_memory()?;
            sheet.set_name(name)?.set_freeze_panes(1, 0)?;
            let header = Format::new().set_bold();
            for (place, column) in (0..).zip(columns) {
                let format = match column.format {
                    CellFormat::General => Format::new(),
                    CellFormat::Text => Format::new().set_num_format("@"),
                    CellFormat::Day => Format::new().set_num_format("yyyy-mm-dd"),
                    CellFormat::Instant => Format::new().set_num_format(INSTANT_FORMAT),
                };
                let length = u32::try_from(column.name.chars().count()).unwrap_or(u32::MAX);
                let width = column.width.max(f64::from(length.min(40)) + 3.0);
                sheet.set_column_format(place, &format)?.set_column_width(place, width)?;
                sheet.write_string_with_format(0, place, &column.name, &header)?;
            }
            Ok(())
        };
        begin(&mut self.workbook).map_err(|error| convert_error(&self.path, error))
    }

    /// Sets what depends on the number of rows.
    fn finish_sheet(&mut self) -> Result<(), TableWriteError> {
        let (row, columns) = (self.row, self.columns.len());
        let Some(last) = u16::try_from(columns).ok().and_then(|columns| columns.checked_sub(1))
        else {
            return Ok(());
        };
        let sheet = self.workbook.worksheet_from_index(self.sheets - 1);
        let finished = sheet.and_then(|sheet| {
            sheet.autofilter(0, 0, row, last)?;
            // A phone number is meant to be text; Excel would mark each with a green corner.
            sheet.ignore_error_range(0, 0, row, last, IgnoreError::NumberStoredAsText).map(drop)
        });
        finished.map_err(|error| convert_error(&self.path, error))
    }

    fn catch_panic<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, TableWriteError>,
    ) -> Result<T, TableWriteError> {
        let path = self.path.clone();
        // After an error nothing of the workbook is used again.
        catch_unwind(AssertUnwindSafe(|| work(self))).unwrap_or_else(|panic| {
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
            let message = message.unwrap_or("the rows cannot be stored");
            Err(TableWriteError::write_error(&path, io::Error::other(message.to_owned())))
        })
    }
}

/// Spreadsheets break lines with `\n`, and show `\r` as garbage.
fn unify_line_breaks(text: &str) -> Cow<'_, str> {
    if !text.contains('\r') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
}

/// A text that is too long for a cell, cut and with a mark at its end.
fn cut_text(text: &str) -> Option<String> {
    let units = |text: &str| text.chars().map(char::len_utf16).sum::<usize>();
    if text.len() <= CELL_CHARACTERS || units(text) <= CELL_CHARACTERS {
        return None;
    }
    let mark = format!(" […cut: {} characters]", text.chars().count());
    let mut room = CELL_CHARACTERS - units(&mark);
    let fits = |c: &char| {
        let fits = c.len_utf16() <= room;
        room -= if fits { c.len_utf16() } else { room };
        fits
    };
    Some(text.chars().take_while(fits).chain(mark.chars()).collect())
}

fn convert_error(path: &Path, error: XlsxError) -> TableWriteError {
    match error {
        XlsxError::IoError(source) | XlsxError::TempFileError(_, source) => {
            TableWriteError::write_error(path, source)
        }
        XlsxError::ZipError(zip) => TableWriteError::write_error(path, zip.into()),
        other => TableWriteError::encode_error(path, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use calamine::{Data, Reader as _, Xlsx, open_workbook};

    use super::*;

    fn text_column(name: &str) -> SheetColumn {
        SheetColumn { name: name.to_owned(), format: CellFormat::Text, width: 10.0 }
    }

    #[test]
    fn rows_beyond_the_last_of_a_sheet_go_to_another_sheet_with_its_own_header() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("contacts.xlsx");
        let columns = vec![text_column("id"), text_column("name")];
        let mut writer = WorkbookWriter::with_sheet_rows(&path, columns, 3).unwrap();
        for n in 0..5 {
            writer.begin_row().unwrap();
            writer.write_text(0, &format!("c{n}")).unwrap();
        }
        writer.save(&mut std::fs::File::create(&path).unwrap()).unwrap();
        let mut book: Xlsx<_> = open_workbook(&path).unwrap();
        assert_eq!(book.sheet_names(), ["contacts", "contacts 2", "contacts 3"]);
        let ids = |sheet: &str, book: &mut Xlsx<_>| {
            let range = book.worksheet_range(sheet).unwrap();
            range.rows().map(|row| row[0].to_string()).collect::<Vec<_>>()
        };
        assert_eq!(ids("contacts", &mut book), ["id", "c0", "c1"]);
        assert_eq!(ids("contacts 2", &mut book), ["id", "c2", "c3"]);
        assert_eq!(ids("contacts 3", &mut book), ["id", "c4"]);
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_and_counted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notes.xlsx");
        let mut writer = WorkbookWriter::new(&path, vec![text_column("body")]).unwrap();
        for text in ["x".repeat(CELL_CHARACTERS), "😀".repeat(20_000), "ä".repeat(32_768)] {
            writer.begin_row().unwrap();
            writer.write_text(0, &text).unwrap();
        }
        let cut = writer.save(&mut std::fs::File::create(&path).unwrap()).unwrap();
        assert_eq!(cut, 2);
        let mut book: Xlsx<_> = open_workbook(&path).unwrap();
        let range = book.worksheet_range("notes").unwrap();
        let cells = range.rows().skip(1).map(|row| match &row[0] {
            Data::String(text) => text.clone(),
            other => panic!("{other:?}"),
        });
        let cells: Vec<String> = cells.collect();
        assert_eq!(cells[0].len(), CELL_CHARACTERS);
        assert!(cells[1].ends_with("😀 […cut: 20000 characters]"), "{:.99}", cells[1]);
        assert!(cells.iter().all(|text| text.encode_utf16().count() <= CELL_CHARACTERS));
    }

    #[test]
    fn a_row_that_cannot_be_stored_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.xlsx");
        let mut writer = WorkbookWriter::new(&path, vec![text_column("id")]).unwrap();
        let stored = writer.write_rows(|_| panic!("Couldn't write to xml file: disk full"));
        let Err(TableWriteError::Write { source, .. }) = stored else { panic!("{stored:?}") };
        assert!(source.to_string().contains("disk full"));
    }
}
