//! Helpers for imports: sheets, the account as it is afterwards, and the result files.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::world::{CommandOutput, World};

/// A row of a result file, by column.
pub(crate) type ResultRow = BTreeMap<String, String>;

/// The result files of the imports below.
pub(crate) const RESULTS: [&str; 5] =
    ["succeeded.csv", "unchanged.csv", "rejected.csv", "in_doubt.csv", "pending.csv"];

/// A world with an empty location.
pub(crate) fn empty_world() -> World {
    World::with_settings(|settings| settings.contacts = 0)
}

/// A world with an empty location and these faults.
pub(crate) fn empty_world_with_faults(faults: &[&str]) -> World {
    World::with_settings(|settings| {
        settings.contacts = 0;
        settings.faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    })
}

impl World {
    /// Writes a sheet into the working directory.
    pub(crate) fn write_sheet(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Adds contacts as another client would; returns their ids.
    pub(crate) fn add_contacts(&self, contacts: &[Value]) -> Vec<String> {
        let answer = self.control_request("POST", "contacts", &json!(contacts));
        let ids = answer["ids"].as_array().unwrap().iter();
        ids.map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    /// All contacts with their notes and tasks, as they are now.
    pub(crate) fn read_contacts(&self) -> Vec<Value> {
        self.get_control("state")["contacts"].as_array().unwrap().clone()
    }

    /// The contact with this id.
    #[track_caller]
    pub(crate) fn contact_by_id(&self, id: &str) -> Value {
        let found = self.read_contacts().into_iter().find(|it| it["contact"]["id"] == id);
        found.unwrap_or_else(|| panic!("no contact is `{id}`"))
    }

    /// The contact with this e-mail address.
    #[track_caller]
    pub(crate) fn contact_by_email(&self, email: &str) -> Value {
        let all = self.read_contacts();
        let mut found = all.iter().filter(|it| it["contact"]["email"] == email);
        let one = found.next().unwrap_or_else(|| panic!("no contact has `{email}`: {all:#?}"));
        assert!(found.next().is_none(), "several have `{email}`");
        one.clone()
    }

    /// A CSV file's rows.
    #[track_caller]
    pub(crate) fn read_csv(&self, path: &str) -> Vec<ResultRow> {
        let mut reader = csv::Reader::from_path(self.path(path)).unwrap();
        reader.deserialize().map(Result::unwrap).collect()
    }

    /// Runs an import of `in.csv` into `res` without questions.
    pub(crate) fn run_import(&self, options: &str) -> CommandOutput {
        self.run_command(&format!("import in.csv --yes --out res {options}"))
    }

    /// How many rows each result file in `res` has.
    pub(crate) fn count_results(&self) -> [usize; 5] {
        RESULTS.map(|name| self.read_csv(&format!("res/{name}")).len())
    }

    /// The requests that changed something, as `METHOD path`.
    pub(crate) fn list_writes(&self) -> Vec<String> {
        let log = self.get_control("log");
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
pub(crate) fn tag_names(person: &Value) -> Vec<String> {
    let tags = person["contact"]["tags"].as_array().cloned().unwrap_or_default();
    tags.iter().map(|tag| tag.as_str().unwrap().to_owned()).collect()
}
