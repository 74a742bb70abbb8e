//! vCard files: address books of phones and mail programs, one or many people in a file.
//!
//! Versions 2.1, 3.0 and 4.0 are read. A card is a row. The prescan reads all cards once, for the digest, the number
//! of rows and what no column takes, such as photos, which is reported. One card is in memory.

mod card;
mod content_line;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use self::card::{COLUMNS, Card, CardColumn};
use self::content_line::ContentLineReader;
use super::delimited::encoding::{DetectedEncoding, TextReader};
use super::delimited::scan_bytes;
use super::delimited::text_encoding::TextEncoding;
use super::error::{file_changed_error, io_error};
use super::row::RowPosition;
use super::source_file::{self, FileStamp};
use super::{SheetCell, SheetColumn, SheetReadOptions, SheetRow, header_row};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::text::{format_count, select_plural};

/// How many kinds of properties that no column takes are counted.
const MOST_KINDS: usize = 50;

/// A vCard file that was prescanned.
#[derive(Debug, Clone)]
pub(super) struct VcardFile {
    path: PathBuf,
    stamp: FileStamp,
    coding: DetectedEncoding,
    fallback: TextEncoding,
    columns: Vec<CardColumn>,
    pub(super) digest: String,
}

/// The result of opening a vCard file.
pub(super) struct OpenedVcard {
    pub(super) file: VcardFile,
    pub(super) columns: Vec<SheetColumn>,
    pub(super) what: String,
    pub(super) warnings: Vec<Diagnostic>,
}

/// Prescans a vCard file.
pub(super) fn open(path: &Path, reading: &SheetReadOptions) -> Result<OpenedVcard, Diagnostic> {
    let mut warnings = Vec::new();
    let (detected, digest, stamp) = scan_bytes(path, reading, &mut warnings)?;
    // Each line may have an encoding of its own, so bytes are decoded line by line.
    let is_raw = !detected.encoding.is_utf16();
    let encoding = if is_raw { TextEncoding::UTF_8 } else { detected.encoding };
    let coding = DetectedEncoding { encoding, ..detected };
    let fallback = if is_raw { detected.encoding } else { TextEncoding::UTF_8 };
    let file = VcardFile {
        path: path.to_owned(),
        stamp,
        coding,
        fallback,
        columns: COLUMNS.map(|(column, _)| column).to_vec(),
        digest,
    };
    let mut used = BTreeMap::new();
    let mut cards = file.rows()?;
    let mut total = 0_u64;
    while let Some(row) = cards.read_card()? {
        total += 1;
        for (column, _) in row.cells {
            used.insert(column, true);
        }
    }
    warnings.extend(unread_warning(&cards.unread));
    if total == 0 {
        warnings.push(header_row::no_rows_warning());
    }
    let kept: Vec<_> = COLUMNS
        .into_iter()
        .filter(|(column, _)| is_always_shown(*column) || used.contains_key(column))
        .collect();
    let names: Vec<String> = kept.iter().map(|(_, name)| (*name).to_owned()).collect();
    let what = format!("vCard, {}", detected.encoding.name());
    let file = VcardFile { columns: kept.iter().map(|(column, _)| *column).collect(), ..file };
    Ok(OpenedVcard { file, columns: header_row::columns_from_names(&names), what, warnings })
}

/// Whether a column is there even if it is empty: the preset recognizes such files by it. The others have no target
/// and would only be listed as left out.
fn is_always_shown(column: CardColumn) -> bool {
    !matches!(
        column,
        CardColumn::Prefix
            | CardColumn::Suffix
            | CardColumn::Nickname
            | CardColumn::Fax
            | CardColumn::Department
            | CardColumn::MiddleName
            | CardColumn::JobTitle
            | CardColumn::OtherAddresses
    )
}

/// A warning about the properties that no column takes.
fn unread_warning(unread: &BTreeMap<String, u64>) -> Option<Diagnostic> {
    let list: Vec<_> = unread
        .iter()
        .map(|(name, count)| {
            format!(
                "{} ({})",
                if name.is_empty() { "unreadable lines" } else { name },
                format_count(*count)
            )
        })
        .collect();
    let message = format!(
        "{} of the cards {} not imported: {}",
        select_plural(list.len() as u64, "a property", "some properties"),
        select_plural(list.len() as u64, "is", "are"),
        list.join(", ")
    );
    (!list.is_empty()).then(|| Diagnostic::new(DiagnosticCode::W_CARD_PROPERTIES, message))
}

impl VcardFile {
    /// Reads the cards.
    pub(super) fn rows(&self) -> Result<VcardRows, Diagnostic> {
        let (file, stamp) = source_file::open_file(&self.path)?;
        if stamp != self.stamp {
            return Err(file_changed_error(&self.path));
        }
        let reader = self.coding.text_reader(file).map_err(|error| io_error(&self.path, &error))?;
        Ok(VcardRows {
            lines: Some(ContentLineReader::new(reader)),
            pending: None,
            record: 0,
            unread: BTreeMap::new(),
            file: self.clone(),
        })
    }
}

/// The cards of a file, read on demand.
pub(super) struct VcardRows {
    /// `None` at the end.
    lines: Option<ContentLineReader<TextReader>>,
    /// The line of a card that began before the one before it ended.
    pending: Option<u64>,
    record: u64,
    /// How often each property was found that no column takes.
    unread: BTreeMap<String, u64>,
    file: VcardFile,
}

/// A card with its position.
struct CardRow {
    line: u64,
    cells: BTreeMap<CardColumn, SheetCell>,
    fault: Option<Diagnostic>,
}

impl VcardRows {
    fn read_card(&mut self) -> Result<Option<CardRow>, Diagnostic> {
        let Some(begin) = self.find_begin()? else {
            return self.verify_digest().map(|()| None);
        };
        let mut card = Card::default();
        let mut nested = 0_u32;
        let mut after_agent = false;
        let fault = loop {
            let Some(line) = self.read_line()? else {
                break Some(incomplete_card_fault());
            };
            let is_card = line.text(self.file.fallback).trim().eq_ignore_ascii_case("VCARD");
            match line.name.as_str() {
                "BEGIN" if is_card && (after_agent || nested > 0) => nested += 1,
                "BEGIN" if is_card => {
                    self.pending = Some(line.number);
                    break Some(incomplete_card_fault());
                }
                "END" if is_card && nested > 0 => nested -= 1,
                "END" if is_card => break card.is_too_large.then(too_large_card_fault),
                "" if line.text(self.file.fallback).trim().is_empty() => {}
                _ if nested > 0 => {}
                name => {
                    if !card.add_line(&line, self.file.fallback) {
                        self.count_unread(name);
                    }
                }
            }
            after_agent = line.name == "AGENT";
        };
        Ok(Some(CardRow { line: begin, cells: card.into_cells(), fault }))
    }

    /// The line where the next card begins.
    fn find_begin(&mut self) -> Result<Option<u64>, Diagnostic> {
        if let Some(line) = self.pending.take() {
            return Ok(Some(line));
        }
        while let Some(line) = self.read_line()? {
            let text = line.text(self.file.fallback);
            if line.name.trim_start_matches('\u{feff}') == "BEGIN"
                && text.trim().eq_ignore_ascii_case("VCARD")
            {
                return Ok(Some(line.number));
            }
            if !text.trim().is_empty() {
                self.count_unread("");
            }
        }
        Ok(None)
    }

    fn read_line(&mut self) -> Result<Option<content_line::ContentLine>, Diagnostic> {
        let Some(lines) = &mut self.lines else { return Ok(None) };
        lines.read_line().map_err(|error| io_error(&self.file.path, &error))
    }

    fn count_unread(&mut self, name: &str) {
        if self.unread.len() < MOST_KINDS || self.unread.contains_key(name) {
            let name: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
            *self.unread.entry(name).or_default() += 1;
        }
    }

    /// Checks that the file is the one that was prescanned.
    fn verify_digest(&mut self) -> Result<(), Diagnostic> {
        let Some(lines) = self.lines.take() else { return Ok(()) };
        let path = &self.file.path;
        let digest = lines.into_inner().finish_digest().map_err(|error| io_error(path, &error))?;
        if digest == self.file.digest { Ok(()) } else { Err(file_changed_error(path)) }
    }
}

impl Iterator for VcardRows {
    type Item = Result<SheetRow, Diagnostic>;

    fn next(&mut self) -> Option<Self::Item> {
        self.lines.as_ref()?;
        match self.read_card() {
            Ok(None) => None,
            Ok(Some(CardRow { line, mut cells, fault })) => {
                self.record += 1;
                let cell = |column| cells.remove(column).unwrap_or(SheetCell::Empty);
                let cells = self.file.columns.iter().map(cell).collect();
                let place = RowPosition { line, sheet: None };
                Some(Ok(SheetRow {
                    record: self.record,
                    place,
                    cells,
                    fault,
                    warnings: Vec::new(),
                }))
            }
            Err(error) => {
                self.lines = None;
                Some(Err(error))
            }
        }
    }
}

fn incomplete_card_fault() -> Diagnostic {
    let message = "the card has no `END:VCARD`, so a part of it may be missing; export it again";
    Diagnostic::new(DiagnosticCode::R_CARD_INCOMPLETE, message)
}

fn too_large_card_fault() -> Diagnostic {
    Diagnostic::new(DiagnosticCode::R_CELL_TOO_LONG, "the card has more than 4 MiB of text")
}
