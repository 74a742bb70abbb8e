//! The files of an export, in a form in which two exports of one account can be compared.
//!
//! Two exports of an unchanged account differ in the times, the run's name, and how many
//! requests and commits it took; in nothing else, byte for byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::world::World;

/// The files of an export by name, as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ExportFiles(BTreeMap<String, Vec<u8>>);

impl ExportFiles {
    /// The files in a directory; the manifest without what differs from run to run.
    pub(crate) fn read_from(world: &World, out: &str) -> Self {
        let mut files = BTreeMap::new();
        for name in world.list_files(out) {
            let bytes = fs::read(world.path(out).join(&name)).unwrap();
            files.insert(name, bytes);
        }
        let manifest = files.get_mut("manifest.json").expect("an export has a manifest");
        let mut fields: Value = serde_json::from_slice(manifest).unwrap();
        for key in ["run", "started", "finished", "watermark", "requests", "entries"] {
            assert!(fields.as_object_mut().unwrap().remove(key).is_some(), "no `{key}`");
        }
        *manifest = fields.to_string().into_bytes();
        Self(files)
    }

    /// What an undisturbed export of that many contacts leaves, as JSON Lines.
    pub(crate) fn of_undisturbed_export(contacts: usize) -> Self {
        static KNOWN: Mutex<BTreeMap<usize, ExportFiles>> = Mutex::new(BTreeMap::new());
        let mut known = KNOWN.lock().unwrap();
        let files = known.entry(contacts).or_insert_with(|| {
            let world = World::with_settings(|settings| settings.contacts = contacts);
            world.run_command("export --format jsonl --out out --notes-by contact").exits(0);
            Self::read_from(&world, "out")
        });
        files.clone()
    }

    /// Asserts that two exports are the same; names the files that differ rather than show them.
    #[track_caller]
    pub(crate) fn assert_same(&self, other: &Self) {
        let names: Vec<_> = self.0.keys().collect();
        assert_eq!(names, other.0.keys().collect::<Vec<_>>());
        let differs = |name: &&&String| self.0[**name] != other.0[**name];
        let different: Vec<_> = names.iter().filter(differs).collect();
        assert!(different.is_empty(), "{different:?} differ");
    }

    /// The rows of a JSON Lines file.
    pub(crate) fn read_rows(&self, name: &str) -> Vec<Value> {
        let lines = self.0[name].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
    }

    /// The same files without some of them and without the manifest.
    pub(crate) fn without_files(mut self, names: &[&str]) -> Self {
        self.0.retain(|name, _| name != "manifest.json" && !names.contains(&name.as_str()));
        self
    }
}

/// Asserts that there is either no export in a directory or a whole one.
#[track_caller]
pub(crate) fn assert_nothing_half_written(world: &World, out: &str) {
    let dir = world.path(out);
    if !dir.exists() || world.list_files(out).is_empty() {
        return;
    }
    let manifest = world.read_json(&format!("{out}/manifest.json"));
    for table in manifest["tables"].as_object().unwrap().values() {
        for file in table["files"].as_array().unwrap() {
            let bytes = fs::read(dir.join(file["file"].as_str().unwrap())).unwrap();
            assert_eq!(bytes.len() as u64, file["bytes"], "{file}");
            assert_eq!(hex(&Sha256::digest(&bytes)), file["sha256"], "{file}");
        }
    }
}

/// The lines of `errors.csv`, by column.
pub(crate) fn read_errors_csv(world: &World, out: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(world.path(out).join("errors.csv")).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

/// Every file below a directory.
pub(crate) fn list_files_below(dir: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| if path.is_dir() { list_files_below(&path) } else { vec![path] })
        .collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}
