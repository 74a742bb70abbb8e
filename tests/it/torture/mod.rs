//! Damaged and odd files: what an import of each of them does, through the real binary.
//!
//! `tests/torture` holds the corpus, and its `expect.json` the expected result of every record. Each file has a test
//! of its own, so that one failure hides no other. `options` holds further expectations about those files,
//! `text_files` and `spreadsheets` more files of the same kinds.

mod bombs;
mod corpus;
mod expectations;
mod options;
mod spreadsheets;
mod text_files;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::import_world::{ResultRow, empty_world};
use crate::world::{CommandOutput, World};

/// The contact that some files of the corpus name, and its note.
const CONTACT: &str = "TESTcontact000000001";
const NOTE: &str = "TESTnote000000000001";

/// The corpus.
fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/torture")
}

/// A location in which the files of the corpus mean something: a number field, a contact and its note.
fn location() -> World {
    furnish_location(empty_world())
}

/// Such a location that takes a phone number several times.
fn location_with_duplicates() -> World {
    furnish_location(World::with_settings(|settings| {
        settings.contacts = 0;
        settings.allow_duplicates = true;
    }))
}

fn furnish_location(world: World) -> World {
    world.control_request("PUT", "customFields", &json!([field("umsatz", "NUMERICAL")]));
    let note = json!({"id": NOTE, "body": "old text"});
    world
        .add_contacts(&[json!({"id": CONTACT, "companyName": "Already There", "__notes": [note]})]);
    world
}

/// A custom field of the sandbox.
fn field(name: &str, kind: &str) -> Value {
    let id = format!("CF{name}");
    json!({"id": id, "name": name, "fieldKey": format!("contact.{name}"), "dataType": kind, "model": "contact"})
}

impl World {
    /// Puts a file of the corpus into the working directory.
    fn take(&self, file: &str) {
        std::fs::copy(corpus().join(file), self.path(file)).unwrap();
    }

    /// Plans the import of a file of the corpus.
    fn try_file(&self, file: &str, options: &str) -> CommandOutput {
        self.take(file);
        self.plan(file, options)
    }

    /// Plans the import of a file that was made for the test.
    fn try_bytes(&self, file: &str, bytes: impl AsRef<[u8]>, options: &str) -> CommandOutput {
        std::fs::write(self.path(file), bytes).unwrap();
        self.plan(file, options)
    }

    fn plan(&self, file: &str, options: &str) -> CommandOutput {
        self.run_command(&format!(
            "import {file} --dry-run --out res --default-country US {options}"
        ))
    }

    /// What the plan does with a row: its action, and for a rejection the code.
    #[track_caller]
    fn verdict(&self, row: usize) -> (String, String) {
        let line = self.planned(row).remove(0);
        let code = if line["action"] == "rejected" { line["field"].clone() } else { String::new() };
        (line["action"].clone(), code)
    }

    /// The lines of the plan about a row.
    #[track_caller]
    fn planned(&self, row: usize) -> Vec<ResultRow> {
        let row = row.to_string();
        let plan = self.read_csv("res/plan.csv");
        let lines: Vec<_> = plan.into_iter().filter(|line| line["row"] == row).collect();
        assert!(!lines.is_empty(), "the plan has no row {row}");
        lines
    }

    /// The new values that the plan has for a field of a row.
    #[track_caller]
    fn values(&self, row: usize, field: &str) -> Vec<String> {
        let lines = self.planned(row).into_iter();
        let own = lines.filter(|line| line["field"] == field && line["action"] != "rejected");
        own.map(|line| unguarded(&line["new"])).collect()
    }

    /// The value that the plan has for a field of a row, or nothing.
    #[track_caller]
    fn value(&self, row: usize, field: &str) -> Option<String> {
        let mut values = self.values(row, field);
        assert!(values.len() < 2, "row {row} has several values for `{field}`: {values:?}");
        values.pop()
    }

    /// The rows of the plan.
    fn count(&self) -> usize {
        let plan = self.read_csv("res/plan.csv");
        plan.iter().map(|line| &line["row"]).collect::<std::collections::BTreeSet<_>>().len()
    }

    /// The warnings of the plan: the row (0 for the file), the code and the sentence.
    fn warned(&self) -> Vec<(usize, String, String)> {
        let of = |line: ResultRow| {
            (line["row"].parse().unwrap_or(0), line["code"].clone(), line["message"].clone())
        };
        self.read_csv("res/warnings.csv").into_iter().map(of).collect()
    }

    /// The rows that have a warning, each once.
    fn warned_rows(&self, code: &str) -> Vec<usize> {
        let warned = self.warned().into_iter().filter(|(_, it, _)| it == code);
        let mut rows: Vec<_> = warned.map(|(row, ..)| row).collect();
        rows.dedup();
        rows
    }

    /// Asserts that nothing was sent, not even a question.
    #[track_caller]
    fn is_untouched(&self) {
        assert_eq!(self.get_control("log")["entries"], json!([]));
    }
}

/// A cell of a result file without the guard against formulas.
fn unguarded(cell: &str) -> String {
    let behind = cell.strip_prefix('\'');
    let guards = |rest: &&str| {
        rest.trim_start_matches('\'')
            .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
    };
    behind.filter(guards).unwrap_or(cell).to_owned()
}
