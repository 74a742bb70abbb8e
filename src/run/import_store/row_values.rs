//! Values that rows have: those by which they know their contacts, and what planning notes about a row.

use rusqlite::{Row, params};

use super::super::error::RunError;
use super::{ImportStore, sql_limit};

/// By what a row knows its contact, or another record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityKind {
    /// The contact's id.
    ContactId,
    /// An e-mail address, lower case.
    Email,
    /// An address that a contact has in addition to its own.
    OtherEmail,
    /// A phone number, E.164.
    Phone,
    /// The value of the custom field that `--key` names.
    KeyField,
    /// What makes two rows the same.
    SameRecord,
    /// The id of a task that a row names without its contact.
    TaskId,
}

/// What planning notes about a row, other than an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowMark {
    /// The contact whose notes the row names by id.
    NotesOfContact,
    /// The contact whose tasks the row names by id.
    TasksOfContact,
    /// The same by what the row knows that contact: `email a@example.com`.
    NotesOfIdentity,
    /// The same of tasks.
    TasksOfIdentity,
    /// The contact that the import created for the row.
    CreatedContact,
    /// The stable name of an op that an undo's op leaves nothing of; the number is that of the undo's op.
    RevertedOp,
    /// The contact that the row deletes, or of which it deletes a note or task.
    ContactToDelete,
    /// The record that the row deletes.
    DeletedRecord,
}

/// A kind of value that rows have, in a table of its own.
pub trait RowValueKind: Copy {
    /// The table.
    const TABLE: &'static str;

    /// The kind's name in the table.
    fn name(self) -> &'static str;
}

impl RowValueKind for IdentityKind {
    const TABLE: &'static str = "identity";

    fn name(self) -> &'static str {
        match self {
            Self::ContactId => "id",
            Self::Email => "email",
            Self::OtherEmail => "other_email",
            Self::Phone => "phone",
            Self::KeyField => "key",
            Self::SameRecord => "same_record",
            Self::TaskId => "task",
        }
    }
}

impl RowValueKind for RowMark {
    const TABLE: &'static str = "row_mark";

    fn name(self) -> &'static str {
        match self {
            Self::NotesOfContact => "notes_of_contact",
            Self::TasksOfContact => "tasks_of_contact",
            Self::NotesOfIdentity => "notes_of_identity",
            Self::TasksOfIdentity => "tasks_of_identity",
            Self::CreatedContact => "created_contact",
            Self::RevertedOp => "reverted_op",
            Self::ContactToDelete => "contact_to_delete",
            Self::DeletedRecord => "deleted_record",
        }
    }
}

impl IdentityKind {
    /// The kinds by which contacts are looked up, the strongest first.
    pub const OF_CONTACTS: [Self; 4] = [Self::ContactId, Self::Email, Self::Phone, Self::KeyField];

    /// A value with its kind, as one text.
    #[must_use]
    pub fn qualify(self, value: &str) -> String {
        format!("{} {value}", self.name())
    }

    /// What [`Self::qualify`] made.
    #[must_use]
    pub fn parse_qualified(text: &str) -> Option<(Self, &str)> {
        let (name, value) = text.split_once(' ')?;
        let kind = Self::OF_CONTACTS.into_iter().find(|kind| kind.name() == name)?;
        Some((kind, value))
    }
}

impl ImportStore {
    /// Says that a row has a value.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add_row_value<K: RowValueKind>(
        &self,
        kind: K,
        value: &str,
        n: u64,
    ) -> Result<(), RunError> {
        let sql = format!("INSERT OR IGNORE INTO {} VALUES (?, ?, ?)", K::TABLE);
        self.execute(&sql, params![kind.name(), value, n.cast_signed()])
    }

    /// Whether any row has this value.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_row_value<K: RowValueKind>(&self, kind: K, value: &str) -> Result<bool, RunError> {
        let sql = format!("SELECT 1 FROM {} WHERE kind = ? AND value = ? LIMIT 1", K::TABLE);
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let mut query = self.connection.prepare_cached(&sql).map_err(fail)?;
        query.exists(params![kind.name(), value]).map_err(fail)
    }

    /// All values of a kind, each with the number that was given with it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn values_with_rows<K: RowValueKind>(
        &self,
        kind: K,
    ) -> Result<Vec<(String, u64)>, RunError> {
        let sql = format!("SELECT value, n FROM {} WHERE kind = ?", K::TABLE);
        self.query_all(&sql, params![kind.name()], read_value_and_row)
    }

    /// The first row that has this value.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn first_row_with_value<K: RowValueKind>(
        &self,
        kind: K,
        value: &str,
    ) -> Result<Option<u64>, RunError> {
        let sql =
            format!("SELECT n FROM {} WHERE kind = ? AND value = ? ORDER BY n LIMIT 1", K::TABLE);
        let found =
            self.query_all(&sql, params![kind.name(), value], |row| row.get::<_, i64>(0))?;
        Ok(found.into_iter().next().map(i64::cast_unsigned))
    }

    /// How many different values of a kind there are.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_distinct_values<K: RowValueKind>(&self, kind: K) -> Result<u64, RunError> {
        let sql = format!("SELECT count(DISTINCT value) FROM {} WHERE kind = ?", K::TABLE);
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let count = self.connection.query_row(&sql, [kind.name()], |row| row.get::<_, i64>(0));
        Ok(count.map_err(fail)?.cast_unsigned())
    }

    /// The different values of a kind behind one, in order, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn distinct_values_after<K: RowValueKind>(
        &self,
        kind: K,
        after: &str,
        limit: usize,
    ) -> Result<Vec<String>, RunError> {
        let sql = format!(
            "SELECT DISTINCT value FROM {} WHERE kind = ? AND value > ? ORDER BY value LIMIT ?",
            K::TABLE
        );
        self.query_all(&sql, params![kind.name(), after, sql_limit(limit)], |row| row.get(0))
    }

    /// The values of a kind that several rows have, each with its rows in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn duplicate_values<K: RowValueKind>(
        &self,
        kind: K,
    ) -> Result<Vec<(String, Vec<u64>)>, RunError> {
        let table = K::TABLE;
        let sql = format!(
            "SELECT value, n FROM {table} WHERE kind = ?1 AND value IN
             (SELECT value FROM {table} WHERE kind = ?1 GROUP BY value HAVING count(*) > 1)
             ORDER BY value, n"
        );
        let mut groups: Vec<(String, Vec<u64>)> = Vec::new();
        for (value, n) in self.query_all(&sql, params![kind.name()], read_value_and_row)? {
            match groups.last_mut() {
                Some((last, rows)) if *last == value => rows.push(n),
                _ => groups.push((value, vec![n])),
            }
        }
        Ok(groups)
    }
}

fn read_value_and_row(row: &Row<'_>) -> rusqlite::Result<(String, u64)> {
    Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned()))
}
