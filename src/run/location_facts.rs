//! What earlier runs learnt about a location, so that later ones need not find it out again.
//!
//! These are hints: a file that is missing, damaged or of another version is as good as none, and nothing is lost when
//! it cannot be written.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::private_dir::create_private_dir;

/// Most bytes of the file that are read.
const MAX_BYTES: u64 = 64 << 10;

/// The facts of one location, in a file of the program's home.
#[derive(Debug, Clone)]
pub struct LocationFacts {
    path: PathBuf,
}

impl LocationFacts {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// A fact; `None` if it is not known.
    #[must_use]
    pub fn read_fact<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_value(self.load_all()?.remove(name)?).ok()
    }

    /// Keeps a fact. Failing to do so costs only requests, so it is not an error.
    pub fn write_fact<T: Serialize>(&self, name: &str, value: &T) {
        let mut all = self.load_all().unwrap_or_default();
        let Ok(value) = serde_json::to_value(value) else { return };
        if all.insert(name.to_owned(), value.clone()) == Some(value) {
            return;
        }
        // The next run finds it out again.
        let _ = self.replace_file(&Value::Object(all).to_string());
    }

    fn load_all(&self) -> Option<Map<String, Value>> {
        if std::fs::metadata(&self.path).ok()?.len() > MAX_BYTES {
            return None;
        }
        serde_json::from_slice(&std::fs::read(&self.path).ok()?).ok()
    }

    fn replace_file(&self, text: &str) -> std::io::Result<()> {
        let dir = self.path.parent().unwrap_or(Path::new("."));
        create_private_dir(dir)?;
        let mut file = tempfile::NamedTempFile::new_in(dir)?;
        file.write_all(text.as_bytes())?;
        file.persist(&self.path).map(drop).map_err(|error| error.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_is_read_back_and_a_damaged_file_is_none() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("locations/l.json");
        let facts = LocationFacts::new(path.clone());
        assert_eq!(facts.read_fact::<u32>("a"), None);
        facts.write_fact("a", &1);
        facts.write_fact("b", &"x");
        assert_eq!(facts.read_fact::<u32>("a"), Some(1));
        assert_eq!(facts.read_fact::<u32>("b"), None, "of another type");
        std::fs::write(&path, "{").unwrap();
        assert_eq!(facts.read_fact::<u32>("a"), None);
        facts.write_fact("a", &2);
        assert_eq!(facts.read_fact::<u32>("a"), Some(2));
    }
}
