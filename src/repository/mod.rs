//! The repository: snapshots of locations as plain files that never change.
//!
//! A snapshot is a directory with one file of JSON Lines per table (zstd, and on request encrypted with age) and
//! `manifest.json`, which is written last: without it there is no snapshot. A full snapshot has every record; one of
//! changes has what differs from the one before and names its chain, the full snapshot first. So a snapshot is read from
//! its chain alone, and nothing but files is needed for it: `zstd -dc` and `jq` read them without this program.
//! The repository knows lines by table and id and does not look into their bodies; it knows no mirror and no requests.

mod chain;
mod chain_records;
mod checked_json;
mod data_file;
mod data_reader;
mod drill;
#[cfg(feature = "encrypted-logins")]
mod encryption;
#[cfg(not(feature = "encrypted-logins"))]
#[path = "encryption_left_out.rs"]
mod encryption;
mod erasures;
mod error;
mod hash_reader;
mod hold;
mod kept_snapshots;
mod layout;
mod line;
mod manifest;
mod open_repository;
mod snapshot_choice;
mod snapshot_copy;
mod snapshot_id;
mod snapshot_list;
mod snapshot_rewrite;
mod state_hash;
mod store;
#[cfg(test)]
mod tests;
mod verification;

pub use chain::Chain;
pub use chain_records::ChainRecords;
pub use data_file::{DataFileWriter, FileSummary};
pub use drill::DrillRecord;
pub use encryption::{Identities, check_recipients, ensure_encryption, generate_identity};
pub use erasures::{ErasedPerson, ErasureRecord, ErasureResult, Erasures};
pub use error::RepositoryError;
pub use hold::Hold;
pub use layout::{FIELD_COLUMNS_ID, LOCATION_TABLE, LocationFile, TABLES};
pub use line::{DeletionReason, SnapshotLine, SnapshotRecord};
pub use manifest::{
    Manifest, ManifestLocation, PreviousSnapshot, SnapshotAlert, SnapshotFile, SnapshotKind,
    TableTotals,
};
pub use open_repository::{Repository, RepositoryHeader};
pub use snapshot_choice::SnapshotChoice;
pub use snapshot_copy::CopiedFiles;
pub use snapshot_id::SnapshotId;
pub use snapshot_list::{DamagedManifest, Snapshot, SnapshotList};
pub use snapshot_rewrite::{ErasedContacts, ErasedRecords, PERSONAL_TABLES, SnapshotRewrite};
pub use state_hash::StateHash;
#[cfg(test)]
pub(crate) use store::memory::MemoryStore;
pub use store::{ObjectStore, PutResult, StoredObject, open_local_store};
pub use verification::VerificationRecord;

/// The version of the repository's format. It changes when an older reader would misread what is written.
pub const FORMAT: u32 = 1;
