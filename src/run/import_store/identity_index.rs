//! By which values rows know their contacts.

use rusqlite::{Row, params};

use super::super::error::RunError;
use super::{ImportStore, sql_limit};

impl ImportStore {
    /// Says by which value a row knows its contact. The kinds are the caller's.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn add_identity(&self, kind: &str, value: &str, n: u64) -> Result<(), RunError> {
        self.execute(
            "INSERT OR IGNORE INTO identity VALUES (?, ?, ?)",
            params![kind, value, n.cast_signed()],
        )
    }

    /// Whether any row knows its contact by this value.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn has_identity(&self, kind: &str, value: &str) -> Result<bool, RunError> {
        let sql = "SELECT 1 FROM identity WHERE kind = ? AND value = ? LIMIT 1";
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let mut query = self.connection.prepare_cached(sql).map_err(fail)?;
        query.exists(params![kind, value]).map_err(fail)
    }

    /// All values of a kind, each with the number that was named with it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn values_with_rows(&self, kind: &str) -> Result<Vec<(String, u64)>, RunError> {
        let read =
            |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?.cast_unsigned()));
        self.query_all("SELECT value, n FROM identity WHERE kind = ?", params![kind], read)
    }

    /// The first row that knows its contact by this value.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn first_row_with_identity(
        &self,
        kind: &str,
        value: &str,
    ) -> Result<Option<u64>, RunError> {
        let sql = "SELECT n FROM identity WHERE kind = ? AND value = ? ORDER BY n LIMIT 1";
        let found = self.query_all(sql, params![kind, value], |row| row.get::<_, i64>(0))?;
        Ok(found.into_iter().next().map(i64::cast_unsigned))
    }

    /// How many different values of a kind there are.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn count_distinct_values(&self, kind: &str) -> Result<u64, RunError> {
        let sql = "SELECT count(DISTINCT value) FROM identity WHERE kind = ?";
        let fail = |source| RunError::from_sqlite(&self.path, source);
        let count: i64 = self.connection.query_row(sql, [kind], |row| row.get(0)).map_err(fail)?;
        Ok(count.cast_unsigned())
    }

    /// The different values of a kind behind one, in order, at most `limit`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn distinct_values_after(
        &self,
        kind: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<String>, RunError> {
        let sql = "SELECT DISTINCT value FROM identity WHERE kind = ? AND value > ?
                   ORDER BY value LIMIT ?";
        self.query_all(sql, params![kind, after, sql_limit(limit)], |row| row.get(0))
    }

    /// The values of a kind that several rows have, each with its rows in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn duplicate_values(&self, kind: &str) -> Result<Vec<(String, Vec<u64>)>, RunError> {
        let sql = "SELECT value, n FROM identity WHERE kind = ?1 AND value IN
                   (SELECT value FROM identity WHERE kind = ?1 GROUP BY value HAVING count(*) > 1)
                   ORDER BY value, n";
        let read =
            |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?.cast_unsigned()));
        let mut groups: Vec<(String, Vec<u64>)> = Vec::new();
        for (value, n) in self.query_all(sql, params![kind], read)? {
            match groups.last_mut() {
                Some((last, rows)) if *last == value => rows.push(n),
                _ => groups.push((value, vec![n])),
            }
        }
        Ok(groups)
    }
}
