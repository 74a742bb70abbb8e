//! Kills: the program is killed at every possible point while the network misbehaves, and is resumed. The result is
//! that of an undisturbed run: no row is lost, no record is duplicated.
//!
//! Each seed is a scenario; `SEEDS=from..to cargo test --test it -- --ignored soak` replays any.

mod damage;
mod deletion_scenario;
mod harness;
mod ledger_check;
mod scenario;

use std::sync::Mutex;

use harness::survives;
use scenario::{DAMAGES, DELETES};

/// Scenarios at a time: most of their time they wait.
const AT_ONCE: usize = 4;

/// Runs seeds in parallel, and returns their number.
fn all(seeds: impl Iterator<Item = u64> + Send) -> usize {
    let (seeds, count) = (Mutex::new(seeds), Mutex::new(0));
    std::thread::scope(|scope| {
        let work = || {
            loop {
                let Some(seed) = seeds.lock().unwrap().next() else { return };
                survives(seed);
                *count.lock().unwrap() += 1;
            }
        };
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            thread.join().unwrap();
        }
    });
    count.into_inner().unwrap()
}

#[test]
fn imports_killed_into_a_location_that_refuses_duplicates_lose_and_duplicate_nothing() {
    all((0..8).chain(16..20));
}

#[test]
fn imports_killed_into_a_location_that_allows_duplicates_lose_and_duplicate_nothing() {
    all((8..16).chain([408]));
}

#[test]
fn imports_killed_that_mark_what_they_create_lose_and_duplicate_nothing() {
    all(24..32);
}

#[test]
fn imports_killed_with_rows_without_identity_duplicate_nothing_and_report_rows_in_doubt() {
    all(32..40);
}

#[test]
fn deletions_killed_delete_only_the_requested_contacts() {
    all(DELETES..DELETES + 12);
}

#[test]
fn imports_killed_whose_run_is_then_damaged_never_send_anything_twice() {
    all(DAMAGES..DAMAGES + 40);
}

#[test]
#[ignore = "the soak of damage: cargo test --release -- --ignored soak"]
fn soak_of_damaged_runs_sends_nothing_twice() {
    let count = all(DAMAGES..DAMAGES + 400);
    assert_eq!(count, 400);
}

#[test]
#[ignore = "the soak: cargo test --release -- --ignored soak"]
fn soak_of_many_seeds_loses_and_duplicates_nothing() {
    let seeds = soak_seeds("1000");
    let count = seeds.end - seeds.start;
    assert_eq!(all(seeds) as u64, count);
}

/// The seeds of a soak: `SEEDS=200` or `SEEDS=200..400`.
pub(crate) fn soak_seeds(usual: &str) -> std::ops::Range<u64> {
    let text = std::env::var("SEEDS").unwrap_or_else(|_| usual.to_owned());
    let (from, to) = text.split_once("..").unwrap_or(("0", &text));
    from.parse().unwrap()..to.parse().unwrap()
}
