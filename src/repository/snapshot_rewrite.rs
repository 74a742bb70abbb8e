//! A snapshot without some people: new files, and a manifest that says what it was before.
//!
//! Nothing of the former snapshot is changed. Everybody else's records are proven to be the same: the state of the new
//! chain is that of the former one without what was left out.

use std::collections::{BTreeMap, HashSet};
use std::io;

use super::chain::Chain;
use super::data_reader::{self, LineReader};
use super::encryption::Identities;
use super::error::RepositoryError;
use super::hash_reader::HashReader;
use super::layout;
use super::line::SnapshotLine;
use super::manifest::{Manifest, PreviousSnapshot, SnapshotFile};
use super::open_repository::Repository;
use super::snapshot_id::SnapshotId;
use super::snapshot_list::{Snapshot, SnapshotList};
use super::state_hash::{StateHash, sha256_hex};
use super::store::PutResult;

/// The tables whose records are contacts, or belong to one.
pub const PERSONAL_TABLES: [&str; 4] = ["contacts", "tasks", "notes", "appointments"];

/// People who are left out, by their contacts' ids.
#[derive(Debug, Clone, Default)]
pub struct ErasedContacts(pub HashSet<String>);

impl ErasedContacts {
    /// Whether a record is one of theirs.
    #[must_use]
    pub fn have(&self, table: &str, id: &str, of: Option<&str>) -> bool {
        match table {
            "contacts" => self.0.contains(id),
            _ => of.is_some_and(|contact| self.0.contains(contact)),
        }
    }

    fn have_line(&self, table: &str, line: &SnapshotLine) -> bool {
        self.have(table, line.id(), line.of())
    }
}

/// The records of people who are left out that exist in a snapshot: their digests by table and id.
pub type ErasedRecords = BTreeMap<(String, String), Vec<u8>>;

/// How a snapshot is written again.
#[derive(Debug)]
pub struct SnapshotRewrite<'a> {
    /// The people who are left out.
    pub erased: &'a ErasedContacts,
    /// What decrypts the files.
    pub identities: Option<&'a Identities>,
    /// The tables in whose files of this snapshot they have lines.
    pub tables: &'a HashSet<String>,
    /// What the members of its chain before it are now, the full one first.
    pub chain: Vec<Manifest>,
    /// What the snapshot before it is now.
    pub previous: Option<PreviousSnapshot>,
    /// What they had in the snapshot before it.
    pub previous_records: &'a ErasedRecords,
}

impl Repository {
    /// Shows every line of the file of a table of a snapshot.
    ///
    /// # Errors
    /// When the file is damaged, or cannot be decrypted.
    pub fn for_each_line(
        &self,
        manifest: &Manifest,
        table: &str,
        identities: Option<&Identities>,
        mut show: impl FnMut(&SnapshotLine),
    ) -> Result<(), RepositoryError> {
        let Some(file) = manifest.file_of(table) else { return Ok(()) };
        let mut lines = self.open_lines(manifest, file, identities)?;
        while let Some(line) = lines.next_line()? {
            show(&line);
        }
        Ok(())
    }

    fn open_lines(
        &self,
        manifest: &Manifest,
        file: &SnapshotFile,
        identities: Option<&Identities>,
    ) -> Result<LineReader, RepositoryError> {
        let key = layout::snapshot_file(&manifest.location.id, &manifest.snapshot, &file.name);
        LineReader::open(self.store(), &key, file, identities)
    }

    /// Writes the files of a snapshot again, without people. Gives its manifest, which is not written yet, and what the
    /// people had in it.
    ///
    /// # Errors
    /// When the snapshot is damaged or cannot be decrypted, or the store cannot be written. What was written so far is no
    /// snapshot.
    pub fn rewrite_files(
        &self,
        list: &SnapshotList,
        former: &Snapshot,
        how: SnapshotRewrite<'_>,
    ) -> Result<(Manifest, ErasedRecords), RepositoryError> {
        let former_chain = self.open_chain(list, former, how.identities.cloned())?;
        let mut manifest = former.manifest.clone();
        manifest.snapshot = SnapshotId::new(former.id().time());
        manifest.chain = how.chain.iter().map(|member| member.snapshot.clone()).collect();
        manifest.chain.push(manifest.snapshot.clone());
        manifest.previous.clone_from(&how.previous);
        let rewritten =
            PreviousSnapshot { id: former.id().clone(), sha256: sha256_hex(&former.bytes) };
        manifest.rewrites.push(rewritten);
        manifest.files = self.write_files_again(former, &manifest.snapshot, &how)?;
        let mut members = how.chain;
        members.push(manifest.clone());
        let chain = Chain::of_members(self, members, how.identities.cloned());
        let (full, expected, erased) = hash_without(&former_chain, how.erased)?;
        if full != former.manifest.state {
            let key = layout::manifest_key(&manifest.location.id, former.id());
            let why = "its files do not have the state that it names";
            return Err(RepositoryError::damaged(&key, why));
        }
        let (_, state, left) = hash_without(&chain, how.erased)?;
        if state != expected || !left.is_empty() {
            let key = layout::manifest_key(&manifest.location.id, former.id());
            return Err(RepositoryError::damaged(&key, "it cannot be written again as it is"));
        }
        manifest.state = state;
        subtract_from_totals(&mut manifest, &erased, how.previous_records);
        Ok((manifest, erased))
    }

    fn write_files_again(
        &self,
        former: &Snapshot,
        id: &SnapshotId,
        how: &SnapshotRewrite<'_>,
    ) -> Result<Vec<SnapshotFile>, RepositoryError> {
        let manifest = &former.manifest;
        let mut files = Vec::new();
        for file in &manifest.files {
            if !how.tables.contains(&file.table) {
                self.copy_file(manifest, file, id)?;
                files.push(file.clone());
                continue;
            }
            let mut lines = self.open_lines(manifest, file, how.identities)?;
            let mut next = || -> Result<Option<SnapshotLine>, RepositoryError> {
                while let Some(line) = lines.next_line()? {
                    if !how.erased.have_line(&file.table, &line) {
                        return Ok(Some(line));
                    }
                }
                Ok(None)
            };
            // A file without a line is not written, as in a snapshot of an account that has no such record.
            let Some(first) = next()? else { continue };
            let encrypted_for = match layout::is_encrypted_file(&file.table, &file.name) {
                Some(true) => manifest.recipients.as_slice(),
                _ => &[],
            };
            let location = &manifest.location.id;
            let written =
                self.write_data_file((location, id), &file.table, encrypted_for, |to| {
                    to.add_line(&first)?;
                    while let Some(line) = next()? {
                        to.add_line(&line)?;
                    }
                    Ok::<_, RepositoryError>(())
                })?;
            files.push(written);
        }
        Ok(files)
    }

    /// Copies a file of a snapshot as it is, and compares it with its hash meanwhile.
    fn copy_file(
        &self,
        manifest: &Manifest,
        file: &SnapshotFile,
        to: &SnapshotId,
    ) -> Result<(), RepositoryError> {
        let location = &manifest.location.id;
        let from = layout::snapshot_file(location, &manifest.snapshot, &file.name);
        let to = layout::snapshot_file(location, to, &file.name);
        copy_object((self, &from), (self, &to), (file.bytes, &file.sha256)).map(drop)
    }

    /// What people have in a snapshot.
    ///
    /// # Errors
    /// When the snapshot is damaged or cannot be decrypted.
    pub fn find_erased_records(
        &self,
        list: &SnapshotList,
        snapshot: &Snapshot,
        erased: &ErasedContacts,
        identities: Option<&Identities>,
    ) -> Result<ErasedRecords, RepositoryError> {
        let chain = self.open_chain(list, snapshot, identities.cloned())?;
        Ok(hash_without(&chain, erased)?.2)
    }

    /// Writes the manifest of a snapshot that was written again, where its former one is: a forgotten one stays forgotten.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn write_rewritten_manifest(
        &self,
        manifest: &Manifest,
        is_forgotten: bool,
    ) -> Result<(), RepositoryError> {
        if !is_forgotten {
            return self.write_manifest(manifest);
        }
        let key = layout::forgotten_key(&manifest.location.id, &manifest.snapshot);
        match self.put_bytes(&key, &manifest.to_bytes())? {
            PutResult::Created => Ok(()),
            PutResult::Exists => Err(RepositoryError::Conflict { object: key }),
        }
    }

    /// Deletes a snapshot that was written again, its manifest first, so that nothing reads it meanwhile.
    ///
    /// # Errors
    /// When the store cannot be read or does not delete.
    pub fn delete_rewritten(
        &self,
        former: &Manifest,
        mut after_each: impl FnMut(),
    ) -> Result<(), RepositoryError> {
        let (location, id) = (&former.location.id, &former.snapshot);
        self.delete_object(&layout::manifest_key(location, id))?;
        after_each();
        self.delete_forgotten(location, id)?;
        for file in &former.files {
            self.delete_object(&layout::snapshot_file(location, id, &file.name))?;
            after_each();
        }
        Ok(())
    }
}

/// Copies a file of a store into another one, and compares it with its hash meanwhile. A file that is there is compared.
pub(super) fn copy_object(
    (from, key): (&Repository, &str),
    (to, new_key): (&Repository, &str),
    (bytes, sha256): (u64, &str),
) -> Result<PutResult, RepositoryError> {
    let mut failed = None;
    let put = to.store().put_new(new_key, &mut |out| {
        let copied = data_reader::open_file(from.store(), key).and_then(|stored| {
            let (mut hashed, _) = HashReader::new(stored, bytes, sha256);
            io::copy(&mut hashed, out).map_err(|source| RepositoryError::from_read(key, source))
        });
        copied.map(drop).map_err(|error| {
            failed = Some(error);
            io::Error::other("its source cannot be read")
        })
    });
    match (put, failed) {
        (_, Some(error)) => Err(error),
        (Err(source), None) => Err(RepositoryError::from_io(new_key, source)),
        (Ok(put), None) => Ok(put),
    }
}

/// The state of a chain, its state without people, and what they have in it.
fn hash_without(
    chain: &Chain,
    erased: &ErasedContacts,
) -> Result<(String, String, ErasedRecords), RepositoryError> {
    let (mut all, mut others) = (StateHash::default(), StateHash::default());
    let mut left_out = ErasedRecords::new();
    for table in layout::all_tables() {
        for record in chain.records(table)? {
            let record = record?;
            all.add_record(table, &record.id, &record.digest);
            if erased.have(table, &record.id, record.of.as_deref()) {
                left_out.insert((table.to_owned(), record.id), record.digest);
            } else {
                others.add_record(table, &record.id, &record.digest);
            }
        }
    }
    Ok((all.finish(), others.finish(), left_out))
}

/// Counts a snapshot's records without those that were left out.
fn subtract_from_totals(manifest: &mut Manifest, now: &ErasedRecords, before: &ErasedRecords) {
    for ((table, id), digest) in now {
        let Some(totals) = manifest.totals.get_mut(table) else { continue };
        totals.live = totals.live.saturating_sub(1);
        match before.get(&(table.clone(), id.clone())) {
            None => totals.added = totals.added.saturating_sub(1),
            Some(before) if before != digest => totals.changed = totals.changed.saturating_sub(1),
            Some(_) => {}
        }
    }
    for (table, _) in before.keys().filter(|key| !now.contains_key(*key)) {
        if let Some(totals) = manifest.totals.get_mut(table) {
            totals.deleted = totals.deleted.saturating_sub(1);
        }
    }
}
