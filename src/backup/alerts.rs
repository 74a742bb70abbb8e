//! What is unusual about a snapshot: many deletions, many changes, or a field that many contacts have lost.
//!
//! An alert places a hold on the snapshot before, so that the last good state is not forgotten before a person has looked.

use std::collections::BTreeMap;

use serde_json::Value;

use super::BackupError;
use crate::diagnostic::EventWarningCode;
use crate::mirror::{MirrorReader, RecordKind};
use crate::repository::{LOCATION_TABLE, Manifest, SnapshotAlert, TableTotals};
use crate::text::{format_count, format_plural};

/// Fewer records are never an alert.
const LEAST: u64 = 10;

/// How much is unusual. Each share is in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertLimits {
    /// Deletions in a table, of what it had.
    pub deleted: u64,
    /// Changed contacts, of all.
    pub changed: u64,
    /// Contacts that have lost a field, of those that had it.
    pub field_emptied: u64,
}

impl Default for AlertLimits {
    fn default() -> Self {
        Self { deleted: 500, changed: 2_000, field_emptied: 2_000 }
    }
}

fn is_over(count: u64, of: u64, limit: u64) -> bool {
    count >= LEAST && count.saturating_mul(10_000) > of.saturating_mul(limit)
}

/// The code of the warning about an alert.
pub(super) fn warning_code(alert: &SnapshotAlert) -> EventWarningCode {
    alert.code.parse().unwrap_or(EventWarningCode::MassChange)
}

/// What is unusual, compared with the snapshot before. `since` is the last sync that the snapshot before has, if it was made
/// from the same mirror.
pub(super) fn find_alerts(
    mirror: &MirrorReader,
    previous: &Manifest,
    since: Option<i64>,
    totals: &BTreeMap<String, TableTotals>,
    limits: AlertLimits,
) -> Result<Vec<SnapshotAlert>, BackupError> {
    let mut alerts = Vec::new();
    for kind in RecordKind::ALL {
        let table = kind.table_name();
        debug_assert_ne!(table, LOCATION_TABLE);
        let before = previous.totals.get(table).map_or(0, |totals| totals.live);
        let now = totals.get(table).copied().unwrap_or_default();
        let deleted = if since.is_some() { now.deleted } else { before.saturating_sub(now.live) };
        if is_over(deleted, before, limits.deleted) {
            let what = table.replace('_', " ");
            let (deleted_text, before_text) = (format_count(deleted), format_count(before));
            alerts.push(SnapshotAlert {
                code: EventWarningCode::MassDeletion.spelling().to_owned(),
                message: format!(
                    "{deleted_text} of {before_text} {what} were deleted since the snapshot before"
                ),
                count: deleted,
                of: before,
            });
        }
    }
    let contacts = totals.get("contacts").copied().unwrap_or_default();
    if is_over(contacts.changed, contacts.live, limits.changed) {
        let (changed, live) = (format_count(contacts.changed), format_count(contacts.live));
        alerts.push(SnapshotAlert {
            code: EventWarningCode::MassChange.spelling().to_owned(),
            message: format!("{changed} of {live} contacts have changed since the snapshot before"),
            count: contacts.changed,
            of: contacts.live,
        });
    }
    if let Some(since) = since.filter(|_| contacts.changed >= LEAST) {
        alerts.extend(find_emptied_fields(mirror, since, limits.field_emptied)?);
    }
    Ok(alerts)
}

/// The fields that many contacts have lost.
fn find_emptied_fields(
    mirror: &MirrorReader,
    since: i64,
    limit: u64,
) -> Result<Vec<SnapshotAlert>, BackupError> {
    let mut emptied: BTreeMap<String, u64> = BTreeMap::new();
    mirror.for_each_snapshot_row(RecordKind::Contact, Some(since), |row| {
        if row.row.deleted_seq.is_some() || row.first_seq > since {
            return Ok::<_, BackupError>(());
        }
        let history = mirror.load_history(RecordKind::Contact, &row.row.id)?;
        let Some(before) = history.iter().rfind(|version| version.seq <= since) else {
            return Ok(());
        };
        let now = filled_fields(&row.row.body);
        for field in filled_fields(&before.body) {
            if !now.contains(&field) {
                *emptied.entry(field).or_default() += 1;
            }
        }
        Ok(())
    })?;
    emptied.retain(|_, count| *count >= LEAST);
    if emptied.is_empty() {
        return Ok(Vec::new());
    }
    let mut filled: BTreeMap<String, u64> = BTreeMap::new();
    mirror.for_each_snapshot_row(RecordKind::Contact, None, |row| {
        for field in filled_fields(&row.row.body) {
            if emptied.contains_key(&field) {
                *filled.entry(field).or_default() += 1;
            }
        }
        Ok::<_, BackupError>(())
    })?;
    let names: BTreeMap<String, String> = mirror
        .load_field_columns(i64::MAX)?
        .into_iter()
        .map(|column| (column.field.id, column.name))
        .collect();
    let alert = |(field, count): (String, u64)| {
        let of = count + filled.get(&field).copied().unwrap_or(0);
        let name = names.get(&field).unwrap_or(&field);
        is_over(count, of, limit).then(|| SnapshotAlert {
            code: EventWarningCode::FieldEmptied.spelling().to_owned(),
            message: format!(
                "{} of {} have lost their value of the field `{name}` since the snapshot before",
                format_count(count),
                format_plural(of, "contact")
            ),
            count,
            of,
        })
    };
    Ok(emptied.into_iter().filter_map(alert).collect())
}

/// The fields of a contact that have a value; custom fields by their ids.
fn filled_fields(body: &str) -> Vec<String> {
    let Ok(Value::Object(members)) = serde_json::from_str(body) else { return Vec::new() };
    let mut fields = Vec::new();
    for (name, value) in members {
        match value {
            Value::Array(custom) if name == "customFields" => {
                let filled = custom.iter().filter(|field| has_value(&field["value"]));
                fields.extend(filled.filter_map(|field| Some(field["id"].as_str()?.to_owned())));
            }
            value if has_value(&value) => fields.push(name),
            _ => {}
        }
    }
    fields
}

fn has_value(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(all) => !all.is_empty(),
        Value::Object(all) => !all.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_without_a_value_are_not_filled() {
        let body = r#"{"id":"a","email":"","phone":null,"tags":[],"dnd":false,"customFields":
            [{"id":"f1","value":"x"},{"id":"f2","value":""},{"id":"f3"}]}"#;
        let mut fields = filled_fields(body);
        fields.sort();
        assert_eq!(fields, ["dnd", "f1", "id"]);
    }

    #[test]
    fn few_records_are_no_alert() {
        assert!(!is_over(9, 10, 500));
        assert!(is_over(10, 10, 500));
        assert!(!is_over(50, 1000, 500));
        assert!(is_over(51, 1000, 500));
    }
}
