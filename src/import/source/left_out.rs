//! The columns of a sheet that an import leaves out, the ones that matter most first.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::column_names;
use crate::mapping::BoundMapping;
use crate::mapping::header::{SensitiveSubject, sensitive_subject};
use crate::model::result_columns::is_result_column;
use crate::sheet::SheetColumn;

/// A column that is not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOutColumn {
    /// The column's header.
    pub column: String,
    /// What the column seems to be about, if leaving it out can do harm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<SensitiveSubject>,
    /// Whether the mapping, the preset or a flag ignores it; otherwise it has no target.
    pub ignored: bool,
}

/// The columns that nothing reads: owners first, then consent, then those without a target, then those that are
/// ignored.
pub(super) fn list_left_out(plan: &BoundMapping, columns: &[SheetColumn]) -> Vec<LeftOutColumn> {
    let auxiliary = plan
        .bound
        .iter()
        .flat_map(|bound| bound.when.iter().copied().flatten().chain(bound.named_by));
    let read: HashSet<usize> = plan
        .bound
        .iter()
        .flat_map(|bound| bound.columns.iter().copied())
        .chain(auxiliary)
        .collect();
    let is_left_out = |at: &usize| {
        let name = columns[*at].name.trim();
        let is_blank = name.is_empty() && !plan.unmapped.contains(at);
        !read.contains(at) && !is_blank && !is_result_column(name)
    };
    let describe = |at: usize| LeftOutColumn {
        column: column_names(columns, &[at]).concat(),
        about: sensitive_subject(&columns[at].name),
        ignored: !plan.unmapped.contains(&at),
    };
    let mut left_out: Vec<_> = (0..columns.len()).filter(is_left_out).map(describe).collect();
    left_out.sort_by_key(|column| (column.about.is_none(), column.about, column.ignored));
    left_out
}
