//! Notices records that were sent more than once with different dates.
//!
//! Rows are sorted and merged by date and id, so that such a record would be in the table twice. The ids of a table
//! are remembered as hashes, eight bytes each; only if one comes twice is the table written again, without the older
//! versions.

use std::collections::HashMap;

use super::PublishError;
use super::entry_splitter::RowSplitter;
use crate::run::SpoolReader;
use crate::text::hash_text;

/// The entry that has the last version of each record that came more than once.
#[derive(Debug, Default)]
pub(super) struct LastVersions(HashMap<u64, i64>);

impl LastVersions {
    /// Finds the last versions in the spool.
    pub(super) fn find(
        repeated: &[u64],
        reader: &SpoolReader,
        splitter: &RowSplitter,
    ) -> Result<Self, PublishError> {
        if repeated.is_empty() {
            return Ok(Self::default());
        }
        let mut last: HashMap<u64, i64> = repeated.iter().map(|id| (*id, 0)).collect();
        let mut seq = 0;
        while let Some(entry) = reader.next_entry("", seq)? {
            seq = entry.seq;
            let Some(entry_rows) = splitter.split_entry(&entry)? else { continue };
            for row in entry_rows.rows.into_iter().flatten() {
                if let Some(latest) = last.get_mut(&hash_text(&row.key.id)) {
                    *latest = (*latest).max(row.seq);
                }
            }
        }
        Ok(Self(last))
    }

    /// Whether none were looked for.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a later entry has this record, too.
    pub(super) fn is_superseded(&self, id: &str, seq: i64) -> bool {
        !self.0.is_empty() && self.0.get(&hash_text(id)).is_some_and(|last| seq < *last)
    }
}
