//! How sheets read files: common ones, and those that break readers.

mod book;
mod encodings;
mod forms;
mod kinds;
mod property;
mod samples;
mod workbooks;

use std::path::PathBuf;

use super::{Sheet, SheetReadOptions, SheetRow};
use crate::diagnostic::Diagnostic;

/// The header names that these tests know, in any spelling.
fn known(text: &str) -> bool {
    let words = [
        "name",
        "firstname",
        "lastname",
        "email",
        "emailaddress",
        "phone",
        "company",
        "city",
        "notes",
        "vorname",
        "nachname",
        "prénom",
        "nom",
        "société",
        "fullname",
        "phonenumber",
        "birthday",
        "zip",
        "contactid",
        "dnd",
        "tags",
        "country",
        "position",
        "title",
        "body",
        "umsatz",
        "companyname",
    ];
    let key: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
    words.contains(&key.to_lowercase().as_str())
}

fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/torture").join(name)
}

fn open(path: &std::path::Path) -> Result<Sheet, Diagnostic> {
    Sheet::open(path, &SheetReadOptions::default(), &known)
}

fn rows(sheet: &Sheet) -> Vec<SheetRow> {
    sheet.rows().unwrap().map(Result::unwrap).collect()
}

fn texts(row: &SheetRow) -> Vec<String> {
    row.cells.iter().map(|cell| cell.to_text().into_owned()).collect()
}

fn names(sheet: &Sheet) -> Vec<&str> {
    sheet.columns.iter().map(|column| column.name.as_str()).collect()
}

fn codes(sheet: &Sheet) -> Vec<&str> {
    sheet.warnings.iter().map(|warning| warning.code.spelling()).collect()
}

/// The rows that cannot be used, and the reason.
fn faults(rows: &[SheetRow]) -> Vec<(u64, &str)> {
    rows.iter().filter_map(|row| Some((row.record, row.fault.as_ref()?.code.spelling()))).collect()
}

/// A temporary file, which is deleted when the value is dropped.
fn made(bytes: &[u8], extension: &str) -> tempfile::NamedTempFile {
    let suffix = format!(".{extension}");
    let mut file = tempfile::Builder::new().suffix(&suffix).tempfile().unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
    file
}
