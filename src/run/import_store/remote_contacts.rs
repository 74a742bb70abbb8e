//! The account as it was when the plan was made: contacts, their notes and tasks, and the values by
//! which rows find them.

use rusqlite::{OptionalExtension, Row, params};

use super::super::db;
use super::super::error::RunError;
use super::{IdentityKind, ImportStore, RowValueKind};

/// A part of a contact that is stored separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactPart {
    /// A note.
    Notes,
    /// A task.
    Tasks,
    /// An appointment.
    Appointments,
    /// An opportunity.
    Opportunities,
    /// The whole contact as it is before it is deleted.
    BeforeImage,
    /// Why the contact cannot be read completely.
    ReadError,
    /// The contact as the snapshot has it that is restored.
    SnapshotContact,
    /// The contact as the later snapshot has it, where changes between two are taken back.
    LaterSnapshotContact,
    /// A note of the snapshot.
    SnapshotNotes,
    /// A task of the snapshot.
    SnapshotTasks,
    /// When the snapshot's notes of the contact were read, in milliseconds since 1970.
    SnapshotReadAt,
}

impl ContactPart {
    fn name(self) -> &'static str {
        match self {
            Self::Notes => "notes",
            Self::Tasks => "tasks",
            Self::Appointments => "appointments",
            Self::Opportunities => "opportunities",
            Self::BeforeImage => "before_image",
            Self::ReadError => "read_error",
            Self::SnapshotContact => "snapshot_contact",
            Self::LaterSnapshotContact => "snapshot_contact_later",
            Self::SnapshotNotes => "snapshot_notes",
            Self::SnapshotTasks => "snapshot_tasks",
            Self::SnapshotReadAt => "snapshot_read_at",
        }
    }
}

impl ImportStore {
    /// Deletes what was read of the account, so that it is read again.
    pub fn forget_remote(&self) -> Result<(), RunError> {
        self.execute_batch(
            "DELETE FROM live; DELETE FROM match; DELETE FROM child WHERE kind NOT LIKE 'snapshot%'",
        )
    }

    /// Deletes a contact that no longer exists.
    pub fn forget_contact(&self, contact: &str) -> Result<(), RunError> {
        self.execute("DELETE FROM live WHERE contact = ?", params![contact])
    }

    /// Stores a contact as it is now, with its digest.
    pub fn put_contact(&self, contact: &str, body: &str, digest: &str) -> Result<(), RunError> {
        self.execute(
            "INSERT OR REPLACE INTO live VALUES (?, ?, ?, ?)",
            params![contact, body, digest, contact_checksum(contact, body, digest)],
        )
    }

    /// Whether a contact is stored.
    pub fn has_contact(&self, contact: &str) -> Result<bool, RunError> {
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let sql = "SELECT 1 FROM live WHERE contact = ?";
        let mut query = self.connection.prepare_cached(sql).map_err(fail)?;
        query.exists([contact]).map_err(fail)
    }

    /// A stored contact and its digest.
    pub fn find_contact(&self, contact: &str) -> Result<Option<(String, String)>, RunError> {
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let sql = "SELECT body, digest, sum FROM live WHERE contact = ?";
        let mut query = self.connection.prepare_cached(sql).map_err(fail)?;
        let read = |row: &Row<'_>| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Vec<u8>>(2)?))
        };
        match query.query_row([contact], read).optional().map_err(fail)? {
            None => Ok(None),
            Some((body, digest, sum)) if contact_checksum(contact, &body, &digest) == sum[..] => {
                Ok(Some((body, digest)))
            }
            Some(_) => {
                Err(self.damaged_error(&format!("the checksum of contact `{contact}` is wrong")))
            }
        }
    }

    /// Stores that a contact has a value by which rows identify theirs.
    pub fn add_match(
        &self,
        kind: IdentityKind,
        value: &str,
        contact: &str,
    ) -> Result<(), RunError> {
        self.execute(
            "INSERT OR IGNORE INTO match VALUES (?, ?, ?)",
            params![kind.name(), value, contact],
        )
    }

    /// The contacts that have a value.
    pub fn matching_contacts(
        &self,
        kind: IdentityKind,
        value: &str,
    ) -> Result<Vec<String>, RunError> {
        let sql = "SELECT contact FROM match WHERE kind = ? AND value = ? ORDER BY contact";
        self.query_all(sql, params![kind.name(), value], |row| row.get(0))
    }

    /// Stores a note, task or other part of a contact.
    pub fn put_child(
        &self,
        part: ContactPart,
        contact: &str,
        id: &str,
        body: &str,
    ) -> Result<(), RunError> {
        self.execute(
            "INSERT OR REPLACE INTO child VALUES (?, ?, ?, ?)",
            params![part.name(), contact, id, body],
        )
    }

    /// The stored parts of a contact.
    pub fn contact_children(
        &self,
        part: ContactPart,
        contact: &str,
    ) -> Result<Vec<String>, RunError> {
        let sql = "SELECT body FROM child WHERE kind = ? AND contact = ? ORDER BY id";
        self.query_all(sql, params![part.name(), contact], |row| row.get(0))
    }
}

fn contact_checksum(contact: &str, body: &str, digest: &str) -> [u8; 8] {
    db::checksum(&[contact.as_bytes(), body.as_bytes(), digest.as_bytes()])
}
