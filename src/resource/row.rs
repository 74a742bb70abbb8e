//! A row as it arrives: JSON text taken apart by key, nothing parsed yet.
//!
//! One pass over the text finds the value of every key a table knows and hands every other member on. Values stay
//! text, however deeply they nest.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::json_scan;

/// A map from short keys of our own choice. Nobody can fill it with colliding keys, so a simple hash will do.
pub(super) type FxHashMap<K, V> = HashMap<K, V, BuildHasherDefault<FxHasher>>;

/// A hash that takes eight bytes at a time (the one of Firefox and rustc); it halves the time of a look-up.
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
        // The end mark of a text; `write` needs none, as every key is hashed alone.
    }

    fn finish(&self) -> u64 {
        // The map wants good bits at both ends, and a product has them at the top only.
        self.0.rotate_left(26)
    }
}

/// The keys a table knows, each with its place.
#[derive(Debug, Default)]
pub(super) struct RowKeyIndex {
    places: FxHashMap<&'static str, usize>,
}

impl RowKeyIndex {
    /// The place of the key, a new one if need be.
    pub(super) fn intern_key(&mut self, key: &'static str) -> usize {
        let next = self.places.len();
        *self.places.entry(key).or_insert(next)
    }

    /// The place of the key, if it is known.
    pub(super) fn find_key(&self, key: &str) -> Option<usize> {
        self.places.get(key).copied()
    }

    /// The values of the known keys by place; every other member goes to `other`. `null` is as good as
    /// absent. None if the row is no object.
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
