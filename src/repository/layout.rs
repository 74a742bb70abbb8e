//! The names of a repository's files.

use super::snapshot_id::SnapshotId;
use crate::id::LocationId;

/// The tables of records, in the order in which they count for a snapshot's state.
pub const TABLES: [&str; 8] =
    ["contacts", "tasks", "notes", "custom_fields", "users", "tags", "appointments", "businesses"];
/// The table with the location's settings, and the columns of its custom fields.
pub const LOCATION_TABLE: &str = "location";
/// The id of the line in [`LOCATION_TABLE`] with the columns of custom fields.
pub const FIELD_COLUMNS_ID: &str = "field_columns";

/// The description of the repository.
pub(super) const HEADER: &str = "repository.json";
/// The file that makes a snapshot.
pub(super) const MANIFEST: &str = "manifest.json";
const HOLDS: &str = "holds";
const FORGOTTEN: &str = "forgotten";
const VERIFIED: &str = "verified";
const DRILLS: &str = "drills";
/// How the names of records of erasures begin. They are no directory: the first part of a key with several is a location.
const ERASURE: &str = "erasure-";
/// How the names of files begin that are being written to a directory.
pub(super) const TEMPORARY: &str = ".new-";
const PLAIN: &str = "jsonl.zst";
const ENCRYPTED: &str = "jsonl.zst.age";

/// All tables that a snapshot may have, in the order in which they count for its state.
pub(super) fn all_tables() -> impl Iterator<Item = &'static str> {
    TABLES.into_iter().chain([LOCATION_TABLE])
}

/// The prefix of the keys of everything about a location.
pub(super) fn location_prefix(location: &LocationId) -> String {
    format!("{}/", location.escaped_segment())
}

/// The key of a file of a snapshot.
pub(super) fn snapshot_file(location: &LocationId, id: &SnapshotId, name: &str) -> String {
    format!("{}{id}/{name}", location_prefix(location))
}

/// The key of a snapshot's manifest.
pub(super) fn manifest_key(location: &LocationId, id: &SnapshotId) -> String {
    snapshot_file(location, id, MANIFEST)
}

/// The key of the manifest of a snapshot that was forgotten.
pub(super) fn forgotten_key(location: &LocationId, id: &SnapshotId) -> String {
    format!("{}{FORGOTTEN}/{id}.json", location_prefix(location))
}

/// The key of the hold of a snapshot.
pub(super) fn hold_key(location: &LocationId, id: &SnapshotId) -> String {
    format!("{}{HOLDS}/{id}.json", location_prefix(location))
}

/// The prefix of the keys of the checks that were made.
pub(super) fn verified_prefix(location: &LocationId) -> String {
    format!("{}{VERIFIED}/", location_prefix(location))
}

/// The key of a check, which has an id like a snapshot.
pub(super) fn verified_key(location: &LocationId, id: &SnapshotId) -> String {
    format!("{}{id}.json", verified_prefix(location))
}

/// The prefix of the keys of drills.
pub(super) fn drills_prefix(location: &LocationId) -> String {
    format!("{}{DRILLS}/", location_prefix(location))
}

/// The key of a drill, which has an id like a snapshot.
pub(super) fn drill_key(location: &LocationId, id: &SnapshotId) -> String {
    format!("{}{id}.json", drills_prefix(location))
}

/// The key of the record of an erasure, which has an id like a snapshot.
pub(super) fn erasure_key(id: &SnapshotId) -> String {
    format!("{ERASURE}{id}.json")
}

/// The key of what came of an erasure.
pub(super) fn erasure_result_key(id: &SnapshotId) -> String {
    format!("{ERASURE}{id}.finished.json")
}

/// What a key says of an erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ErasureKey {
    /// That it was begun.
    Record(SnapshotId),
    /// That it is finished.
    Result(SnapshotId),
}

/// What a key says of an erasure; `None` if it is another file.
pub(super) fn read_erasure_key(key: &str) -> Option<ErasureKey> {
    let name = key.strip_prefix(ERASURE)?.strip_suffix(".json")?;
    match name.strip_suffix(".finished") {
        Some(id) => id.parse().ok().map(ErasureKey::Result),
        None => name.parse().ok().map(ErasureKey::Record),
    }
}

/// The name of a table's file.
pub(super) fn data_file_name(table: &str, is_encrypted: bool) -> String {
    format!("{table}.{}", if is_encrypted { ENCRYPTED } else { PLAIN })
}

/// Whether a file of a snapshot is encrypted; `None` if its name is not that of a table's file.
pub(super) fn is_encrypted_file(table: &str, name: &str) -> Option<bool> {
    let is_known = all_tables().any(|known| known == table);
    let fits = |is_encrypted| is_known && name == data_file_name(table, is_encrypted);
    [false, true].into_iter().find(|is_encrypted| fits(*is_encrypted))
}

/// What a key of a location is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LocationKey {
    /// The manifest of a snapshot.
    Manifest(SnapshotId),
    /// Another file in the directory of a snapshot.
    DataFile(SnapshotId),
    /// The manifest of a snapshot that was forgotten.
    Forgotten(SnapshotId),
    /// The hold of a snapshot.
    Hold(SnapshotId),
    /// A check that was made.
    Verified(SnapshotId),
    /// A drill.
    Drill(SnapshotId),
    /// Anything else, such as what a killed process was writing.
    Other,
}

/// What a key of a location is.
pub(super) fn read_location_key(location: &LocationId, key: &str) -> LocationKey {
    let parts = key.strip_prefix(&location_prefix(location)).and_then(|rest| rest.split_once('/'));
    let id = |name: &str| name.strip_suffix(".json").and_then(|id| id.parse().ok());
    match parts {
        Some((FORGOTTEN, name)) => id(name).map_or(LocationKey::Other, LocationKey::Forgotten),
        Some((HOLDS, name)) => id(name).map_or(LocationKey::Other, LocationKey::Hold),
        Some((VERIFIED, name)) => id(name).map_or(LocationKey::Other, LocationKey::Verified),
        Some((DRILLS, name)) => id(name).map_or(LocationKey::Other, LocationKey::Drill),
        Some((id, name)) => match (id.parse(), name) {
            (Ok(id), MANIFEST) => LocationKey::Manifest(id),
            (Ok(id), _) => LocationKey::DataFile(id),
            (Err(_), _) => LocationKey::Other,
        },
        None => LocationKey::Other,
    }
}

/// What a file of a location is, for the deletion of what nothing needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocationFile {
    /// A file in the directory of a snapshot other than its manifest.
    OfSnapshot(SnapshotId),
    /// A check that was made.
    Verified,
    /// What a killed process was writing.
    Unfinished,
    /// Anything else.
    Other,
}

impl LocationFile {
    /// What the file with a key is.
    #[must_use]
    pub fn of_key(location: &LocationId, key: &str) -> Self {
        match read_location_key(location, key) {
            LocationKey::DataFile(id) => Self::OfSnapshot(id),
            LocationKey::Verified(_) => Self::Verified,
            LocationKey::Other
                if key.rsplit('/').next().is_some_and(|it| it.starts_with(TEMPORARY)) =>
            {
                Self::Unfinished
            }
            _ => Self::Other,
        }
    }
}
