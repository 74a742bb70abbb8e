//! The snapshot that was made last from the mirror, for each repository: so that a repository, or a mirror, that was put
//! back to an earlier state shows.

use serde::{Deserialize, Serialize};

use super::error::MirrorError;
use super::mirror_db;
use super::mirror_reader::MirrorReader;

/// A snapshot that was made from the mirror.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSnapshot {
    /// Its id.
    pub snapshot: String,
    /// The SHA-256 of its manifest, in hexadecimal.
    pub sha256: String,
}

impl LastSnapshot {
    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("it is plain JSON")
    }
}

/// The key of what is known of a repository.
pub(super) fn meta_key(repository: &str) -> String {
    format!("snapshot in {repository}")
}

impl MirrorReader {
    /// The snapshot that was made last for a repository.
    pub fn find_last_snapshot(
        &self,
        repository: &str,
    ) -> Result<Option<LastSnapshot>, MirrorError> {
        let text = mirror_db::read_meta(self.path(), self.connection(), &meta_key(repository))?;
        let damaged = |error: serde_json::Error| MirrorError::Damaged {
            path: self.path().to_owned(),
            why: format!("the record of its last snapshot: {error}"),
        };
        text.map(|text| serde_json::from_str(&text).map_err(damaged)).transpose()
    }

    /// Remembers the snapshot that was made last for a repository.
    pub fn record_last_snapshot(
        &self,
        repository: &str,
        last: &LastSnapshot,
    ) -> Result<(), MirrorError> {
        let text = last.to_json();
        Ok(mirror_db::write_meta(self.path(), self.connection(), &meta_key(repository), &text)?)
    }
}
