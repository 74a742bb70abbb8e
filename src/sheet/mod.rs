//! A sheet: a CSV, TSV or spreadsheet file read as rows with positions.
//!
//! Opening a sheet looks at the whole file once: encoding, dialect, where the header is, and whether
//! anything in it makes every row behind it doubtful. Then it can be read as often as needed, each time
//! from the start, row by row; of a text file no more than one row is held. This floor knows neither
//! contacts nor mappings: it asks its caller which header names are known words.

mod delimited;
mod error;
mod file_type;
mod header_row;
mod row;
mod row_shaper;
mod source_file;
mod workbook;

pub use error::{Refusal, Warning};
pub use row::{Cell, Fault, Place, Row};

use std::path::{Path, PathBuf};

use self::file_type::Kind;

/// How a file is to be read, where it is not to be found out.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Reading {
    /// The encoding's label, such as `windows-1252`.
    pub encoding: Option<String>,
    /// The delimiter of a text file.
    pub delimiter: Option<char>,
    /// The name of the sheet of a spreadsheet.
    pub sheet: Option<String>,
    /// The line (text) or row (spreadsheet) that holds the header, counted from 1.
    pub header_row: Option<u32>,
    /// What becomes of hidden rows.
    pub hidden: Hidden,
}

/// What becomes of a spreadsheet's hidden rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hidden {
    /// A file with some is refused: nobody knows which rows are meant.
    #[default]
    Refuse,
    /// They are passed over.
    Skip,
    /// They are read like all others.
    Include,
}

/// A column, as the header names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The header's text as it stands in the file, without BOM and outer blanks.
    pub name: String,
    /// The column's letters as a spreadsheet shows them: `A`, `B`, … `AA`.
    pub letters: String,
}

/// A file that was looked over and can be read.
#[derive(Debug)]
pub struct Sheet {
    /// The file.
    pub path: PathBuf,
    /// Its columns.
    pub columns: Vec<Column>,
    /// What it is, for people: `CSV, utf-8, comma` or `XLSX, sheet "Contacts"`.
    pub what: String,
    /// SHA-256 over the file's bytes, in lower-case hex.
    pub digest: String,
    /// What the reader should know about the file as a whole.
    pub warnings: Vec<Warning>,
    content: Content,
}

/// Where the rows come from.
#[derive(Debug)]
enum Content {
    Text(delimited::Text),
    Book(workbook::Book),
}

/// The rows of a sheet, from the first on.
pub type Rows = Box<dyn Iterator<Item = Result<Row, Refusal>> + Send>;

impl Sheet {
    /// Looks a file over. `known` says whether a header's text is a word that contact files use.
    ///
    /// # Errors
    /// `E_IO` when the system cannot read the file, `E_CHANGED` when it changes meanwhile, `E_DELIMITER` and
    /// `E_ENCODING` when what was asked for does not exist, and otherwise the code of what is wrong with
    /// the file as a whole.
    pub fn open(
        path: &Path,
        reading: &Reading,
        known: &dyn Fn(&str) -> bool,
    ) -> Result<Self, Refusal> {
        let kind = file_type::of(path)?;
        let mut sheet = if kind == Kind::Text {
            let delimited::Opened { text, columns, what, warnings } =
                delimited::open(path, reading, known)?;
            let digest = text.digest.clone();
            Self {
                path: path.to_owned(),
                columns,
                what,
                digest,
                warnings,
                content: Content::Text(text),
            }
        } else {
            let opened = workbook::open(path, kind, reading, known)?;
            let workbook::Opened { book, columns, what, warnings } = opened;
            let digest = book.digest.clone();
            Self {
                path: path.to_owned(),
                columns,
                what,
                digest,
                warnings,
                content: Content::Book(book),
            }
        };
        header_row::one_cell(&sheet.columns, known)?;
        sheet.warnings.extend(file_type::mismatch(path, &sheet.what));
        Ok(sheet)
    }

    /// The rows behind the header, from the first on. The iterator ends after its first error.
    ///
    /// # Errors
    /// When the file cannot be read any more, or is not the one that was looked over.
    pub fn rows(&self) -> Result<Rows, Refusal> {
        match &self.content {
            Content::Text(text) => Ok(Box::new(text.rows()?)),
            Content::Book(book) => Ok(Box::new(book.rows()?)),
        }
    }
}

#[cfg(test)]
mod tests;
