//! Proposals: how well columns of files that no preset knows are understood.
//!
//! `tests/formats/unknown` holds invented files as people's shops, clubs, events and CRMs write them, in
//! nine languages, each with the right target of every column; none for a column that is about nothing
//! that a contact has. Nothing in the program knows these files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ghl_bulk::mapping::preset::builtin_presets;
use ghl_bulk::mapping::propose::{ColumnProposal, MappingProposal, ProposalStatus};
use ghl_bulk::sheet::{Sheet, SheetReadOptions};

/// What became of the columns of all files.
#[derive(Debug, Default)]
struct Tally {
    columns: u32,
    /// Columns that have a right target.
    wanted: u32,
    /// Those that got it without a question.
    accepted: u32,
    /// Those for which it was proposed.
    proposed: u32,
    /// What went another way, a line each.
    missed: String,
    /// What was taken unasked and is wrong, a line each.
    wrong: String,
    /// What was asked about without need, a line each.
    vain: String,
}

impl Tally {
    fn see(&mut self, file: &str, guess: &ColumnProposal, right: &[String]) {
        let name = &guess.column.name;
        let targets: Vec<String> =
            guess.candidates.iter().map(|candidate| candidate.target.to_string()).collect();
        let taken = matches!(
            guess.status,
            ProposalStatus::Accepted | ProposalStatus::JoinedTo(_) | ProposalStatus::Preset
        );
        let asked = matches!(guess.status, ProposalStatus::Proposed | ProposalStatus::Rivals(_));
        self.columns += 1;
        self.wanted += u32::from(!right.is_empty());
        let line = |out: &mut String| {
            writeln!(out, "  {file}: `{name}` {:?} {targets:?}, right is {right:?}", guess.status)
                .unwrap();
        };
        if taken && right.contains(&targets[0]) {
            self.accepted += 1;
        } else if taken {
            line(&mut self.wrong);
        } else if asked && targets.iter().any(|target| right.contains(target)) {
            self.proposed += 1;
        } else if !right.is_empty() {
            line(&mut self.missed);
        } else if asked {
            line(&mut self.vain);
        }
    }
}

fn files(folder: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats").join(folder);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "csv"));
    files.sort();
    files
}

fn proposal(path: &Path) -> MappingProposal {
    let known = ghl_bulk::mapping::preset::is_known_header;
    let sheet = Sheet::open(path, &SheetReadOptions::default(), &known).unwrap();
    let text = |row: ghl_bulk::sheet::SheetRow| {
        row.cells.iter().map(|it| it.to_text().into_owned()).collect()
    };
    let rows: Vec<Vec<String>> = sheet.rows().unwrap().map(|row| text(row.unwrap())).collect();
    assert!(rows.len() >= 5, "{}", path.display());
    MappingProposal::new(&sheet.columns, &rows, builtin_presets(), None)
}

#[test]
fn columns_of_unknown_files_are_recognised_or_left_open_and_never_mistaken() {
    let mut tally = Tally::default();
    let files = files("unknown");
    for path in &files {
        let file = path.file_stem().unwrap().to_string_lossy();
        let text = std::fs::read_to_string(path.with_extension("targets.json")).unwrap();
        let right: BTreeMap<String, Vec<String>> = serde_json::from_str(&text).unwrap();
        let proposal = proposal(path);
        assert_eq!((&proposal.preset, &proposal.ambiguous[..]), (&None, &[][..]), "{file}");
        assert_eq!(proposal.columns.len(), right.len(), "{file}: another number of columns");
        for guess in &proposal.columns {
            tally.see(&file, guess, &right[&guess.column.name]);
        }
    }
    let found = tally.accepted + tally.proposed;
    let figures = format!(
        "{} files, {} columns, {} with a target, of which {:.1} % found (95 are asked for): {} accepted, \
         {} proposed\nmissed:\n{}wrong:\n{}asked in vain:\n{}",
        files.len(),
        tally.columns,
        tally.wanted,
        f64::from(found) * 100.0 / f64::from(tally.wanted),
        tally.accepted,
        tally.proposed,
        tally.missed,
        tally.wrong,
        tally.vain
    );
    assert!(files.len() >= 70 && tally.columns >= 650, "{figures}");
    assert!(tally.wrong.is_empty() && found * 100 >= tally.wanted * 95, "{figures}");
    let (vain, others) = (tally.vain.lines().count(), (tally.columns - tally.wanted) as usize);
    assert!(vain * 100 <= others * 20, "{figures}");
}

/// The columns of the twelve systems by what became of them.
#[derive(Debug, Default)]
struct SystemTally {
    right_unasked: u32,
    asked_right: Vec<String>,
    asked_wrong: Vec<String>,
    left_out_unasked: Vec<String>,
    wrong_unasked: Vec<String>,
    /// Left out, and about nothing that a contact has.
    rightly_left_out: u32,
}

impl SystemTally {
    fn see(&mut self, file: &str, guess: &ColumnProposal, right: &[String]) {
        let targets: Vec<String> =
            guess.candidates.iter().map(|candidate| candidate.target.to_string()).collect();
        let is_right = targets.first().is_some_and(|target| right.contains(target));
        let line = format!("{file}: `{}` {targets:?}", guess.column.name);
        match &guess.status {
            ProposalStatus::Accepted | ProposalStatus::JoinedTo(_) if is_right => {
                self.right_unasked += 1;
            }
            ProposalStatus::Accepted | ProposalStatus::JoinedTo(_) | ProposalStatus::Preset => {
                self.wrong_unasked.push(line);
            }
            ProposalStatus::Proposed | ProposalStatus::Rivals(_) if is_right => {
                self.asked_right.push(line);
            }
            ProposalStatus::Proposed | ProposalStatus::Rivals(_) => self.asked_wrong.push(line),
            _ if right.is_empty() => self.rightly_left_out += 1,
            _ => self.left_out_unasked.push(line),
        }
    }
}

/// The files in `tests/formats/systems` have the columns of exports of twelve systems, by their public documentation.
#[test]
fn exports_of_systems_without_a_preset_are_read_right_or_asked_about() {
    let mut tally = SystemTally::default();
    let files = files("systems");
    let (mut columns, mut wanted) = (0, 0);
    for path in &files {
        let file = path.file_stem().unwrap().to_string_lossy();
        let text = std::fs::read_to_string(path.with_extension("targets.json")).unwrap();
        let right: BTreeMap<String, Vec<String>> = serde_json::from_str(&text).unwrap();
        let proposal = proposal(path);
        assert_eq!((&proposal.preset, &proposal.ambiguous[..]), (&None, &[][..]), "{file}");
        for guess in &proposal.columns {
            columns += 1;
            wanted += u32::from(!right[&guess.column.name].is_empty());
            tally.see(&file, guess, &right[&guess.column.name]);
        }
    }
    let figures =
        format!("{} files, {columns} columns, {wanted} with a target: {tally:#?}", files.len());
    insta::assert_snapshot!(figures);
    assert!(files.len() >= 12 && columns >= 200, "{figures}");
    assert!(tally.right_unasked * 100 >= wanted * 75, "{figures}");
    assert!(tally.asked_right.len() * 100 <= wanted as usize * 20, "{figures}");
    assert!(tally.wrong_unasked.is_empty() && tally.asked_wrong.is_empty(), "{figures}");
    assert!(tally.left_out_unasked.is_empty(), "{figures}");
}
