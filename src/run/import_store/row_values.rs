//! Values of rows: those that identify their contacts, and marks that planning sets.

use rusqlite::{Row, params};

use super::super::error::RunError;
use super::super::row_action::RowAction;
use super::{ImportStore, sql_limit};

/// What a value identifies a contact, or another record, by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityKind {
    /// The contact's id.
    ContactId,
    /// An e-mail address, lower case.
    Email,
    /// An additional e-mail address of a contact.
    OtherEmail,
    /// A phone number, E.164.
    Phone,
    /// The value of the custom field in `--key`.
    KeyField,
    /// The key that makes two rows the same record.
    SameRecord,
    /// The id of a task in a row that does not identify its contact.
    TaskId,
}

/// A mark that planning sets on a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowMark {
    /// The contact of the notes that the row refers to by id.
    NotesOfContact,
    /// The contact of the tasks that the row refers to by id.
    TasksOfContact,
    /// The identity of the contact of those notes: `email a@example.com`.
    NotesOfIdentity,
    /// The identity of the contact of those tasks.
    TasksOfIdentity,
    /// The contact that the import created for the row.
    CreatedContact,
    /// The stable key of an op that an undo reverts completely; the number is that of the undo's
    /// op.
    RevertedOp,
    /// The contact that the row deletes, or whose note or task it deletes.
    ContactToDelete,
    /// The record that the row deletes.
    DeletedRecord,
    /// The contact of a snapshot that the row restores, by its former id.
    SnapshotContact,
    /// A row that is written before this one, because it frees an address or number that this one needs.
    WrittenBefore,
}

/// A kind of row values, with its own table.
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
            Self::SnapshotContact => "snapshot_contact",
            Self::WrittenBefore => "written_before",
        }
    }
}

impl IdentityKind {
    /// The kinds by which contacts are looked up, the most reliable first.
    pub const OF_CONTACTS: [Self; 4] = [Self::ContactId, Self::Email, Self::Phone, Self::KeyField];

    /// A value and its kind as one text.
    #[must_use]
    pub fn qualify(self, value: &str) -> String {
        format!("{} {value}", self.name())
    }

    /// Parses the text of [`Self::qualify`].
    #[must_use]
    pub fn parse_qualified(text: &str) -> Option<(Self, &str)> {
        let (name, value) = text.split_once(' ')?;
        let kind = Self::OF_CONTACTS.into_iter().find(|kind| kind.name() == name)?;
        Some((kind, value))
    }
}

impl ImportStore {
    /// Stores a value of a row.
    pub fn add_row_value<K: RowValueKind>(
        &self,
        kind: K,
        value: &str,
        n: u64,
    ) -> Result<(), RunError> {
        let sql = format!("INSERT OR IGNORE INTO {} VALUES (?, ?, ?)", K::TABLE);
        self.execute(&sql, params![kind.name(), value, n.cast_signed()])
    }

    /// Removes a value of a row.
    pub fn remove_row_value<K: RowValueKind>(
        &self,
        kind: K,
        value: &str,
        n: u64,
    ) -> Result<(), RunError> {
        let sql = format!("DELETE FROM {} WHERE kind = ? AND value = ? AND n = ?", K::TABLE);
        self.execute(&sql, params![kind.name(), value, n.cast_signed()])
    }

    /// Whether any row has this value.
    pub fn has_row_value<K: RowValueKind>(&self, kind: K, value: &str) -> Result<bool, RunError> {
        let sql = format!("SELECT 1 FROM {} WHERE kind = ? AND value = ? LIMIT 1", K::TABLE);
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let mut query = self.connection.prepare_cached(&sql).map_err(fail)?;
        query.exists(params![kind.name(), value]).map_err(fail)
    }

    /// All values of a kind, each with the number stored with it.
    pub fn values_with_rows<K: RowValueKind>(
        &self,
        kind: K,
    ) -> Result<Vec<(String, u64)>, RunError> {
        let sql = format!("SELECT value, n FROM {} WHERE kind = ?", K::TABLE);
        self.query_all(&sql, params![kind.name()], read_value_and_row)
    }

    /// The first row that has this value.
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

    /// The pairs of rows of which the first must be written before the second.
    pub fn rows_written_before(&self) -> Result<Vec<(u64, u64)>, RunError> {
        let pairs = self.values_with_rows(RowMark::WrittenBefore)?;
        Ok(pairs.into_iter().filter_map(|(before, n)| Some((before.parse().ok()?, n))).collect())
    }

    /// All rows that have this value, in order.
    pub fn rows_with_value<K: RowValueKind>(
        &self,
        kind: K,
        value: &str,
    ) -> Result<Vec<u64>, RunError> {
        let sql = format!("SELECT n FROM {} WHERE kind = ? AND value = ? ORDER BY n", K::TABLE);
        let found =
            self.query_all(&sql, params![kind.name(), value], |row| row.get::<_, i64>(0))?;
        Ok(found.into_iter().map(i64::cast_unsigned).collect())
    }

    /// The first row before row `n` with this phone number that is imported: it is neither rejected nor superseded.
    pub fn earlier_row_with_phone(&self, phone: &str, n: u64) -> Result<Option<u64>, RunError> {
        let sql = "SELECT i.n FROM identity i LEFT JOIN decision d ON d.n = i.n
                   WHERE i.kind = ?1 AND i.value = ?2 AND i.n < ?3 AND coalesce(d.action, '') NOT IN (?4, ?5)
                   ORDER BY i.n LIMIT 1";
        let [rejected, superseded] =
            [RowAction::Rejected, RowAction::Superseded].map(RowAction::name);
        let values =
            params![IdentityKind::Phone.name(), phone, n.cast_signed(), rejected, superseded];
        let found = self.query_all(sql, values, |row| row.get::<_, i64>(0))?;
        Ok(found.into_iter().next().map(i64::cast_unsigned))
    }

    /// How many distinct values of a kind there are.
    pub fn count_distinct_values<K: RowValueKind>(&self, kind: K) -> Result<u64, RunError> {
        let sql = format!("SELECT count(DISTINCT value) FROM {} WHERE kind = ?", K::TABLE);
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let count = self.connection.query_row(&sql, [kind.name()], |row| row.get::<_, i64>(0));
        Ok(count.map_err(fail)?.cast_unsigned())
    }

    /// The distinct values of a kind after a given one, in order, at most `limit`.
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
