//! Sheets: CSV, TSV, spreadsheet, vCard, JSON Lines and Parquet files, read as rows with positions.
//!
//! Opening a sheet scans the whole file once: the encoding, the dialect, the position of the header, and anything
//! that would make all later rows doubtful. Then it can be read as often as needed, each time from the start, row
//! by row; of a text file, only one row is in memory. This layer knows neither contacts nor mappings: its caller
//! tells it which header names are known.

mod delimited;
mod error;
mod file_type;
mod header_row;
mod records;
mod row;
mod row_shaper;
mod source_file;
mod stand_in;
mod vcard;
mod workbook;

pub use row::{RowPosition, SheetCell, SheetRow};

use std::path::{Path, PathBuf};

use self::file_type::SheetFileType;
use crate::choice::choice_enum;
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::text::format_plural;

/// How to read a file; what is not set is detected.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct SheetReadOptions {
    /// The encoding's label, such as `windows-1252`.
    pub encoding: Option<String>,
    /// The delimiter of a text file.
    pub delimiter: Option<char>,
    /// The name of the sheet of a spreadsheet.
    pub sheet: Option<String>,
    /// The line (text) or row (spreadsheet) that holds the header, counted from 1.
    pub header_row: Option<u32>,
    /// What to do with hidden rows.
    pub hidden: HiddenRowPolicy,
    /// The number of rows below the header that are skipped.
    pub skip_rows: u64,
    /// The maximum number of rows that are read behind those.
    pub limit: Option<u64>,
}

choice_enum! {
    /// What to do with the hidden rows of a spreadsheet.
    pub enum HiddenRowPolicy = Refuse {
        /// Refuse a file that has any
        Refuse = "refuse",
        /// Skip them
        Skip = "skip",
        /// Read them like other rows
        Include = "include",
    }
}

/// A column of the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetColumn {
    /// The header's text as written in the file, without BOM and surrounding spaces.
    pub name: String,
    /// The column's letters as a spreadsheet shows them: `A`, `B`, … `AA`.
    pub letters: String,
}

/// A file that was prescanned and can be read.
#[derive(Debug)]
pub struct Sheet {
    /// The file.
    pub path: PathBuf,
    /// Its columns.
    pub columns: Vec<SheetColumn>,
    /// A description for people: `CSV, utf-8, comma` or `XLSX, sheet "Contacts"`.
    pub what: String,
    /// The SHA-256 digest of the file, in lower-case hex.
    pub digest: String,
    /// Warnings about the file as a whole.
    pub warnings: Vec<Diagnostic>,
    content: SheetContent,
    skip_rows: u64,
    limit: Option<u64>,
}

/// The source of the rows.
#[derive(Debug)]
enum SheetContent {
    Text(delimited::DelimitedFile),
    Vcard(vcard::VcardFile),
    JsonLines(records::json_lines::JsonLinesFile),
    Parquet(records::parquet_file::ParquetFile),
    Workbook(workbook::WorkbookFile),
}

/// The rows of a sheet, starting with the first.
pub type SheetRows = Box<dyn Iterator<Item = Result<SheetRow, Diagnostic>> + Send>;

impl Sheet {
    /// Whether it is in a workbook rather than a text file.
    #[must_use]
    pub fn is_workbook(&self) -> bool {
        matches!(self.content, SheetContent::Workbook(_))
    }

    /// Prescans a file. `known` says whether a header's text is a word that contact files use.
    ///
    /// # Errors
    /// `E_IO` if the system cannot read the file, `E_CHANGED` if it changes during the scan, `E_DELIMITER` and
    /// `E_ENCODING` if the requested delimiter or encoding does not exist, and otherwise the code of the problem
    /// with the file as a whole.
    pub fn open(
        path: &Path,
        reading: &SheetReadOptions,
        known: &dyn Fn(&str) -> bool,
    ) -> Result<Self, Diagnostic> {
        if let Some(refusal) = stand_in::refuse_by_name(path).filter(|_| path.exists()) {
            return Err(refusal);
        }
        let kind = file_type::detect_file_type(path)?;
        let (columns, what, digest, warnings, content) = match kind {
            SheetFileType::Vcard => {
                let vcard::OpenedVcard { file, columns, what, warnings } =
                    vcard::open(path, reading)?;
                (columns, what, file.digest.clone(), warnings, SheetContent::Vcard(file))
            }
            SheetFileType::JsonLines => {
                let (file, columns, warnings) = records::json_lines::open(path)?;
                let what = "JSON Lines".to_owned();
                (columns, what, file.digest.clone(), warnings, SheetContent::JsonLines(file))
            }
            SheetFileType::Parquet => {
                let (file, columns, warnings) = records::parquet_file::open(path)?;
                let what = "Parquet".to_owned();
                (columns, what, file.digest.clone(), warnings, SheetContent::Parquet(file))
            }
            SheetFileType::Text => {
                let delimited::OpenedDelimited { text, columns, what, warnings } =
                    delimited::open(path, reading, known)?;
                (columns, what, text.digest.clone(), warnings, SheetContent::Text(text))
            }
            SheetFileType::Archive | SheetFileType::Compound => {
                let opened = workbook::open(path, kind, reading, known)?;
                let workbook::OpenedWorkbook { workbook, columns, what, warnings } = opened;
                (columns, what, workbook.digest.clone(), warnings, SheetContent::Workbook(workbook))
            }
        };
        let SheetReadOptions { skip_rows, limit, .. } = *reading;
        let path = path.to_owned();
        let mut sheet = Self { path, columns, what, digest, warnings, content, skip_rows, limit };
        header_row::reject_single_cell_header(&sheet.columns, known)?;
        sheet.warnings.extend(file_type::extension_mismatch_warning(&sheet.path, &sheet.what));
        sheet.warnings.extend(sheet.selection_warning());
        if let Some(line) = reading.header_row {
            sheet.warnings.extend(header_row::check_requested_header(&sheet.columns, line, known)?);
        }
        Ok(sheet)
    }

    /// Reads the selected rows below the header, starting with the first. The iterator ends after its first error.
    ///
    /// # Errors
    /// When the file can no longer be read, or has changed since it was prescanned.
    pub fn rows(&self) -> Result<SheetRows, Diagnostic> {
        let rows = self.all_rows()?;
        if self.skip_rows == 0 && self.limit.is_none() {
            return Ok(rows);
        }
        let (skip, limit) = (self.skip_rows, self.limit.unwrap_or(u64::MAX));
        let mut count = 0_u64;
        let selected = rows.filter(move |row| {
            count += 1;
            // An error is not a row, and must not be skipped.
            row.is_err() || count > skip
        });
        Ok(Box::new(selected.take(usize::try_from(limit).unwrap_or(usize::MAX))))
    }

    /// A warning that not all rows are read.
    fn selection_warning(&self) -> Option<Diagnostic> {
        let skipped = (self.skip_rows > 0).then(|| {
            format!("the first {} below the header skipped", format_plural(self.skip_rows, "row"))
        });
        let limited =
            self.limit.map(|limit| format!("at most {} read", format_plural(limit, "row")));
        let parts: Vec<_> = skipped.into_iter().chain(limited).collect();
        let message = format!("not all rows are imported: {}", parts.join(", "));
        (!parts.is_empty()).then(|| Diagnostic::new(DiagnosticCode::W_ROWS_SELECTED, message))
    }

    /// Reads all rows below the header, whichever are selected.
    ///
    /// # Errors
    /// As [`Self::rows`].
    pub fn all_rows(&self) -> Result<SheetRows, Diagnostic> {
        match &self.content {
            SheetContent::Text(text) => Ok(Box::new(text.rows()?)),
            SheetContent::Vcard(cards) => Ok(Box::new(cards.rows()?)),
            SheetContent::JsonLines(lines) => Ok(Box::new(lines.rows()?)),
            SheetContent::Parquet(table) => Ok(Box::new(table.rows()?)),
            SheetContent::Workbook(workbook) => Ok(Box::new(workbook.rows()?)),
        }
    }
}

#[cfg(test)]
mod tests;
