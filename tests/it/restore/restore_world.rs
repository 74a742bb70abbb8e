//! A world with a snapshot: what tests of restores ask of it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::world::{CommandOutput, World};

impl World {
    /// A world with a snapshot of everything in `repo`.
    pub(super) fn backed_up() -> Self {
        let world = Self::new();
        world.run_command("backup init --to repo").exits(0);
        world.run_command("backup --to repo").exits(0);
        world.with_env("GHL_BULK_REPOSITORY", "repo")
    }

    /// Runs a restore into `res` without questions.
    pub(super) fn run_restore(&self, options: &str) -> CommandOutput {
        self.run_command(&format!("restore --yes --out res {options}"))
    }

    /// Deletes contacts.
    pub(super) fn delete_contacts(&self, ids: &[String]) {
        for id in ids {
            self.delete_by_id(id);
        }
    }

    /// The ids of contacts that have notes and tasks.
    pub(super) fn contacts_with_children(&self) -> Vec<String> {
        let has = |contact: &&Value, list: &str| !contact[list].as_array().unwrap().is_empty();
        let all = self.account_contacts();
        let found = all.iter().filter(|it| has(it, "notes") && has(it, "tasks"));
        found.map(|it| it["contact"]["id"].as_str().unwrap().to_owned()).collect()
    }

    /// The new ids of records by their tables and former ids.
    pub(super) fn id_map(&self) -> BTreeMap<(String, String), String> {
        let rows = self.read_csv("res/idmap.csv").into_iter();
        rows.map(|row| {
            let cell = |name: &str| row[name].clone();
            ((cell("table"), cell("former_id")), cell("new_id"))
        })
        .collect()
    }

    /// The new id of a restored contact.
    #[track_caller]
    pub(super) fn restored_id(&self, former: &str) -> String {
        let key = ("contacts".to_owned(), former.to_owned());
        self.id_map().get(&key).cloned().unwrap_or_else(|| panic!("`{former}` was not restored"))
    }

    /// The last run of a kind.
    #[track_caller]
    pub(super) fn only_run_of_kind(&self, kind: &str) -> String {
        self.try_only_run_of_kind(kind).expect("there is a run")
    }

    /// The last run of a kind, if there is one.
    pub(super) fn try_only_run_of_kind(&self, kind: &str) -> Option<String> {
        let listed = self.run_command("runs list --json").exits(0);
        let runs: Value = serde_json::from_str(&listed.stdout).unwrap();
        let list = runs.as_array().or_else(|| runs["runs"].as_array()).unwrap().iter();
        let mut found = list.filter(|run| run["kind"] == kind);
        found.next_back().map(|run| run["run"].as_str().unwrap().to_owned())
    }

    /// How many contacts the account has.
    pub(super) fn count_contacts(&self) -> usize {
        self.account_contacts().len()
    }
}

/// A property of the notes or tasks of a contact, sorted.
pub(super) fn child_texts(contact: &Value, list: &str, key: &str) -> Vec<String> {
    let children = contact[list].as_array().unwrap().iter();
    let mut texts: Vec<String> =
        children.map(|child| child[key].as_str().unwrap_or_default().to_owned()).collect();
    texts.sort_unstable();
    texts
}

/// A note's text without the day that a restored one begins with.
pub(super) fn without_day(text: &str) -> &str {
    match text.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((day, rest)) if day.len() == 10 && day.starts_with("20") => rest,
        _ => text,
    }
}
