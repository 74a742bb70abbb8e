//! What the snapshots of a location have of people.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use super::EraseRequest;
use crate::backup::BackupError;
use crate::repository::{
    ErasedContacts, Erasures, PERSONAL_TABLES, Snapshot, SnapshotId, SnapshotLine, SnapshotList,
};

/// A snapshot that people have lines in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedSnapshot {
    /// The tables in whose files they have lines, with their number. None if only another member of the chain has some.
    pub lines: BTreeMap<&'static str, u64>,
    /// The size of its files.
    pub bytes: u64,
    /// Whether it was forgotten and is not pruned yet.
    pub is_forgotten: bool,
    /// Whether it is held.
    pub is_held: bool,
}

impl ScannedSnapshot {
    /// The tables in whose files people have lines.
    pub(super) fn tables(&self) -> HashSet<String> {
        self.lines.keys().map(|table| (*table).to_owned()).collect()
    }
}

/// What is known of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PersonFacts {
    pub(super) emails: BTreeSet<String>,
    pub(super) phones: BTreeSet<String>,
    /// The ids of notes, tasks and appointments.
    pub(super) children: BTreeSet<String>,
}

impl PersonFacts {
    /// Adds the addresses and numbers of a contact as the server sent it.
    pub(super) fn add_contact(&mut self, body: &str) {
        let Ok(Value::Object(contact)) = serde_json::from_str(body) else { return };
        for (member, is_phone) in [
            ("email", false),
            ("additionalEmails", false),
            ("phone", true),
            ("additionalPhones", true),
        ] {
            let to = if is_phone { &mut self.phones } else { &mut self.emails };
            let accepts = |text: &str| {
                if is_phone {
                    text.bytes().filter(u8::is_ascii_digit).count() >= 5
                } else {
                    text.contains('@')
                }
            };
            collect_texts(contact.get(member).unwrap_or(&Value::Null), &accepts, to);
        }
    }
}

/// The texts in a value: additional addresses are texts, or objects with them.
fn collect_texts(value: &Value, accepts: &impl Fn(&str) -> bool, to: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if accepts(text) => drop(to.insert(text.trim().to_owned())),
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, accepts, to)),
        Value::Object(members) => {
            members.values().for_each(|item| collect_texts(item, accepts, to));
        }
        _ => {}
    }
}

/// What the snapshots of a location have of people.
#[derive(Debug, Default)]
pub(super) struct SnapshotScan {
    /// The people, those of an erasure that was killed included.
    pub(super) people: BTreeMap<String, PersonFacts>,
    /// Snapshots that people have lines in, or that are read from one, or that were written again already.
    pub(super) snapshots: BTreeMap<SnapshotId, ScannedSnapshot>,
}

impl SnapshotScan {
    /// Reads every file with contacts or what belongs to them.
    pub(super) fn read(
        request: &EraseRequest<'_>,
        list: &SnapshotList,
        erasures: &Erasures,
    ) -> Result<Self, BackupError> {
        let mut scan = Self::default();
        for snapshot in all_snapshots(list) {
            let mut lines = BTreeMap::new();
            for table in PERSONAL_TABLES {
                let mut count = 0;
                let show = |line: &SnapshotLine| {
                    if scan.add_line(request, erasures, table, line) {
                        count += 1;
                    }
                };
                let manifest = &snapshot.manifest;
                request.repository.for_each_line(manifest, table, request.identities, show)?;
                if count > 0 {
                    lines.insert(table, count);
                }
            }
            let is_read_from_one =
                snapshot.manifest.chain.iter().any(|member| {
                    scan.snapshots.contains_key(member) || is_superseded(list, member)
                });
            if !lines.is_empty() || is_read_from_one || is_superseded(list, snapshot.id()) {
                let is_forgotten = snapshot.forgotten.is_some() || is_in(&list.forgotten, snapshot);
                let is_held = list.holds.contains_key(snapshot.id());
                let bytes = snapshot.manifest.file_bytes();
                let found = ScannedSnapshot { lines, bytes, is_forgotten, is_held };
                scan.snapshots.insert(snapshot.id().clone(), found);
            }
        }
        Ok(scan)
    }

    /// Whether a line is one of these people's.
    fn add_line(
        &mut self,
        request: &EraseRequest<'_>,
        erasures: &Erasures,
        table: &str,
        line: &SnapshotLine,
    ) -> bool {
        let is_contact = table == "contacts";
        let contact = if is_contact { Some(line.id()) } else { line.of() };
        let is_one = |id: &&str| request.contacts.contains(*id) || erasures.is_being_erased(id);
        let Some(contact) = contact.filter(is_one) else { return false };
        let person = self.people.entry(contact.to_owned()).or_default();
        match line {
            SnapshotLine::Put(record) if is_contact => person.add_contact(&record.body),
            _ if is_contact => {}
            _ => drop(person.children.insert(line.id().to_owned())),
        }
        true
    }

    /// All people, for the snapshots.
    pub(super) fn contacts(&self) -> ErasedContacts {
        ErasedContacts(self.people.keys().cloned().collect())
    }
}

/// Snapshots and forgotten ones, oldest first: every member of a chain before those that are read from it.
pub(super) fn all_snapshots(list: &SnapshotList) -> Vec<&Snapshot> {
    let mut all: Vec<_> = list.snapshots.iter().chain(&list.forgotten).collect();
    all.sort_by(|one, other| one.id().cmp(other.id()));
    all
}

/// Whether a snapshot was written again by an erasure that was killed before the former one was deleted.
fn is_superseded(list: &SnapshotList, id: &SnapshotId) -> bool {
    let is_its_last = |snapshot: &Snapshot| {
        snapshot.manifest.rewrites.last().is_some_and(|former| former.id == *id)
    };
    list.snapshots.iter().chain(&list.forgotten).any(is_its_last)
}

fn is_in(snapshots: &[Snapshot], snapshot: &Snapshot) -> bool {
    snapshots.iter().any(|other| other.id() == snapshot.id())
}
