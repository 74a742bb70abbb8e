//! The custom-field values of a contact: entries of `customFields`, identified by field id.
//!
//! An entry goes into a column if it is `{id, value}` and the first for a known field. Any other
//! entry is preserved as it was sent. If it is for a field with a column, the column still gets the
//! value, and the preserved entry takes precedence when the row is rebuilt.

use std::borrow::Cow;

use super::json_scan;
use super::row::FxHashMap;

/// The key of the custom-field values.
pub(super) const CUSTOM_FIELDS: &str = "customFields";

/// The value of one field.
#[derive(Debug, Clone, Copy)]
pub(super) struct FoundCustomValue<'r> {
    /// The first value, as JSON text; `None` if no entry has one.
    pub(super) value: Option<&'r str>,
    /// The first entry.
    pub(super) entry: &'r str,
    /// Whether the field's entries are among the preserved ones.
    pub(super) preserved: bool,
}

/// The entries of one row.
#[derive(Debug)]
pub(super) struct CustomValueEntries<'r> {
    /// By field index.
    pub(super) found: Vec<Option<FoundCustomValue<'r>>>,
    /// The entries to preserve.
    pub(super) preserved: Vec<&'r str>,
}

impl<'r> CustomValueEntries<'r> {
    /// Reads the entries of an array; `places` has the index of each known field.
    pub(super) fn parse_array(raw: Option<&'r str>, places: &FxHashMap<String, usize>) -> Self {
        let mut entries = Self { found: vec![None; places.len()], preserved: Vec::new() };
        for entry in raw.into_iter().flat_map(json_scan::array_elements) {
            entries.add_entry(entry, places);
        }
        entries
    }

    fn add_entry(&mut self, entry: &'r str, places: &FxHashMap<String, usize>) {
        let read = CustomValueEntry::parse_entry(entry);
        let place = read.id.and_then(|id| places.get(&*id)).copied();
        let Some(found) = place.map(|place| &mut self.found[place]) else {
            self.preserved.push(entry);
            return;
        };
        let value = read.value;
        if value.is_none() && read.plain {
            return;
        }
        let Some(first) = found else {
            let preserved = !read.plain;
            *found = Some(FoundCustomValue { value, entry, preserved });
            self.preserved.extend(preserved.then_some(entry));
            return;
        };
        // It cannot be decided which of the two is right: both are preserved.
        if !first.preserved {
            first.preserved = true;
            self.preserved.push(first.entry);
        }
        self.preserved.push(entry);
        first.value = first.value.or(value);
    }
}

/// A parsed entry.
struct CustomValueEntry<'r> {
    id: Option<Cow<'r, str>>,
    value: Option<&'r str>,
    /// Whether `id` and `value` are its only members.
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
