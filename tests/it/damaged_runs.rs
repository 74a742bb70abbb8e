//! A run whose database was cut, altered or replaced: it resumes to the right result or reports that it
//! is damaged. A wrong export never comes of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::export_files::ExportFiles;
use crate::import_world::empty_world;
use crate::running_command::RunningCommand;
use crate::world::{World, short_id};

/// A run as it lay on the disk, to be damaged again and again.
struct Wreck {
    world: World,
    run: String,
    files: BTreeMap<String, Vec<u8>>,
    expected: ExportFiles,
}

impl Wreck {
    /// Of a run that was killed: most of it is in the write-ahead log.
    fn killed() -> Self {
        let world = World::with_faults(&["GET /contacts/*/notes hold times=1 after=40"]);
        let export = RunningCommand::start(&world, "export --format jsonl --out out");
        world.get_control("held?at_least=1");
        export.kill();
        Self::of(world, ExportFiles::of_undisturbed_export(60))
    }

    /// Of a run that stopped in order: everything is in the database file.
    fn stopped() -> Self {
        let world = World::with_settings(|settings| settings.limit = "100/10s/40".parse().unwrap());
        world.run_command("export --format jsonl --out out").exits(9);
        world.control_request("POST", "settings", &json!({"limit": "none"}));
        Self::of(world, ExportFiles::of_undisturbed_export(60))
    }

    /// Of a run that has ended, with some records that could not be read.
    fn finished() -> Self {
        let world = World::with_faults(&["GET /contacts/*/notes status=422 times=9"]);
        world.run_command("export --format jsonl --out out").exits(3);
        let files = ExportFiles::read_from(&world, "out");
        Self::of(world, files)
    }

    fn of(world: World, expected: ExportFiles) -> Self {
        world.control_request("DELETE", "faults", &Value::Null);
        let run = world.only_run_id();
        let names = world.list_files(format!("home/runs/{run}"));
        let read = |name: String| {
            let bytes = fs::read(world.path(&format!("home/runs/{run}/{name}"))).unwrap();
            (name, bytes)
        };
        let files = names.into_iter().map(read).collect();
        Self { world, run, files, expected }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.world.path(&format!("home/runs/{}/{name}", self.run))
    }

    /// Runs a command on the run with one of its files replaced, and judges what comes of it.
    #[track_caller]
    fn check(&self, what: &str, command: &str, file: &str, bytes: &[u8]) -> i32 {
        let dir = self.path("");
        fs::remove_dir_all(&dir).unwrap();
        fs::create_dir(&dir).unwrap();
        for (name, bytes) in &self.files {
            fs::write(self.path(name), bytes).unwrap();
        }
        fs::write(self.path(file), bytes).unwrap();
        let out = self.world.path("out");
        if out.exists() {
            fs::remove_dir_all(&out).unwrap();
        }
        let done = self.world.run_command(&command.replace("RUN", &self.run));
        match done.code {
            0 | 3 => self.expected.assert_same(&ExportFiles::read_from(&self.world, "out")),
            12 => assert!(!out.exists(), "{what}: it is damaged, and yet there are files"),
            code => panic!("{what}: exit {code}\n{}", done.stderr),
        }
        assert!(self.world.list_files(".").iter().all(|name| name == "home" || name == "out"));
        done.code
    }

    /// Flips one bit at each of so many places of a file; says how often which exit code came.
    #[track_caller]
    fn flip(&self, command: &str, file: &str, times: usize) -> BTreeMap<i32, usize> {
        let mut chance = fastrand::Rng::with_seed(11);
        let mut codes = BTreeMap::new();
        for _ in 0..times {
            let mut bytes = self.files[file].clone();
            let (place, bit) = (chance.usize(..bytes.len()), chance.u8(..8));
            bytes[place] ^= 1 << bit;
            let code = self.check(&format!("bit {bit} of byte {place}"), command, file, &bytes);
            *codes.entry(code).or_default() += 1;
        }
        codes
    }

    #[track_caller]
    fn cut(&self, command: &str, file: &str, times: usize) {
        let whole = &self.files[file];
        for part in 0..times {
            let length = whole.len() * part / times;
            self.check(&format!("cut to {length}"), command, file, &whole[..length]);
        }
    }
}

#[test]
fn a_flipped_bit_in_the_database_never_makes_a_wrong_export() {
    let codes = Wreck::stopped().flip("resume RUN", "run.db", 24);
    assert!(codes.contains_key(&12), "no damage was noticed: {codes:?}");
}

#[test]
fn a_flipped_bit_in_the_write_ahead_log_never_makes_a_wrong_export() {
    Wreck::killed().flip("resume RUN", "run.db-wal", 24);
}

#[test]
fn a_flipped_bit_in_a_finished_run_never_makes_wrong_files() {
    let codes = Wreck::finished().flip("runs publish RUN --format jsonl", "run.db", 24);
    assert!(codes.contains_key(&12), "no damage was noticed: {codes:?}");
}

#[test]
fn a_database_that_was_cut_never_makes_a_wrong_export() {
    Wreck::stopped().cut("resume RUN", "run.db", 12);
}

#[test]
fn a_write_ahead_log_that_was_cut_never_makes_a_wrong_export() {
    Wreck::killed().cut("resume RUN", "run.db-wal", 12);
}

#[test]
fn a_database_replaced_by_garbage_is_damaged() {
    let wreck = Wreck::stopped();
    let mut chance = fastrand::Rng::with_seed(3);
    let noise: Vec<u8> = (0..20_000).map(|_| chance.u8(..)).collect();
    for (what, bytes) in
        [("noise", &noise[..]), ("text", b"not a database at all\n"), ("nothing", b"")]
    {
        let code = wreck.check(what, "resume RUN", "run.db", bytes);
        assert_eq!(code, 12, "{what}");
    }
}

#[test]
fn another_runs_database_is_not_taken_for_this_one() {
    let (wreck, other) = (Wreck::stopped(), Wreck::stopped());
    let bytes = &other.files["run.db"];
    assert_eq!(wreck.check("another run", "resume RUN", "run.db", bytes), 12);
}

#[test]
fn a_damaged_run_is_listed_with_what_is_wrong_and_can_be_removed() {
    let wreck = Wreck::stopped();
    fs::write(wreck.path("run.db"), "garbage").unwrap();
    let world = &wreck.world;
    let list = world.run_command("runs list").exits(0);
    let shown = list.stdout.contains(short_id(&wreck.run)) && list.stdout.contains("damaged");
    assert!(shown, "{}", list.stdout);
    world.run_command(&format!("runs rm {}", wreck.run)).exits(0);
    assert!(!wreck.path("run.db").exists());
}

#[test]
fn a_run_that_is_removed_while_the_command_runs_is_named_as_that() {
    let world = World::with_faults(&["GET /contacts/*/notes hold after=20"]);
    let export =
        RunningCommand::start(&world, "export --format jsonl --notes-by contact --out out");
    world.get_control("held?at_least=30");
    std::fs::remove_dir_all(world.path("home").join("runs")).unwrap();
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "release", &Value::Null);
    let told = export.wait_for_exit().exits(2).says("was removed while the command ran");
    assert!(!told.stderr.contains("resume"), "{}", told.stderr);
}

#[test]
fn an_import_whose_run_is_removed_says_to_look_its_rows_up() {
    let world = empty_world();
    world.control_request("POST", "faults", &json!(["POST /contacts/ hold after=20"]));
    let rows: Vec<String> = (0..200).map(|row| format!("p{row}@example.com\n")).collect();
    fs::write(world.path("people.csv"), format!("Email\n{}", rows.concat())).unwrap();
    let import = RunningCommand::start(&world, "import people.csv --yes --out res");
    world.get_control("held?at_least=1");
    fs::remove_dir_all(world.path("home").join("runs")).unwrap();
    world.control_request("DELETE", "faults", &Value::Null);
    world.control_request("POST", "release", &Value::Null);
    let told = import.wait_for_exit().exits(2).says("look up in the account");
    assert!(!told.stderr.contains("resume"), "{}", told.stderr);
}

#[test]
fn an_altered_definition_of_a_table_is_damage_although_sqlite_accepts_it() {
    let world = empty_world();
    world.write_sheet("in.csv", "email,city\nada@example.com,London\n");
    world.run_import("").exits(0);
    let run = world.only_run_id();
    let db = world.path(&format!("home/runs/{run}/run.db"));
    let mut bytes = fs::read(&db).unwrap();
    let text = b"n INTEGER PRIMARY KEY, line";
    let at = bytes.windows(text.len()).position(|part| part == text).unwrap();
    bytes[at + "n INTEGER ".len()] = b'Q';
    fs::write(&db, bytes).unwrap();
    let id = short_id(&run);
    for command in ["runs show", "runs results --out again", "undo --yes"] {
        world.run_command(&format!("{command} {id}")).exits(12).says("`row` is altered");
    }
    assert_eq!(world.read_contacts().len(), 1);
}
