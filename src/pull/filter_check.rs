//! Checks the contacts of a filtered export against the filter: a server may ignore it.
//!
//! Only what a row itself tells for certain counts: that it lacks the tag, that it was added or updated outside the range,
//! that it is of another business. Such contacts stay in the export, which is then not complete. Everything else that a
//! filter can say is not checked.

use serde::Deserialize;
use serde_json::Value;

use super::{Pull, PullError};
use crate::api;
use crate::concurrency;
use crate::diagnostic::{EventWarningCode, FetchFailureCode};
use crate::model::remote::equality;
use crate::run::{FetchFailure, RunError, SpoolReader, SpoolWrite, stream};
use crate::text::{format_count, select_plural};

/// The subject of the failure.
const SUBJECT: &str = "filter";

/// How far a date may be outside the range, in milliseconds: the server may round it.
const TOLERANCE_MS: f64 = 1_000.0;

/// A condition that a row can be checked against.
#[derive(Debug, Clone, PartialEq)]
enum RowCondition {
    /// It has a tag with this text, compared without case and punctuation.
    Tag(String),
    /// Its date is in this range, in milliseconds since 1970.
    Date(DateKey, f64, f64),
    /// It is of this business.
    Business(String),
}

/// The date that a range is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DateKey {
    Added,
    Updated,
}

/// The members of a row that conditions are about.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CheckedRow {
    #[serde(default)]
    tags: Value,
    #[serde(default)]
    date_added: Value,
    #[serde(default)]
    date_updated: Value,
    #[serde(default)]
    business_id: Option<Value>,
}

impl Pull {
    /// Warns if contacts do not match the filter, and records that the export is not what was requested.
    pub(super) async fn check_filter(&self) -> Result<(), PullError> {
        let filters = self.options.filter.filters.iter();
        let conditions: Vec<RowCondition> = filters.filter_map(parse_conditions).collect();
        if conditions.is_empty() {
            return Ok(());
        }
        self.flush_writes().await?;
        let (db, fresh_since) = (self.db.clone(), self.fresh_since());
        let counted = concurrency::run_blocking(move || {
            let (reader, mut seq) = (SpoolReader::open(&db)?, 0);
            let (mut all, mut wrong) = (0, 0);
            while let Some(entry) = reader.next_entry(stream::CONTACTS, seq)? {
                seq = entry.seq;
                for row in api::parse_list_rows(&entry.body, "contacts").unwrap_or_default() {
                    all += 1;
                    wrong += u64::from(is_mismatch(row.get(), &conditions, fresh_since));
                }
            }
            Ok::<_, RunError>((all, wrong))
        });
        let (all, wrong): (u64, u64) = counted.await?;
        if wrong == 0 {
            return Ok(());
        }
        let message = format!(
            "{} of {} contacts {} not match the filter: the server ignores it, wholly or in part",
            format_count(wrong),
            format_count(all),
            select_plural(wrong, "does", "do")
        );
        self.report_warning(EventWarningCode::FilterIgnored, message.clone());
        self.write_to_spool(SpoolWrite::Failed(FetchFailure {
            stream: stream::CONTACTS.to_owned(),
            subject: SUBJECT.to_owned(),
            code: FetchFailureCode::FilterIgnored,
            message,
            status: None,
            trace_id: None,
            transient: false,
            records: 0,
        }))
        .await
    }
}

/// The conditions of a filter in the API's grammar; none if it says something that is not checked.
fn parse_conditions(filter: &Value) -> Option<RowCondition> {
    let (field, value) = (filter["field"].as_str()?, &filter["value"]);
    match (field, filter["operator"].as_str()?) {
        ("tags", "contains") => Some(RowCondition::Tag(letters_of(value.as_str()?))),
        ("businessId", "eq") => Some(RowCondition::Business(value.as_str()?.to_owned())),
        ("dateAdded" | "dateUpdated", "range") => {
            let key = if field == "dateAdded" { DateKey::Added } else { DateKey::Updated };
            let bound = |names: [&str; 2]| names.iter().find_map(|name| value[*name].as_f64());
            let from = bound(["gte", "gt"]).unwrap_or(f64::NEG_INFINITY);
            Some(RowCondition::Date(key, from, bound(["lte", "lt"]).unwrap_or(f64::INFINITY)))
        }
        _ => None,
    }
}

/// Whether a row certainly does not match. The tags of a contact that was changed lately may be newer than the index.
fn is_mismatch(row: &str, conditions: &[RowCondition], fresh_since: i64) -> bool {
    let Ok(row) = serde_json::from_str::<CheckedRow>(row) else { return false };
    let is_old = equality::value_epoch_millis(&row.date_updated).is_some_and(|at| at < fresh_since);
    conditions.iter().any(|condition| match condition {
        RowCondition::Tag(tag) => {
            let Value::Array(tags) = &row.tags else { return false };
            let has = |own: &Value| own.as_str().is_none_or(|own| letters_of(own).contains(tag));
            is_old && !tags.iter().any(has)
        }
        RowCondition::Date(key, from, to) => {
            let date = match key {
                DateKey::Added => &row.date_added,
                DateKey::Updated => &row.date_updated,
            };
            #[expect(clippy::cast_precision_loss, reason = "milliseconds have 41 bits")]
            let date = equality::value_epoch_millis(date).map(|date| date as f64);
            date.is_some_and(|at| at < from - TOLERANCE_MS || at > to + TOLERANCE_MS)
        }
        RowCondition::Business(id) => match &row.business_id {
            Some(Value::String(own)) => is_old && own != id,
            _ => false,
        },
    })
}

/// A text without case and punctuation, which an index may leave out.
fn letters_of(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_a_mismatch_only_if_it_is_certain() {
        let tag = json!({"field": "tags", "operator": "contains", "value": "VIP gold"});
        let since = json!({"field": "dateAdded", "operator": "range", "value": {"gte": 100_000}});
        let business = json!({"field": "businessId", "operator": "eq", "value": "b"});
        let query = json!({"field": "country", "operator": "eq", "value": "GB"});
        let all = [&tag, &since, &business, &query];
        let conditions: Vec<_> = all.into_iter().filter_map(parse_conditions).collect();
        assert_eq!(conditions.len(), 3);
        let check = |row: Value| is_mismatch(&row.to_string(), &conditions, 1_000_000);
        for unknown in [
            json!({}),
            json!({"tags": ["a", "my vip-gold club"], "dateUpdated": 1, "dateAdded": 100_000}),
            json!({"tags": [], "dateUpdated": 2_000_000}),
            json!({"dateAdded": "1970-01-01T00:01:39.500Z"}),
            json!({"businessId": null, "dateUpdated": 1}),
        ] {
            assert!(!check(unknown.clone()), "{unknown}");
        }
        for wrong in [
            json!({"tags": ["vip"], "dateUpdated": 1}),
            json!({"dateAdded": "1970-01-01T00:01:38Z"}),
            json!({"businessId": "c", "dateUpdated": 1}),
        ] {
            assert!(check(wrong.clone()), "{wrong}");
        }
    }
}
