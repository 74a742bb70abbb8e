//! Imports and undos in `runs show`, and `resume` where there is nothing to continue.

use serde_json::{Value, json};

use super::{ANNA, ann, imported};
use crate::import_world::empty_world;
use crate::world::{World, short_id};

/// What `runs show` says of a run, as JSON.
fn shown(world: &World, run: &str) -> Value {
    world.run_command(&format!("runs show {run} --json")).exits(0).summary()
}

#[test]
fn an_import_is_shown_with_its_sheet_and_how_its_rows_ended() {
    let world = empty_world();
    world.write_sheet("in.csv", &format!("{ANNA}Bad,bad@example,,,,\n"));
    world.run_command("import in.csv --dry-run --out res --mode create").exits(3);
    let import = world.last_run("import");
    let before = shown(&world, &import);
    assert_eq!((&before["stage"], &before["mode"]), (&json!("planned"), &json!("create")));
    assert_eq!((&before["rows"]["pending"], &before["rows"]["rejected"]), (&json!(1), &json!(1)));
    world.run_command(&format!("apply {import} --yes")).exits(3);
    let done = world.run_command(&format!("runs show {import}")).exits(0);
    let file = world.path("in.csv");
    for line in [
        "kind         import".to_owned(),
        "state        partial".to_owned(),
        format!("file         {}", file.display()),
        "mapping      detected".to_owned(),
        "mode         create".to_owned(),
        "stage        done".to_owned(),
        format!("out          {}", world.path("res").display()),
        "rows         2".to_owned(),
        "  succeeded            1".to_owned(),
        "  rejected             1".to_owned(),
    ] {
        assert!(done.stdout.lines().any(|it| it == line), "no `{line}` in {}", done.stdout);
    }
    assert!(!done.stdout.contains("unreadable"), "{}", done.stdout);
    let after = shown(&world, &import);
    assert_eq!(
        after["rows"],
        json!({"succeeded": 1, "unchanged": 0, "rejected": 1, "in_doubt": 0, "pending": 0})
    );
    assert_eq!((&after["file"], &after["undone_by"]), (&json!(file), &Value::Null));
}

#[test]
fn an_undo_is_shown_with_the_import_that_it_takes_back_and_the_import_with_it() {
    let (world, _) = imported(&[ann()], ANNA, "");
    world.run_undo("--created delete").exits(0);
    let (import, undo) = (world.last_run("import"), world.last_run("undo"));
    let facts = shown(&world, &undo);
    let facts = ["kind", "of", "created_contacts", "stage", "state"].map(|key| &facts[key]);
    assert_eq!(json!(facts), json!(["undo", import, "delete", "done", "complete"]));
    assert_eq!(shown(&world, &import)["undone_by"], undo);
    let text = world.run_command(&format!("runs show {undo}")).exits(0).stdout;
    assert!(text.contains(&format!("takes back   {import}")), "{text}");
    let list = world.run_command("runs list").exits(0).stdout;
    let takes_back = format!("run {}", short_id(&import));
    let is_undo = |line: &&str| {
        line.starts_with(short_id(&undo)) && line.contains(" undo ") && line.contains(&takes_back)
    };
    assert!(list.lines().any(|line| is_undo(&line)), "{list}");
}

#[test]
fn an_import_is_removed_and_its_files_stay() {
    let (world, _) = imported(&[ann()], ANNA, "");
    let import = world.last_run("import");
    world.run_command(&format!("runs rm {import}")).exits(0);
    assert!(world.path("res/succeeded.csv").exists());
    world.run_command(&format!("undo {import} --yes")).exits(10);
    world.run_command(&format!("runs show {import}")).exits(10);
}

#[test]
fn result_files_are_made_again_there_or_elsewhere() {
    let (world, _) = imported(&[ann()], ANNA, "");
    world.run_undo("").exits(0);
    for (kind, dir) in [("import", "res"), ("undo", "undone")] {
        let run = world.last_run(kind);
        let name = format!("{dir}/succeeded.csv");
        let first = std::fs::read(world.path(&name)).unwrap();
        std::fs::remove_file(world.path(&name)).unwrap();
        world.run_command(&format!("runs results {run}")).exits(0);
        world.run_command(&format!("runs results {run} --out again-{kind}")).exits(0);
        assert_eq!(std::fs::read(world.path(&name)).unwrap(), first);
        assert_eq!(
            std::fs::read(world.path(&format!("again-{name}").replace(dir, kind))).unwrap(),
            first
        );
    }
    let import = world.last_run("import");
    world.run_command(&format!("runs publish {import}")).exits(2).says("runs results");
}

#[test]
fn results_of_a_plan_are_pending() {
    let world = empty_world();
    world.write_sheet("in.csv", ANNA);
    world.run_command("import in.csv --dry-run --out res").exits(0);
    let summary = world
        .run_command(&format!("runs results {} --json", world.last_run("import")))
        .exits(0)
        .summary();
    assert_eq!((&summary["rows"]["pending"], &summary["outcome"]), (&json!(1), &json!("pending")));
}

#[test]
fn a_finished_import_is_not_resumed_and_says_what_is_left_for_a_person() {
    let world = empty_world();
    world.write_sheet("in.csv", ANNA);
    world.run_import("").exits(0);
    let complete = world.last_run("import");
    world.write_sheet("in.csv", "Name,Email\nGood,good@example.com\nBad,bad@example\n");
    world.run_import("").exits(3);
    let partial = world.last_run("import");
    let before = world.get_control("log")["requests"].clone();
    world
        .run_command(&format!("resume {complete}"))
        .exits(0)
        .says("is finished; there is nothing to do");
    world
        .run_command(&format!("resume {partial}"))
        .exits(3)
        .says("1 row rejected")
        .says("rejected.csv");
    let summary = world.run_command(&format!("resume {partial} --json")).exits(3).summary();
    assert_eq!(
        (&summary["event"], &summary["exit_code"], &summary["rows"]["rejected"]),
        (&json!("summary"), &json!(3), &json!(1))
    );
    world.run_command(&format!("resume {partial} --retry-errors")).exits(2).says("is for exports");
    world.run_command("resume --retry-errors").exits(10);
    world.run_command("resume").exits(10);
    assert_eq!(world.get_control("log")["requests"], before);
}

#[test]
fn an_undo_in_json_reports_its_plan_and_its_result() {
    let (world, _) = imported(&[ann()], ANNA, "");
    let done = world.run_undo("--json").exits(0);
    assert_eq!(done.events()[0]["kind"], "undo");
    let summary = done.summary();
    assert_eq!((&summary["kind"], &summary["outcome"]), (&json!("undo"), &json!("complete")));
    assert_eq!(summary["plan"]["actions"], json!({"restore": 1}));
    assert_eq!(summary["rows"]["succeeded"], 1);
    let file = world.read_json("undone/summary.json");
    assert_eq!((&file["kind"], &file["rows"]), (&summary["kind"], &summary["rows"]));
    assert!(!done.stderr.contains("ghl-bulk undo"), "an undo is not undone: {}", done.stderr);
}
