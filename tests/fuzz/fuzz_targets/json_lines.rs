//! A JSON Lines file of any bytes: it is read to its end or refused, and reading it twice gives the same rows.
#![no_main]

use std::sync::LazyLock;

use ghl_bulk_fuzz::read_sheet_twice;
use libfuzzer_sys::fuzz_target;

static DIR: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

fuzz_target!(|data: &[u8]| read_sheet_twice(&DIR.path().join("people.jsonl"), data));
