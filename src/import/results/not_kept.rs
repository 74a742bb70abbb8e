//! The values that the server accepted and the account did not keep, by target: how many, with an example.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::diagnostic::DiagnosticCode;
use crate::import::{ImportError, ProblemSummary};
use crate::model::LocationDirectory;
use crate::model::verify::PropertyMismatch;
use crate::run::ImportStore;
use crate::text::truncate_text;

/// How many characters of an example are kept.
const LONGEST_VALUE: usize = 100;

/// Counts values that were not kept.
#[derive(Debug, Default)]
pub(crate) struct NotKeptCounter(BTreeMap<String, NotKeptTarget>);

/// The values of one target.
#[derive(Debug)]
struct NotKeptTarget {
    count: u64,
    /// The first row with such a value, the value, and what the account has.
    row: u64,
    sent: Value,
    got: Value,
}

impl NotKeptCounter {
    pub(super) fn add(&mut self, row: u64, mismatch: &PropertyMismatch) {
        let first = || NotKeptTarget {
            count: 0,
            row,
            sent: mismatch.sent.clone(),
            got: mismatch.got.clone(),
        };
        self.0.entry(mismatch.field.clone()).or_insert_with(first).count += 1;
    }

    /// How many values there are.
    pub(crate) fn total(&self) -> u64 {
        self.0.values().map(|target| target.count).sum()
    }

    /// The targets, those with the most values first.
    pub(crate) fn summarize(
        &self,
        rows: &ImportStore,
        directory: Option<&LocationDirectory>,
    ) -> Result<Vec<ProblemSummary>, ImportError> {
        let mut all = Vec::with_capacity(self.0.len());
        for (field, target) in &self.0 {
            let value = match &target.sent {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            all.push(ProblemSummary {
                field: name_target(field, directory),
                code: DiagnosticCode::W_ANSWER_DIFFERS,
                count: target.count,
                value: truncate_text(&value, LONGEST_VALUE),
                place: rows.find_row(target.row)?.map(|row| row.place).unwrap_or_default(),
                message: describe_difference(&target.sent, &target.got),
            });
        }
        all.sort_by_key(|target| std::cmp::Reverse(target.count));
        Ok(all)
    }
}

/// The name of a target; a custom field has its key instead of its id.
fn name_target(field: &str, directory: Option<&LocationDirectory>) -> String {
    let Some(id) = field.strip_prefix("customFields.") else { return field.to_owned() };
    let fields = directory.map(|directory| &directory.fields);
    let found = fields.into_iter().flatten().find(|field| field.id == id);
    found.map_or_else(|| field.to_owned(), |field| format!("customFields.{}", field.key))
}

/// What was sent and what the account has.
pub(super) fn describe_difference(sent: &Value, got: &Value) -> String {
    format!("sent {}, and the account has {}", quote_value(sent), quote_value(got))
}

fn quote_value(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => format!("`{text}`"),
        value => format!("`{value}`"),
    }
}
