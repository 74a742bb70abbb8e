//! Detects the type of a file by its first bytes, because its name may be wrong.

use std::path::Path;

use super::error::io_error;
use super::source_file;
use crate::diagnostic::{Diagnostic, DiagnosticCode};

/// The type of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SheetFileType {
    /// Text, judging by its beginning.
    Text,
    /// A vCard file.
    Vcard,
    /// JSON Lines, by its extension: other JSON is not read.
    JsonLines,
    /// A Parquet file.
    Parquet,
    /// A ZIP archive, such as an XLSX, XLSM, XLSB or ODS file.
    Archive,
    /// An OLE container, such as an XLS file or an encrypted XLSX file.
    Compound,
}

/// A file is not text if more than one byte in this many is a control character.
const CONTROLS: usize = 20;

/// The first bytes of files that are often mistaken for contact files, and what they are.
const FOREIGN: &[(&[u8], &str)] = &[
    (b"%PDF", "a PDF document"),
    (b"\x1F\x8B", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xFD7zXZ\x00", "an xz archive"),
    (b"7z\xBC\xAF\x27\x1C", "a 7-Zip archive"),
    (b"Rar!\x1A", "a RAR archive"),
    (b"\x28\xB5\x2F\xFD", "a zstd archive"),
    (b"\x89PNG", "a PNG image"),
    (b"\xFF\xD8\xFF", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"{\\rtf", "an RTF document"),
    (b"\x7FELF", "a program"),
];

/// The first bytes of a web page.
const MARKUP: &[&[u8]] =
    &[b"<!doctype html", b"<html", b"<table", b"<head", b"<body", b"<meta", b"<style"];

/// Detects the type of a file.
pub(super) fn detect_file_type(path: &Path) -> Result<SheetFileType, Diagnostic> {
    let (mut file, _) = source_file::open_file(path)?;
    let mut head = [0; 64];
    let count =
        source_file::fill_buffer(&mut file, &mut head).map_err(|error| io_error(path, &error))?;
    let kind = recognise_signature(&head[..count])?;
    let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
    let is_named_so = ["jsonl", "ndjson"].iter().any(|it| extension.eq_ignore_ascii_case(it));
    match kind {
        SheetFileType::Text if is_named_so => Ok(SheetFileType::JsonLines),
        kind => Ok(kind),
    }
}

fn recognise_signature(head: &[u8]) -> Result<SheetFileType, Diagnostic> {
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Ok(SheetFileType::Archive);
    }
    if head.starts_with(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        return Ok(SheetFileType::Compound);
    }
    if let [0x09, 0x00 | 0x02 | 0x04 | 0x08, 0x04 | 0x06 | 0x08 | 0x10, 0x00, ..] = head {
        let message =
            "the file is a spreadsheet in a format from before 1997, which is not supported";
        return Err(Diagnostic::new(DiagnosticCode::E_ENCRYPTED_OR_LEGACY_XLS, message)
            .with_hint("open it in a spreadsheet program and save it as XLSX"));
    }
    if let Some((_, what)) = FOREIGN.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Err(not_text_error(&format!("the file is {what}, not text or a spreadsheet")));
    }
    if head.starts_with(b"PAR1") {
        return Ok(SheetFileType::Parquet);
    }
    if is_vcard(head) {
        return Ok(SheetFileType::Vcard);
    }
    Ok(SheetFileType::Text)
}

/// Whether a file begins like a vCard. `head` are its first bytes, in UTF-8 or UTF-16.
fn is_vcard(head: &[u8]) -> bool {
    let plain: Vec<u8> = head
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, 0 | 0xEF | 0xBB | 0xBF | 0xFE | 0xFF))
        .skip_while(u8::is_ascii_whitespace)
        .collect();
    plain.get(..11).is_some_and(|start| start.eq_ignore_ascii_case(b"BEGIN:VCARD"))
}

/// Refuses web pages, and files with too many control characters to be text. `head` is decoded.
pub(super) fn ensure_text(head: &[u8]) -> Result<(), Diagnostic> {
    if let Some(refusal) = markup_error(head) {
        return Err(refusal);
    }
    let end = head.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let head = &head[..end];
    let controls =
        head.iter().filter(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31 | 127)).count();
    // A few stray ones damage rows, not the file. Escape does not count: notes may contain terminal output.
    if controls > 3 && controls * CONTROLS > head.len() {
        return Err(not_text_error("the file is binary, not text or a spreadsheet"));
    }
    Ok(())
}

fn not_text_error(message: &str) -> Diagnostic {
    let hint = if message.contains("JSON") {
        "write one object per line, name the file `.jsonl` and import that, or export the contacts as CSV or XLSX"
    } else if message.contains("archive") {
        "unpack it and import the file in it"
    } else {
        "export the contacts as CSV or XLSX and import that file"
    };
    Diagnostic::new(DiagnosticCode::E_NOT_TEXT, message).with_hint(hint)
}

fn markup_error(head: &[u8]) -> Option<Diagnostic> {
    let text = head.trim_ascii_start();
    let begins =
        |with: &[u8]| text.get(..with.len()).is_some_and(|it| it.eq_ignore_ascii_case(with));
    if MARKUP.iter().any(|tag| begins(tag)) {
        return Some(
            Diagnostic::new(
                DiagnosticCode::E_HTML_FILE,
                "the file is a web page, not text or a spreadsheet",
            )
            .with_hint(
                "some systems save a web page as `.xls`: open it in a spreadsheet program and \
                 save it as XLSX or CSV; if it is a login page, download the file again",
            ),
        );
    }
    let what = if begins(b"<?xml") {
        "an XML document"
    } else if is_json(text) {
        "a JSON document"
    } else {
        return None;
    };
    Some(not_text_error(&format!("the file is {what}, not text or a spreadsheet")))
}

fn is_json(text: &[u8]) -> bool {
    let within = |open: u8| text.strip_prefix(&[open]).map(<[u8]>::trim_ascii_start);
    let object = |text: &[u8]| matches!(text, [b'"' | b'}', ..]);
    within(b'{').is_some_and(object) || within(b'[').is_some_and(|it| it.starts_with(b"{"))
}

/// A warning if the file name's extension contradicts `what`, the detected type.
pub(super) fn extension_mismatch_warning(path: &Path, what: &str) -> Option<Diagnostic> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    let expected: &[&str] = match extension.as_str() {
        "csv" | "tsv" | "tab" | "txt" => &["CSV", "TSV"],
        "xlsx" | "xlsm" => &["XLSX"],
        "xlsb" => &["XLSB"],
        "xls" => &["XLS"],
        "ods" => &["ODS"],
        _ => return None,
    };
    let is = what.split(',').next().unwrap_or_default();
    let message = || format!("named `.{extension}`, but it is {is}");
    (!expected.contains(&is))
        .then(|| Diagnostic::new(DiagnosticCode::W_EXTENSION_MISMATCH, message()))
}
