//! The summary of a plan: what will happen, what it costs, and what it may set off.

mod deletion_summary;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::import::Error;
use crate::import::source::Shown;
use crate::model::Change;
use crate::plan::diff::FieldChange;
use crate::run::{OpRecord, Rows};

pub use deletion_summary::Removal;

/// Decisions looked at together.
const LOT: usize = 5_000;
/// Tags named in the summary.
const TAGS: usize = 10;

/// What a plan comes to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Rows of the sheet.
    pub rows: u64,
    /// Rows by action: `create`, `update`, `unchanged`, `rejected`, …
    pub actions: BTreeMap<String, u64>,
    /// Rejected rows by code.
    pub rejected: BTreeMap<String, u64>,
    /// Warnings by code.
    pub warnings: BTreeMap<String, u64>,
    /// How often each field changes.
    pub fields: BTreeMap<String, u64>,
    /// Requests by what they do, as planned; doubts and retries come on top.
    pub requests: BTreeMap<String, u64>,
    /// Requests in all.
    pub total: u64,
    /// The time that they take at the limit, in seconds.
    pub seconds: u64,
    /// Their share of the documented daily budget, in percent.
    pub daily_share: f64,
    /// Tags that contacts will get, the most frequent first: workflows may start on them.
    pub tags: Vec<(String, u64)>,
    /// Rows that are created without anything that keeps them from being created twice.
    pub once: u64,
    /// The columns and where they go.
    pub columns: Vec<Shown>,
    /// The first rows that change something, as they will be: record and its fields.
    pub examples: Vec<(u64, Vec<FieldChange>)>,
    /// What is deleted, where rows delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal: Option<Removal>,
}

/// Examples shown.
const EXAMPLES: usize = 3;

/// The API's documented limits (api.md §8.1): requests in ten seconds, and in a day.
const BURST: u64 = 100;
const DAILY: u64 = 200_000;

impl Summary {
    /// Whether anything would be sent.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.total > 0
    }

    /// Counts what was decided.
    pub(crate) fn count(
        rows: &Rows,
        ops: impl Iterator<Item = Result<OpRecord, Error>>,
        columns: Vec<Shown>,
        tag_batch: usize,
    ) -> Result<Self, Error> {
        let mut summary = Self { rows: rows.count()?, columns, ..Self::default() };
        summary.count_decisions(rows)?;
        summary.warnings = rows.warning_counts()?;
        summary.count_ops(ops, tag_batch as u64)?;
        summary.total = summary.requests.values().sum();
        summary.seconds = summary.total.saturating_sub(1) / BURST * 10;
        #[expect(clippy::cast_precision_loss, reason = "a share for people")]
        {
            summary.daily_share = summary.total as f64 * 100.0 / DAILY as f64;
        }
        Ok(summary)
    }

    fn count_decisions(&mut self, rows: &Rows) -> Result<(), Error> {
        let mut after = 0;
        loop {
            let lot = rows.decisions(after, LOT)?;
            let Some((last, _)) = lot.last() else { return Ok(()) };
            after = *last;
            for (n, decision) in lot {
                *self.actions.entry(decision.action).or_default() += 1;
                if let Some(code) = decision.code {
                    *self.rejected.entry(code).or_default() += 1;
                }
                let Some(changes) = decision.changes else { continue };
                let changes: Vec<FieldChange> = serde_json::from_str(&changes)
                    .map_err(|error| Error::Bug(format!("the changes of row {n}: {error}")))?;
                for change in &changes {
                    *self.fields.entry(change.field.clone()).or_default() += 1;
                }
                if self.examples.len() < EXAMPLES {
                    self.examples.push((n, changes));
                }
            }
        }
    }

    fn count_ops(
        &mut self,
        ops: impl Iterator<Item = Result<OpRecord, Error>>,
        tag_batch: u64,
    ) -> Result<(), Error> {
        let mut bulk: BTreeMap<String, u64> = BTreeMap::new();
        let mut tags: BTreeMap<String, u64> = BTreeMap::new();
        let mut counted: BTreeSet<(&str, String)> = BTreeSet::new();
        for op in ops {
            let op = op?;
            let body: Value = serde_json::from_str(&op.body)
                .map_err(|error| Error::Bug(format!("op {}: {error}", op.id)))?;
            let change: Change = serde_json::from_value(body["change"].clone())
                .map_err(|error| Error::Bug(format!("op {}: {error}", op.id)))?;
            if op.class == "X" {
                self.once += 1;
            }
            for tag in tags_added(&change, &body["before"]) {
                *tags.entry(tag).or_default() += 1;
            }
            if op.bulk {
                *bulk.entry(body["change"].to_string()).or_default() += 1;
                continue;
            }
            *self.requests.entry(what(&change).to_owned()).or_default() += 1;
            // Equal children are counted before the first one is added to a contact that exists.
            if let (Some(list), Some(contact)) = (children(&change), op.contact)
                && counted.insert((list, contact))
            {
                *self.requests.entry(format!("read {list} before adding to them")).or_default() +=
                    1;
            }
        }
        for (change, contacts) in bulk {
            let batch = if change.contains("set_business") { 50 } else { tag_batch };
            let name =
                if change.contains("set_business") { "set businesses" } else { "change tags" };
            *self.requests.entry(name.to_owned()).or_default() += contacts.div_ceil(batch.max(1));
        }
        self.tags = tags.into_iter().collect();
        self.tags.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        self.tags.truncate(TAGS);
        Ok(())
    }
}

fn what(change: &Change) -> &'static str {
    match change {
        Change::Create { .. } => "create contacts",
        Change::Upsert { .. } => "create or update contacts",
        Change::Update { .. } => "update contacts",
        Change::Delete => "delete contacts",
        Change::AddTags { .. } | Change::RemoveTags { .. } => "change tags",
        Change::SetBusiness { .. } => "set businesses",
        Change::CreateNote { .. } => "create notes",
        Change::UpdateNote { .. } => "update notes",
        Change::DeleteNote { .. } => "delete notes",
        Change::CreateTask { .. } => "create tasks",
        Change::UpdateTask { .. } | Change::CompleteTask { .. } => "update tasks",
        Change::DeleteTask { .. } => "delete tasks",
    }
}

fn children(change: &Change) -> Option<&'static str> {
    match change {
        Change::CreateNote { .. } => Some("notes"),
        Change::CreateTask { .. } => Some("tasks"),
        _ => None,
    }
}

/// The tags that contacts do not have yet and will get.
fn tags_added(change: &Change, before: &Value) -> Vec<String> {
    let of = |body: &serde_json::Map<String, Value>| {
        let tags = body.get("tags").and_then(Value::as_array).into_iter().flatten();
        tags.filter_map(|tag| tag.as_str().map(str::to_lowercase)).collect::<Vec<_>>()
    };
    match change {
        Change::AddTags { tags } => tags.iter().map(|tag| tag.to_lowercase()).collect(),
        Change::Create { body } | Change::Upsert { body } => of(body),
        Change::Update { body } => {
            let had = before["tags"].as_array().into_iter().flatten();
            let had: Vec<_> = had.filter_map(|tag| tag.as_str().map(str::to_lowercase)).collect();
            of(body).into_iter().filter(|tag| !had.contains(tag)).collect()
        }
        _ => Vec::new(),
    }
}
