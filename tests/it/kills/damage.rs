//! Damage: after a kill, one file of the run is altered, cut, emptied, removed or replaced by an earlier copy.
//!
//! The run then goes on to the result of an undisturbed one, if necessary with `--reconcile`, or it reports that it is
//! damaged. Either way nothing is in the account twice.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use fastrand::Rng;
use serde_json::Value;

use super::harness::{Left, differing, run};
use super::scenario::{DAMAGES, Kind, Scenario};
use crate::world::World;

/// Processes that one scenario may take.
const PROCESSES: usize = 14;

/// What is done to a file.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Flip,
    Cut,
    Empty,
    Remove,
    OldCopy,
}

const KINDS: [Damage; 5] =
    [Damage::Flip, Damage::Cut, Damage::Empty, Damage::Remove, Damage::OldCopy];

/// The files of a run by name, without its lock.
type RunFiles = BTreeMap<String, Vec<u8>>;

/// Runs a seed's scenario undisturbed, and once more with kills and damage, and compares.
pub(super) fn survives_damage(seed: u64) {
    let scenario = Scenario::of(seed - DAMAGES);
    let mut rng = Rng::with_seed(seed);
    let world = scenario.world();
    let code = world.run_command(&scenario.import()).code;
    let expected = Left::of(&world, code);
    let world = scenario.world();
    world.control_request("POST", "faults", &serde_json::json!(scenario.faults));
    let mut story = format!("seed {seed}: {:?}, {:?}", scenario.kind, scenario.kills);
    let (code, said) = run_with_damage(&world, &scenario, &mut rng, &mut story);
    let found = Left::of(&world, code);
    let is_in_doubt = found.files.values().flatten().any(|file| *file == "in_doubt.csv");
    assert_nothing_twice(&expected, &found, &story);
    match code {
        0 | 3 => {
            let expected =
                if scenario.kind == Kind::Once { without_code(expected) } else { expected };
            let found = if scenario.kind == Kind::Once { without_code(found) } else { found };
            assert!(expected == found, "{story}: {}\n{said}", differing(&expected, &found));
        }
        6 => assert!(is_in_doubt, "{story}: {said}"),
        10 | 12 => {}
        code => panic!("{story}: ended with {code}: {said}"),
    }
}

fn without_code(left: Left) -> Left {
    Left { code: 0, ..left }
}

/// Imports, is killed, damages the run, and goes on to the end; its code and what it said last.
fn run_with_damage(
    world: &World,
    scenario: &Scenario,
    rng: &mut Rng,
    story: &mut String,
) -> (i32, String) {
    let mut kills = scenario.kills.iter();
    let mut line = scenario.import();
    let (mut earlier, mut last) = (RunFiles::new(), (12, String::new()));
    for process in 0..PROCESSES {
        let (code, said) = run(world, &line, kills.next());
        write!(story, "\n  {line} -> {code:?}").unwrap();
        let Some(run) = world.try_only_run_id() else { return (12, said) };
        let resume = format!("resume {run} {}", scenario.confirmed);
        match code {
            None if process == 0 || rng.bool() => {
                let files = read_files(world, &run);
                if let Some(what) = damage_file(world, &run, &files, &earlier, rng) {
                    write!(story, "\n  {what}").unwrap();
                }
                earlier = files;
                line = resume;
            }
            None => line = resume,
            Some(12) if said.contains("--reconcile") => line = format!("{resume} --reconcile"),
            Some(5) if said.contains("--adopt") => line = format!("{resume} --adopt"),
            Some(code) => return (code, said),
        }
        last = (code.unwrap_or(12), said);
    }
    panic!("{story}: it comes to no end: {last:?}");
}

fn read_files(world: &World, run: &str) -> RunFiles {
    let dir = format!("home/runs/{run}");
    let names = world.list_files(&dir).into_iter().filter(|name| name != "lock");
    names
        .map(|name| (name.clone(), fs::read(world.path(&format!("{dir}/{name}"))).unwrap()))
        .collect()
}

/// Damages one file; says how.
fn damage_file(
    world: &World,
    run: &str,
    files: &RunFiles,
    earlier: &RunFiles,
    rng: &mut Rng,
) -> Option<String> {
    let names: Vec<&String> = files.keys().collect();
    let name = (*rng.choice(&names)?).clone();
    let (path, bytes) = (world.path(&format!("home/runs/{run}/{name}")), &files[&name]);
    let what = *rng.choice(KINDS.iter())?;
    let mut altered = bytes.clone();
    match what {
        Damage::Flip if !bytes.is_empty() => {
            // Three quarters near the end, where the last commits are.
            let from = if rng.u8(..4) == 0 { 0 } else { bytes.len() - bytes.len().div_ceil(4) };
            altered[rng.usize(from..bytes.len())] ^= 1 << rng.u8(..8);
        }
        Damage::Cut if !bytes.is_empty() => altered.truncate(rng.usize(..bytes.len())),
        Damage::Remove => {
            fs::remove_file(&path).unwrap();
            return Some(format!("{name} removed"));
        }
        Damage::OldCopy => altered.clone_from(earlier.get(&name)?),
        Damage::Flip | Damage::Cut | Damage::Empty => altered.clear(),
    }
    // In place: the file stays the same one.
    fs::write(&path, &altered).unwrap();
    Some(format!("{name} {what:?}, {} of {} bytes", altered.len(), bytes.len()))
}

/// Nobody is in the account more often than in an undisturbed run, and nobody has a note or task more often.
fn assert_nothing_twice(expected: &Left, found: &Left, story: &str) {
    let (expected, found) = (count_records(&expected.people), count_records(&found.people));
    for (record, count) in &found {
        let allowed = expected.get(record).copied().unwrap_or(0);
        assert!(
            *count <= allowed.max(1),
            "{story}\n  {count} instead of {allowed} times: {record}"
        );
    }
}

fn count_records(people: &[Value]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for person in people {
        let contact = &person["contact"];
        let name = format!("{} {} {}", contact["firstName"], contact["email"], contact["phone"]);
        for list in ["notes", "tasks"] {
            for child in person[list].as_array().unwrap() {
                let text = format!("{name}: {list}: {}{}", child["body"], child["title"]);
                *counts.entry(text).or_default() += 1;
            }
        }
        *counts.entry(name).or_default() += 1;
    }
    counts
}
