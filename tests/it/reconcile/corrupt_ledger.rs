//! A ledger with a flipped bit: the import finishes correctly or reports the damage. Nothing is ever sent twice
//! because of it.

use std::path::PathBuf;

use super::{people, world};
use crate::world::World;

const MANY: usize = 8;

/// An import that died in the middle, everything in one file.
fn wreck() -> (World, PathBuf) {
    let world = world(&[]);
    world.write_sheet("in.csv", &people(MANY));
    let mut import = world.command("import in.csv --yes --out res --concurrency 4");
    let status = import.env("GHL_BULK_FAILPOINT", "after_response:9").output().unwrap().status;
    assert_eq!(status.code(), None);
    let db = world.path(&format!("home/runs/{}/run.db", world.only_run_id()));
    let connection = rusqlite::Connection::open(&db).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(connection);
    (world, db)
}

/// Resumes, and asserts that in any case no record is there twice, and all are there
/// where it claims so. Gives the code.
#[track_caller]
fn ends_right(world: &World, what: &str) -> i32 {
    let done = world.run_command(&format!("resume {}", world.only_run_id()));
    let what = format!("{what}: {done:?}");
    assert!(matches!(done.code, 0 | 12), "{what}");
    let all = world.read_contacts();
    for n in 0..MANY {
        let email = format!("p{n}@example.com");
        let own = all.iter().filter(|it| it["contact"]["email"] == *email);
        let notes: Vec<usize> = own.map(|it| it["notes"].as_array().unwrap().len()).collect();
        assert!(notes.len() <= 1 && notes.iter().all(|notes| *notes <= 1), "{notes:?}: {what}");
        assert!(done.code == 12 || notes == [1], "{notes:?}: {what}");
    }
    done.code
}

#[test]
fn an_altered_record_is_reported_as_damage() {
    for change in [
        "UPDATE op SET class = 'I' WHERE class = 'C'",
        "UPDATE op SET body = replace(body, 'note 7', 'note 6')",
        "UPDATE op SET lane = 1 WHERE lane = 8",
        "UPDATE op SET contact = 'x' WHERE id = 16",
        "UPDATE standing SET state = 'pending' WHERE state = 'sent'",
        "UPDATE standing SET state = 'applied' WHERE state = 'sent'",
        "UPDATE standing SET attempts = 0 WHERE state = 'sent'",
        "UPDATE standing SET made = 'x' WHERE made IS NOT NULL",
        "DELETE FROM standing WHERE state = 'sent'",
        "DELETE FROM standing",
        "DELETE FROM attempt",
        "UPDATE attempt SET reference = NULL WHERE reference IS NOT NULL AND state IS NULL",
        "UPDATE attempt SET at_ms = 0 WHERE state IS NULL",
        "UPDATE attempt SET id = 2 WHERE state IS NULL",
        "UPDATE decision SET action = 'unchanged'",
        "UPDATE row SET cells = replace(cells, 'p1', 'p2')",
        "UPDATE meta SET value = replace(value, 'applying', 'planning') WHERE key = 'stage'",
    ] {
        let (world, db) = wreck();
        let connection = rusqlite::Connection::open(&db).unwrap();
        assert!(connection.execute(change, []).unwrap() > 0, "{change}");
        drop(connection);
        assert_eq!(ends_right(&world, change), 12, "{change}");
    }
}

#[test]
fn a_flipped_bit_anywhere_gives_the_right_result_or_is_reported_as_damage() {
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    let mut rng = fastrand::Rng::with_seed(seed);
    for _ in 0..12 {
        let (world, db) = wreck();
        let mut bytes = std::fs::read(&db).unwrap();
        let (from, bit) = (rng.usize(..bytes.len()), rng.u8(..8));
        // Most of a page is empty.
        let at = (from..bytes.len()).find(|at| bytes[*at] != 0).unwrap_or(from);
        bytes[at] ^= 1 << bit;
        std::fs::write(&db, &bytes).unwrap();
        ends_right(&world, &format!("seed {seed}, bit {bit} of byte {at} of {}", bytes.len()));
    }
}
