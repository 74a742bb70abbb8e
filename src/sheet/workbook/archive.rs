//! The ZIP archive of a spreadsheet: its format, the sizes of its parts, and the location of a sheet.

use std::io::{BufRead, BufReader, Read};

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::{BOUND, BytesCursor, corrupt_error, too_large_error};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::sheet::error::MAX_TEXT;

/// The maximum ratio by which deflate can compress.
const DEFLATE: u64 = 1032;

/// The maximum ratio by which a part may be compressed if it is larger than [`SMALL_PART`]. Sheets reach 30.
const MAX_RATIO: u64 = 100;

/// The unpacked size, in bytes, up to which any ratio is fine.
const SMALL_PART: u64 = 64 * 1024 * 1024;

/// The maximum size of all parts of a workbook together, unpacked, in bytes.
const MAX_WORKBOOK: u64 = 2 * BOUND;

/// The number of bytes examined at the beginning of a part.
const BEGINNING: u64 = 4096;

/// The spreadsheet formats that are archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ArchiveFormat {
    Xlsx,
    Xlsb,
    Ods,
}

/// An archive whose parts are safe to read.
pub(super) struct SpreadsheetArchive {
    archive: ZipArchive<BytesCursor>,
}

impl SpreadsheetArchive {
    /// Opens the archive, and refuses it if it is not a spreadsheet or would not fit into memory.
    pub(super) fn open(bytes: BytesCursor) -> Result<(Self, ArchiveFormat), Diagnostic> {
        let archive = ZipArchive::new(bytes).map_err(|error| corrupt_error(&error.to_string()))?;
        let mut package = Self { archive };
        let flavour = package.detect_format()?;
        let mut total = 0_u64;
        for index in 0..package.archive.len() {
            total = total.saturating_add(package.check_part_size(index)?);
            if total > MAX_WORKBOOK {
                return Err(too_large_error("the spreadsheet", MAX_WORKBOOK));
            }
        }
        Ok((package, flavour))
    }

    fn detect_format(&mut self) -> Result<ArchiveFormat, Diagnostic> {
        let names = self.archive.file_names_raw();
        let names: Vec<String> =
            names.map(|name| String::from_utf8_lossy(name).replace('\\', "/")).collect();
        let under = |folder: &str| names.iter().any(|name| name.starts_with(folder));
        let mut mimetype = String::new();
        if let Some(part) = self.open_part("mimetype") {
            let _ = part.take(BEGINNING).read_to_string(&mut mimetype);
        }
        if mimetype.starts_with("application/vnd.oasis.opendocument.spreadsheet") {
            return Ok(ArchiveFormat::Ods);
        }
        if names.iter().any(|name| name.ends_with("workbook.bin")) {
            return Ok(ArchiveFormat::Xlsb);
        }
        let what = match () {
            () if under("word/") => "a Word document",
            () if under("ppt/") => "a presentation",
            () if under("Index/") => "a Numbers or Pages document",
            () if !mimetype.is_empty() => "a document of another kind",
            () if under("xl/") || under("[Content_Types].xml") => return Ok(ArchiveFormat::Xlsx),
            () => "a ZIP archive",
        };
        let message = format!("the file is {what}, not text or a spreadsheet");
        Err(Diagnostic::new(DiagnosticCode::E_NOT_TEXT, message)
            .with_hint("unpack it if it holds the contacts, or export them as CSV or XLSX"))
    }

    /// Refuses a part that is too large, whatever size it declares, and returns its size.
    fn check_part_size(&mut self, index: usize) -> Result<u64, Diagnostic> {
        let unreadable = |error: zip::result::ZipError| corrupt_error(&error.to_string());
        let part = self.archive.by_index_raw(index).map_err(unreadable)?;
        let name = String::from_utf8_lossy(part.name_raw()).to_lowercase();
        let (mut size, packed) = (part.size(), part.compressed_size());
        drop(part);
        if !matches!(name.rsplit('.').next(), Some("xml" | "bin")) {
            return Ok(0);
        }
        if size > BOUND {
            return Err(too_large_error("a part of the spreadsheet", BOUND));
        }
        if packed.saturating_mul(DEFLATE) > MAX_TEXT {
            let most = packed.saturating_mul(MAX_RATIO).clamp(SMALL_PART, BOUND);
            let part = self.archive.by_index(index).map_err(unreadable)?;
            let mut texts = LongestText::default();
            let unpacked = std::io::copy(&mut part.take(most + 1), &mut texts);
            size = unpacked.map_err(|error| corrupt_error(&error.to_string()))?;
            if texts.longest > MAX_TEXT && name.rsplit('.').next() == Some("xml") {
                return Err(text_too_long_error());
            }
            if size > most && most < BOUND {
                return Err(compressed_too_much_error());
            }
            if size > BOUND {
                return Err(too_large_error("a part of the spreadsheet", BOUND));
            }
        }
        if name.ends_with("sharedstrings.xml") || name.ends_with("sharedstrings.bin") {
            let part = self.archive.by_index(index).map_err(unreadable)?;
            let mut beginning = Vec::new();
            let _ = part.take(BEGINNING).read_to_end(&mut beginning);
            if announced_string_count(&beginning).is_some_and(|count| count > size) {
                return Err(corrupt_error("it declares more texts than it can contain"));
            }
        }
        Ok(size)
    }

    /// Opens a part by its name, to be unpacked while it is read.
    pub(super) fn open_part(&mut self, name: &str) -> Option<impl BufRead + use<'_>> {
        let plain = |name: &str| name.replace('\\', "/").to_lowercase();
        let wanted = plain(name);
        let index = self.archive.index_for_name(name).or_else(|| {
            let mut names = self.archive.file_names_raw();
            names.position(|name| plain(&String::from_utf8_lossy(name)) == wanted)
        })?;
        // The limit also applies here, in case the archive declares wrong sizes.
        Some(BufReader::new(self.archive.by_index(index).ok()?.take(BOUND)))
    }

    /// The name of the part that contains a sheet of an XLSX file.
    pub(super) fn sheet_part_name(&mut self, sheet: &str) -> Option<String> {
        let document = |e: &BytesStart<'_>| {
            let kind = attribute_value(e, "Type")?;
            kind.ends_with("/relationships/officeDocument").then(|| attribute_value(e, "Target"))?
        };
        let workbook = self.find_in_xml("_rels/.rels", "Relationship", document);
        let workbook =
            workbook.map_or_else(|| "xl/workbook.xml".to_owned(), |it| resolve_path("", &it));
        let (folder, file) = workbook.rsplit_once('/').unwrap_or(("", &workbook));
        let id = self.find_in_xml(&workbook, "sheet", |e| {
            (attribute_value(e, "name")? == sheet).then(|| attribute_value(e, "id"))?
        })?;
        let relations = resolve_path(folder, &format!("_rels/{file}.rels"));
        let target = self.find_in_xml(&relations, "Relationship", |e| {
            (attribute_value(e, "Id")? == id).then(|| attribute_value(e, "Target"))?
        })?;
        Some(resolve_path(folder, &target))
    }

    /// The first value that `get` returns for an element with this name.
    fn find_in_xml(
        &mut self,
        part: &str,
        element: &str,
        mut take: impl FnMut(&BytesStart<'_>) -> Option<String>,
    ) -> Option<String> {
        let mut xml = quick_xml::Reader::from_reader(self.open_part(part)?);
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            match xml.read_event_into(&mut buffer).ok()? {
                Event::Start(e) | Event::Empty(e) if e.local_name().as_ref() == element => {
                    if let Some(found) = take(&e) {
                        return Some(found);
                    }
                }
                Event::Eof => return None,
                _ => {}
            }
        }
    }
}

/// Measures the longest text between two tags of XML that is written to it.
#[derive(Default)]
struct LongestText {
    longest: u64,
    current: u64,
}

impl std::io::Write for LongestText {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut begin = 0;
        for tag in memchr::memchr_iter(b'<', bytes) {
            self.longest = self.longest.max(self.current + (tag - begin) as u64);
            (self.current, begin) = (0, tag);
        }
        self.current += (bytes.len() - begin) as u64;
        self.longest = self.longest.max(self.current);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn text_too_long_error() -> Diagnostic {
    let message = format!("a text in the spreadsheet has more than {} MiB", MAX_TEXT / 1024 / 1024);
    Diagnostic::new(DiagnosticCode::E_TEXT_TOO_LONG, message)
        .with_hint("remove it, or the column that it is in")
}

/// A part that was made to fill the memory.
fn compressed_too_much_error() -> Diagnostic {
    let message = format!(
        "a part of the spreadsheet has more than {} MiB unpacked and is compressed more than {MAX_RATIO}-fold",
        SMALL_PART / 1024 / 1024
    );
    Diagnostic::new(DiagnosticCode::E_XLSX_CORRUPT, message)
        .with_hint("save the sheet as CSV, which can have any size")
}

/// The number of strings that a part of shared strings declares; its reader allocates that many at once.
fn announced_string_count(beginning: &[u8]) -> Option<u64> {
    // BrtBeginSst: its type and length, then the number of uses and of strings.
    if let Some([.., a, b, c, d]) =
        beginning.strip_prefix(b"\x9F\x01\x08").and_then(|it| it.get(..8))
    {
        return Some(u64::from(u32::from_le_bytes([*a, *b, *c, *d])));
    }
    let text = String::from_utf8_lossy(beginning);
    let (_, rest) = text.split_once("uniqueCount")?;
    let digits = rest.trim_start_matches(['=', '"', '\'', ' ', '\t', '\r', '\n']);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    (end > 0).then(|| digits[..end].parse().unwrap_or(u64::MAX))
}

/// Resolves a path in the archive, relative to the folder of the part that contains it.
fn resolve_path(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let whole = match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("{folder}/{target}"),
    };
    let mut path: Vec<&str> = Vec::new();
    for step in whole.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(path.pop()),
            step => path.push(step),
        }
    }
    path.join("/")
}

/// The text of an element's attribute, by its name without prefix.
pub(super) fn attribute_value(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    let mut attributes = attributes.with_checks(false).flatten();
    let found = attributes.find(|attribute| attribute.key.local_name().as_ref() == name)?;
    let value = found.normalized_value(XmlVersion::Implicit1_0);
    Some(value.map_or_else(|_| found.value.to_string(), |value| value.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved_and_stay_within_the_archive() {
        let cases = [
            ("xl", "worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl", "/xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl", "../a.xml", "a.xml"),
            ("", "../../a.xml", "a.xml"),
            ("xl", "worksheets\\sheet1.xml", "xl/worksheets/sheet1.xml"),
        ];
        for (folder, target, expected) in cases {
            assert_eq!(resolve_path(folder, target), expected);
        }
    }

    #[test]
    fn announced_counts_are_read() {
        assert_eq!(announced_string_count(b"<sst count=\"9\" uniqueCount=\"12\">"), Some(12));
        assert_eq!(
            announced_string_count(b"<sst uniqueCount='99999999999999999999999'>"),
            Some(u64::MAX)
        );
        assert_eq!(announced_string_count(b"<sst>"), None);
        assert_eq!(announced_string_count(b"\x9F\x01\x08\x01\0\0\0\x05\0\0\0"), Some(5));
    }
}
