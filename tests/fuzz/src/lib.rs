//! What several fuzz targets share.

use std::path::Path;
use std::process::Command;

use ghl_bulk::sheet::{Sheet, SheetReadOptions};

/// Set in the processes that are to be the program itself.
const AS_PROGRAM: &str = "GHL_BULK_FUZZ_AS_PROGRAM";

/// Becomes the program, if this process was started by [`run_program`]. A target's first statement.
pub fn become_program_if_asked() {
    if std::env::var_os(AS_PROGRAM).is_some() {
        // What it leaves behind is checked, not its exit code.
        let _ = ghl_bulk::cli::main();
        std::process::exit(0);
    }
}

/// Runs the program with a home of its own and returns what it wrote to stderr.
pub fn run_program(home: &Path, args: &[&str]) -> String {
    let done = Command::new(std::env::current_exe().unwrap())
        .args(args)
        .env(AS_PROGRAM, "1")
        .env("GHL_BULK_HOME", home)
        .output()
        .unwrap();
    String::from_utf8_lossy(&done.stderr).into_owned()
}

/// Writes the bytes to a file and reads it as a sheet, twice: it is read to its end or refused, and both give the same.
pub fn read_sheet_twice(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
    let is_known = |name: &str| matches!(name.to_ascii_lowercase().as_str(), "email" | "phone");
    let Ok(sheet) = Sheet::open(path, &SheetReadOptions::default(), &is_known) else { return };
    let read = || sheet.rows().map(|rows| format!("{:?}", rows.collect::<Vec<_>>()));
    match (read(), read()) {
        (Ok(first), Ok(second)) => assert_eq!(first, second),
        (first, second) => assert_eq!(first.is_ok(), second.is_ok()),
    }
}
