//! When the notes of contacts were last read, for many contacts at once.

use std::collections::HashMap;

use super::error::MirrorError;
use super::mirror_reader::MirrorReader;
use crate::run::RunError;

/// When the notes of contacts were last read, as far as it fits into memory: most contacts have the same reading, after
/// a sync that read everything.
#[derive(Debug, Clone, Default)]
pub struct NoteReadingTimes {
    /// The reading of all others, in milliseconds since 1970.
    common_ms: Option<i64>,
    /// The contacts that have another one, or none.
    others: HashMap<String, Option<i64>>,
    /// Whether these are not all.
    is_cut: bool,
}

impl NoteReadingTimes {
    /// When the notes of a contact were last read, in milliseconds since 1970; `Some(None)` if they never were, `None`
    /// if it is not among what is known here.
    #[must_use]
    pub fn find_reading_ms(&self, contact: &str) -> Option<Option<i64>> {
        (!self.is_cut).then(|| self.others.get(contact).copied().unwrap_or(self.common_ms))
    }
}

impl MirrorReader {
    /// When the notes of all contacts that exist were last read, unless more than `limit` differ from most others.
    pub fn load_note_reading_times(&self, limit: usize) -> Result<NoteReadingTimes, MirrorError> {
        let common =
            "SELECT (SELECT read_at FROM notes_of WHERE read_at IS NOT NULL GROUP BY read_at
             ORDER BY count(*) DESC LIMIT 1)";
        let others = "SELECT contact, read_at FROM notes_of WHERE read_at IS NOT ?1 LIMIT ?2";
        let load = || {
            let common_ms: Option<i64> =
                self.connection().query_row(common, [], |row| row.get(0))?;
            let most = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
            let mut query = self.connection().prepare(others)?;
            let rows = query.query_map((common_ms, most), |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut others = rows.collect::<rusqlite::Result<HashMap<_, _>>>()?;
            let is_cut = others.len() > limit;
            if is_cut {
                others = HashMap::new();
            }
            Ok(NoteReadingTimes { common_ms, others, is_cut })
        };
        load().map_err(|source: rusqlite::Error| RunError::from_sqlite(self.path(), source).into())
    }
}
