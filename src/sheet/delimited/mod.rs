//! Delimited text: looked over once, then read row by row.
//!
//! Looking over takes two passes: one over the bytes, for the encoding and the digest, one over the
//! records, for everything that makes the rows behind it doubtful. Of the text one record is held.

pub(super) mod byte_stats;
pub(super) mod dialect;
pub(super) mod encoding;
pub(super) mod prescan;
pub(super) mod quotes;
pub(super) mod tokenizer;

use std::io::Seek;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::byte_stats::Census;
use self::dialect::{Dialect, Head};
use self::encoding::{Coding, TextReader};
use self::prescan::{Survey, Surveyed};
use self::tokenizer::{Record, Scanner, Trouble};
use super::row::is_blank;
use super::row_shaper::{Raw, Shape};
use super::source_file::{self, Hashing, Stamp};
use super::{Cell, Column, Fault, Reading, Refusal, Row, Warning, file_type};

/// What is read to choose the dialect: so many bytes and lines, and no more than that many bytes.
const HEAD: usize = 256 * 1024;
const HEAD_LINES: usize = 64;
const HEAD_LIMIT: usize = 8 * 1024 * 1024;

/// What the encoding's marks are looked for in.
const ENCODING_HEAD: usize = 4096;

/// A text file that was looked over.
#[derive(Debug, Clone)]
pub(super) struct Text {
    path: PathBuf,
    stamp: Stamp,
    coding: Coding,
    delimiter: u8,
    /// The line of the header.
    header: u64,
    names: Arc<[String]>,
    total: u64,
    pub(super) digest: String,
}

/// What looking over gives.
pub(super) struct Opened {
    pub(super) text: Text,
    pub(super) columns: Vec<Column>,
    pub(super) what: String,
    pub(super) warnings: Vec<Warning>,
}

/// Looks a text file over.
pub(super) fn open(
    path: &Path,
    reading: &Reading,
    known: &dyn Fn(&str) -> bool,
) -> Result<Opened, Refusal> {
    let mut warnings = Vec::new();
    let (coding, digest, stamp) = look_at_bytes(path, reading, &mut warnings)?;
    let (head, whole) = head(path, coding)?;
    file_type::expect_text(&head)?;
    if whole && !String::from_utf8_lossy(&head).chars().any(char::is_alphanumeric) {
        return Err(empty(stamp.size));
    }
    let dialect = dialect::choose(&Head { text: &head, whole }, reading, known)?;
    drop(head);
    let survey = look_at_records(path, coding, &dialect)?;
    let Surveyed { columns, total } = survey.judge(&dialect, &mut warnings)?;
    let text = Text {
        path: path.to_owned(),
        stamp,
        coding,
        delimiter: dialect.delimiter,
        header: dialect.header?,
        names: columns.iter().map(|column| column.name.clone()).collect(),
        total,
        digest,
    };
    text.unchanged()?;
    let what = what(coding, dialect.delimiter);
    Ok(Opened { text, columns, what, warnings })
}

fn what(coding: Coding, delimiter: u8) -> String {
    let form = if delimiter == b'\t' { "TSV" } else { "CSV" };
    format!("{form}, {}, {}", encoding::name(coding.encoding), dialect::name(delimiter))
}

fn look_at_bytes(
    path: &Path,
    reading: &Reading,
    warnings: &mut Vec<Warning>,
) -> Result<(Coding, String, Stamp), Refusal> {
    let failed = |error: std::io::Error| Refusal::io(path, &error);
    let (mut file, stamp) = source_file::open(path)?;
    let mut first = vec![0; ENCODING_HEAD];
    let count = source_file::fill(&mut file, &mut first).map_err(failed)?;
    first.truncate(count);
    file.rewind().map_err(failed)?;
    let mut hashing = Hashing::new(file);
    let mut census = Census::take(&mut hashing).map_err(failed)?;
    let digest = hashing.finish().map_err(failed)?;
    if census.end == 0 {
        return Err(empty(census.size));
    }
    let coding = Coding::decide(&first, &mut census, reading.encoding.as_deref(), warnings)?;
    Ok((coding, digest, stamp))
}

/// The beginning of the text, and whether it is all of it.
fn head(path: &Path, coding: Coding) -> Result<(Vec<u8>, bool), Refusal> {
    let failed = |error: std::io::Error| Refusal::io(path, &error);
    let (file, _) = source_file::open(path)?;
    let mut reader = coding.reader(file).map_err(failed)?;
    let mut head = Vec::new();
    let mut lines = 0;
    while head.len() < HEAD || (lines < HEAD_LINES && head.len() < HEAD_LIMIT) {
        let begin = head.len();
        head.resize(begin + HEAD, 0);
        let count = source_file::fill(&mut reader, &mut head[begin..]).map_err(failed)?;
        head.truncate(begin + count);
        lines += memchr::memchr2_iter(b'\n', b'\r', &head[begin..]).count();
        if count < HEAD {
            return Ok((head, true));
        }
    }
    Ok((head, false))
}

fn look_at_records(path: &Path, coding: Coding, dialect: &Dialect) -> Result<Survey, Refusal> {
    let failed = |error: std::io::Error| Refusal::io(path, &error);
    let (file, _) = source_file::open(path)?;
    let reader = coding.reader(file).map_err(failed)?;
    Survey::take(reader, dialect, coding.mark).map_err(failed)
}

pub(super) fn empty(size: u64) -> Refusal {
    let message = match size {
        0 => "the file is empty (0 bytes)".to_owned(),
        size => format!("the file holds neither letters nor digits ({size} bytes)"),
    };
    Refusal::new("E_EMPTY_FILE", message)
        .hint("look at the export that wrote it, or name another file")
}

impl Text {
    /// The rows behind the header.
    pub(super) fn rows(&self) -> Result<TextRows, Refusal> {
        let (file, stamp) = source_file::open(&self.path)?;
        if stamp != self.stamp {
            return Err(Refusal::changed(&self.path));
        }
        let reader = self.coding.reader(file).map_err(|error| Refusal::io(&self.path, &error))?;
        Ok(TextRows {
            scanner: Some(Scanner::new(reader, self.delimiter)),
            record: Record::default(),
            shape: Shape::new(Arc::clone(&self.names), None, self.total),
            behind: false,
            text: self.clone(),
        })
    }

    fn unchanged(&self) -> Result<(), Refusal> {
        let (_, stamp) = source_file::open(&self.path)?;
        if stamp == self.stamp { Ok(()) } else { Err(Refusal::changed(&self.path)) }
    }
}

/// The rows of a text file, read as they are asked for.
pub(super) struct TextRows {
    /// Taken away at the end.
    scanner: Option<Scanner<TextReader>>,
    record: Record,
    shape: Shape,
    /// Whether the header was passed.
    behind: bool,
    text: Text,
}

impl Iterator for TextRows {
    type Item = Result<Row, Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.scanner.as_mut()?.next(&mut self.record) {
                Ok(true) if !self.behind => self.behind = self.record.line == self.text.header,
                Ok(true) if is_blank_record(&self.record) => self.shape.blank(),
                Ok(true) => {
                    let raw = raw(&self.record, &self.text);
                    return Some(Ok(self.shape.row(raw)));
                }
                Ok(false) => return self.end().err().map(Err),
                Err(error) => {
                    self.scanner = None;
                    return Some(Err(Refusal::io(&self.text.path, &error)));
                }
            }
        }
    }
}

impl TextRows {
    /// Checks that what was read is what was looked over.
    fn end(&mut self) -> Result<(), Refusal> {
        let Some(scanner) = self.scanner.take() else { return Ok(()) };
        let failed = |error: std::io::Error| Refusal::io(&self.text.path, &error);
        let digest = scanner.into_inner().finish().map_err(failed)?;
        if digest == self.text.digest { Ok(()) } else { Err(Refusal::changed(&self.text.path)) }
    }
}

/// A record as a row, with what its bytes and quotes are to blame for.
fn raw(record: &Record, text: &Text) -> Raw {
    let cell = |text: &str| if is_blank(text) { Cell::Empty } else { Cell::Text(text.to_owned()) };
    let (cells, damaged) = match record.texts() {
        Some(texts) => (texts.map(cell).collect(), None),
        None => {
            (record.cells().map(|it| cell(&salvage(it))).collect(), damage(record, text.coding))
        }
    };
    let fault = damaged.or_else(|| quoting(record, text));
    Raw { line: record.line, cells, fault }
}

/// Bytes that are no UTF-8, read as what they most often are.
fn salvage(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

pub(super) fn damage(record: &Record, coding: Coding) -> Option<Fault> {
    let (index, byte, at) = record.damage()?;
    let message = if coding.encoding == encoding_rs::UTF_8 {
        let at = coding.mark + at;
        format!("byte 0x{byte:02X} at offset {at} is not valid UTF-8 while the rest of the file is")
    } else {
        let name = encoding::name(coding.encoding);
        format!("the bytes of a character are not valid {name} while the rest of the file is")
    };
    Some(Fault { code: "R_ENCODING", column: Some(index), message })
}

fn quoting(record: &Record, text: &Text) -> Option<Fault> {
    let fits = record.len() == text.names.len();
    let (column, message) = match record.trouble {
        // Inches and nicknames: where the row fits, the quote has parted nothing.
        Some(Trouble::Inside { .. }) if fits && !quotes::parted(record) => return None,
        Some(Trouble::Inside { cell }) => {
            (cell, "a quote stands inside a cell that does not begin with one".to_owned())
        }
        Some(Trouble::Behind { cell, .. }) => {
            (cell, "text stands behind the closing quote of a cell".to_owned())
        }
        Some(Trouble::Open { cell, .. }) => (cell, "a quote is never closed".to_owned()),
        None => {
            let cell = quotes::suspicious(record, text.delimiter, text.names.len())?;
            (cell, "lines that look like rows stand within the quotes of a cell".to_owned())
        }
    };
    let advice = "; a quote in a cell is written twice, and the cell in quotes";
    Some(Fault { code: "R_BAD_QUOTING", column: Some(column), message: message + advice })
}

/// Whether a record holds nothing.
pub(super) fn is_blank_record(record: &Record) -> bool {
    record.cells().all(|cell| cell.is_empty() || std::str::from_utf8(cell).is_ok_and(is_blank))
}
