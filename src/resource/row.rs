//! A raw row: JSON text split by key, with unparsed values.
//!
//! One pass over the text finds the value of every key that a table knows and passes every other
//! member on. Values stay text, however deeply they nest.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::json_scan;

/// A map with short keys of our own choice. Attackers cannot cause collisions, so a simple hash is
/// enough.
pub(super) type FxHashMap<K, V> = HashMap<K, V, BuildHasherDefault<FxHasher>>;

/// A hash of eight bytes at a time (as in Firefox and rustc); it halves the time of a lookup.
#[derive(Debug, Default)]
pub(super) struct FxHasher(u64);

impl FxHasher {
    fn add_word(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
    }
}

impl Hasher for FxHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.add_word(u64::from_le_bytes(*word));
        }
        self.add_word(rest.iter().fold(0, |word, b| word << 8 | u64::from(*b)));
    }

    fn write_u8(&mut self, _: u8) {
        // The terminator of a text; `write` needs none, because every key is hashed on its own.
    }

    fn finish(&self) -> u64 {
        // The map needs good bits at both ends, and a product has them only at the top.
        self.0.rotate_left(26)
    }
}

/// The keys that a table knows, each with its index.
#[derive(Debug, Default)]
pub(super) struct RowKeyIndex {
    places: FxHashMap<&'static str, usize>,
}

impl RowKeyIndex {
    /// The index of the key, which is added if necessary.
    pub(super) fn intern_key(&mut self, key: &'static str) -> usize {
        let next = self.places.len();
        *self.places.entry(key).or_insert(next)
    }

    /// The index of a known key.
    pub(super) fn find_key(&self, key: &str) -> Option<usize> {
        self.places.get(key).copied()
    }

    /// The values of the known keys by index; every other member goes to `other`. `null` counts as
    /// absent. Returns `None` if the row is not an object.
    pub(super) fn collect_known_values<'r>(
        &self,
        row: &'r str,
        mut other: impl FnMut(&str, &'r str),
    ) -> Option<Vec<Option<&'r str>>> {
        let row = row.trim_ascii();
        if !row.starts_with('{') || !row.ends_with('}') {
            return None;
        }
        let mut found = vec![None; self.places.len()];
        for (key, raw) in json_scan::object_members(row) {
            let key = json_scan::unescape_text(key)?;
            let value = (raw != "null").then_some(raw);
            match (self.find_key(&key), value) {
                (Some(place), value) => found[place] = value,
                (None, Some(raw)) => other(&key, raw),
                (None, None) => {}
            }
        }
        Some(found)
    }
}

/// Whether JSON text can be the id of a row: a text or a number.
pub(super) fn is_row_id(raw: &str) -> bool {
    raw != r#""""# && !raw.starts_with(['{', '[', 't', 'f'])
}
