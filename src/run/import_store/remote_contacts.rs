//! What was known of the account when the plan was made: contacts, their notes and tasks, and the values
//! by which rows find them.

use rusqlite::{OptionalExtension, Row, params};

use super::super::db;
use super::super::error::RunError;
use super::{IdentityKind, ImportStore, RowValueKind};

/// A part of a contact that is kept apart from it.
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
    /// Why the contact cannot be read whole.
    ReadError,
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
        }
    }
}

impl ImportStore {
    /// Forgets what was known of the account, to look again.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_remote(&self) -> Result<(), RunError> {
        ["live", "match", "child"]
            .iter()
            .try_for_each(|table| self.execute_batch(&format!("DELETE FROM {table}")))
    }

    /// Forgets a contact: it is gone, whatever an earlier look has said.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn forget_contact(&self, contact: &str) -> Result<(), RunError> {
        self.execute("DELETE FROM live WHERE contact = ?", params![contact])
    }

    /// Keeps a contact as it stands, and its digest.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn put_contact(&self, contact: &str, body: &str, digest: &str) -> Result<(), RunError> {
        self.execute(
            "INSERT OR REPLACE INTO live VALUES (?, ?, ?, ?)",
            params![contact, body, digest, contact_checksum(contact, body, digest)],
        )
    }

    /// Whether a contact is kept.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_contact(&self, contact: &str) -> Result<bool, RunError> {
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let sql = "SELECT 1 FROM live WHERE contact = ?";
        let mut query = self.connection.prepare_cached(sql).map_err(fail)?;
        query.exists([contact]).map_err(fail)
    }

    /// A contact as it stood, and its digest.
    ///
    /// # Errors
    /// When what is stored is damaged.
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

    /// Says that a contact has a value by which rows know theirs.
    ///
    /// # Errors
    /// When the database cannot be written.
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
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn matching_contacts(
        &self,
        kind: IdentityKind,
        value: &str,
    ) -> Result<Vec<String>, RunError> {
        let sql = "SELECT contact FROM match WHERE kind = ? AND value = ? ORDER BY contact";
        self.query_all(sql, params![kind.name(), value], |row| row.get(0))
    }

    /// Keeps a note, task or other part of a contact as it is.
    ///
    /// # Errors
    /// When the database cannot be written.
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

    /// The parts of a contact that were kept.
    ///
    /// # Errors
    /// When the database cannot be read.
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
