//! The dialect of delimited text: chooses the delimiter that splits the first rows best.

use super::tokenizer::{DelimitedRecord, RecordTokenizer};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::sheet::SheetReadOptions;
use crate::sheet::header_row::{self, HeaderCandidate};
use crate::sheet::row::is_blank_text;

/// The delimiters to try, the most common first.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The number of rows in a thousand from which on most rows have the same width.
const EVEN: usize = 600;

/// The maximum number of cells examined; at least the first two rows are.
const CELLS: usize = 1_000_000;

/// How to split a text into cells, and where its header seems to be.
pub(crate) struct DetectedDialect {
    pub(crate) delimiter: u8,
    /// Whether the first line declares the delimiter.
    pub(crate) declared: bool,
    /// The line of the header, or why none was found.
    pub(crate) header: Result<u64, Diagnostic>,
}

/// The beginning of a text.
pub(crate) struct TextHead<'a> {
    pub(crate) text: &'a [u8],
    /// Whether it is the whole text.
    pub(crate) whole: bool,
}

/// Chooses the delimiter and finds the header.
pub(crate) fn choose_dialect(
    head: &TextHead<'_>,
    reading: &SheetReadOptions,
    known: &dyn Fn(&str) -> bool,
) -> Result<DetectedDialect, Diagnostic> {
    let asked = reading.delimiter.map(check_delimiter).transpose()?;
    let declared = declared_delimiter(head.text);
    let one = asked.or(declared);
    let candidates = one.as_ref().map_or(&CANDIDATES[..], std::slice::from_ref);
    let mut best: Option<(DelimiterScore, DetectedDialect)> = None;
    for delimiter in candidates {
        let (score, dialect) = score_delimiter(head, *delimiter, reading.header_row, known);
        if best.as_ref().is_none_or(|(so_far, _)| score > *so_far) {
            best = Some((score, dialect));
        }
    }
    let (_, dialect) = best.expect("there is at least one candidate");
    Ok(DetectedDialect { declared: declared.is_some(), ..dialect })
}

/// The name of a delimiter, for people.
pub(crate) fn delimiter_name(delimiter: u8) -> String {
    match delimiter {
        b',' => "comma".to_owned(),
        b';' => "semicolon".to_owned(),
        b'\t' => "tab".to_owned(),
        b'|' => "pipe".to_owned(),
        other => format!("`{}`", char::from(other)),
    }
}

fn check_delimiter(delimiter: char) -> Result<u8, Diagnostic> {
    match u8::try_from(delimiter) {
        Ok(byte) if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0) => Ok(byte),
        _ => Err(Diagnostic::new(
            DiagnosticCode::E_DELIMITER,
            format!("`{}` cannot be a delimiter", delimiter.escape_default()),
        )
        .with_hint("a delimiter is one ASCII character, such as `,` `;` `|` `^` or a tab")),
    }
}

/// The delimiter that a first line such as `sep=;` declares.
fn declared_delimiter(text: &[u8]) -> Option<u8> {
    let line = text.split(|byte| matches!(byte, b'\n' | b'\r')).next()?;
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    let rest = line.get(..4).filter(|it| it.eq_ignore_ascii_case(b"sep=")).map(|_| &line[4..])?;
    match rest {
        [delimiter] | [delimiter, b'"'] => check_delimiter(char::from(*delimiter)).ok(),
        _ => None,
    }
}

/// How well a delimiter fits; higher is better, and earlier fields matter more.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct DelimiterScore {
    /// The number of header cells that are known words.
    known: usize,
    /// Whether it splits most rows into equally many cells.
    cuts: bool,
    /// Whether there is a header.
    found: bool,
    /// The number of rows in a thousand that have the most common width.
    even: usize,
    width: usize,
}

fn score_delimiter(
    head: &TextHead<'_>,
    delimiter: u8,
    line: Option<u32>,
    known: &dyn Fn(&str) -> bool,
) -> (DelimiterScore, DetectedDialect) {
    let rows = parse_head_rows(head, delimiter);
    let found = match line {
        Some(line) => rows.iter().position(|row| row.line == u64::from(line)).ok_or(None),
        None => header_row::find_header_row(&rows, known).map_err(Some),
    };
    let first = *found.as_ref().unwrap_or(&0);
    let (even, width) = width_evenness(&rows[first..]);
    let words = found.as_ref().map_or(0, |index| rows[*index].known_name_count(known));
    let cuts = width > 1 && even >= EVEN;
    let score = DelimiterScore { known: words, cuts, found: found.is_ok(), even, width };
    let header = match (found, line) {
        // The header may be further down than the head reaches.
        (_, Some(line)) => Ok(u64::from(line)),
        (Ok(index), None) => Ok(rows[index].line),
        (Err(refusal), None) => Err(refusal.expect("a search says why it failed")),
    };
    (score, DetectedDialect { delimiter, declared: false, header })
}

/// Parses the first rows that are not blank. A last row that is cut off by the end of the head does not count.
fn parse_head_rows(head: &TextHead<'_>, delimiter: u8) -> Vec<HeaderCandidate> {
    let mut scanner = RecordTokenizer::new(head.text, delimiter);
    let mut record = DelimitedRecord::default();
    let mut rows = Vec::new();
    let enough = 2 * header_row::ROWS + 1;
    let mut cells = 0;
    // Reading from memory does not fail.
    while rows.len() <= enough
        && (cells < CELLS || rows.len() < 2)
        && scanner.read_record(&mut record).unwrap_or(false)
    {
        cells += record.cell_count();
        let texts = record.cells().map(|cell| String::from_utf8_lossy(cell).into_owned());
        let row = HeaderCandidate::new(record.line, texts);
        if row.cells.iter().any(|cell| !is_blank_text(cell)) {
            rows.push(row);
        }
    }
    if (!head.whole && rows.len() > 1) || rows.len() > enough {
        rows.pop();
    }
    rows
}

/// The share of rows that have the most common width, and that width.
fn width_evenness(rows: &[HeaderCandidate]) -> (usize, usize) {
    let mut widths: Vec<usize> = rows.iter().map(|row| row.cells.len()).collect();
    widths.sort_unstable();
    let run = widths.chunk_by(|a, b| a == b).max_by_key(|run| run.len());
    run.map_or((0, 0), |run| (run.len() * 1000 / rows.len(), run[0]))
}
