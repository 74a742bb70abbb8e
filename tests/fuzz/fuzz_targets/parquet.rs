//! A Parquet file of ours with bytes changed, or any bytes: it is read to its end or refused, and reading it twice gives
//! the same rows.
//!
//! The first byte chooses: 0 takes the rest as the file, anything else as changes to one that an export wrote: where
//! (3 bytes, from the end, where the metadata is), and the byte to put there.
#![no_main]

use std::sync::LazyLock;

use ghl_bulk_fuzz::{become_program_if_asked, read_sheet_twice, run_program};
use libfuzzer_sys::fuzz_target;

static DIR: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

static PRISTINE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let out = DIR.path().join("out");
    let args = ["export", "--sandbox", "--with", "none", "--format", "parquet", "--out"];
    let said = run_program(DIR.path(), &[&args[..], &[out.to_str().unwrap()]].concat());
    std::fs::read(out.join("contacts.parquet")).unwrap_or_else(|error| panic!("{error}\n{said}"))
});

fn changed_file(changes: &[u8]) -> Vec<u8> {
    let mut bytes = PRISTINE.clone();
    for change in changes.chunks_exact(4) {
        let from_end = usize::from(change[0]) << 16 | usize::from(change[1]) << 8 | usize::from(change[2]);
        let at = bytes.len() - 1 - from_end % bytes.len();
        bytes[at] = change[3];
    }
    bytes
}

fuzz_target!(
    init: {
        become_program_if_asked();
        LazyLock::force(&PRISTINE);
    },
    |data: &[u8]| {
        let Some((choice, rest)) = data.split_first() else { return };
        let bytes = if *choice == 0 { rest.to_vec() } else { changed_file(rest) };
        read_sheet_twice(&DIR.path().join("contacts.parquet"), &bytes);
    }
);
