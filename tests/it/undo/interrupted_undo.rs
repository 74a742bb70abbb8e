//! Undo of an interrupted import, and an undo that is itself interrupted.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{ANNA, ann, imported};
use crate::import_world::empty_world;
use crate::running_command::RunningCommand;
use crate::world::{World, short_id};

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
    (world.with_env("GHL_BULK_SETTLE_S", "0.1"), before)
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
        let import = world.last_run("import");
        let world = world.with_env("GHL_BULK_FAILPOINT", point);
        let one =
            format!("--created delete --confirm-delete {PEOPLE} --concurrency 1 --out undone");
        world.run_command(&format!("undo {import} --yes {one}")).exits(-1);
        let world = world.without_env("GHL_BULK_FAILPOINT");
        world.run_command(&format!("resume {}", world.last_run("undo"))).exits(0);
        assert_eq!(world.read_contents(), before, "{point}");
        assert_eq!(world.read_csv("undone/succeeded.csv").len(), 2 * PEOPLE);
        assert_eq!(world.list_runs("undo")[0].1, "complete");
    }
}

#[test]
fn an_undo_that_is_killed_while_planning_is_planned_again() {
    let (world, before) = changed();
    let import = world.last_run("import");
    world.control_request("POST", "faults", &json!(["GET /contacts/*/notes hold times=1"]));
    let undo = RunningCommand::start(
        &world,
        &format!("undo {import} --created delete --confirm-delete {PEOPLE} --out undone"),
    );
    world.get_control("held?at_least=1");
    undo.kill();
    world.control_request("POST", "release", &Value::Null);
    world.run_command(&format!("resume {}", world.last_run("undo"))).exits(0);
    assert_eq!(world.read_contents(), before);
}

#[test]
fn an_import_with_unknown_outcomes_must_be_resumed_first() {
    let world = empty_world()
        .with_env("GHL_BULK_FAILPOINT", "after_response:1")
        .with_env("GHL_BULK_SETTLE_S", "0.1");
    world.add_contacts(&[ann()]);
    let before = world.read_contents();
    world.write_sheet("in.csv", ANNA);
    world.run_import("").exits(-1);
    let world = world.without_env("GHL_BULK_FAILPOINT");
    let import = world.last_run("import");
    world.run_undo("").exits(4).says(&format!("ghl-bulk resume {}", short_id(&import)));
    assert!(world.list_runs("undo").is_empty(), "a refused undo leaves no run");
    world.run_command(&format!("resume {import}")).exits(0);
    world.run_undo("").exits(0);
    assert_eq!(world.read_contents(), before);
}

#[test]
fn an_unfinished_import_is_undone_as_far_as_it_was_applied() {
    let people: Vec<Value> =
        (0..20).map(|n| json!({"email": format!("p{n}@example.com"), "city": "Oslo"})).collect();
    let world = empty_world();
    world.add_contacts(&people);
    let before = world.read_contents();
    let mut sheet = "Email,City\n".to_owned();
    for n in 0..20 {
        writeln!(sheet, "p{n}@example.com,Rome").unwrap();
    }
    world.write_sheet("in.csv", &sheet);
    world.run_import("--sample 8").exits(0);
    let import = world.last_run("import");
    assert_ne!(world.read_contents(), before);
    world.run_undo("").exits(0).says("never sent, so not undone: 12 writes").says("8 restore");
    assert_eq!(world.read_contents(), before);
    // The rest of it is not needed now.
    world.run_command("resume").exits(10);
    world.run_command(&format!("resume {import}")).exits(2).says("was taken back by run");
    assert_eq!(world.read_contents(), before);
}

#[test]
fn an_import_that_has_applied_nothing_leaves_nothing_to_undo() {
    let world = empty_world();
    world.write_sheet("in.csv", ANNA);
    world.run_command("import in.csv --dry-run --out res").exits(0);
    world.run_undo("").exits(0).says("has applied nothing");
    world.run_command(&format!("apply {} --yes", world.last_run("import"))).exits(0);
    assert_eq!(world.read_contacts().len(), 1, "the plan still holds");
}

#[test]
fn a_planned_undo_is_stale_when_a_contact_it_would_restore_was_edited() {
    let (world, before) = changed();
    world
        .run_command(&format!(
            "undo {} --dry-run --created delete --out undone",
            world.last_run("import")
        ))
        .exits(0);
    let undo = world.last_run("undo");
    world.edit_contact("p7@example.com", &json!({"__notes": [{"body": "theirs"}]}));
    world.edit_contact("p1@example.com", &json!({"city": "Bern"}));
    let after = world.read_contents();
    world
        .run_command(&format!("apply {undo} --yes"))
        .exits(5)
        .says("record 2")
        .says("record 8")
        .says("nothing was sent");
    assert_eq!(world.read_contents(), after);
    assert_ne!(after, before);
}

#[test]
fn an_undo_without_an_answer_stays_a_plan_when_the_account_cannot_be_read_again() {
    let world = empty_world();
    world.write_sheet("in.csv", "Email,City\na@example.com,Rome\n");
    world.run_import("").exits(0);
    let undo = format!("undo {} --dry-run --out undone", world.last_run("import"));
    world.run_command(&undo).exits(0);
    world.control_request("POST", "faults", &json!(["GET /contacts/* status=401"]));
    let apply = format!("apply {} --yes", world.last_run("undo"));
    world.run_command(&apply).exits(8).says("  apply: ghl-bulk apply ");
    assert_eq!(world.list_runs("undo")[0].1, "planned");
    world.control_request("DELETE", "faults", &Value::Null);
    world.run_command(&apply).exits(0);
}

#[test]
fn a_planned_undo_is_valid_while_nothing_has_changed() {
    let (world, before) = changed();
    world
        .run_command(&format!(
            "undo {} --dry-run --created delete --out undone",
            world.last_run("import")
        ))
        .exits(0)
        .says(&format!("ghl-bulk apply {} --confirm-delete", short_id(&world.last_run("undo"))));
    let undo = world.last_run("undo");
    world.run_command("resume").exits(10).says(&format!("ghl-bulk apply {}`", short_id(&undo)));
    world.run_command(&format!("resume {undo}")).exits(2).says("ghl-bulk apply");
    world.run_command(&format!("apply {undo} --yes")).exits(2).says("--confirm-delete");
    world.run_command(&format!("apply {undo} --confirm-delete {}", PEOPLE + 1)).exits(2);
    world.run_command(&format!("apply {undo} --confirm-delete {PEOPLE}")).exits(0);
    assert_eq!(world.read_contents(), before);
}

#[test]
fn edits_made_while_an_undo_is_interrupted_are_left_alone_by_its_resume() {
    let (world, _) = changed();
    let import = world.last_run("import");
    // The first deletions and updates are done, the others not begun.
    let world = world.with_env("GHL_BULK_FAILPOINT", "after_intent:1");
    world
        .run_command(&format!(
            "undo {import} --created delete --confirm-delete {PEOPLE} --concurrency 1 --out undone",
        ))
        .exits(-1);
    let world = world.without_env("GHL_BULK_FAILPOINT");
    world.edit_contact("p9@example.com", &json!({"__notes": [{"body": "theirs"}]}));
    world.edit_contact("p4@example.com", &json!({"city": "Bern"}));
    world.run_command(&format!("resume {}", world.last_run("undo"))).exits(3);
    assert_eq!(world.contact_by_email("p9@example.com")["notes"][0]["body"], "theirs");
    assert_eq!(world.contact_by_email("p4@example.com")["contact"]["city"], "Bern");
    assert_eq!(world.read_contacts().len(), PEOPLE + 1);
    let stays = world.read_csv("undone/rejected.csv");
    let stays: Vec<_> =
        stays.iter().map(|it| [&*it["Email"], &it["_reject_code"], &it["_reject_field"]]).collect();
    assert_eq!(
        stays,
        [["p4@example.com", "R_CONFLICT", "city"], ["p9@example.com", "R_CONFLICT", "notes"]]
    );
}

#[test]
fn an_import_that_is_at_work_cannot_be_undone() {
    let world = crate::import_world::empty_world_with_faults(&["POST /contacts/ hold"]);
    world.write_sheet("in.csv", ANNA);
    let import = RunningCommand::start(&world, "import in.csv --yes --out res");
    world.get_control("held?at_least=1");
    world.run_undo("").exits(11);
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "release", &Value::Null);
    import.wait_for_exit().exits(0);
}
