//! The custom-field values of a contact: entries of `customFields`, identified by field id.
//!
//! An entry goes into a column if it is `{id, value}` and the first for a known field. Any other
//! entry is preserved as it was sent. If it is for a field with a column, the column still gets the
//! value, and the preserved entry takes precedence when the row is rebuilt.
//!
//! The values may also come as one object with a member for each field, or under the name that they had in the API's
//! first version. Then the columns get them, and all is preserved as it was sent.

use std::borrow::Cow;

use super::json_scan;
use super::row::FxHashMap;

/// The key of the custom-field values.
pub(super) const CUSTOM_FIELDS: &str = "customFields";

/// The key of the custom-field values in the API's first version.
pub(super) const FIRST_CUSTOM_FIELDS: &str = "customField";

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
    /// Whether there is a list or an object of values, be it empty.
    pub(super) is_present: bool,
    /// Whether a value is in a form that is not known.
    pub(super) has_unreadable: bool,
}

impl<'r> CustomValueEntries<'r> {
    /// Reads the entries of an array, or the members of an object; `places` has the index of each known field.
    pub(super) fn parse_values(raw: Option<&'r str>, places: &FxHashMap<String, usize>) -> Self {
        let mut entries = Self {
            found: vec![None; places.len()],
            preserved: Vec::new(),
            is_present: raw.is_some_and(|raw| raw.starts_with(['[', '{'])),
            has_unreadable: false,
        };
        match raw {
            Some(raw) if raw.starts_with('{') => entries.add_members(raw, places),
            raw => raw
                .into_iter()
                .flat_map(json_scan::array_elements)
                .for_each(|entry| entries.add_entry(entry, places)),
        }
        entries.has_unreadable |= raw.is_some() && !entries.is_present;
        entries
    }

    /// Takes the values of an object whose keys are ids of fields. The object itself is preserved as a whole.
    fn add_members(&mut self, raw: &'r str, places: &FxHashMap<String, usize>) {
        let (mut members, mut known) = (0, 0);
        for (key, raw) in json_scan::object_members(raw) {
            members += 1;
            let id = json_scan::unescape_text(key);
            let Some(place) = id.and_then(|id| places.get(&*id)) else { continue };
            known += 1;
            let value = (raw != "null").then_some(raw);
            self.found[*place] = Some(FoundCustomValue { value, entry: raw, preserved: true });
        }
        self.has_unreadable |= members > 0 && known == 0;
    }

    fn add_entry(&mut self, entry: &'r str, places: &FxHashMap<String, usize>) {
        let read = CustomValueEntry::parse_entry(entry);
        self.has_unreadable |= read.id.is_none() || !(read.has_value_key || read.plain);
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
    /// Whether it has a member for the value, be it null.
    has_value_key: bool,
}

impl<'r> CustomValueEntry<'r> {
    fn parse_entry(entry: &'r str) -> Self {
        let mut read = Self { id: None, value: None, plain: true, has_value_key: false };
        for (key, raw) in json_scan::object_members(entry) {
            let value = (raw != "null").then_some(raw);
            match json_scan::unescape_text(key).as_deref().unwrap_or(key) {
                "id" => read.id = value.and_then(json_scan::decode_string),
                "value" => {
                    read.value = value;
                    read.has_value_key = true;
                }
                "fieldValue" | "field_value" => {
                    read.value = read.value.or(value);
                    (read.plain, read.has_value_key) = (false, true);
                }
                _ => read.plain = false,
            }
        }
        read
    }
}
