//! The state of a snapshot: one hash over everything that exists.

use sha2::{Digest as _, Sha256};

/// SHA-256 over table, id and digest of every record that exists, table by table in the order of the tables, and within
/// one by the time when records were added and their ids. A chain that lacks a file has another one.
#[derive(Debug, Clone, Default)]
pub struct StateHash(Sha256);

impl StateHash {
    /// Adds a record.
    pub fn add_record(&mut self, table: &str, id: &str, digest: &[u8]) {
        for part in [table.as_bytes(), id.as_bytes(), digest] {
            self.0.update(u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
            self.0.update(part);
        }
    }

    /// The hash, in hexadecimal.
    #[must_use]
    pub fn finish(self) -> String {
        base16ct::lower::encode_string(&self.0.finalize())
    }
}

/// The SHA-256 of bytes, in hexadecimal.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(&Sha256::digest(bytes))
}
