//! The manifest of a snapshot: what it has, what it is built on, and how it can be proven.

use std::collections::BTreeMap;
use std::io::Read;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::RepositoryError;
use super::snapshot_id::SnapshotId;
use super::state_hash::sha256_hex;
use super::{FORMAT, checked_json, layout};
use crate::id::LocationId;

/// The largest manifest that is read: one has some kilobytes.
const MAX_BYTES: u64 = 16 << 20;
/// The longest chain that is read.
const MAX_CHAIN: usize = 10_000;

/// What a snapshot has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotKind {
    /// Every record.
    Full,
    /// What has changed since the snapshot before.
    Changes,
}

impl SnapshotKind {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Changes => "changes",
        }
    }
}

/// The location of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestLocation {
    /// Its id.
    pub id: LocationId,
    /// Its name.
    pub name: Option<String>,
    /// Its time zone.
    pub timezone: Option<String>,
}

/// A snapshot that another one came after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousSnapshot {
    /// Its id.
    pub id: SnapshotId,
    /// The SHA-256 of its manifest, in hexadecimal: a manifest that was replaced shows.
    pub sha256: String,
}

/// A file of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotFile {
    /// Its name.
    pub name: String,
    /// Its table.
    pub table: String,
    /// Its lines: `puts` and `dels` together.
    pub rows: u64,
    /// Lines with a record as it is.
    pub puts: u64,
    /// Lines with a record that no longer exists.
    pub dels: u64,
    /// Its size as stored.
    pub bytes: u64,
    /// The SHA-256 of what is stored, in hexadecimal.
    pub sha256: String,
    /// The size of its lines.
    pub plain_bytes: u64,
}

/// The records of a table, and what has changed since the snapshot before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableTotals {
    /// Records that exist.
    pub live: u64,
    /// Those that are new, or there again.
    pub added: u64,
    /// Those that say something else.
    pub changed: u64,
    /// Records that no longer exist.
    pub deleted: u64,
}

/// Something unusual about a snapshot, which a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotAlert {
    /// What it is, such as `mass_deletion`.
    pub code: String,
    /// A sentence about it, without data of people.
    pub message: String,
    /// How many records it is about.
    pub count: u64,
    /// Of how many.
    pub of: u64,
}

/// What a snapshot has, what it is built on, and how it can be proven.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format.
    pub format: u32,
    /// The snapshot's id.
    pub snapshot: SnapshotId,
    /// The location.
    pub location: ManifestLocation,
    /// The version of this program that wrote it.
    pub tool: String,
    /// The id of the mirror that it was made from.
    pub mirror: String,
    /// The last sync of the mirror whose changes it has.
    pub seq: i64,
    /// The server's time when the sync began: what was changed later may be missing.
    pub as_of: Timestamp,
    /// When the snapshot was begun, by the clock of the machine that wrote it.
    pub started: Timestamp,
    /// When it was finished.
    pub finished: Timestamp,
    /// What it has.
    pub kind: SnapshotKind,
    /// Why it is a full one, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_because: Option<String>,
    /// The snapshots that it is read from, the full one first and itself last.
    pub chain: Vec<SnapshotId>,
    /// The snapshot before it.
    pub previous: Option<PreviousSnapshot>,
    /// The snapshots that it was before people were erased from it, the first one first. They are gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewrites: Vec<PreviousSnapshot>,
    /// Its files.
    pub files: Vec<SnapshotFile>,
    /// The records of each table.
    pub totals: BTreeMap<String, TableTotals>,
    /// The SHA-256 over all records that exist (`StateHash`), in hexadecimal.
    pub state: String,
    /// The digest of the location's settings.
    pub settings_digest: String,
    /// The recipients that its files are encrypted for.
    #[serde(default)]
    pub recipients: Vec<String>,
    /// How old what it says may be.
    #[serde(default)]
    pub coverage: Option<Value>,
    /// What the syncs have seen of changes that do not announce themselves.
    #[serde(default)]
    pub evidence: Option<Value>,
    /// Records that could not be read.
    pub unreadable: u64,
    /// Whether everything that was asked for was read.
    pub is_complete: bool,
    /// What is unusual.
    #[serde(default)]
    pub alerts: Vec<SnapshotAlert>,
    /// How many definitions of custom fields have changed since the snapshot before.
    #[serde(default)]
    pub schema_changes: Vec<Value>,
    /// The requests of the sync, by endpoint.
    #[serde(default)]
    pub requests: BTreeMap<String, u64>,
}

impl Manifest {
    /// The file of a table, if the snapshot has one.
    #[must_use]
    pub fn file_of(&self, table: &str) -> Option<&SnapshotFile> {
        self.files.iter().find(|file| file.table == table)
    }

    /// Whether it is what a snapshot came to when people were erased from it.
    #[must_use]
    pub fn is_rewritten_from(&self, former: &SnapshotId) -> bool {
        self.rewrites.iter().any(|rewritten| rewritten.id == *former)
    }

    /// The size of its files.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// The lines of its files.
    #[must_use]
    pub fn file_rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// As it is stored.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        checked_json::to_bytes(self)
    }

    /// The SHA-256 of its bytes, in hexadecimal.
    #[must_use]
    pub fn sha256(&self) -> String {
        sha256_hex(&self.to_bytes())
    }

    /// Reads a manifest and checks that it is that of a snapshot. `object` is its key, for messages.
    pub(super) fn parse(
        bytes: &[u8],
        object: &str,
        (location, id): (&LocationId, &SnapshotId),
    ) -> Result<Self, RepositoryError> {
        /// The part that every format has.
        #[derive(Deserialize)]
        struct AnyFormat {
            format: u64,
        }
        let damaged = |why: &dyn std::fmt::Display| RepositoryError::damaged(object, why);
        let any: AnyFormat = serde_json::from_slice(bytes).map_err(|error| damaged(&error))?;
        if !checked_json::is_sound(bytes) {
            return Err(damaged(&"its checksum is wrong"));
        }
        if any.format > u64::from(FORMAT) {
            let object = object.to_owned();
            return Err(RepositoryError::NewerFormat { object, format: any.format });
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| damaged(&error))?;
        manifest.check(location, id).map_err(|why| damaged(&why))?;
        Ok(manifest)
    }

    fn check(&self, location: &LocationId, id: &SnapshotId) -> Result<(), String> {
        if self.location.id != *location || self.snapshot != *id {
            return Err(format!(
                "it is that of snapshot `{}` of location `{}`",
                self.snapshot, self.location.id
            ));
        }
        let is_full = self.kind == SnapshotKind::Full;
        let is_chain = self.chain.last() == Some(id) && (self.chain.len() == 1) == is_full;
        if !is_chain || self.chain.len() > MAX_CHAIN {
            return Err("its chain does not lead to it".to_owned());
        }
        let mut tables: Vec<&str> = self.files.iter().map(|file| file.table.as_str()).collect();
        tables.sort_unstable();
        if tables.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err("it has two files of a table".to_owned());
        }
        for SnapshotFile { name, table, rows, puts, dels, .. } in &self.files {
            if layout::is_encrypted_file(table, name).is_none() {
                return Err("it names a file that no snapshot has".to_owned());
            }
            if puts.checked_add(*dels) != Some(*rows) || (is_full && *dels > 0) {
                return Err(format!("its counts of {table} do not add up"));
            }
        }
        Ok(())
    }
}

/// Reads a small file whole, up to a bound.
pub(super) fn read_bounded(from: impl Read, object: &str) -> Result<Vec<u8>, RepositoryError> {
    let mut bytes = Vec::new();
    let read = from.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|source| RepositoryError::from_io(object, source))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(RepositoryError::damaged(object, "it is larger than 16 MiB"));
    }
    Ok(bytes)
}
