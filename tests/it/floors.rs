//! The floors of the house: a module uses only lower floors and its own children.

use std::path::Path;

/// The rooms, by floor. The sandbox stands apart: it uses nothing, and only cli names it.
const FLOORS: &[&[&str]] = &[
    &["id", "diagnostic", "flight", "event", "failpoint"],
    &["resource", "sheet", "table", "run"],
    &["api", "plan"],
    &["pull", "push", "doubt", "publish", "context", "access"],
    &["export", "import", "undo", "backup", "restore", "doctor"],
    &["cli"],
];
/// Rooms of one floor with an order of their own: events name ids, and a push looks its doubts up.
const WITHIN: &[(&str, &str)] = &[("event", "id"), ("push", "doubt")];

#[test]
fn every_module_uses_only_lower_floors_and_its_own_children() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for file in files(&src) {
        let room = room(file.strip_prefix(&src).unwrap());
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            let line = line.split("//").next().unwrap();
            for used in line.split("crate::").skip(1).flat_map(rooms_in) {
                seen += 1;
                if !may_use(&room, &used) {
                    wrong.push(format!("{}: {room} uses {used}", file.display()));
                }
            }
        }
    }
    assert!(seen > 100, "only {seen} uses found: does this test still read the code?");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn room(path: &Path) -> String {
    let first = path.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The rooms named behind `crate::`, also in `crate::{a, b::c}`.
fn rooms_in(rest: &str) -> Vec<String> {
    let name = |text: &str| {
        text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
    };
    match rest.strip_prefix('{') {
        Some(list) => list.split('}').next().unwrap().split(',').map(name).collect(),
        None => vec![name(rest)],
    }
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room))
}

fn may_use(room: &str, used: &str) -> bool {
    if room == used || room == "lib" || WITHIN.contains(&(room, used)) {
        return true;
    }
    match (floor(room), floor(used)) {
        (Some(above), Some(below)) => above > below,
        (Some(_), None) => room == "cli" && used == "sandbox",
        // main names the library, not the crate.
        (None, _) => false,
    }
}
