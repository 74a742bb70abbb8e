//! A workbook: one of its parts is replaced by any bytes, so that they get past the archive's checksums. The
//! first byte chooses the part; one more choice takes the bytes as the whole file.
#![no_main]

use std::io::{Cursor, Read, Write};
use std::sync::LazyLock;

use ghl_bulk::sheet::{HiddenRowPolicy, Sheet, SheetReadOptions};
use libfuzzer_sys::fuzz_target;
use zip::write::SimpleFileOptions;

static DIR: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

/// The parts of a real workbook.
static PARTS: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let sample = include_bytes!("../../../samples/contacts.xlsx");
    let mut archive = zip::ZipArchive::new(Cursor::new(&sample[..])).unwrap();
    let mut parts = Vec::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        parts.push((file.name().unwrap().into_owned(), bytes));
    }
    parts
});

fn workbook(choice: u8, bytes: &[u8]) -> Vec<u8> {
    let choice = usize::from(choice) % (PARTS.len() + 1);
    if choice == PARTS.len() {
        return bytes.to_vec();
    }
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (at, (name, part)) in PARTS.iter().enumerate() {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(if at == choice { bytes } else { part }).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let path = DIR.path().join("sheet.xlsx");
    std::fs::write(&path, workbook(*choice, bytes)).unwrap();
    let options = SheetReadOptions { hidden: HiddenRowPolicy::Include, ..Default::default() };
    if let Ok(sheet) = Sheet::open(&path, &options, &|_| true)
        && let Ok(rows) = sheet.rows()
    {
        rows.for_each(drop);
    }
});
