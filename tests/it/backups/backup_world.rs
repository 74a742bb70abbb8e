//! A world with a repository: what tests of backups ask of it.

use std::io::Read as _;

use serde_json::{Value, json};

use crate::world::World;

/// The location of the sandbox.
pub(super) const LOCATION: &str = "sandboxLocation00001";

impl World {
    /// A world with an empty repository in `repo`.
    pub(super) fn with_repository() -> Self {
        let world = Self::new();
        world.run_command("backup init --to repo").exits(0);
        world
    }

    /// Makes a snapshot, and gives the summary.
    #[track_caller]
    pub(super) fn back_up(&self, flags: &str) -> Value {
        self.run_command(&format!("backup --to repo --json {flags}")).exits(0).summary()
    }

    /// The snapshots of the repository, oldest first.
    #[track_caller]
    pub(super) fn snapshots(&self) -> Vec<Value> {
        let listed = self.run_command("backup list --from repo --json").exits(0);
        serde_json::from_str(&listed.stdout).unwrap()
    }

    /// The lines of a file of a snapshot that is not encrypted.
    pub(super) fn snapshot_lines(&self, id: &Value, table: &str) -> Vec<Value> {
        let file = self.path(&format!("{}/{table}.jsonl.zst", snapshot_dir(id)));
        let mut text = String::new();
        let file = std::fs::File::open(file).unwrap();
        zstd::Decoder::new(file).unwrap().read_to_string(&mut text).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Exports a snapshot, and gives the rows of a table.
    #[track_caller]
    pub(super) fn snapshot_rows(&self, flags: &str, table: &str) -> Vec<Value> {
        let command = format!("export --from repo --format jsonl --out restored {flags}");
        self.run_command(&command).exits(0);
        self.read_rows(&format!("restored/{table}.jsonl"))
    }

    /// The rows of a table, as an export of the account has them now.
    #[track_caller]
    pub(super) fn account_rows(&self, table: &str) -> Vec<Value> {
        self.run_command("export --format jsonl --out account --replace").exits(0);
        self.read_rows(&format!("account/{table}.jsonl"))
    }

    /// Changes something of everything, as users do: edits, deletes and adds.
    pub(super) fn change_account(&self) {
        let (edited, deleted) = (self.contact_id(3), self.contact_id(7));
        self.edit_by_id(&edited, &json!({"firstName": "Edited"}));
        self.delete_by_id(&deleted);
        self.add_contact(&json!({"firstName": "New", "email": "new@example.com"}));
    }
}

/// The tables of an export.
pub(super) const TABLES: [&str; 6] =
    ["contacts", "tasks", "notes", "custom_fields", "users", "tags"];

/// The directory of a snapshot.
pub(super) fn snapshot_dir(id: &Value) -> String {
    format!("repo/{LOCATION}/{}", id.as_str().unwrap())
}
