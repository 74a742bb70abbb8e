//! The summary of a plan: what will happen, what it costs, and what it may trigger.

mod deletion_summary;
pub(crate) mod problem_summary;
mod restore_summary;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::choice::Choice as _;
use crate::id::ContactId;
use crate::import::ImportError;
use crate::import::results::PlannedFieldRow;
use crate::import::source::ColumnMapping;
use crate::import::source::left_out::LeftOutColumn;
use crate::model::{IdempotencyClass, NewField, OpChange, op_codec};
use crate::plan::diff::FieldChange;
use crate::run::{ImportStore, OpRecord, RowAction};

pub use deletion_summary::DeletionSummary;
use problem_summary::ProblemCounter;
pub use problem_summary::ProblemSummary;
pub use restore_summary::RestoreSummary;

/// Decisions read per batch.
const LOT: usize = 5_000;
/// How many tags the summary names.
const TAGS: usize = 10;

/// The summary of a plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PlanSummary {
    /// Rows in the sheet.
    pub rows: u64,
    /// Rows by action.
    pub actions: BTreeMap<RowAction, u64>,
    /// Rejected rows by the code of their first reason.
    pub rejected: BTreeMap<String, u64>,
    /// All reasons of rejections by column and code, each with an example; the most frequent first.
    #[serde(default)]
    pub rejected_by_column: Vec<ProblemSummary>,
    /// Warnings by code.
    pub warnings: BTreeMap<String, u64>,
    /// Warnings by column and code, each with an example; the most frequent first.
    #[serde(default)]
    pub warnings_by_column: Vec<ProblemSummary>,
    /// The columns that are not imported: owners and consent first.
    #[serde(default)]
    pub left_out: Vec<LeftOutColumn>,
    /// How often each field changes.
    pub fields: BTreeMap<String, u64>,
    /// Requests by purpose, as planned; checks of unknown outcomes and retries are added to that.
    pub requests: BTreeMap<String, u64>,
    /// The total number of requests.
    pub total: u64,
    /// The time that they take at the rate limit, in seconds.
    pub seconds: u64,
    /// Their share of the documented daily quota, in percent.
    pub daily_share: f64,
    /// Tags that contacts will get, the most frequent first: they may trigger workflows.
    pub tags: Vec<(String, u64)>,
    /// Rows that are created with nothing that prevents them from being created twice.
    pub once: u64,
    /// The custom fields that are created before anything else is written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new_fields: Vec<NewField>,
    /// The custom fields that an undo deletes if no contact has a value of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unused_fields: Vec<String>,
    /// The columns and where they go.
    pub columns: Vec<ColumnMapping>,
    /// The first rows that change something: record and changed fields.
    pub examples: Vec<(u64, Vec<FieldChange>)>,
    /// What is deleted, if rows delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal: Option<DeletionSummary>,
    /// What it is restored from and what is lost, if it is a restore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<RestoreSummary>,
}

/// Contacts in one request that sets a business.
const BUSINESS_BATCH: u64 = 50;
/// How many examples are shown.
const EXAMPLES: usize = 3;

/// The documented limits of the API (api.md §8.1): requests in ten seconds, and per day.
const BURST: u64 = 100;
const DAILY: u64 = 200_000;

impl PlanSummary {
    /// Whether anything would be sent.
    #[must_use]
    pub fn has_writes(&self) -> bool {
        self.total > 0
    }

    /// How many records the plan deletes.
    #[must_use]
    pub fn deletions(&self) -> u64 {
        self.removal.as_ref().map_or(0, |removal| removal.count)
    }

    /// The custom fields, as `plan.csv` shows them.
    pub(in crate::import) fn field_rows(&self) -> Vec<PlannedFieldRow> {
        let created = self.new_fields.iter().map(|field| PlannedFieldRow {
            action: "create_field",
            name: field.name.clone(),
            old: String::new(),
            new: field.data_type.word().to_owned(),
        });
        let deleted = self.unused_fields.iter().map(|name| PlannedFieldRow {
            action: "delete_field",
            name: name.clone(),
            old: name.clone(),
            new: String::new(),
        });
        created.chain(deleted).collect()
    }

    /// Counts the decisions.
    pub(crate) fn from_rows_and_ops(
        rows: &ImportStore,
        ops: impl Iterator<Item = Result<OpRecord, ImportError>>,
        columns: Vec<ColumnMapping>,
        tag_batch: usize,
    ) -> Result<Self, ImportError> {
        let mut summary = Self { rows: rows.row_count()?, columns, ..Self::default() };
        summary.count_decisions(rows)?;
        summary.warnings = rows.warning_counts()?;
        summary.warnings_by_column = summarize_warnings(rows)?;
        summary.count_ops(ops, tag_batch as u64)?;
        summary.total = summary.requests.values().sum();
        summary.seconds = summary.total.saturating_sub(1) / BURST * 10;
        #[expect(clippy::cast_precision_loss, reason = "a share for people")]
        {
            summary.daily_share = summary.total as f64 * 100.0 / DAILY as f64;
        }
        Ok(summary)
    }

    fn count_decisions(&mut self, rows: &ImportStore) -> Result<(), ImportError> {
        let (mut after, mut rejections) = (0, ProblemCounter::default());
        loop {
            let lot = rows.decisions_after(after, LOT)?;
            let Some((last, _)) = lot.last() else { break };
            after = *last;
            for (n, decision) in lot {
                *self.actions.entry(decision.action).or_default() += 1;
                if let Some(first) = decision.rejections.first() {
                    *self.rejected.entry(first.code.to_string()).or_default() += 1;
                }
                for rejection in &decision.rejections {
                    rejections.add(rows, n, rejection, 1)?;
                }
                let Some(changes) = decision.changes else { continue };
                let changes: Vec<FieldChange> =
                    serde_json::from_str(&changes).map_err(|error| {
                        ImportError::Bug(format!("the changes of row {n}: {error}"))
                    })?;
                for change in &changes {
                    *self.fields.entry(change.field.clone()).or_default() += 1;
                }
                if self.examples.len() < EXAMPLES {
                    self.examples.push((n, changes));
                }
            }
        }
        self.rejected_by_column = rejections.into_summaries();
        Ok(())
    }

    fn count_ops(
        &mut self,
        ops: impl Iterator<Item = Result<OpRecord, ImportError>>,
        tag_batch: u64,
    ) -> Result<(), ImportError> {
        let mut bulk: BTreeMap<(SharedChangeKind, String), u64> = BTreeMap::new();
        let mut tags: BTreeMap<String, u64> = BTreeMap::new();
        let mut counted: BTreeSet<(&str, ContactId)> = BTreeSet::new();
        for op in ops {
            let op = op_codec::decode_op(&op?)?;
            if op.class == IdempotencyClass::Once {
                self.once += 1;
            }
            for tag in tags_added(&op.change, &op.before) {
                *tags.entry(tag).or_default() += 1;
            }
            if let Some(kind) = SharedChangeKind::of(&op.change) {
                let change = serde_json::to_string(&op.change).expect("a change is plain JSON");
                *bulk.entry((kind, change)).or_default() += 1;
                continue;
            }
            *self.requests.entry(request_label(&op.change).to_owned()).or_default() += 1;
            // Equal notes or tasks are counted before the first one is added to an existing contact.
            if let (Some(list), Some(contact)) = (child_list_name(&op.change), op.contact)
                && counted.insert((list, contact))
            {
                *self.requests.entry(format!("read {list} before adding to them")).or_default() +=
                    1;
            }
        }
        for ((kind, _), contacts) in bulk {
            let (name, batch) = match kind {
                SharedChangeKind::Business => ("set businesses", BUSINESS_BATCH),
                SharedChangeKind::Tags => ("change tags", tag_batch),
            };
            *self.requests.entry(name.to_owned()).or_default() += contacts.div_ceil(batch.max(1));
        }
        self.tags = tags.into_iter().collect();
        self.tags.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        self.tags.truncate(TAGS);
        Ok(())
    }
}

fn summarize_warnings(rows: &ImportStore) -> Result<Vec<ProblemSummary>, ImportError> {
    let mut warnings = ProblemCounter::default();
    for (first, count) in rows.warnings_by_field()? {
        warnings.add(rows, first.place.record.unwrap_or(0), &first, count)?;
    }
    Ok(warnings.into_summaries())
}

/// The kind of change that many contacts share in one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SharedChangeKind {
    Tags,
    Business,
}

impl SharedChangeKind {
    fn of(change: &OpChange) -> Option<Self> {
        match change {
            OpChange::AddTags { .. } | OpChange::RemoveTags { .. } => Some(Self::Tags),
            OpChange::SetBusiness { .. } => Some(Self::Business),
            _ => None,
        }
    }
}

fn request_label(change: &OpChange) -> &'static str {
    match change {
        OpChange::Create { .. } => "create contacts",
        OpChange::Upsert { .. } => "create or update contacts",
        OpChange::Update { .. } => "update contacts",
        OpChange::Delete => "delete contacts",
        OpChange::AddTags { .. } | OpChange::RemoveTags { .. } => "change tags",
        OpChange::SetBusiness { .. } => "set businesses",
        OpChange::CreateNote { .. } => "create notes",
        OpChange::UpdateNote { .. } => "update notes",
        OpChange::DeleteNote { .. } => "delete notes",
        OpChange::CreateTask { .. } => "create tasks",
        OpChange::UpdateTask { .. } | OpChange::CompleteTask { .. } => "update tasks",
        OpChange::DeleteTask { .. } => "delete tasks",
        OpChange::CreateField { .. } => "create custom fields",
        OpChange::DeleteField { .. } => "delete custom fields",
    }
}

fn child_list_name(change: &OpChange) -> Option<&'static str> {
    match change {
        OpChange::CreateNote { .. } => Some("notes"),
        OpChange::CreateTask { .. } => Some("tasks"),
        _ => None,
    }
}

/// The tags that contacts do not have yet and will get.
fn tags_added(change: &OpChange, before: &Value) -> Vec<String> {
    let of = |body: &serde_json::Map<String, Value>| {
        let tags = body.get("tags").and_then(Value::as_array).into_iter().flatten();
        tags.filter_map(|tag| tag.as_str().map(str::to_lowercase)).collect::<Vec<_>>()
    };
    match change {
        OpChange::AddTags { tags } => tags.iter().map(|tag| tag.to_lowercase()).collect(),
        OpChange::Create { body } | OpChange::Upsert { body } => of(body),
        OpChange::Update { body } => {
            let had = before["tags"].as_array().into_iter().flatten();
            let had: Vec<_> = had.filter_map(|tag| tag.as_str().map(str::to_lowercase)).collect();
            of(body).into_iter().filter(|tag| !had.contains(tag)).collect()
        }
        _ => Vec::new(),
    }
}
