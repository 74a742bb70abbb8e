//! The custom-field values of a contact: entries of `customFields`, told apart by field id.
//!
//! An entry goes into a column when it is `{id, value}` and the first of a known field. Any other entry is kept as it
//! was sent; when it speaks of a field that has a column, the column still gets the value, and the kept entry is what
//! counts when the row is rebuilt.

use std::borrow::Cow;

use super::json_scan;
use super::row::FxHashMap;

/// The key of the custom-field values.
pub(super) const CUSTOM_FIELDS: &str = "customFields";

/// The value found for one field.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoundCustomValue<'r> {
    /// The first value, as JSON text; none if no entry has any.
    pub(super) value: Option<&'r str>,
    /// The first entry.
    pub(super) entry: &'r str,
    /// Whether the field's entries are among those kept.
    pub(super) kept: bool,
}

/// The entries of one row.
#[derive(Debug)]
pub(super) struct CustomValueEntries<'r> {
    /// By the place of the field.
    pub(super) found: Vec<Option<FoundCustomValue<'r>>>,
    /// The entries that have to be kept.
    pub(super) kept: Vec<&'r str>,
}

impl<'r> CustomValueEntries<'r> {
    /// Reads the entries of an array; `places` tells the place of each known field.
    pub(super) fn parse_array(raw: Option<&'r str>, places: &FxHashMap<String, usize>) -> Self {
        let mut entries = Self { found: vec![None; places.len()], kept: Vec::new() };
        for entry in raw.into_iter().flat_map(json_scan::array_elements) {
            entries.add_entry(entry, places);
        }
        entries
    }

    fn add_entry(&mut self, entry: &'r str, places: &FxHashMap<String, usize>) {
        let read = CustomValueEntry::parse_entry(entry);
        let place = read.id.and_then(|id| places.get(&*id)).copied();
        let Some(found) = place.map(|place| &mut self.found[place]) else {
            self.kept.push(entry);
            return;
        };
        let value = read.value;
        if value.is_none() && read.plain {
            return;
        }
        let Some(first) = found else {
            let kept = !read.plain;
            *found = Some(FoundCustomValue { value, entry, kept });
            self.kept.extend(kept.then_some(entry));
            return;
        };
        // Which of the two is right is not ours to say: both are kept.
        if !first.kept {
            first.kept = true;
            self.kept.push(first.entry);
        }
        self.kept.push(entry);
        first.value = first.value.or(value);
    }
}

/// One entry taken apart.
struct CustomValueEntry<'r> {
    id: Option<Cow<'r, str>>,
    value: Option<&'r str>,
    /// Whether it has no member but `id` and `value`.
    plain: bool,
}

impl<'r> CustomValueEntry<'r> {
    fn parse_entry(entry: &'r str) -> Self {
        let mut read = Self { id: None, value: None, plain: true };
        for (key, raw) in json_scan::object_members(entry) {
            let value = (raw != "null").then_some(raw);
            match json_scan::unescape_text(key).as_deref().unwrap_or(key) {
                "id" => read.id = value.and_then(json_scan::decode_string),
                "value" => read.value = value,
                "fieldValue" | "field_value" => {
                    read.value = read.value.or(value);
                    read.plain = false;
                }
                _ => read.plain = false,
            }
        }
        read
    }
}
