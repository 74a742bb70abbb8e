//! Runs that version 0.1.0 wrote, one of each kind: none is misread, and what they created is still recognized.
//!
//! `tests/runs-0.1.0` holds real runs, made against the sandbox; their databases were only compacted
//! (`VACUUM` with small pages).

use std::path::Path;

use serde_json::{Value, json};

use crate::import_world::empty_world;
use crate::world::{CommandOutput, World, short_id};

/// A finished export, one that the daily quota has paused, an applied import of notes, a dry run, an
/// import that was undone, its undo, and an import that deleted a contact.
const EXPORT: &str = "20261129-103612-umqx";
const PAUSED_EXPORT: &str = "20261129-103613-wpig";
const IMPORT: &str = "20261129-103614-ixqq";
const DRY_RUN: &str = "20261129-103616-qygv";
const UNDONE_IMPORT: &str = "20261129-103617-kwbc";
const UNDO: &str = "20261129-103633-f5pm";
const DELETION: &str = "20261129-103635-ddrd";
const ALL: [&str; 7] = [EXPORT, PAUSED_EXPORT, IMPORT, DRY_RUN, UNDONE_IMPORT, UNDO, DELETION];

/// The sheet of [`IMPORT`].
const NOTES: &str = "Email,First Name,Note\navery@example.com,Avery,called about the offer\n\
                     blair@example.com,Blair,wants a call back\n";

/// A world with an empty location in which version 0.1.0 has made these runs.
fn with(runs: &[&str]) -> World {
    let world = empty_world();
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/runs-0.1.0");
    for run in runs {
        let dir = world.path("home/runs").join(run);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::copy(stored.join(run).join("run.db"), dir.join("run.db")).unwrap();
    }
    world
}

fn database(world: &World, run: &str) -> Vec<u8> {
    std::fs::read(world.path("home/runs").join(run).join("run.db")).unwrap()
}

/// Asserts that a command has refused a run because of its version.
#[track_caller]
fn refuses(done: CommandOutput, run: &str) {
    let own = env!("CARGO_PKG_VERSION");
    let sentence = format!(
        "error: run `{run}` was written by ghl-bulk 0.1.0, and this is {own}, which cannot read it\n  \
         hint: finish it with ghl-bulk 0.1.0, or start again with a new export or import\n"
    );
    let done = done.exits(12);
    assert_eq!((done.stderr.as_str(), done.stdout.as_str()), (sentence.as_str(), ""));
}

#[test]
fn every_command_that_opens_an_old_run_refuses_it_and_leaves_it_as_it_is() {
    for run in ALL {
        let world = with(&[run]);
        let before = database(&world, run);
        world.write_sheet("in_doubt.csv", "_doubt_op,_doubt_decision\n1,applied\n");
        for command in [
            "resume RUN",
            "undo RUN --yes",
            "runs show RUN",
            "runs publish RUN --format csv",
            "runs results RUN",
            "runs resolve RUN in_doubt.csv",
        ] {
            refuses(world.run_command(&command.replace("RUN", run)), run);
        }
        assert_eq!(world.list_writes(), [] as [String; 0]);
        assert!(database(&world, run) == before, "{run} was changed");
    }
}

#[test]
fn a_refused_old_run_is_a_summary_in_json() {
    let world = with(&[DRY_RUN]);
    let summary = world.run_command(&format!("resume {DRY_RUN} --json")).exits(12).summary();
    assert_eq!((&summary["event"], &summary["exit_code"]), (&json!("summary"), &json!(12)));
    assert!(summary["error"].as_str().unwrap().contains("ghl-bulk 0.1.0"), "{summary}");
}

#[test]
fn resume_without_a_run_names_the_old_one_that_it_cannot_finish() {
    let world = with(&[EXPORT, PAUSED_EXPORT]);
    refuses(world.run_command("resume"), PAUSED_EXPORT);
    world.run_command("export --out out").exits(0);
    refuses(world.run_command("resume"), PAUSED_EXPORT);
    with(&[EXPORT, IMPORT])
        .run_command("resume")
        .exits(10)
        .says("there is no run that was interrupted or paused");
}

#[test]
fn old_runs_are_listed_with_the_version_that_wrote_them() {
    let world = with(&ALL);
    let list = world.run_command("runs list").exits(0).stdout;
    let reason = "written by ghl-bulk 0.1.0, not readable by this version";
    for (line, run) in list.lines().skip(1).zip(ALL) {
        assert!(line.starts_with(short_id(run)) && line.ends_with(reason), "{line}");
        assert!(line.contains("2026-11-29 10:36") && line.contains("other version"), "{line}");
    }
    assert_eq!(list.lines().count(), 1 + ALL.len());
    let list: Value =
        serde_json::from_str(&world.run_command("runs list --json").exits(0).stdout).unwrap();
    let facts = ["run", "tool", "state"].map(|key| &list[0][key]);
    assert_eq!(json!(facts), json!([EXPORT, "0.1.0", "other_version"]));
}

#[test]
fn old_runs_can_be_removed() {
    let world = with(&ALL);
    world.run_command(&format!("runs rm {}", ALL.join(" "))).exits(0);
    assert!(world.list_files("home/runs").is_empty());
}

#[test]
fn a_file_that_an_old_run_has_imported_writes_no_note_twice() {
    let world = with(&[IMPORT]);
    world.add_contacts(&[
        json!({ "email": "avery@example.com", "firstName": "Avery" }),
        json!({ "email": "blair@example.com", "firstName": "Blair" }),
    ]);
    world.write_sheet("in.csv", NOTES);
    world.run_import("").exits(0);
    assert_eq!(world.list_writes(), [] as [String; 0]);
    let unchanged = world.read_csv("res/unchanged.csv");
    assert_eq!(unchanged.len(), 2);
    assert!(unchanged.iter().all(|row| row["_action"] == "done_earlier"), "{unchanged:?}");
    // The same row in another file is known by what it writes.
    world.write_sheet("in.csv", &NOTES.replace("Note\n", "Note\nnew@example.com,New,hello\n"));
    world.run_import("").exits(0);
    assert_eq!(world.count_results(), [1, 2, 0, 0, 0]);
    assert_eq!(world.contact_by_email("avery@example.com")["notes"], json!([]));
}

#[test]
fn a_new_run_beside_old_ones_does_all_that_it_did_before() {
    let world = with(&ALL);
    world.write_sheet("in.csv", "Email,City\ncasey@example.com,Rome\n");
    world.run_import("").exits(0);
    assert_eq!(world.count_results(), [1, 0, 0, 0, 0]);
    let run = world.list_files("home/runs").into_iter().find(|run| !ALL.contains(&run.as_str()));
    let run = run.unwrap();
    world
        .run_command(&format!("undo {run} --created delete --confirm-delete 1 --out undone"))
        .exits(0);
    assert_eq!(world.read_contacts(), [] as [Value; 0]);
}
