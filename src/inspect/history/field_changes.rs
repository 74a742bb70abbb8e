//! What differs between two versions of a record, column by column.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::inspect::RecordRow;
use crate::mirror::RecordKind;
use crate::resource::CustomFieldColumns;

/// The column with everything that has no column of its own.
const EXTRA: &str = "extra";
/// Where a page of a search continues: no content.
const PAGE_CURSOR: &str = "searchAfter";
/// Lists whose order says nothing, beside those of custom fields.
const SETS: [&str; 2] = ["tags", "followers"];

/// The value of a column before and after a change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldChange {
    /// Before; null if it had none.
    pub before: Value,
    /// After; null if it has none any more.
    pub after: Value,
}

impl FieldChange {
    /// The items that a list has gained and lost; `None` if it is no list of texts.
    #[must_use]
    pub fn list_difference(&self) -> Option<(Vec<&str>, Vec<&str>)> {
        let (before, after) = (text_items(&self.before)?, text_items(&self.after)?);
        if !self.before.is_array() && !self.after.is_array() {
            return None;
        }
        let gained = items_without(&after, &before);
        let lost = items_without(&before, &after);
        // The same items in another order differ as a whole.
        (gained.len() + lost.len() > 0).then_some((gained, lost))
    }
}

fn items_without<'v>(items: &[&'v str], others: &[&str]) -> Vec<&'v str> {
    items.iter().copied().filter(|item| !others.contains(item)).collect()
}

/// The texts of a list; an absent list has none.
fn text_items(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// The columns in which a version differs from the one before; all that it has if it is the first.
pub(in crate::inspect) fn compare_rows(
    kind: RecordKind,
    before: Option<&RecordRow>,
    after: &RecordRow,
    fields: &CustomFieldColumns,
) -> BTreeMap<String, FieldChange> {
    let mut changes = BTreeMap::new();
    for (column, value) in after.cells() {
        let former = before.map_or(&Value::Null, |row| row.value(column));
        if before.is_some() && depends_on_endpoint(kind, column) {
            continue;
        }
        if column == EXTRA {
            add_member_changes(&mut changes, former, value);
        } else if !is_same(column, former, value, fields) {
            let change = FieldChange { before: former.clone(), after: value.clone() };
            changes.insert(column.to_owned(), change);
        }
    }
    changes
}

/// Whether only one of the two endpoints that serve notes and tasks has a column, so that it comes and goes with the way a
/// record is read.
fn depends_on_endpoint(kind: RecordKind, column: &str) -> bool {
    match kind {
        RecordKind::Note => matches!(column, "relations" | EXTRA),
        RecordKind::Task => matches!(column, "date_added" | "date_updated" | EXTRA),
        _ => false,
    }
}

fn is_same(column: &str, one: &Value, other: &Value, fields: &CustomFieldColumns) -> bool {
    let is_set =
        SETS.contains(&column) || fields.columns().iter().any(|field| field.name == column);
    match (one, other) {
        (Value::Array(one), Value::Array(other)) if is_set => {
            let set = |items: &[Value]| items.iter().map(Value::to_string).collect::<BTreeSet<_>>();
            set(one) == set(other)
        }
        // An empty list and none say the same.
        (Value::Null, Value::Array(items)) | (Value::Array(items), Value::Null) => items.is_empty(),
        (one, other) => one == other,
    }
}

/// Compares what has no column of its own, member by member.
fn add_member_changes(changes: &mut BTreeMap<String, FieldChange>, one: &Value, other: &Value) {
    let keys = |value: &Value| {
        let members = value.as_object().into_iter().flatten();
        members.map(|(key, _)| key.clone()).collect::<BTreeSet<_>>()
    };
    for key in keys(one).union(&keys(other)) {
        let (before, after) = (one[key].clone(), other[key].clone());
        if key != PAGE_CURSOR && before != after {
            changes.insert(format!("{EXTRA}.{key}"), FieldChange { before, after });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_gains_and_loses_items() {
        let change = |before, after| FieldChange { before, after };
        let moved = change(json!(["a", "b"]), json!(["b", "c"]));
        assert_eq!(moved.list_difference(), Some((vec!["c"], vec!["a"])));
        let new = change(Value::Null, json!(["c"]));
        assert_eq!(new.list_difference(), Some((vec!["c"], vec![])));
        assert_eq!(change(json!("a"), json!(["a"])).list_difference(), None);
        assert_eq!(change(json!(["a", "b"]), json!(["b", "a"])).list_difference(), None);
        assert_eq!(change(Value::Null, Value::Null).list_difference(), None);
    }

    #[test]
    fn sets_have_no_order_and_members_without_a_column_are_compared_one_by_one() {
        let none = CustomFieldColumns::default();
        assert!(is_same("tags", &json!(["a", "b"]), &json!(["b", "a"]), &none));
        assert!(!is_same("additional_emails", &json!(["a", "b"]), &json!(["b", "a"]), &none));
        assert!(is_same("tags", &Value::Null, &json!([]), &none));
        let mut changes = BTreeMap::new();
        let before = json!({"searchAfter": [1], "score": 3, "same": 1});
        add_member_changes(&mut changes, &before, &json!({"same": 1, "new": true}));
        let names: Vec<_> = changes.keys().map(String::as_str).collect();
        assert_eq!(names, ["extra.new", "extra.score"]);
    }
}
