//! An ODS workbook whose content is any bytes: it is read to its end or refused, and reading it twice gives the same rows.
#![no_main]

use std::io::{Cursor, Write};
use std::sync::LazyLock;

use ghl_bulk_fuzz::read_sheet_twice;
use libfuzzer_sys::fuzz_target;
use zip::write::SimpleFileOptions;

static DIR: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

const MIME_TYPE: &[u8] = b"application/vnd.oasis.opendocument.spreadsheet";
const MANIFEST: &[u8] = br#"<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">
<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>
<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>"#;

fn workbook(content: &[u8]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let parts = [("mimetype", MIME_TYPE), ("META-INF/manifest.xml", MANIFEST), ("content.xml", content)];
    for (name, part) in parts {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(part).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fuzz_target!(|content: &[u8]| read_sheet_twice(&DIR.path().join("sheet.ods"), &workbook(content)));
