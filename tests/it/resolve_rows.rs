//! `runs resolve`: a user's decisions about rows in doubt.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::import_world::empty_world_with_faults;
use crate::world::{CommandOutput, World};

const NOBODY: &str = "Name,City,Note\nNobody Known,Rome,Hello\nSomebody Else,Bern,\n";

/// A world in which both rows of a sheet are in doubt: their creation got no answer, and nothing shows
/// what became of it.
fn in_doubt() -> World {
    let world = empty_world_with_faults(&["POST /contacts/ drop=before times=2"])
        .with_env("GHL_BULK_SETTLE_S", "0.1");
    world.write_sheet("in.csv", NOBODY);
    world
        .run_import("--allow-name-only --no-identity at-most-once --map Note=note")
        .exits(6)
        .says("runs resolve");
    assert_eq!(world.count_results(), [0, 0, 0, 2, 0]);
    world
}

impl World {
    /// `in_doubt.csv` with these decisions, by row.
    fn write_decisions(&self, decisions: [&str; 2]) -> String {
        let mut text = "Name,_doubt_op,_doubt_decision\n".to_owned();
        for (row, decision) in self.read_csv("res/in_doubt.csv").iter().zip(decisions) {
            writeln!(text, "{},{},{decision}", row["Name"], row["_doubt_op"]).unwrap();
        }
        text
    }

    fn run_resolve(&self, text: &str) -> CommandOutput {
        self.write_sheet("decided.csv", text);
        self.run_command(&format!("runs resolve {} decided.csv", self.last_run("import")))
    }

    fn import_state(&self) -> String {
        self.list_runs("import").pop().unwrap().1
    }
}

#[test]
fn rows_that_were_not_applied_are_sent_by_the_next_resume_with_all_that_hangs_on_them() {
    let world = in_doubt();
    assert_eq!(world.import_state(), "partial");
    world
        .run_command(&format!("resume {}", world.last_run("import")))
        .exits(6)
        .says("2 rows in doubt")
        .says("runs resolve");
    world
        .run_resolve(&world.write_decisions(["not applied", "Not-Applied"]))
        .exits(0)
        .says("2 rows will be sent by `ghl-bulk resume");
    assert_eq!(world.import_state(), "paused");
    assert_eq!(world.count_results(), [0, 0, 0, 0, 2]);
    world.run_command("resume").exits(0);
    assert_eq!(world.read_contacts().len(), 2);
    assert_eq!(world.read_contacts()[0]["notes"][0]["body"], "Hello");
    assert_eq!(world.count_results(), [2, 0, 0, 0, 0]);
    assert_eq!(world.import_state(), "complete");
}

#[test]
fn the_id_of_the_contact_that_was_made_lets_the_rest_of_the_row_follow() {
    let world = in_doubt();
    let id = world.add_contacts(&[json!({"firstName": "Nobody", "lastName": "Known"})]).remove(0);
    world.run_resolve(&world.write_decisions([&id, "applied"])).exits(0);
    assert_eq!(world.import_state(), "paused", "the note is still to be written");
    world.run_command("resume").exits(0);
    assert_eq!(world.read_contacts().len(), 1);
    assert_eq!(world.read_contacts()[0]["notes"][0]["body"], "Hello");
    assert_eq!(world.read_csv("res/succeeded.csv")[0]["_contact_id"], id);
    assert_eq!(world.import_state(), "complete");
}

#[test]
fn a_row_without_a_decision_stays_in_doubt() {
    let world = in_doubt();
    world
        .run_resolve(&world.write_decisions(["", "applied"]))
        .exits(6)
        .says("1 row settled")
        .says("1 row without a decision");
    assert_eq!(world.count_results(), [1, 0, 0, 1, 0]);
    assert_eq!(world.import_state(), "partial");
    // The file that is left holds just the other one.
    let left = world.read_csv("res/in_doubt.csv");
    assert_eq!((left.len(), left[0]["Name"].as_str()), (1, "Nobody Known"));
    world.run_resolve(&world.write_decisions(["not applied", ""])).exits(0);
    world.run_command("resume").exits(0);
    assert_eq!(world.count_results(), [2, 0, 0, 0, 0]);
}

#[test]
fn an_invalid_decision_is_refused_and_no_decision_is_applied() {
    let world = in_doubt();
    let op = |at: usize| world.read_csv("res/in_doubt.csv")[at]["_doubt_op"].clone();
    let (first, second) = (op(0), op(1));
    let lines = |text: &str| format!("_doubt_op,_doubt_decision\n{second},applied\n{text}\n");
    for (text, said) in [
        (lines(&format!("{first},maybe")), "`maybe` is not a decision"),
        (lines(&format!("{first},applied")), "enter its id"),
        (lines("999,applied"), "no op 999"),
        (lines("0,applied"), "no op 0"),
        (lines(",applied"), "is not an op number"),
        (lines("x,applied"), "`x` is not an op number"),
        (lines(&format!("{second},not applied")), "twice"),
        ("Name,_doubt_op\nX,1\n".to_owned(), "no column `_doubt_decision`"),
        ("Name,_doubt_decision\nX,applied\n".to_owned(), "no column `_doubt_op`"),
    ] {
        world.run_resolve(&text).exits(2).says(said).says("decided.csv");
        assert_eq!(world.run_command("runs list --json").stdout.matches("\"partial\"").count(), 1);
    }
    world
        .run_command(&format!("runs resolve {} nothing.csv", world.last_run("import")))
        .exits(2)
        .says("nothing.csv");
    world.run_resolve(&world.write_decisions(["not applied", "not applied"])).exits(0);
    world.run_resolve(&lines("")).exits(2).says("is not in doubt");
}

#[test]
fn a_file_of_decisions_may_come_back_from_a_spreadsheet() {
    let world = in_doubt();
    let text = world
        .write_decisions(["no", "yes"])
        .replace(',', ";")
        .replace("Else", "Elsé")
        .replace('\n', "\r\n");
    let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    std::fs::write(world.path("decided.csv"), bytes).unwrap();
    world.run_command(&format!("runs resolve {} decided.csv", world.last_run("import"))).exits(0);
    assert_eq!(world.count_results(), [1, 0, 0, 0, 1]);
}

#[test]
fn the_whole_file_as_it_was_written_can_be_given_back() {
    let world = in_doubt();
    let text = std::fs::read_to_string(world.path("res/in_doubt.csv")).unwrap();
    let filled: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(n, line)| if n == 0 { line.to_owned() } else { format!("{line}not applied") })
        .collect();
    world.run_resolve(&(filled.join("\n") + "\n")).exits(0);
    world.run_command("resume").exits(0);
    assert_eq!(world.read_contacts().len(), 2);
}

#[test]
fn a_file_without_decisions_changes_nothing() {
    let world = in_doubt();
    world
        .run_resolve(&world.write_decisions(["", ""]))
        .exits(6)
        .says("0 rows settled")
        .says("2 rows without a decision");
    assert_eq!(world.count_results(), [0, 0, 0, 2, 0]);
}

#[test]
fn an_undo_leaves_rows_in_doubt_alone_and_says_so() {
    let world = empty_world_with_faults(&["POST /contacts/ drop=before times=1"])
        .with_env("GHL_BULK_SETTLE_S", "0.1");
    world.write_sheet("in.csv", NOBODY);
    world
        .run_import("--allow-name-only --no-identity at-most-once --map Note=note --concurrency 1")
        .exits(6);
    assert_eq!(world.read_contacts().len(), 1);
    let import = world.last_run("import");
    world
        .run_command(&format!("undo {import} --created delete --confirm-delete 1 --out undone"))
        .exits(0)
        .says("it is not known whether 1 write");
    assert_eq!(world.read_contacts(), Vec::<Value>::new());
    // What is decided afterwards is not sent any more: the import was taken back.
    world.run_resolve(&world.write_decisions(["not applied", ""])).exits(0);
    assert_eq!(world.import_state(), "partial");
    world.run_command(&format!("resume {import}")).exits(2).says("was taken back");
    assert_eq!(world.read_contacts(), Vec::<Value>::new());
}
