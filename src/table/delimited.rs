//! Writes rows of texts as a delimited file, in the dialect that another program needs.
//!
//! A header comes first, then one record per row; a cell is quoted where necessary. Bytes are
//! hashed and counted as they are written, in any encoding. Formula guards are left to the caller.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ::csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use encoding_rs::WINDOWS_1252;

use super::table_file::HashedOutputFile;
use super::{TableWriteError, WrittenTable};

/// The byte order mark of UTF-8.
pub(super) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// How rows of texts are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputDialect {
    /// The delimiter between cells.
    pub delimiter: u8,
    /// Whether lines end with CR LF.
    pub crlf: bool,
    /// Whether the file begins with a byte order mark.
    pub bom: bool,
    /// Whether every cell is quoted, or only those that need it.
    pub quoted: bool,
    /// The character encoding.
    pub encoding: OutputEncoding,
}

/// A character encoding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OutputEncoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// UTF-16, little-endian.
    Utf16,
    /// Windows-1252; characters that it lacks are replaced with `?`.
    Windows1252,
}

impl Default for OutputDialect {
    fn default() -> Self {
        let encoding = OutputEncoding::default();
        Self { delimiter: b',', crlf: false, bom: false, quoted: false, encoding }
    }
}

/// A delimited file being written.
#[derive(Debug)]
pub struct DelimitedWriter {
    path: PathBuf,
    writer: Writer<EncodingWriter>,
    rows: u64,
}

impl DelimitedWriter {
    /// Creates the file with its header. The file must not exist yet.
    pub fn create<'h>(
        path: &Path,
        dialect: OutputDialect,
        header: impl IntoIterator<Item = &'h str>,
    ) -> Result<Self, TableWriteError> {
        let mut output = EncodingWriter {
            to: HashedOutputFile::create(path)?,
            encoding: dialect.encoding,
            partial: Vec::new(),
            lacking: 0,
        };
        if dialect.bom {
            output
                .write_all(BYTE_ORDER_MARK.as_bytes())
                .map_err(|source| TableWriteError::write_error(path, source))?;
        }
        let terminator = if dialect.crlf { Terminator::CRLF } else { Terminator::Any(b'\n') };
        let quotes = if dialect.quoted { QuoteStyle::Always } else { QuoteStyle::Necessary };
        let writer = WriterBuilder::new()
            .delimiter(dialect.delimiter)
            .quote_style(quotes)
            .terminator(terminator)
            .buffer_capacity(1 << 17)
            .from_writer(output);
        let mut records = Self { path: path.to_owned(), writer, rows: 0 };
        records.write_record(header)?;
        Ok(records)
    }

    /// The number of rows written, without the header.
    #[must_use]
    pub fn row_count(&self) -> u64 {
        self.rows
    }

    /// Adds a row.
    pub fn write_row<'t>(
        &mut self,
        cells: impl IntoIterator<Item = &'t str>,
    ) -> Result<(), TableWriteError> {
        self.write_record(cells)?;
        self.rows += 1;
        Ok(())
    }

    fn write_record<'t>(
        &mut self,
        cells: impl IntoIterator<Item = &'t str>,
    ) -> Result<(), TableWriteError> {
        let failure = |error: ::csv::Error| {
            let reason = error.to_string();
            match error.into_kind() {
                ::csv::ErrorKind::Io(source) => TableWriteError::write_error(&self.path, source),
                _ => TableWriteError::encode_error(&self.path, reason),
            }
        };
        self.writer.write_record(cells).map_err(failure)
    }

    /// Completes the file and waits until it is on disk. Also returns how many characters the
    /// encoding lacks.
    pub fn close(self) -> Result<(WrittenTable, u64), TableWriteError> {
        let encoder = self
            .writer
            .into_inner()
            .map_err(|error| TableWriteError::write_error(&self.path, error.into_error()))?;
        Ok((encoder.to.close(self.rows)?, encoder.lacking))
    }
}

/// Encodes text as it is written to a file.
#[derive(Debug)]
struct EncodingWriter {
    to: HashedOutputFile,
    encoding: OutputEncoding,
    /// The first bytes of a character whose remaining bytes are still missing.
    partial: Vec<u8>,
    /// How many characters the encoding lacks.
    lacking: u64,
}

impl Write for EncodingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.encoding == OutputEncoding::Utf8 {
            return self.to.write(bytes);
        }
        self.partial.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.partial) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let text =
            std::str::from_utf8(&self.partial[..whole]).expect("it was just found to be text");
        let bytes_of: Vec<u8> = if self.encoding == OutputEncoding::Utf16 {
            text.encode_utf16().flat_map(u16::to_le_bytes).collect()
        } else {
            let (bytes, lacking) = encode_windows_1252(text);
            self.lacking += lacking;
            bytes
        };
        self.to.write_all(&bytes_of)?;
        self.partial.drain(..whole);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// A text in Windows-1252, and how many of its characters that encoding lacks.
fn encode_windows_1252(text: &str) -> (Vec<u8>, u64) {
    let (mut bytes, mut lacking) = (Vec::with_capacity(text.len()), 0);
    for c in text.chars() {
        let mut buffer = [0; 4];
        let (own, _, unknown) = WINDOWS_1252.encode(c.encode_utf8(&mut buffer));
        if unknown {
            bytes.push(b'?');
            lacking += 1;
        } else {
            bytes.extend_from_slice(&own);
        }
    }
    (bytes, lacking)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(dialect: OutputDialect, rows: &[&[&str]]) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file.csv");
        let mut records = DelimitedWriter::create(&path, dialect, ["a", "b"]).unwrap();
        for row in rows {
            records.write_row(row.iter().copied()).unwrap();
        }
        let (written, lacking) = records.close().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!((written.rows, written.bytes), (rows.len() as u64, bytes.len() as u64));
        assert_eq!(lacking, memchr::memchr_iter(b'?', &bytes).count() as u64);
        bytes
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        let text = bytes(OutputDialect::default(), &[&["x,y", "say \"hi\"\nthere"], &["", "z"]]);
        assert_eq!(text, b"a,b\n\"x,y\",\"say \"\"hi\"\"\nthere\"\n,z\n");
    }

    #[test]
    fn delimiter_line_ends_and_mark_are_those_that_were_asked_for() {
        let dialect =
            OutputDialect { delimiter: b';', crlf: true, bom: true, ..OutputDialect::default() };
        assert_eq!(bytes(dialect, &[&["ä,", "x"]]), "\u{feff}a;b\r\nä,;x\r\n".as_bytes());
    }

    #[test]
    fn utf_16_is_whole_however_the_text_is_cut_on_its_way() {
        let dialect = OutputDialect {
            delimiter: b'\t',
            bom: true,
            encoding: OutputEncoding::Utf16,
            ..OutputDialect::default()
        };
        let long = "ä€😀".repeat(60_000);
        let bytes = bytes(dialect, &[&[&long, "x"]]);
        let units: Vec<u16> =
            bytes.as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
        assert_eq!(String::from_utf16(&units).unwrap(), format!("\u{feff}a\tb\n{long}\tx\n"));
    }

    #[test]
    fn what_windows_1252_lacks_is_counted() {
        let encoding = OutputEncoding::Windows1252;
        let dialect =
            OutputDialect { quoted: true, crlf: true, encoding, ..OutputDialect::default() };
        let bytes = bytes(dialect, &[&["Zoë €", "Łukasz 😀"]]);
        assert_eq!(bytes, b"\"a\",\"b\"\r\n\"Zo\xeb \x80\",\"?ukasz ?\"\r\n");
    }
}
