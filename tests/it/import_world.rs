//! An import's world: sheets to feed, the account as it is afterwards, and the result files.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::world::{Done, World};

/// A row of a result file, by column.
pub(crate) type Record = BTreeMap<String, String>;

/// The result files of the imports below.
pub(crate) const RESULTS: [&str; 5] =
    ["succeeded.csv", "unchanged.csv", "rejected.csv", "in_doubt.csv", "pending.csv"];

/// A world with an empty location.
pub(crate) fn empty() -> World {
    World::with(|settings| settings.contacts = 0)
}

/// A world with an empty location and these faults.
pub(crate) fn empty_with(faults: &[&str]) -> World {
    World::with(|settings| {
        settings.contacts = 0;
        settings.faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    })
}

impl World {
    /// Writes a sheet into the working directory.
    pub(crate) fn sheet(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Adds contacts as if somebody else had made them; gives their ids.
    pub(crate) fn add(&self, contacts: &[Value]) -> Vec<String> {
        let answer = self.control("POST", "contacts", &json!(contacts));
        let ids = answer["ids"].as_array().unwrap().iter();
        ids.map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    /// All contacts with their notes and tasks, as they are now.
    pub(crate) fn account(&self) -> Vec<Value> {
        self.ask("state")["contacts"].as_array().unwrap().clone()
    }

    /// The contact with this id.
    #[track_caller]
    pub(crate) fn person_of(&self, id: &str) -> Value {
        let found = self.account().into_iter().find(|it| it["contact"]["id"] == id);
        found.unwrap_or_else(|| panic!("nobody is `{id}`"))
    }

    /// The contact with this e-mail address.
    #[track_caller]
    pub(crate) fn person(&self, email: &str) -> Value {
        let all = self.account();
        let mut found = all.iter().filter(|it| it["contact"]["email"] == email);
        let one = found.next().unwrap_or_else(|| panic!("nobody has `{email}`: {all:#?}"));
        assert!(found.next().is_none(), "several have `{email}`");
        one.clone()
    }

    /// A CSV file's rows.
    #[track_caller]
    pub(crate) fn table(&self, path: &str) -> Vec<Record> {
        let mut reader = csv::Reader::from_path(self.path(path)).unwrap();
        reader.deserialize().map(Result::unwrap).collect()
    }

    /// Runs an import of `in.csv` into `res` without questions.
    pub(crate) fn import(&self, options: &str) -> Done {
        self.run(&format!("import in.csv --yes --out res {options}"))
    }

    /// How many rows each result file in `res` has.
    pub(crate) fn tally(&self) -> [usize; 5] {
        RESULTS.map(|name| self.table(&format!("res/{name}")).len())
    }

    /// The requests that changed something, as `METHOD path`.
    pub(crate) fn writes(&self) -> Vec<String> {
        let log = self.ask("log");
        let entries = log["entries"].as_array().unwrap().iter();
        let lines = entries.map(|entry| {
            let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
            format!("{} {}", text("method"), text("path"))
        });
        let reads = |line: &String| {
            line.starts_with("GET ")
                || line.ends_with("/contacts/search")
                || line.ends_with("tasks/search")
        };
        lines.filter(|line| !reads(line)).collect()
    }
}

/// The tags of a contact of [`World::account`].
pub(crate) fn tags(person: &Value) -> Vec<String> {
    let tags = person["contact"]["tags"].as_array().cloned().unwrap_or_default();
    tags.iter().map(|tag| tag.as_str().unwrap().to_owned()).collect()
}
