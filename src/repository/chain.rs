//! A snapshot that is read: its chain, merged.

use super::chain_records::ChainRecords;
use super::encryption::Identities;
use super::error::RepositoryError;
use super::layout;
use super::manifest::Manifest;
use super::open_repository::Repository;
use super::snapshot_list::{Snapshot, SnapshotList};
use super::state_hash::StateHash;

/// A snapshot that is read. What it says comes from the files of its chain alone.
#[derive(Debug, Clone)]
pub struct Chain {
    repository: Repository,
    /// The full snapshot first, the one that is read last.
    members: Vec<Manifest>,
    identities: Option<Identities>,
}

impl Repository {
    /// Opens a snapshot for reading. `identities` decrypt its files.
    ///
    /// # Errors
    /// When a member of its chain is missing or damaged.
    pub fn open_chain(
        &self,
        list: &SnapshotList,
        snapshot: &Snapshot,
        identities: Option<Identities>,
    ) -> Result<Chain, RepositoryError> {
        let members: Vec<Manifest> = list.chain_of(snapshot)?.into_iter().cloned().collect();
        for member in &members {
            self.check_file_sizes(member)?;
        }
        Ok(Chain { repository: self.clone(), members, identities })
    }
}

impl Chain {
    /// A chain of snapshots, of which the last one need not be written yet.
    pub(super) fn of_members(
        repository: &Repository,
        members: Vec<Manifest>,
        identities: Option<Identities>,
    ) -> Self {
        Self { repository: repository.clone(), members, identities }
    }

    /// The manifest of the snapshot.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.members[self.members.len() - 1]
    }

    /// The repository.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The records of a table that exist, in the order of the time when they were added and their ids; those without a
    /// time come first. Takes the memory of one record for each member of the chain, and some 32 bytes for each record
    /// that changed since the full snapshot.
    ///
    /// A damaged file shows at the latest behind its last record, so what was read of a table counts only once the
    /// iterator has ended without an error; [`Chain::verify_state`] reads everything first.
    ///
    /// # Errors
    /// When a file is damaged, or cannot be decrypted.
    pub fn records(&self, table: &str) -> Result<ChainRecords, RepositoryError> {
        ChainRecords::open(&self.repository, &self.members, table, self.identities.as_ref())
    }

    /// Reads everything, and proves that it is what the manifest says: every file has its hash, and what exists is the
    /// state of the snapshot. Gives how many records there are.
    ///
    /// # Errors
    /// When anything is damaged.
    pub fn verify_state(&self) -> Result<u64, RepositoryError> {
        let (mut state, mut records) = (StateHash::default(), 0);
        for table in layout::all_tables() {
            for record in self.records(table)? {
                let record = record?;
                state.add_record(table, &record.id, &record.digest);
                records += 1;
            }
        }
        let manifest = self.manifest();
        if state.finish() == manifest.state {
            return Ok(records);
        }
        let key = layout::manifest_key(&manifest.location.id, &manifest.snapshot);
        Err(RepositoryError::damaged(&key, "its files do not have the state that it names"))
    }

    /// The location's settings, as the server sent them, and the columns of its custom fields.
    ///
    /// # Errors
    /// When the file is damaged, or cannot be decrypted.
    pub fn read_location(&self) -> Result<(Option<String>, Option<String>), RepositoryError> {
        let (mut settings, mut columns) = (None, None);
        for record in self.records(layout::LOCATION_TABLE)? {
            let record = record?;
            let is_columns = record.id == layout::FIELD_COLUMNS_ID;
            *(if is_columns { &mut columns } else { &mut settings }) = Some(record.body);
        }
        Ok((settings, columns))
    }
}
