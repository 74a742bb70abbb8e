//! A text file of any bytes: it is read to its end or refused, and reading it twice gives the same rows.
#![no_main]

use std::sync::LazyLock;

use ghl_bulk::sheet::{Sheet, SheetReadOptions};
use libfuzzer_sys::fuzz_target;

static DIR: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

fuzz_target!(|data: &[u8]| {
    let path = DIR.path().join("sheet.csv");
    std::fs::write(&path, data).unwrap();
    let is_known = |name: &str| matches!(name.to_ascii_lowercase().as_str(), "email" | "phone");
    let Ok(sheet) = Sheet::open(&path, &SheetReadOptions::default(), &is_known) else { return };
    let read = || sheet.rows().map(|rows| format!("{:?}", rows.collect::<Vec<_>>()));
    match (read(), read()) {
        (Ok(first), Ok(second)) => assert_eq!(first, second),
        (first, second) => assert_eq!(first.is_ok(), second.is_ok()),
    }
});
