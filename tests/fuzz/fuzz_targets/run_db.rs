//! A run's database with bytes changed: a reader gets what was stored or an error, never something else.
//!
//! The input is a list of changes: which database, where (3 bytes), and the byte to put there.
#![no_main]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use ghl_bulk::run::{IdentityKind, ImportStore, LedgerReader, RunError, RunStore, SpoolReader};
use ghl_bulk_fuzz::{become_program_if_asked, run_program};
use libfuzzer_sys::fuzz_target;

/// A finished run: its database, and everything that its readers say of it.
struct PristineRun {
    home: PathBuf,
    id: String,
    bytes: Vec<u8>,
    content: Vec<String>,
}

impl PristineRun {
    fn db(&self) -> PathBuf {
        self.home.join("runs").join(&self.id).join("run.db")
    }
}

static DIR: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

static RUNS: LazyLock<[PristineRun; 2]> = LazyLock::new(|| {
    let samples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples");
    [
        make_run("export", &["export", "--sandbox", "--with", "none"]),
        make_run("import", &["import", &format!("{samples}/messy.csv"), "--sandbox", "--yes"]),
    ]
});

fn make_run(name: &str, args: &[&str]) -> PristineRun {
    let home = DIR.path().join(name);
    let out = DIR.path().join(format!("{name}-out"));
    let said = run_program(&home, &[args, &["--out", out.to_str().unwrap()]].concat());
    let run = std::fs::read_dir(home.join("runs")).ok().and_then(|mut dirs| dirs.next());
    let run = run.unwrap_or_else(|| panic!("{said}"));
    let id = run.unwrap().file_name().into_string().unwrap();
    let mut made = PristineRun { home, id, bytes: Vec::new(), content: Vec::new() };
    made.bytes = std::fs::read(made.db()).unwrap();
    made.content = read_all(&made).into_iter().map(|part| part.expect("it is whole")).collect();
    made
}

/// What each reader says: everything, or the first error.
fn read_all(run: &PristineRun) -> Vec<Result<String, RunError>> {
    let db = run.db();
    let id = run.id.parse().unwrap();
    let meta = RunStore::new(&run.home).open_run(&id).map(|run| format!("{:?}", run.meta));
    vec![meta, read_spool(&db), read_ledger(&db), read_rows(&db)]
}

fn read_spool(db: &Path) -> Result<String, RunError> {
    let reader = SpoolReader::open(db)?;
    let mut all = String::new();
    for (stream, progress) in reader.streams_with_progress()? {
        all += &format!("{stream} {progress:?}\n");
    }
    // All of them, as publishing does: an entry whose stream has another name is found by its checksum.
    let mut seq = 0;
    while let Some(entry) = reader.next_entry("", seq)? {
        seq = entry.seq;
        all += &format!("{entry:?}\n");
    }
    all += &format!("{:?}", reader.load_failures()?);
    Ok(all)
}

fn read_ledger(db: &Path) -> Result<String, RunError> {
    let reader = LedgerReader::open(db)?;
    let mut all = String::new();
    reader.for_each_op(|op| {
        all += &format!("{op:?} {:?}\n", reader.load_attempts(op.id)?);
        Ok(())
    })?;
    Ok(all)
}

fn read_rows(db: &Path) -> Result<String, RunError> {
    let store = ImportStore::open(db)?;
    let mut all = format!("{:?} {:?}", store.rows_after(0, 1_000)?, store.decisions_after(0, 1_000)?);
    all += &format!("{:?} {:?}", store.warnings_in_range(0, 1_000)?, store.rows_written_before()?);
    for kind in IdentityKind::OF_CONTACTS {
        all += &format!("{:?}", store.values_with_rows(kind)?);
    }
    Ok(all)
}

fuzz_target!(
    init: {
        become_program_if_asked();
        LazyLock::force(&RUNS);
    },
    |data: &[u8]| {
        let Some((which, changes)) = data.split_first() else { return };
        let run = &RUNS[usize::from(*which) % 2];
        let mut bytes = run.bytes.clone();
        for change in changes.chunks_exact(4) {
            let at = usize::from(change[0]) << 16 | usize::from(change[1]) << 8 | usize::from(change[2]);
            let at = at % bytes.len();
            bytes[at] = change[3];
        }
        for ending in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(run.home.join("runs").join(&run.id).join(format!("run.db{ending}")));
        }
        std::fs::write(run.db(), bytes).unwrap();
        let read = read_all(run);
        // A command opens the run before it reads from it. That finds rows that are gone, and whatever has no checksum of
        // its own; a reader alone does not.
        if read[0].is_err() {
            return;
        }
        for (read, whole) in read.iter().zip(&run.content) {
            if let Ok(read) = read {
                assert_eq!(read, whole);
            }
        }
    }
);
