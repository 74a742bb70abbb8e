//! JSON Lines: one object per line. Its keys are the columns, in the order in which they first occur.
//!
//! Lists and objects are cells of JSON text, as in a CSV file of an export. The prescan reads every line once, for
//! the keys, the digest and lines that are no objects. One line is in memory.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{MAX_COLUMNS, text_cell};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::sheet::error::{file_changed_error, io_error};
use crate::sheet::row::RowPosition;
use crate::sheet::source_file::{self, FileStamp, HashingReader};
use crate::sheet::{SheetCell, SheetColumn, SheetRow, header_row};

/// The maximum length of a line, in bytes.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// A file that was prescanned.
#[derive(Debug, Clone)]
pub(in crate::sheet) struct JsonLinesFile {
    path: PathBuf,
    stamp: FileStamp,
    /// The index of each key's column.
    columns: HashMap<String, usize>,
    pub(in crate::sheet) digest: String,
}

/// Prescans a file, and returns it with its columns and warnings.
pub(in crate::sheet) fn open(
    path: &Path,
) -> Result<(JsonLinesFile, Vec<SheetColumn>, Vec<Diagnostic>), Diagnostic> {
    let (file, stamp) = source_file::open_file(path)?;
    let mut lines = JsonLineReader::new(path, file);
    let mut columns = HashMap::new();
    let mut names = Vec::new();
    let mut total = 0_u64;
    while lines.read_line()? {
        total += 1;
        let Ok(record) = lines.parse_record() else {
            // One broken line is a fault of its row, but a file that begins with one is something else.
            if total == 1 {
                return Err(not_json_lines_error(lines.number));
            }
            continue;
        };
        for (key, _) in record.0 {
            if let Entry::Vacant(vacant) = columns.entry(key) {
                names.push(header_row::clean_name(vacant.key()));
                vacant.insert(names.len() - 1);
            }
        }
        if names.len() > MAX_COLUMNS {
            return Err(too_many_keys_error());
        }
    }
    if total == 0 {
        let message = "the file is empty: it has no line with an object";
        return Err(Diagnostic::new(DiagnosticCode::E_EMPTY_FILE, message)
            .with_hint("check the export that wrote it, or choose another file"));
    }
    let digest = lines.finish_digest()?;
    let file = JsonLinesFile { path: path.to_owned(), stamp, columns, digest };
    Ok((file, header_row::columns_from_names(&names), Vec::new()))
}

fn not_json_lines_error(line: u64) -> Diagnostic {
    let message = format!("line {line} is not a JSON object, as every line of JSON Lines is");
    Diagnostic::new(DiagnosticCode::E_NOT_TEXT, message)
        .with_hint("write one object per line, or export the contacts as CSV or XLSX")
}

fn too_many_keys_error() -> Diagnostic {
    let message = format!("the objects have more than {MAX_COLUMNS} different keys");
    Diagnostic::new(DiagnosticCode::E_NO_HEADER, message)
        .with_hint("write one object per contact, with the same keys")
}

impl JsonLinesFile {
    /// Reads the objects.
    pub(in crate::sheet) fn rows(&self) -> Result<JsonLinesRows, Diagnostic> {
        let (file, stamp) = source_file::open_file(&self.path)?;
        if stamp != self.stamp {
            return Err(file_changed_error(&self.path));
        }
        let lines = Some(JsonLineReader::new(&self.path, file));
        Ok(JsonLinesRows { lines, record: 0, file: self.clone() })
    }
}

/// The rows of a file, read on demand.
pub(in crate::sheet) struct JsonLinesRows {
    /// `None` at the end.
    lines: Option<JsonLineReader>,
    record: u64,
    file: JsonLinesFile,
}

impl Iterator for JsonLinesRows {
    type Item = Result<SheetRow, Diagnostic>;

    fn next(&mut self) -> Option<Self::Item> {
        let lines = self.lines.as_mut()?;
        match lines.read_line() {
            Ok(true) => {
                self.record += 1;
                let mut cells = vec![SheetCell::Empty; self.file.columns.len()];
                let fault = match lines.parse_record() {
                    Ok(record) => {
                        for (key, value) in record.0 {
                            if let Some(at) = self.file.columns.get(&key) {
                                cells[*at] = convert_value(value);
                            }
                        }
                        None
                    }
                    Err(error) => Some(invalid_line_fault(&error)),
                };
                let place = RowPosition { line: lines.number, sheet: None };
                Some(Ok(SheetRow {
                    record: self.record,
                    place,
                    cells,
                    fault,
                    warnings: Vec::new(),
                }))
            }
            Ok(false) => {
                let digest = self.lines.take()?.finish_digest();
                match digest {
                    Ok(digest) if digest == self.file.digest => None,
                    Ok(_) => Some(Err(file_changed_error(&self.file.path))),
                    Err(error) => Some(Err(error)),
                }
            }
            Err(error) => {
                self.lines = None;
                Some(Err(error))
            }
        }
    }
}

fn invalid_line_fault(error: &serde_json::Error) -> Diagnostic {
    let message = format!("the line is not a JSON object: {error}");
    Diagnostic::new(DiagnosticCode::R_JSON_INVALID, message)
}

fn convert_value(value: Value) -> SheetCell {
    match value {
        Value::Null => SheetCell::Empty,
        Value::Bool(value) => SheetCell::Bool(value),
        Value::String(text) => text_cell(text),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            // A float is written with a fraction that may be zero.
            (None, Some(float)) => SheetCell::Number(float, float.to_string()),
            (_, float) => SheetCell::Number(float.unwrap_or_default(), number.to_string()),
        },
        value @ (Value::Array(_) | Value::Object(_)) => SheetCell::Text(value.to_string()),
    }
}

/// Reads the lines that are not blank.
struct JsonLineReader {
    path: PathBuf,
    input: BufReader<HashingReader<File>>,
    line: Vec<u8>,
    /// The physical line, from 1.
    number: u64,
}

impl JsonLineReader {
    fn new(path: &Path, file: File) -> Self {
        let input = BufReader::new(HashingReader::new(file));
        Self { path: path.to_owned(), input, line: Vec::new(), number: 0 }
    }

    /// Reads the next line that is not blank; false at the end.
    fn read_line(&mut self) -> Result<bool, Diagnostic> {
        loop {
            self.line.clear();
            let mut input = self.input.by_ref().take(LONGEST_LINE);
            let count = input
                .read_until(b'\n', &mut self.line)
                .map_err(|error: io::Error| io_error(&self.path, &error))?;
            if count == 0 {
                return Ok(false);
            }
            self.number += 1;
            if count as u64 == LONGEST_LINE {
                let message = format!("line {} is longer than 64 MiB", self.number);
                return Err(Diagnostic::new(DiagnosticCode::E_NOT_TEXT, message)
                    .with_hint("write one object per line"));
            }
            if self.number == 1 && self.line.starts_with(b"\xEF\xBB\xBF") {
                self.line.drain(..3);
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    fn parse_record(&self) -> Result<JsonRecord, serde_json::Error> {
        serde_json::from_slice(&self.line)
    }

    fn finish_digest(self) -> Result<String, Diagnostic> {
        let Self { path, input, .. } = self;
        input.into_inner().finish_digest().map_err(|error| io_error(&path, &error))
    }
}

/// An object with its keys in their order.
struct JsonRecord(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for JsonRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RecordVisitor;
        impl<'de> Visitor<'de> for RecordVisitor {
            type Value = JsonRecord;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonRecord, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(JsonRecord(entries))
            }
        }
        deserializer.deserialize_map(RecordVisitor)
    }
}
