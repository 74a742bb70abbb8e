//! The floors of the architecture: a room uses only rooms on lower floors, and no two files depend on each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::source_tree::{SourceTree, find_circles};

/// The rooms (what lies directly in `src`) by floor, the lowest first. `sandbox` is no part of the house: it uses no
/// room, and only `cli` names it.
const FLOORS: &[&[&str]] = &[
    &["choice", "concurrency", "diagnostic", "failpoint", "text"],
    &["child_process", "event", "id", "toml_doc"],
    &["resource", "run", "sheet", "table", "value"],
    &["api", "mirror", "model", "repository"],
    &["mapping"],
    &["plan"],
    &["auth", "context", "publish", "pull", "reconcile"],
    &["push"],
    &["backup", "doctor", "export", "import", "inspect", "sync", "watch"],
    &["cli"],
];

/// Uses of a higher floor that are still to be cured.
const UPWARD: &[(&str, &str)] = &[];

/// The groups of files that need each other, and why that is right.
const CIRCLES: &[(&[&str], &str)] = &[
    (
        &["auth/refresh_request.rs", "auth/refresher.rs"],
        "one state machine: a refresh borrows its refresher",
    ),
    (
        &[
            "cli/config/flag_defaults.rs",
            "cli/config/job_settings.rs",
            "cli/config/parse_config.rs",
        ],
        "one reader of one file: the defaults of flags and the jobs are tables in it",
    ),
    (
        &["resource/contacts.rs", "resource/fields.rs", "resource/table.rs"],
        "the table of columns names the readers of fields, which are columns of the contact",
    ),
];

#[test]
fn every_room_has_a_floor_and_every_floor_only_rooms_that_exist() {
    let tree = SourceTree::read();
    let rooms: BTreeSet<&str> = tree
        .files
        .iter()
        .map(super::source_tree::SourceFile::room)
        .filter(|room| *room != "lib")
        .collect();
    let mut listed: Vec<&str> = FLOORS.concat();
    listed.push("sandbox");
    assert_eq!(
        listed.len(),
        listed.iter().collect::<BTreeSet<_>>().len(),
        "a room is listed twice"
    );
    assert_eq!(rooms, listed.into_iter().collect());
}

#[test]
fn every_room_uses_only_rooms_on_lower_floors() {
    let tree = SourceTree::read();
    let mut seen = 0;
    let mut wrong = BTreeSet::new();
    let mut open: BTreeSet<_> = UPWARD.iter().copied().collect();
    for (file, used) in tree.files.iter().zip(tree.uses()) {
        for other in used.into_iter().map(|other| &tree.files[other]) {
            seen += 1;
            let pair = (file.room(), other.room());
            if UPWARD.contains(&pair) {
                open.remove(&pair);
            } else if file.room() != "lib" && !may_use(pair.0, pair.1) {
                wrong.insert(format!("{} uses {}", file.name, other.name));
            }
        }
    }
    assert!(seen > 1000, "only {seen} uses found: does this test still read the code?");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(open.is_empty(), "cured, so no longer to be allowed: {open:?}");
}

#[test]
fn no_two_files_need_each_other() {
    let tree = SourceTree::read();
    let found: BTreeSet<Vec<&str>> = find_circles(&without_uses_of_parents(&tree))
        .into_iter()
        .map(|circle| circle.into_iter().map(|file| tree.files[file].name.as_str()).collect())
        .collect();
    let allowed: BTreeSet<Vec<&str>> = CIRCLES.iter().map(|(files, _)| files.to_vec()).collect();
    let new: Vec<_> = found.difference(&allowed).collect();
    assert!(new.is_empty(), "files that need each other: {new:#?}");
    let gone: Vec<_> = allowed.difference(&found).collect();
    assert!(gone.is_empty(), "cured, so no longer to be allowed: {gone:#?}");
}

/// What each file uses, but for the `mod.rs` of the folders it lies in: a child knows its parents' types, and the
/// parent calls the child.
fn without_uses_of_parents(tree: &SourceTree) -> Vec<BTreeSet<usize>> {
    let is_parent = |parent: &str, child: &str| {
        parent.strip_suffix("mod.rs").is_some_and(|folder| Path::new(child).starts_with(folder))
    };
    let of_file = |(index, used): (usize, BTreeSet<usize>)| {
        let (own, files) = (&tree.files[index].name, &tree.files);
        used.into_iter().filter(|other| !is_parent(&files[*other].name, own)).collect()
    };
    tree.uses().into_iter().enumerate().map(of_file).collect()
}

fn may_use(room: &str, used: &str) -> bool {
    let floors: BTreeMap<&str, usize> = (FLOORS.iter().enumerate())
        .flat_map(|(floor, rooms)| rooms.iter().map(move |room| (*room, floor)))
        .collect();
    match (floors.get(room), floors.get(used)) {
        _ if room == used => true,
        (Some(above), Some(below)) => above > below,
        (Some(_), None) => room == "cli" && used == "sandbox",
        (None, _) => false,
    }
}
