//! Takes the contacts of a snapshot that a restore is about into the run's own store, so that everything after it needs
//! the repository no more.

use std::collections::{BTreeSet, HashMap};

use super::RestoreSource;
use super::prior_restores::{MadeKind, PriorRestores};
use super::request::{RestoreOrder, RestoreRequest, RestoreScope};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::id::LocationId;
use crate::import::ImportError;
use crate::import::planning::validate_rows::{
    draft_identities, parse_draft, rejection_decision, to_json,
};
use crate::model::remote::RemoteContact;
use crate::model::{ContactDraft, Field};
use crate::repository::{Erasures, SnapshotRecord};
use crate::run::{ContactPart, IdentityKind, ImportStore, RowMark, StoredRow};
use crate::text::hash_text;

/// Rows read per batch.
const LOT: usize = 1_000;
/// The columns of the result files.
pub(super) const COLUMNS: [&str; 4] = ["former_id", "name", "email", "phone"];

/// Stores rows, and later the records of those that stay.
pub(super) struct SnapshotRowWriter<'a> {
    pub(super) rows: &'a ImportStore,
    pub(super) source: &'a RestoreSource,
    pub(super) request: &'a RestoreRequest,
    /// The location that is restored into.
    pub(super) target: &'a LocationId,
    pub(super) prior: &'a PriorRestores,
}

/// What was taken from the snapshot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct StoredRows {
    /// Contacts that were left out because they were erased.
    pub(super) erased: u64,
    /// Contacts that the later snapshot has and the earlier one does not.
    pub(super) added_since: u64,
}

impl SnapshotRowWriter<'_> {
    /// Stores a row for each contact that may be concerned, with the values by which the account is searched.
    pub(super) fn store_rows(&self) -> Result<StoredRows, ImportError> {
        // A damaged snapshot is refused before anything is believed of it.
        self.source.chain.verify_state()?;
        if let Some(later) = &self.source.later {
            later.verify_state()?;
        }
        let erasures = Erasures::load(self.source.chain.repository(), &self.request.source)?;
        let mut stored = StoredRows::default();
        let mut later = self.later_digests()?;
        let (mut found, mut n) = (BTreeSet::new(), 0);
        let most = self.source.chain.manifest().totals.get("contacts").map_or(0, |it| it.live);
        for record in self.source.chain.records("contacts")? {
            let record = record?;
            let same = later.as_mut().and_then(|later| later.remove(&hash_text(&record.id)));
            if same.is_some_and(|digest| digest == hash_digest(&record.digest)) {
                continue;
            }
            let Some(remote) = RemoteContact::from_json_slice(record.body.as_bytes()) else {
                continue;
            };
            if let Some(selection) = &self.source.contacts {
                let matching = selection.matching(&remote);
                if matching.is_empty() {
                    continue;
                }
                found.extend(matching);
            }
            let (email, phone) =
                (remote.native_field(Field::Email), remote.native_field(Field::Phone));
            // An old copy of the repository may still have a person who was erased.
            if erasures.contains_contact(&record.id, email, phone) {
                stored.erased += 1;
                continue;
            }
            n += 1;
            // Rows are worked on in the order of their numbers.
            let n = if self.request.order == RestoreOrder::Newest {
                (most + 1).saturating_sub(n).max(1)
            } else {
                n
            };
            self.store_row(n, &record, &remote)?;
        }
        stored.added_since = later.map_or(0, |later| later.len() as u64);
        self.reject_unmatched(&found)?;
        Ok(stored)
    }

    /// What the later snapshot says of its contacts, as hashes; `None` if only one is read.
    fn later_digests(&self) -> Result<Option<HashMap<u64, u64>>, ImportError> {
        let Some(later) = &self.source.later else { return Ok(None) };
        let mut digests = HashMap::new();
        for record in later.records("contacts")? {
            let record = record?;
            digests.insert(hash_text(&record.id), hash_digest(&record.digest));
        }
        Ok(Some(digests))
    }

    fn store_row(
        &self,
        n: u64,
        record: &SnapshotRecord,
        remote: &RemoteContact,
    ) -> Result<(), ImportError> {
        let text = |field: Field| remote.native_field(field).unwrap_or_default().to_owned();
        let cells = [record.id.clone(), remote.full_name(), text(Field::Email), text(Field::Phone)];
        let is_same_location = self.request.source == *self.target;
        let mut draft = ContactDraft {
            contact: is_same_location.then(|| remote.id.clone()),
            source_id: Some(record.id.clone()),
            ..ContactDraft::default()
        };
        // A made-up person has another address; the real one must not be found by it.
        if !self.request.anonymise {
            for field in [Field::Email, Field::Phone] {
                let value = remote.native_field(field).map(|value| (field, value.into()));
                draft.fields.extend(value);
            }
        }
        self.rows.insert_row(&StoredRow {
            n,
            line: n,
            place: format!("contact {}", record.id),
            cells: to_json(&cells),
            draft: Some(to_json(&draft)),
        })?;
        self.rows.add_row_value(RowMark::SnapshotContact, &record.id, n)?;
        for (kind, value) in draft_identities(&draft, None) {
            self.rows.add_row_value(kind, &value, n)?;
        }
        if let Some(made) = self.prior.find_made(MadeKind::Contact, &record.id) {
            self.rows.add_row_value(IdentityKind::ContactId, &made.id, n)?;
        }
        Ok(())
    }

    /// A chosen contact that the snapshot does not have is a rejected row, so that nothing that was asked for is
    /// passed over in silence.
    fn reject_unmatched(&self, found: &BTreeSet<String>) -> Result<(), ImportError> {
        let Some(selection) = &self.source.contacts else { return Ok(()) };
        let after = self.rows.last_row_number()?;
        for (n, value) in (after + 1..).zip(selection.unmatched(found)) {
            let (id, email) =
                if value.contains('@') { (String::new(), value) } else { (value, String::new()) };
            let cells = [id, String::new(), email, String::new()];
            let (line, place) = (n, format!("contact {}{}", cells[0], cells[2]));
            let cells = to_json(&cells);
            self.rows.insert_row(&StoredRow { n, line, place, cells, draft: None })?;
            let message = if self.source.later.is_some() {
                "the contact did not change between the two snapshots, or they do not have it"
            } else {
                "the snapshot has no such contact"
            };
            let rejection = Diagnostic::new(DiagnosticCode::R_NOT_FOUND, message.to_owned());
            let decision = rejection_decision(vec![rejection.in_field("contactId")]);
            self.rows.put_decision(n, &decision)?;
        }
        Ok(())
    }

    /// Stores the contacts of the rows as the snapshot has them, and their notes and tasks where they may be needed.
    pub(super) fn store_records(&self) -> Result<(), ImportError> {
        self.store_contacts()?;
        if self.request.scope == RestoreScope::Fields {
            return Ok(());
        }
        for (table, part) in
            [("notes", ContactPart::SnapshotNotes), ("tasks", ContactPart::SnapshotTasks)]
        {
            for record in self.source.chain.records(table)? {
                let record = record?;
                let Some(contact) = &record.of else { continue };
                if let Some(n) = self.row_of(contact)? {
                    self.rows.put_child(part, contact, &record.id, &record.body)?;
                    self.note_reading_time(contact, &record)?;
                    self.mark_children_to_read(part, contact, n)?;
                }
            }
        }
        Ok(())
    }

    fn store_contacts(&self) -> Result<(), ImportError> {
        for record in self.source.chain.records("contacts")? {
            let record = record?;
            if self.row_of(&record.id)?.is_some() {
                let part = ContactPart::SnapshotContact;
                self.rows.put_child(part, &record.id, &record.id, &record.body)?;
            }
        }
        let later =
            self.source.later.as_ref().map(|later| later.records("contacts")).transpose()?;
        for record in later.into_iter().flatten() {
            let record = record?;
            if self.row_of(&record.id)?.is_some() {
                let part = ContactPart::LaterSnapshotContact;
                self.rows.put_child(part, &record.id, &record.id, &record.body)?;
            }
        }
        Ok(())
    }

    /// The row of a contact.
    fn row_of(&self, contact: &str) -> Result<Option<u64>, ImportError> {
        Ok(self.rows.first_row_with_value(RowMark::SnapshotContact, contact)?)
    }

    /// Remembers since when the notes of a contact may lack newer ones.
    fn note_reading_time(&self, contact: &str, record: &SnapshotRecord) -> Result<(), ImportError> {
        let part = ContactPart::SnapshotReadAt;
        let before = self.rows.contact_children(part, contact)?.pop();
        let before = before.and_then(|text| text.parse::<i64>().ok());
        if before.is_none_or(|before| record.read_at_ms < before) {
            self.rows.put_child(part, contact, "", &record.read_at_ms.to_string())?;
        }
        Ok(())
    }

    /// What the account has of a contact that is there is compared with the snapshot.
    fn mark_children_to_read(
        &self,
        part: ContactPart,
        contact: &str,
        n: u64,
    ) -> Result<(), ImportError> {
        if !self.request.scope.compares_children() || self.request.source != *self.target {
            return Ok(());
        }
        let mark = match part {
            ContactPart::SnapshotNotes => RowMark::NotesOfContact,
            _ => RowMark::TasksOfContact,
        };
        self.rows.add_row_value(mark, contact, n)?;
        Ok(())
    }
}

/// Removes the rows whose contact the account has under its former id.
pub(super) fn remove_rows_that_exist(rows: &ImportStore) -> Result<(), ImportError> {
    let (mut after, mut there) = (0, Vec::new());
    loop {
        let lot = rows.rows_after(after, LOT)?;
        let Some(last) = lot.last() else { break };
        after = last.n;
        for row in &lot {
            let draft = row.draft.as_deref().map(parse_draft).transpose()?;
            if let Some(contact) = draft.and_then(|draft| draft.contact)
                && rows.has_contact(contact.as_str())?
            {
                there.push(row.n);
            }
        }
    }
    Ok(rows.remove_rows(&there)?)
}

/// The beginning of a digest, which is as good as all of it to tell two versions of one record apart.
fn hash_digest(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}
