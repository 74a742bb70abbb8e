//! Undo: of an import that was interrupted, and one that is interrupted itself.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{ANNA, ann, imported};
use crate::import_world::empty;
use crate::running_command::Process;
use crate::world::World;

const PEOPLE: usize = 6;

/// A world with an import that has updated some people, with notes, and made others.
fn changed() -> (World, Vec<Value>) {
    let people: Vec<Value> = (0..PEOPLE)
        .map(|n| json!({"email": format!("p{n}@example.com"), "city": "Oslo", "tags": ["old"]}))
        .collect();
    let mut sheet = "Email,City,Tags,Note\n".to_owned();
    for n in 0..2 * PEOPLE {
        writeln!(sheet, "p{n}@example.com,Rome,new,Hello {n}").unwrap();
    }
    let (world, before) = imported(&people, &sheet, "--map Note=note");
    (world.env("GHL_BULK_SETTLE_S", "0.1"), before)
}

#[test]
fn an_undo_that_is_killed_anywhere_resumes_where_it_was() {
    for point in [
        "after_intent:1",
        "after_intent:5",
        "mid_body:2",
        "after_response:3",
        "before_outcome:2",
        "during_results:1",
    ] {
        let (world, before) = changed();
        let import = world.last("import");
        let world = world.env("GHL_BULK_FAILPOINT", point);
        let one = "--created delete --concurrency 1 --out undone";
        world.run(&format!("undo {import} --yes {one}")).exits(-1);
        let world = world.without("GHL_BULK_FAILPOINT");
        world.run(&format!("resume {}", world.last("undo"))).exits(0);
        assert_eq!(world.content(), before, "{point}");
        assert_eq!(world.table("undone/succeeded.csv").len(), 2 * PEOPLE);
        assert_eq!(world.runs("undo")[0].1, "complete");
    }
}

#[test]
fn an_undo_that_is_killed_while_planning_is_planned_again() {
    let (world, before) = changed();
    let import = world.last("import");
    world.control("POST", "faults", &json!(["GET /contacts/*/notes hold times=1"]));
    let undo =
        Process::start(&world, &format!("undo {import} --yes --created delete --out undone"));
    world.ask("held?at_least=1");
    undo.kill();
    world.control("POST", "release", &Value::Null);
    world.run(&format!("resume {}", world.last("undo"))).exits(0);
    assert_eq!(world.content(), before);
}

#[test]
fn an_import_with_unknown_outcomes_must_be_resumed_first() {
    let world =
        empty().env("GHL_BULK_FAILPOINT", "after_response:1").env("GHL_BULK_SETTLE_S", "0.1");
    world.add(&[ann()]);
    let before = world.content();
    world.sheet("in.csv", ANNA);
    world.import("").exits(-1);
    let world = world.without("GHL_BULK_FAILPOINT");
    let import = world.last("import");
    world.undo("").exits(4).says(&format!("ghl-bulk resume {import}"));
    assert!(world.runs("undo").is_empty(), "a refused undo leaves no run");
    world.run(&format!("resume {import}")).exits(0);
    world.undo("").exits(0);
    assert_eq!(world.content(), before);
}

#[test]
fn an_unfinished_import_is_undone_as_far_as_it_was_applied() {
    let people: Vec<Value> =
        (0..20).map(|n| json!({"email": format!("p{n}@example.com"), "city": "Oslo"})).collect();
    let world = empty();
    world.add(&people);
    let before = world.content();
    let mut sheet = "Email,City\n".to_owned();
    for n in 0..20 {
        writeln!(sheet, "p{n}@example.com,Rome").unwrap();
    }
    world.sheet("in.csv", &sheet);
    world.import("--sample 8").exits(0);
    let import = world.last("import");
    assert_ne!(world.content(), before);
    world.undo("").exits(0).says("never sent, and so not taken back: 12 writes").says("8  restore");
    assert_eq!(world.content(), before);
    // Nobody wants the rest of it now.
    world.run("resume").exits(10);
    world.run(&format!("resume {import}")).exits(2).says("was taken back by run");
    assert_eq!(world.content(), before);
}

#[test]
fn an_import_that_has_applied_nothing_leaves_nothing_to_undo() {
    let world = empty();
    world.sheet("in.csv", ANNA);
    world.run("import in.csv --dry-run --out res").exits(0);
    world.undo("").exits(0).says("has applied nothing");
    world.run(&format!("resume {}", world.last("import"))).exits(0);
    assert_eq!(world.account().len(), 1, "the plan still holds");
}

#[test]
fn a_planned_undo_is_stale_when_a_contact_it_would_restore_was_edited() {
    let (world, before) = changed();
    world
        .run(&format!("undo {} --dry-run --created delete --out undone", world.last("import")))
        .exits(0);
    let undo = world.last("undo");
    world.edit("p7@example.com", &json!({"__notes": [{"body": "theirs"}]}));
    world.edit("p1@example.com", &json!({"city": "Bern"}));
    let after = world.content();
    world
        .run(&format!("resume {undo}"))
        .exits(5)
        .says("record 2")
        .says("record 8")
        .says("nothing was sent");
    assert_eq!(world.content(), after);
    assert_ne!(after, before);
}

#[test]
fn a_planned_undo_is_valid_while_nothing_has_changed() {
    let (world, before) = changed();
    world
        .run(&format!("undo {} --dry-run --created delete --out undone", world.last("import")))
        .exits(0)
        .says("ghl-bulk resume");
    let undo = world.last("undo");
    world.run(&format!("resume {undo}")).exits(0);
    assert_eq!(world.content(), before);
}

#[test]
fn edits_made_while_an_undo_is_interrupted_are_left_alone_by_its_resume() {
    let (world, _) = changed();
    let import = world.last("import");
    // The first deletions and updates are done, the others not begun.
    let world = world.env("GHL_BULK_FAILPOINT", "after_intent:1");
    world
        .run(&format!("undo {import} --yes --created delete --concurrency 1 --out undone"))
        .exits(-1);
    let world = world.without("GHL_BULK_FAILPOINT");
    world.edit("p9@example.com", &json!({"__notes": [{"body": "theirs"}]}));
    world.edit("p4@example.com", &json!({"city": "Bern"}));
    world.run(&format!("resume {}", world.last("undo"))).exits(3);
    assert_eq!(world.person("p9@example.com")["notes"][0]["body"], "theirs");
    assert_eq!(world.person("p4@example.com")["contact"]["city"], "Bern");
    assert_eq!(world.account().len(), PEOPLE + 1);
    let stays = world.table("undone/rejected.csv");
    let stays: Vec<_> =
        stays.iter().map(|it| [&*it["Email"], &it["_reject_code"], &it["_reject_field"]]).collect();
    assert_eq!(
        stays,
        [["p4@example.com", "R_CONFLICT", "city"], ["p9@example.com", "R_CONFLICT", "notes"]]
    );
}

#[test]
fn an_import_that_is_at_work_cannot_be_undone() {
    let world = crate::import_world::empty_with(&["POST /contacts/ hold"]);
    world.sheet("in.csv", ANNA);
    let import = Process::start(&world, "import in.csv --yes --out res");
    world.ask("held?at_least=1");
    world.undo("").exits(11);
    world.control("DELETE", "faults", &Value::Null);
    world.control("POST", "release", &Value::Null);
    import.end().exits(0);
}
