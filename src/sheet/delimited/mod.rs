//! Delimited text: prescanned once, then read row by row.
//!
//! The prescan takes two passes: one over the bytes, for the encoding and the digest, and one over the records, for
//! everything that makes later rows doubtful. One record of the text is in memory.

pub(super) mod byte_stats;
pub(super) mod code_page;
pub(super) mod dialect;
pub(in crate::sheet) mod encoding;
pub(super) mod plausibility;
pub(super) mod prescan;
pub(super) mod quotes;
pub(in crate::sheet) mod text_encoding;
pub(super) mod text_formula;
pub(super) mod tokenizer;

use std::io::Seek;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::byte_stats::ByteStats;
use self::dialect::{DetectedDialect, TextHead};
use self::encoding::{DetectedEncoding, TextReader};
use self::prescan::{PrescanResult, RecordPrescan};
use self::text_encoding::TextEncoding;
use self::tokenizer::{DelimitedRecord, LineEnd, QuoteError, RecordTokenizer};
use super::error::{file_changed_error, io_error};
use super::row::is_blank_text;
use super::row_shaper::{RawSheetRow, RowShaper};
use super::source_file::{self, FileStamp, HashingReader};
use super::{SheetCell, SheetColumn, SheetReadOptions, SheetRow, file_type};
use crate::diagnostic::{Diagnostic, DiagnosticCode};

/// The number of bytes and lines read to choose the dialect, and the limit on those bytes.
const HEAD: usize = 256 * 1024;
const HEAD_LINES: usize = 64;
const HEAD_LIMIT: usize = 8 * 1024 * 1024;

/// The number of bytes searched for signs of the encoding.
const ENCODING_HEAD: usize = 4096;

/// A text file that was prescanned.
#[derive(Debug, Clone)]
pub(super) struct DelimitedFile {
    path: PathBuf,
    stamp: FileStamp,
    coding: DetectedEncoding,
    delimiter: u8,
    /// The line of the header.
    header: u64,
    names: Arc<[String]>,
    total: u64,
    /// The end of the header's line, if cells contain other line breaks without quotes.
    unbroken_by: Option<LineEnd>,
    pub(super) digest: String,
}

/// The result of opening a text file.
pub(super) struct OpenedDelimited {
    pub(super) text: DelimitedFile,
    pub(super) columns: Vec<SheetColumn>,
    pub(super) what: String,
    pub(super) warnings: Vec<Diagnostic>,
}

/// Prescans a text file.
pub(super) fn open(
    path: &Path,
    reading: &SheetReadOptions,
    known: &dyn Fn(&str) -> bool,
) -> Result<OpenedDelimited, Diagnostic> {
    let mut warnings = Vec::new();
    let (coding, digest, stamp) = scan_bytes(path, reading, &mut warnings)?;
    let (head, whole) = read_head(path, coding)?;
    file_type::ensure_text(&head)?;
    if whole && !String::from_utf8_lossy(&head).chars().any(char::is_alphanumeric) {
        return Err(empty_file_error(stamp.size));
    }
    let dialect = dialect::choose_dialect(&TextHead { text: &head, whole }, reading, known)?;
    drop(head);
    let survey = prescan_records(path, coding, &dialect)?;
    let PrescanResult { columns, total, unbroken_by } =
        survey.into_result(&dialect, &mut warnings)?;
    let text = DelimitedFile {
        path: path.to_owned(),
        stamp,
        coding,
        delimiter: dialect.delimiter,
        header: dialect.header?,
        names: columns.iter().map(|column| column.name.clone()).collect(),
        total,
        unbroken_by,
        digest,
    };
    text.ensure_unchanged()?;
    let what = describe_format(coding, dialect.delimiter);
    Ok(OpenedDelimited { text, columns, what, warnings })
}

fn describe_format(coding: DetectedEncoding, delimiter: u8) -> String {
    let form = if delimiter == b'\t' { "TSV" } else { "CSV" };
    format!("{form}, {}, {}", coding.encoding.name(), dialect::delimiter_name(delimiter))
}

/// Detects the encoding and computes the digest of a file.
pub(super) fn scan_bytes(
    path: &Path,
    reading: &SheetReadOptions,
    warnings: &mut Vec<Diagnostic>,
) -> Result<(DetectedEncoding, String, FileStamp), Diagnostic> {
    let failed = |error: std::io::Error| io_error(path, &error);
    let (mut file, stamp) = source_file::open_file(path)?;
    let mut first = vec![0; ENCODING_HEAD];
    let count = source_file::fill_buffer(&mut file, &mut first).map_err(failed)?;
    first.truncate(count);
    file.rewind().map_err(failed)?;
    let mut hashing = HashingReader::new(file);
    let mut byte_stats = ByteStats::from_reader(&mut hashing).map_err(failed)?;
    let digest = hashing.finish_digest().map_err(failed)?;
    if byte_stats.end == 0 {
        return Err(empty_file_error(byte_stats.size));
    }
    let coding =
        DetectedEncoding::detect(&first, &mut byte_stats, reading.encoding.as_deref(), warnings)?;
    Ok((coding, digest, stamp))
}

/// Reads the beginning of the text, and returns it with whether it is the whole text.
fn read_head(path: &Path, coding: DetectedEncoding) -> Result<(Vec<u8>, bool), Diagnostic> {
    let failed = |error: std::io::Error| io_error(path, &error);
    let (file, _) = source_file::open_file(path)?;
    let mut reader = coding.text_reader(file).map_err(failed)?;
    let mut head = Vec::new();
    let mut lines = 0;
    while head.len() < HEAD || (lines < HEAD_LINES && head.len() < HEAD_LIMIT) {
        let begin = head.len();
        head.resize(begin + HEAD, 0);
        let count = source_file::fill_buffer(&mut reader, &mut head[begin..]).map_err(failed)?;
        head.truncate(begin + count);
        lines += memchr::memchr2_iter(b'\n', b'\r', &head[begin..]).count();
        if count < HEAD {
            return Ok((head, true));
        }
    }
    Ok((head, false))
}

fn prescan_records(
    path: &Path,
    coding: DetectedEncoding,
    dialect: &DetectedDialect,
) -> Result<RecordPrescan, Diagnostic> {
    let failed = |error: std::io::Error| io_error(path, &error);
    let (file, _) = source_file::open_file(path)?;
    let reader = coding.text_reader(file).map_err(failed)?;
    RecordPrescan::from_reader(reader, dialect, coding.mark).map_err(failed)
}

pub(super) fn empty_file_error(size: u64) -> Diagnostic {
    let message = match size {
        0 => "the file is empty (0 bytes)".to_owned(),
        size => format!("the file contains neither letters nor digits ({size} bytes)"),
    };
    Diagnostic::new(DiagnosticCode::E_EMPTY_FILE, message)
        .with_hint("check the export that wrote it, or choose another file")
}

impl DelimitedFile {
    /// Reads the rows below the header.
    pub(super) fn rows(&self) -> Result<DelimitedRows, Diagnostic> {
        let (file, stamp) = source_file::open_file(&self.path)?;
        if stamp != self.stamp {
            return Err(file_changed_error(&self.path));
        }
        let reader = self.coding.text_reader(file).map_err(|error| io_error(&self.path, &error))?;
        Ok(DelimitedRows {
            scanner: Some(RecordTokenizer::new(reader, self.delimiter)),
            record: DelimitedRecord::default(),
            shape: RowShaper::new(Arc::clone(&self.names), None, self.total),
            behind: false,
            after: None,
            text: self.clone(),
        })
    }

    fn ensure_unchanged(&self) -> Result<(), Diagnostic> {
        let (_, stamp) = source_file::open_file(&self.path)?;
        if stamp == self.stamp { Ok(()) } else { Err(file_changed_error(&self.path)) }
    }
}

/// The rows of a text file, read on demand.
pub(super) struct DelimitedRows {
    /// `None` at the end.
    scanner: Option<RecordTokenizer<TextReader>>,
    record: DelimitedRecord,
    shape: RowShaper,
    /// Whether the header was passed.
    behind: bool,
    /// The stray line end of the previous row.
    after: Option<LineEnd>,
    text: DelimitedFile,
}

impl Iterator for DelimitedRows {
    type Item = Result<SheetRow, Diagnostic>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.scanner.as_mut()?.read_record(&mut self.record) {
                Ok(true) if !self.behind => self.behind = self.record.line == self.text.header,
                Ok(true) if is_blank_record(&self.record) => self.shape.skip_blank_row(),
                Ok(true) => {
                    let mut raw = raw_row(&self.record, &self.text);
                    let stray = self.stray_line_end();
                    let before = std::mem::replace(&mut self.after, stray);
                    raw.fault = raw.fault.or_else(|| stray.or(before).map(broken_line_fault));
                    return Some(Ok(self.shape.shape_row(raw)));
                }
                Ok(false) => return self.verify_digest().err().map(Err),
                Err(error) => {
                    self.scanner = None;
                    return Some(Err(io_error(&self.text.path, &error)));
                }
            }
        }
    }
}

impl DelimitedRows {
    /// The end of the row's line, if it is one that was inside a cell.
    fn stray_line_end(&self) -> Option<LineEnd> {
        let end = self.record.line_end;
        self.text.unbroken_by.filter(|usual| end.is_stray_among(*usual)).map(|_| end)
    }

    /// Checks that the file is the one that was prescanned.
    fn verify_digest(&mut self) -> Result<(), Diagnostic> {
        let Some(scanner) = self.scanner.take() else { return Ok(()) };
        let failed = |error: std::io::Error| io_error(&self.text.path, &error);
        let digest = scanner.into_inner().finish_digest().map_err(failed)?;
        if digest == self.text.digest { Ok(()) } else { Err(file_changed_error(&self.text.path)) }
    }
}

fn broken_line_fault(end: LineEnd) -> Diagnostic {
    let message = format!(
        "the row is broken by {} alone, while other lines end differently: a line break inside a cell was saved \
         without quotes; join the pieces, or export the file again",
        end.name()
    );
    Diagnostic::new(DiagnosticCode::R_BROKEN_LINE, message)
}

/// Converts a record to a row, with the faults of its bytes and quotes.
fn raw_row(record: &DelimitedRecord, text: &DelimitedFile) -> RawSheetRow {
    let (cells, damaged) = match record.cell_texts() {
        Some(texts) => (texts.map(text_cell).collect(), None),
        None => (
            record.cells().map(|it| text_cell(&decode_lossy(it))).collect(),
            encoding_fault(record, text.coding),
        ),
    };
    let fault = damaged.or_else(|| quoting_fault(record, text));
    RawSheetRow { line: record.line, cells, fault }
}

fn text_cell(text: &str) -> SheetCell {
    let unwrapped = text.contains('=').then(|| text_formula::unwrap_text_formula(text)).flatten();
    let text = unwrapped.as_deref().unwrap_or(text);
    if is_blank_text(text) { SheetCell::Empty } else { SheetCell::Text(text.to_owned()) }
}

/// Decodes bytes that are not UTF-8 in the most likely encoding.
fn decode_lossy(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

pub(super) fn encoding_fault(
    record: &DelimitedRecord,
    coding: DetectedEncoding,
) -> Option<Diagnostic> {
    let (index, byte, at) = record.first_invalid_byte()?;
    let message = if coding.encoding == TextEncoding::UTF_8 {
        let at = coding.mark + at;
        format!("byte 0x{byte:02X} at offset {at} is not valid UTF-8 while the rest of the file is")
    } else {
        let name = coding.encoding.name();
        format!("the bytes of a character are not valid {name} while the rest of the file is")
    };
    Some(Diagnostic::new(DiagnosticCode::R_ENCODING, message).at_column(index))
}

fn quoting_fault(record: &DelimitedRecord, text: &DelimitedFile) -> Option<Diagnostic> {
    let fits = record.cell_count() == text.names.len();
    let (column, message) = match record.trouble {
        // Inches and nicknames: if the row has the right width, the quote has not split anything.
        Some(QuoteError::Inside { .. }) if fits && !quotes::has_split_quotes(record) => {
            return None;
        }
        Some(QuoteError::Inside { cell }) => {
            (cell, "there is a quote inside a cell that does not begin with one".to_owned())
        }
        Some(QuoteError::Behind { cell, .. }) => {
            (cell, "there is text after the closing quote of a cell".to_owned())
        }
        Some(QuoteError::Open { cell, .. }) => (cell, "a quote is never closed".to_owned()),
        None => {
            let cell = quotes::find_runaway_cell(record, text.delimiter, text.names.len())?;
            (cell, "there are lines that look like rows between the quotes of a cell".to_owned())
        }
    };
    let advice = "; put the cell in quotes and write each quote in it twice";
    Some(Diagnostic::new(DiagnosticCode::R_BAD_QUOTING, message + advice).at_column(column))
}

/// Whether a record is empty.
pub(super) fn is_blank_record(record: &DelimitedRecord) -> bool {
    record.cells().all(|cell| cell.is_empty() || std::str::from_utf8(cell).is_ok_and(is_blank_text))
}
