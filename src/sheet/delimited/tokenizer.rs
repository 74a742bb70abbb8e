//! Splits delimited text into records in one pass over its bytes.
//!
//! A record is a row as written in the file: cells without their outer quotes, the physical line where it begins,
//! and what is wrong with its quotes. Lines end with LF, CR LF or CR, in any mixture. Nothing is refused here: a
//! damaged record is returned as far as it can be read. One record and one block are in memory.

use std::io::{self, Read};

/// The number of bytes read at a time.
const BLOCK: usize = 64 * 1024;

/// The maximum number of columns of a file, as in a spreadsheet.
pub(crate) const MAX_COLUMNS: usize = 16_384;

/// The maximum number of cells in a record. The last one also gets all text after it, without delimiters.
const CELLS: usize = MAX_COLUMNS + 1;

/// A record. It is reused, so that reading does not allocate.
#[derive(Debug, Default)]
pub(crate) struct DelimitedRecord {
    /// The cells, one after the other.
    bytes: Vec<u8>,
    /// The end of each cell in `bytes`.
    ends: Vec<usize>,
    /// The offset in the text, in bytes, where each cell begins.
    starts: Vec<u64>,
    /// The physical line where it begins, from 1.
    pub(crate) line: u64,
    /// The number of line breaks in its cells.
    pub(crate) breaks: u64,
    pub(crate) trouble: Option<QuoteError>,
    /// How its line ends.
    pub(crate) line_end: LineEnd,
}

/// The end of a line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum LineEnd {
    Lf,
    CrLf,
    Cr,
    /// The end of the text.
    #[default]
    End,
}

impl LineEnd {
    /// Whether lines that should end with `other` are broken by it: it may have been inside a cell.
    pub(crate) fn is_stray_among(self, other: Self) -> bool {
        match other {
            Self::CrLf => matches!(self, Self::Lf | Self::Cr),
            Self::Lf => self == Self::Cr,
            Self::Cr | Self::End => false,
        }
    }

    /// The name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lf => "a line feed (LF)",
            Self::CrLf => "a carriage return and a line feed (CR LF)",
            Self::Cr => "a carriage return (CR)",
            Self::End => "the end of the file",
        }
    }
}

/// What is wrong with a record's quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QuoteError {
    /// A quote is inside a cell that does not begin with one.
    Inside {
        /// The cell's index.
        cell: usize,
    },
    /// Text follows a cell's closing quote.
    Behind {
        /// The cell's index.
        cell: usize,
        /// The physical line of the opening quote.
        opened: u64,
    },
    /// The file ends before the closing quote.
    Open {
        /// The cell's index.
        cell: usize,
        /// The physical line of the opening quote.
        opened: u64,
    },
}

impl DelimitedRecord {
    fn clear(&mut self, line: u64) {
        self.bytes.clear();
        self.ends.clear();
        self.starts.clear();
        self.line = line;
        self.breaks = 0;
        self.trouble = None;
        self.line_end = LineEnd::End;
    }

    pub(crate) fn cell_count(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn cell(&self, index: usize) -> &[u8] {
        let begin = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[begin..self.ends[index]]
    }

    pub(crate) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.cell_count()).map(|index| self.cell(index))
    }

    /// The cells as text, if all of them are UTF-8.
    pub(crate) fn cell_texts(&self) -> Option<impl Iterator<Item = &str>> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        // Halves of a character in two neighboring cells are invalid, although together they are valid.
        if !self.ends.iter().all(|end| text.is_char_boundary(*end)) {
            return None;
        }
        let mut begin = 0;
        Some(self.ends.iter().map(move |end| &text[std::mem::replace(&mut begin, *end)..*end]))
    }

    /// The first byte that is not UTF-8: the index of its cell, the byte, and its offset in the text.
    pub(crate) fn first_invalid_byte(&self) -> Option<(usize, u8, u64)> {
        let (index, cell) =
            self.cells().enumerate().find(|(_, it)| std::str::from_utf8(it).is_err())?;
        let at = std::str::from_utf8(cell).err()?.valid_up_to();
        // In a quoted cell, each quote is doubled in the text, and one precedes the cell.
        let quotes = memchr::memchr_iter(b'"', &cell[..at]).count();
        let begin = self.starts[index];
        Some((index, cell[at], begin + (at + quotes) as u64))
    }

    fn current_cell(&self) -> &[u8] {
        &self.bytes[self.ends.last().copied().unwrap_or(0)..]
    }
}

/// The position of the tokenizer in a cell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TokenizerState {
    Plain,
    Quoted,
    /// After a quote that closes the cell, unless another follows immediately.
    Closing,
    /// After the closing quote and this number of spaces.
    Closed(usize),
}

/// Reads records.
pub(crate) struct RecordTokenizer<R> {
    input: R,
    delimiter: u8,
    /// The bytes with a special meaning, outside and inside quotes.
    special: [[bool; 256]; 2],
    block: Box<[u8]>,
    at: usize,
    filled: usize,
    /// The offset in the text where the block begins.
    base: u64,
    line: u64,
    /// Whether the last byte in quotes was a CR, which forms one line end with a following LF.
    after_cr: bool,
    /// The maximum number of bytes of a record that are stored.
    pub(crate) keep: usize,
}

impl<R: Read> RecordTokenizer<R> {
    pub(crate) fn new(input: R, delimiter: u8) -> Self {
        let set = |bytes: &[u8]| {
            let mut set = [false; 256];
            for byte in bytes {
                set[usize::from(*byte)] = true;
            }
            set
        };
        Self {
            input,
            delimiter,
            special: [set(&[delimiter, b'"', b'\n', b'\r']), set(b"\"\n\r")],
            block: vec![0; BLOCK].into(),
            at: 0,
            filled: 0,
            base: 0,
            line: 1,
            after_cr: false,
            keep: usize::MAX,
        }
    }

    pub(crate) fn into_inner(self) -> R {
        self.input
    }

    /// The length in the text of the record that was read last, in bytes.
    pub(crate) fn record_length(&self, record: &DelimitedRecord) -> u64 {
        self.byte_offset() - record.starts.first().copied().unwrap_or(0)
    }

    /// Reads the next record; false at the end of the text.
    pub(crate) fn read_record(&mut self, record: &mut DelimitedRecord) -> io::Result<bool> {
        self.after_cr = false;
        record.clear(self.line);
        if self.peek_byte()?.is_none() {
            return Ok(false);
        }
        let mut state = TokenizerState::Plain;
        let mut opened = self.line;
        record.starts.push(self.byte_offset());
        loop {
            let Some(byte) = self.peek_byte()? else {
                if state == TokenizerState::Quoted {
                    record.trouble = Some(QuoteError::Open { cell: record.ends.len(), opened });
                }
                record.ends.push(record.bytes.len());
                return Ok(true);
            };
            state = match state {
                TokenizerState::Quoted => self.scan_quoted(byte, record),
                TokenizerState::Closing if byte == b'"' => {
                    self.append_bytes(record, 1);
                    TokenizerState::Quoted
                }
                TokenizerState::Plain if byte == b'"' => {
                    let (next, line) = self.handle_quote(record);
                    opened = line.unwrap_or(opened);
                    next
                }
                TokenizerState::Plain | TokenizerState::Closing | TokenizerState::Closed(_)
                    if byte == self.delimiter && record.ends.len() < CELLS =>
                {
                    self.at += 1;
                    record.ends.push(record.bytes.len());
                    record.starts.push(self.byte_offset());
                    TokenizerState::Plain
                }
                TokenizerState::Plain | TokenizerState::Closing | TokenizerState::Closed(_)
                    if matches!(byte, b'\n' | b'\r') =>
                {
                    self.at += 1;
                    self.line += 1;
                    record.ends.push(record.bytes.len());
                    record.line_end = self.take_line_end(byte)?;
                    return Ok(true);
                }
                TokenizerState::Plain => {
                    if byte == self.delimiter {
                        self.at += 1;
                    } else {
                        self.append_until_special(record, 0);
                    }
                    TokenizerState::Plain
                }
                TokenizerState::Closing | TokenizerState::Closed(_) => {
                    self.scan_after_quote(byte, state, record, opened)
                }
            };
        }
    }

    /// The line end whose first byte was just read; takes its second one.
    fn take_line_end(&mut self, first: u8) -> io::Result<LineEnd> {
        if first == b'\n' {
            return Ok(LineEnd::Lf);
        }
        if self.peek_byte()? == Some(b'\n') {
            self.at += 1;
            return Ok(LineEnd::CrLf);
        }
        Ok(LineEnd::Cr)
    }

    /// Inside quotes: text, a line break, or the closing quote.
    fn scan_quoted(&mut self, byte: u8, record: &mut DelimitedRecord) -> TokenizerState {
        match byte {
            b'"' => {
                self.at += 1;
                self.after_cr = false;
                return TokenizerState::Closing;
            }
            b'\n' | b'\r' => {
                if !(byte == b'\n' && self.after_cr) {
                    self.line += 1;
                    record.breaks += 1;
                }
                self.after_cr = byte == b'\r';
                self.append_bytes(record, 1);
            }
            _ => {
                self.after_cr = false;
                self.append_until_special(record, 1);
            }
        }
        TokenizerState::Quoted
    }

    /// Handles a quote outside quotes, which opens the cell if only spaces came before it. Returns the line if so.
    fn handle_quote(&mut self, record: &mut DelimitedRecord) -> (TokenizerState, Option<u64>) {
        if record.current_cell().iter().all(|byte| *byte == b' ') {
            record.bytes.truncate(record.ends.last().copied().unwrap_or(0));
            self.at += 1;
            if let Some(start) = record.starts.last_mut() {
                *start = self.base + self.at as u64;
            }
            return (TokenizerState::Quoted, Some(self.line));
        }
        // Tab-separated values have no quotes; in other files, this quote should have been doubled.
        if self.delimiter != b'\t' {
            record.trouble.get_or_insert(QuoteError::Inside { cell: record.ends.len() });
        }
        self.append_bytes(record, 1);
        (TokenizerState::Plain, None)
    }

    /// After a closing quote: spaces are skipped, and anything else shows that the quote did not close the cell.
    fn scan_after_quote(
        &mut self,
        byte: u8,
        state: TokenizerState,
        record: &mut DelimitedRecord,
        opened: u64,
    ) -> TokenizerState {
        let blanks = if let TokenizerState::Closed(blanks) = state { blanks } else { 0 };
        if byte == b' ' {
            self.at += 1;
            return TokenizerState::Closed(blanks + 1);
        }
        if matches!(record.trouble, None | Some(QuoteError::Inside { .. })) {
            record.trouble = Some(QuoteError::Behind { cell: record.ends.len(), opened });
        }
        record.bytes.push(b'"');
        record.bytes.extend(std::iter::repeat_n(b' ', blanks));
        if byte == b'"' {
            self.append_bytes(record, 1);
        }
        TokenizerState::Plain
    }

    /// Appends text up to the next special byte.
    fn append_until_special(&mut self, record: &mut DelimitedRecord, within: usize) {
        let special = &self.special[within];
        let rest = &self.block[self.at..self.filled];
        let length = rest.iter().position(|byte| special[usize::from(*byte)]).unwrap_or(rest.len());
        self.append_bytes(record, length);
    }

    fn append_bytes(&mut self, record: &mut DelimitedRecord, length: usize) {
        let room = self.keep.saturating_sub(record.bytes.len()).min(length);
        record.bytes.extend_from_slice(&self.block[self.at..self.at + room]);
        self.at += length;
    }

    fn byte_offset(&self) -> u64 {
        self.base + self.at as u64
    }

    fn peek_byte(&mut self) -> io::Result<Option<u8>> {
        if self.at == self.filled {
            self.base += self.filled as u64;
            self.at = 0;
            self.filled = loop {
                match self.input.read(&mut self.block) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    other => break other?,
                }
            };
        }
        Ok(self.block[..self.filled].get(self.at).copied())
    }
}
