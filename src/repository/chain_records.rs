//! The records of a table at a snapshot: the files of its chain, merged.
//!
//! A record is what the last member of the chain says that mentions it. Its place in the order may have changed (a time
//! that became known), so the merge first collects which member mentions which record last, from the files of changes
//! alone: those have at most a part of the records of the full snapshot.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};

use sha2::{Digest as _, Sha256};

use super::data_reader::LineReader;
use super::encryption::Identities;
use super::error::RepositoryError;
use super::layout;
use super::line::{SnapshotLine, SnapshotRecord};
use super::manifest::Manifest;
use super::open_repository::Repository;

/// The records of a table that exist, in order.
pub struct ChainRecords {
    files: Vec<LineReader>,
    /// The next line of each file.
    next: BinaryHeap<Reverse<NextLine>>,
    /// The file that mentions a record last, by the hash of its id, if that is not the first one.
    last_mention: HashMap<u128, u32>,
    has_failed: bool,
}

/// The next line of a file.
struct NextLine {
    line: SnapshotLine,
    file: usize,
}

impl NextLine {
    fn key(&self) -> ((i64, &str), usize) {
        (self.line.sort_key(), self.file)
    }
}

impl PartialEq for NextLine {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for NextLine {}

impl PartialOrd for NextLine {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for NextLine {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl ChainRecords {
    pub(super) fn open(
        repository: &Repository,
        members: &[Manifest],
        table: &str,
        identities: Option<&Identities>,
    ) -> Result<Self, RepositoryError> {
        let open = || {
            let with_file = members.iter().filter_map(|member| {
                let file = member.file_of(table)?;
                let key = layout::snapshot_file(&member.location.id, &member.snapshot, &file.name);
                Some(LineReader::open(repository.store(), &key, file, identities))
            });
            with_file.collect::<Result<Vec<_>, _>>()
        };
        let mut last_mention = HashMap::new();
        let mut files = open()?;
        if files.len() > 1 {
            for (at, file) in files.iter_mut().enumerate().skip(1) {
                let at = u32::try_from(at).unwrap_or(u32::MAX);
                while let Some(line) = file.next_line()? {
                    last_mention.insert(hash_id(line.sort_key().1), at);
                }
            }
            files = open()?;
        }
        let (next, has_failed) = (BinaryHeap::new(), false);
        let mut records = Self { files, next, last_mention, has_failed };
        for file in 0..records.files.len() {
            records.advance(file)?;
        }
        Ok(records)
    }

    fn advance(&mut self, file: usize) -> Result<(), RepositoryError> {
        if let Some(line) = self.files[file].next_line()? {
            self.next.push(Reverse(NextLine { line, file }));
        }
        Ok(())
    }

    fn next_record(&mut self) -> Result<Option<SnapshotRecord>, RepositoryError> {
        while let Some(Reverse(NextLine { line, file })) = self.next.pop() {
            self.advance(file)?;
            let last = if self.last_mention.is_empty() {
                0
            } else {
                self.last_mention.get(&hash_id(line.sort_key().1)).copied().unwrap_or(0)
            };
            match line {
                SnapshotLine::Put(record) if last as usize == file => return Ok(Some(record)),
                _ => {}
            }
        }
        Ok(None)
    }
}

impl Iterator for ChainRecords {
    type Item = Result<SnapshotRecord, RepositoryError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        let next = self.next_record();
        self.has_failed = next.is_err();
        next.transpose()
    }
}

/// A hash that no two ids share by chance or on purpose.
fn hash_id(id: &str) -> u128 {
    let hash = Sha256::digest(id.as_bytes());
    u128::from_le_bytes(hash[..16].try_into().expect("SHA-256 has 32 bytes"))
}
