//! The digest of a row: a hash of what the row says, not of how it is written.
//!
//! The order of keys, the spelling of numbers, derived keys and absent values in place of `null` do not matter, and
//! tags, followers and the values of custom fields are sets. So a server that writes the same record in another way
//! does not change the digest. Notes and tasks are served by two endpoints each, whose rows differ in what surrounds the
//! record; their digest covers the columns that both have.

use std::borrow::Cow;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::column::ColumnKind;
use super::derived::DerivedRule;
use super::fields::CustomFieldColumns;
use super::table::ResourceSpec;
use super::{TableColumn, canonical_json, json_scan, scalar};

/// The digest of a row: the first bytes of a SHA-256.
pub type RowDigest = [u8; 16];

/// Lists whose order says nothing.
const SETS: [&str; 2] = ["tags", "followers"];
/// The list of a contact's custom fields, one object each.
const CUSTOM_FIELDS: &str = "customFields";
/// The columns of notes and tasks that only one of their two endpoints serves.
const ONE_SIDED: [(&str, &[&str]); 2] =
    [("notes", &["relations", "extra"]), ("tasks", &["date_added", "date_updated", "extra"])];

/// Computes the digests of one table's rows.
#[derive(Debug)]
pub struct RowDigester {
    spec: &'static ResourceSpec,
    /// The columns that count; all members of the row do if there are none.
    columns: Vec<TableColumn>,
}

impl RowDigester {
    /// A digester for rows of this resource.
    #[must_use]
    pub fn new(spec: &'static ResourceSpec) -> Self {
        let mut columns = Vec::new();
        if let Some((_, one_sided)) = ONE_SIDED.iter().find(|(table, _)| *table == spec.name) {
            columns = (spec.columns)(&CustomFieldColumns::default());
            columns.retain(|column| !one_sided.contains(&column.name.as_str()));
        }
        Self { spec, columns }
    }

    /// The digest of a raw row, which must have passed a JSON parser.
    #[must_use]
    pub fn digest_row(&self, row: &str) -> RowDigest {
        let text = if self.columns.is_empty() {
            self.canonical_members(row)
        } else {
            self.canonical_columns(row)
        };
        let hash = Sha256::digest(text.as_deref().unwrap_or(row).as_bytes());
        std::array::from_fn(|at| hash[at])
    }

    /// All members of a row; `None` if they cannot be parsed, such as a value that is nested too deeply.
    fn canonical_members(&self, row: &str) -> Option<String> {
        let members = canonical_json::sorted_members(row);
        let find = |key: &str| {
            let place = members.binary_search_by_key(&key, |(key, _)| key).ok()?;
            Some(members[place].1).filter(|raw| *raw != "null")
        };
        let mut text = String::with_capacity(row.len());
        for (key, raw) in &members {
            let derived = self.spec.derived.iter().find(|derived| derived.key == *key);
            let is_derived = derived.is_some_and(|derived| {
                // Where a page continues depends on the order of the search.
                matches!(derived.rule, DerivedRule::Cursor { .. })
                    || derived.is_redundant(raw, find)
            });
            if *raw == "null" || is_derived {
                continue;
            }
            text.push_str(key);
            text.push(':');
            if SETS.contains(key) {
                canonical_json::append_json_set(&mut text, raw)?;
            } else if *key == CUSTOM_FIELDS {
                canonical_json::append_json_custom_fields(&mut text, raw)?;
            } else {
                canonical_json::append_json(&mut text, raw)?;
            }
            text.push('\n');
        }
        Some(text)
    }

    /// The values of the columns, under the columns' names.
    fn canonical_columns(&self, row: &str) -> Option<String> {
        let members = canonical_json::sorted_members(row);
        let find = |key: &str| {
            let place = members.binary_search_by_key(&key, |(key, _)| key).ok()?;
            Some(members[place].1).filter(|raw| *raw != "null")
        };
        let mut text = String::new();
        for column in &self.columns {
            let Some(raw) = column.source_keys().find_map(find) else { continue };
            text.push_str(&column.name);
            text.push(':');
            let is_time = column.kind == ColumnKind::Timestamp;
            match is_time.then(|| scalar::parse_instant(raw, None)).flatten() {
                Some((ms, _)) => {
                    let _ = write!(text, "{ms}");
                }
                None => canonical_json::append_json(&mut text, raw)?,
            }
            text.push('\n');
        }
        Some(text)
    }
}

/// A row without its place in the order of the search by which it was read.
#[must_use]
pub fn without_page_cursor(row: &str) -> Cow<'_, str> {
    const KEY: &str = "searchAfter";
    if memchr::memmem::find(row.as_bytes(), KEY.as_bytes()).is_none()
        || !json_scan::object_members(row).any(|(key, _)| key == KEY)
    {
        return Cow::Borrowed(row);
    }
    let mut text = String::with_capacity(row.len());
    for (key, raw) in json_scan::object_members(row).filter(|(key, _)| *key != KEY) {
        text.push_str(if text.is_empty() { "{\"" } else { ",\"" });
        text.push_str(key);
        text.push_str("\":");
        text.push_str(raw);
    }
    text.push_str(if text.is_empty() { "{}" } else { "}" });
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{CONTACTS, NOTES, TASKS};

    #[track_caller]
    fn check(spec: &'static ResourceSpec, one: &str, other: &str, same: bool) {
        let digester = RowDigester::new(spec);
        let equal = digester.digest_row(one) == digester.digest_row(other);
        assert_eq!(equal, same, "{one} and {other}");
    }

    #[test]
    fn the_way_a_row_is_written_does_not_matter() {
        let row = r#"{"id":"a","tags":["x","y"],"score":1,"city":null,"customFields":[{"id":"f","value":["p","q"]},{"id":"g","value":2}]}"#;
        let same = r#"{ "score":1.0, "customFields":[{"value":2e0,"id":"g"},{"id":"f","value":["q","p"]},{"id":"h","value":null}], "tags":["y","x","y"],"id":"a"}"#;
        check(&CONTACTS, row, same, true);
    }

    #[test]
    fn derived_keys_count_only_where_they_say_something_else() {
        let row = r#"{"id":"a","firstName":"Ann"}"#;
        check(&CONTACTS, row, r#"{"id":"a","firstName":"Ann","firstNameLowerCase":"ann"}"#, true);
        check(&CONTACTS, row, r#"{"id":"a","firstName":"Ann","firstNameLowerCase":"bob"}"#, false);
    }

    #[test]
    fn the_place_in_a_search_is_no_content_and_can_be_removed() {
        let row = r#"{"id":"a","searchAfter":[5,"a"],"city":"x"}"#;
        check(&CONTACTS, row, r#"{"id":"a","city":"x"}"#, true);
        assert_eq!(without_page_cursor(row), r#"{"id":"a","city":"x"}"#);
        assert_eq!(without_page_cursor(r#"{"id":"a","searchAfter":[5,"a"]}"#), r#"{"id":"a"}"#);
        assert_eq!(without_page_cursor(r#"{"searchAfter":[5],"id":1}"#), r#"{"id":1}"#);
        assert_eq!(without_page_cursor(r#"{"id":"a"}"#), r#"{"id":"a"}"#);
    }

    #[test]
    fn every_difference_in_content_is_one() {
        let row = r#"{"id":"a","tags":["x"],"n":12,"list":[1,2]}"#;
        for other in [
            r#"{"id":"a","tags":["X"],"n":12,"list":[1,2]}"#,
            r#"{"id":"a","tags":[],"n":12,"list":[1,2]}"#,
            r#"{"id":"a","tags":["x"],"n":"12","list":[1,2]}"#,
            r#"{"id":"a","tags":["x"],"n":12,"list":[2,1]}"#,
            r#"{"id":"a","tags":["x"],"n":12,"list":[1,2],"new":0}"#,
        ] {
            check(&CONTACTS, row, other, false);
        }
    }

    #[test]
    fn a_note_and_a_task_are_the_same_from_both_of_their_endpoints() {
        let listed =
            r#"{"id":"n","contactId":"c","body":"b","dateAdded":"2026-11-01T00:00:00.000Z"}"#;
        let found = r#"{"id":"n","contactId":"c","body":"b","dateAdded":1793491200000,"relations":[{"recordId":"c"}]}"#;
        check(&NOTES, listed, found, true);
        check(&NOTES, listed, &found.replace(r#""b""#, r#""c""#), false);
        let listed = r#"{"id":"t","title":"x","completed":false}"#;
        let found = r#"{"_id":"t","title":"x","completed":false,"locationId":"l","dateAdded":"2026-11-01T00:00:00.000Z"}"#;
        check(&TASKS, listed, found, true);
    }
}
