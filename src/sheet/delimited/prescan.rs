//! The prescan of a text file: every record is read once before any row is used.
//!
//! It finds whatever makes later rows doubtful, such as a quote that is never closed or a missing header, before
//! anything is done with any of them. One record is in memory.

use std::io::{self, Read};

use super::dialect::DetectedDialect;
use super::quotes;
use super::text_formula::unwrap_text_formula;
use super::tokenizer::{DelimitedRecord, LineEnd, MAX_COLUMNS, QuoteError, RecordTokenizer};
use super::{empty_file_error, is_blank_record};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::sheet::error::MAX_TEXT;
use crate::sheet::{SheetColumn, header_row};
use crate::text::{format_count, format_plural};

/// The maximum number of bytes stored of a record below the header, of which only the form matters.
const KEEP: usize = 1024 * 1024;

/// The maximum length of a header, in bytes: 64 for each of the columns that a file may have.
const MAX_HEADER: usize = KEEP;

/// What was found in the records.
#[derive(Default)]
pub(crate) struct RecordPrescan {
    header: Option<Vec<String>>,
    /// An invalid byte in the header's line, and its offset.
    damaged: Option<(u8, u64)>,
    /// The number of rows above the header.
    above: u64,
    /// The number of rows below the header.
    total: u64,
    /// For each column without a name, whether it contains values.
    used: Vec<bool>,
    /// A record in which a quote seems to be missing, and its line.
    suspect: Option<(u64, u64)>,
    /// The record and line of a quote that is never closed.
    open: Option<(u64, u64)>,
    /// The line of the first record that is longer than is read, and the most bytes that it may have.
    too_long: Option<(u64, u64)>,
    lines: u64,
    shift: HeaderShiftScan,
    line_ends: LineEndScan,
}

/// The readable part of the file.
pub(crate) struct PrescanResult {
    pub(crate) columns: Vec<SheetColumn>,
    pub(crate) total: u64,
    /// The end of the header's line, if other lines are broken in another way.
    pub(crate) unbroken_by: Option<LineEnd>,
}

impl RecordPrescan {
    pub(crate) fn from_reader(
        input: impl Read,
        dialect: &DetectedDialect,
        mark: u64,
    ) -> io::Result<Self> {
        let line = dialect.header.as_ref().ok().copied();
        let mut scanner = RecordTokenizer::new(input, dialect.delimiter);
        scanner.keep = KEEP;
        let mut record = DelimitedRecord::default();
        let mut survey = Self::default();
        while scanner.read_record(&mut record)? {
            survey.check_length(&record, scanner.record_length(&record));
            if survey.header.is_none() {
                survey.scan_up_to_header(&record, line, mark);
            } else if !is_blank_record(&record) {
                survey.total += 1;
                survey.mark_used_columns(&record);
                survey.measure_row(&record);
            }
            survey.check_quotes(&record, dialect.delimiter);
            survey.lines = record.line;
        }
        Ok(survey)
    }

    fn check_length(&mut self, record: &DelimitedRecord, length: u64) {
        let most = if self.header.is_none() { MAX_HEADER as u64 } else { MAX_TEXT };
        if length > most {
            self.too_long.get_or_insert((record.line, most));
        }
    }

    /// Scans the records up to and including the header.
    fn scan_up_to_header(&mut self, record: &DelimitedRecord, line: Option<u64>, mark: u64) {
        if is_blank_record(record) {
            return;
        }
        if line != Some(record.line) {
            self.above += 1;
            return;
        }
        self.damaged = record.first_invalid_byte().map(|(_, byte, at)| (byte, mark + at));
        let name = |cell: &[u8]| {
            let cell = String::from_utf8_lossy(cell);
            header_row::clean_name(&unwrap_text_formula(&cell).unwrap_or(cell.into_owned()))
        };
        let names: Vec<String> = record.cells().map(name).collect();
        self.line_ends = LineEndScan::new(record, names.len());
        self.used = vec![false; names.len()];
        self.header = Some(names);
    }

    fn mark_used_columns(&mut self, record: &DelimitedRecord) {
        let Some(names) = &self.header else { return };
        for (index, name) in names.iter().enumerate().take(record.cell_count()) {
            if name.is_empty() && !self.used[index] {
                self.used[index] = !record.cell(index).trim_ascii().is_empty();
            }
        }
    }

    fn measure_row(&mut self, record: &DelimitedRecord) {
        self.shift.scan_row(record, self.header.as_deref().unwrap_or_default());
        self.line_ends.scan_row(record);
    }

    fn check_quotes(&mut self, record: &DelimitedRecord, delimiter: u8) {
        match record.trouble {
            Some(QuoteError::Open { opened, .. }) => self.open = Some((self.total, opened)),
            Some(QuoteError::Behind { cell, opened })
                if self.suspect.is_none() && record.breaks > 1 =>
            {
                let columns = self.header.as_ref().map_or(0, Vec::len);
                if quotes::cell_spans_rows(record, cell, delimiter, columns, false) {
                    self.suspect = Some((self.total, opened));
                }
            }
            _ => {}
        }
    }

    /// Returns what can be read, or why nothing can.
    pub(crate) fn into_result(
        self,
        dialect: &DetectedDialect,
        warnings: &mut Vec<Diagnostic>,
    ) -> Result<PrescanResult, Diagnostic> {
        if let Some((record, line)) = self.suspect {
            return Err(open_quote_error(record, line, "closed only in a later row"));
        }
        if let Some((record, line)) = self.open {
            return Err(open_quote_error(record, line, "never closed"));
        }
        if self.header.as_ref().is_some_and(|names| names.len() > MAX_COLUMNS) {
            return Err(too_many_columns_error(dialect.header.clone()?));
        }
        if let Some((line, most)) = self.too_long {
            return Err(too_long_error(line, most));
        }
        let Some(names) = self.header else {
            return Err(self.missing_header_error(dialect));
        };
        let line = dialect.header.clone()?;
        if let Some((byte, at)) = self.damaged {
            let message = format!(
                "the header (line {line}) contains byte 0x{byte:02X} at offset {at}, which is not valid text"
            );
            return Err(Diagnostic::new(DiagnosticCode::E_ENCODING, message)
                .with_hint("save the file as UTF-8, or name its encoding with `--encoding`"));
        }
        if self.shift.is_certain() {
            return Err(header_too_short_error(names.len()));
        }
        if self.above > u64::from(dialect.declared) {
            let lines = line - 1 - u64::from(dialect.declared);
            let lines = format_plural(lines, "line");
            let message = format!("{lines} (header found in line {line})");
            warnings.push(Diagnostic::new(DiagnosticCode::W_PREAMBLE_SKIPPED, message));
        }
        if self.total == 0 {
            warnings.push(header_row::no_rows_warning());
        }
        let columns = header_row::columns_from_names(&names);
        warnings.extend(header_row::unnamed_column_warnings(&columns, &self.used));
        let unbroken_by = self.line_ends.is_broken.then_some(self.line_ends.usual);
        Ok(PrescanResult { columns, total: self.total, unbroken_by })
    }

    fn missing_header_error(&self, dialect: &DetectedDialect) -> Diagnostic {
        match &dialect.header {
            _ if self.above == 0 => empty_file_error(self.lines),
            Err(refusal) => refusal.clone(),
            Ok(line) => Diagnostic::new(
                DiagnosticCode::E_NO_HEADER,
                format!("no row begins on line {line}"),
            )
            .with_hint("set `--header-row` to the line with the column names, counted from 1"),
        }
    }
}

/// Whether the names of the header belong to the cells one to the right, because the first column has no name.
#[derive(Default)]
struct HeaderShiftScan {
    rows: u64,
    /// The rows with one cell more than the header, the last of which has a value.
    one_longer: u64,
    /// Those that begin with their own number, counted from 0 or 1.
    numbered: u64,
    /// Those with an e-mail address in the column that the header names for it, or in the one to its right.
    in_place: u64,
    shifted: u64,
}

impl HeaderShiftScan {
    fn scan_row(&mut self, record: &DelimitedRecord, names: &[String]) {
        self.rows += 1;
        let columns = names.len();
        if record.cell_count() != columns + 1 || record.cell(columns).trim_ascii().is_empty() {
            return;
        }
        self.one_longer += 1;
        let number = std::str::from_utf8(record.cell(0)).ok().and_then(|it| it.trim().parse().ok());
        self.numbered += u64::from(number == Some(self.rows) || number == Some(self.rows - 1));
        let mail = names.iter().position(|name| name.to_lowercase().contains("mail"));
        if let Some(at) = mail {
            let has_address = |index: usize| record.cell(index).contains(&b'@');
            self.in_place += u64::from(has_address(at));
            self.shifted += u64::from(!has_address(at) && has_address(at + 1));
        }
    }

    /// Whether every row is longer, and its first cell is one that no name was written for.
    fn is_certain(&self) -> bool {
        self.rows > 0
            && self.one_longer == self.rows
            && self.in_place == 0
            && (self.shifted > 0 || self.numbered == self.rows)
    }
}

/// Whether lines are broken inside cells by something other than the usual line end.
#[derive(Default)]
struct LineEndScan {
    usual: LineEnd,
    columns: usize,
    /// Whether the previous row ended in another way.
    after_stray: bool,
    is_broken: bool,
}

impl LineEndScan {
    fn new(header: &DelimitedRecord, columns: usize) -> Self {
        Self { usual: header.line_end, columns, after_stray: false, is_broken: false }
    }

    /// Scans a row. Where it ends in another way, and it or the next one is short, a cell was cut in two.
    fn scan_row(&mut self, record: &DelimitedRecord) {
        let is_stray = record.line_end.is_stray_among(self.usual);
        self.is_broken |= (is_stray || self.after_stray) && record.cell_count() < self.columns;
        self.after_stray = is_stray;
    }
}

fn header_too_short_error(columns: usize) -> Diagnostic {
    let message = format!(
        "every row has one cell more than the header ({} instead of {columns}), so it is not clear which name belongs \
         to which cell: probably the first column has no name, as when R writes row names",
        columns + 1
    );
    Diagnostic::new(DiagnosticCode::E_HEADER_TOO_SHORT, message).with_hint(
        "write a name for the first column into the header, or write the file without row names \
         (`row.names = FALSE` in R); if a cell of every row has a delimiter in it, put that cell in quotes",
    )
}

fn too_many_columns_error(line: u64) -> Diagnostic {
    let message = format!(
        "the header (line {line}) has more than {} columns, which is the most that is read",
        format_count(MAX_COLUMNS as u64)
    );
    Diagnostic::new(DiagnosticCode::E_NO_HEADER, message)
        .with_hint("remove the columns that are not to be imported")
}

fn too_long_error(line: u64, most: u64) -> Diagnostic {
    let what = if most == MAX_TEXT { "the row" } else { "the header" };
    let message = format!(
        "{what} on line {line} is longer than {} MiB, which is the most that is read",
        most / 1024 / 1024
    );
    Diagnostic::new(DiagnosticCode::E_TEXT_TOO_LONG, message)
        .with_hint("a quote may be missing there; or remove the column with the long text")
}

fn open_quote_error(record: u64, line: u64, how: &str) -> Diagnostic {
    let place = match record {
        0 => format!("line {line}"),
        record => format!("record {record} (line {line})"),
    };
    let message = format!(
        "{place} opens a quote that is {how}; everything after it would be one cell; nothing was imported"
    );
    Diagnostic::new(DiagnosticCode::E_UNTERMINATED_QUOTE, message).with_hint(format!(
        "close or remove the quote on line {line}; inside a cell, write a quote twice"
    ))
}
