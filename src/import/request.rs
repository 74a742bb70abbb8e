//! The request that an import was started with, stored in the run so that resuming it does the same.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ImportAccount;
use crate::choice::choice_enum;
use crate::mapping::PolicyOptions;
use crate::model::ImportMode;
use crate::sheet::SheetReadOptions;

/// What to import, how to understand it, and where the result files go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportRequest {
    /// The sheet, absolute.
    pub file: PathBuf,
    /// Whether the sheet was piped to the command: it is then copied into the run, and `file` is the copy.
    #[serde(default)]
    pub piped: bool,
    /// The directory of the result files, absolute; `None` for one in `base` that is named after the run.
    pub out: Option<PathBuf>,
    /// The directory in which unnamed result directories are created, absolute.
    pub base: PathBuf,
    /// The mapping file, absolute.
    pub mapping: Option<PathBuf>,
    /// The name of the preset.
    pub preset: Option<String>,
    /// The directory of the user's presets, absolute.
    #[serde(default)]
    pub presets: Option<PathBuf>,
    /// Rules from the command line: `COLUMN=target:converter`.
    pub rules: Vec<String>,
    /// Columns to ignore, by name, letters or pattern.
    pub ignore: Vec<String>,
    /// Tags for every row.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The user to whom every contact is assigned: an id, an e-mail address or a name.
    #[serde(default)]
    pub assign_to: Option<String>,
    /// Columns without a target that become new custom fields: lists of names, letters and patterns, or `all`.
    #[serde(default)]
    pub create_fields: Vec<String>,
    /// Whether an earlier file of the same command may have created the fields.
    #[serde(default)]
    pub fields_may_exist: bool,
    /// What to do with columns that no rule names.
    pub unmapped: UnmappedRule,
    /// How to read the file, as far as the command line sets it.
    pub reading: SheetReadOptions,
    /// The fields of the policy that the command line sets.
    pub options: PolicyOptions,
    /// Whether nothing is sent until the plan is applied.
    pub dry_run: bool,
    /// What the user agreed to before the plan was made, so that the run goes on without a question after an
    /// interruption.
    #[serde(default)]
    pub consent: PriorConsent,
    /// How many rows may fail: `N` or `N%`.
    pub max_errors: Option<MaxErrors>,
    /// How many rows to apply before stopping: a sample of every action.
    pub sample: Option<u64>,
    /// The account.
    pub account: ImportAccount,
}

/// What the user agreed to before the plan was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriorConsent {
    /// Any plan that deletes nothing (`--yes`).
    pub yes: bool,
    /// A plan that deletes exactly so many records (`--confirm-delete`).
    pub deletions: Option<u64>,
}

impl PriorConsent {
    /// Whether the user has agreed to a plan that deletes so many records.
    #[must_use]
    pub fn covers(self, deletions: u64) -> bool {
        if deletions > 0 { self.deletions == Some(deletions) } else { self.yes }
    }
}

impl ImportRequest {
    /// Whether another request, as a run stores it, imports the same file in the same way, so that the one can
    /// go on where the other stopped.
    #[must_use]
    pub fn is_same(&self, stored: &serde_json::Value) -> bool {
        let Ok(other) = serde_json::from_value::<Self>(stored.clone()) else { return false };
        let other = Self {
            base: self.base.clone(),
            account: self.account.clone(),
            consent: self.consent,
            max_errors: self.max_errors,
            sample: self.sample,
            ..other
        };
        *self == other
    }

    /// Whether the command line makes the rows delete.
    #[must_use]
    pub fn is_deletion(&self) -> bool {
        self.options.mode == Some(ImportMode::Delete)
    }
}

choice_enum! {
    /// What to do with columns that have no target.
    pub enum UnmappedRule = Ignore {
        /// Leave them out, with one warning that names them
        Ignore = "ignore",
        /// Stop the import
        Error = "error",
    }
}

/// How many rows may fail before an import stops.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxErrors {
    /// This number of rows.
    Rows(u64),
    /// This percentage of the rows.
    Percent(f64),
}

impl MaxErrors {
    /// The limit for an import with so many rows.
    #[must_use]
    pub fn limit_for(self, rows: u64) -> u64 {
        match self {
            Self::Rows(rows) => rows,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a share of a number of rows, rounded down"
            )]
            Self::Percent(share) => (rows as f64 * share / 100.0) as u64,
        }
    }
}

impl std::str::FromStr for MaxErrors {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected a number of rows, or a share such as `5%`".to_owned();
        match text.strip_suffix('%') {
            None => text.parse().map(Self::Rows).map_err(|_| wrong()),
            Some(share) => match share.trim().parse::<f64>() {
                Ok(share) if (0.0..=100.0).contains(&share) => Ok(Self::Percent(share)),
                _ => Err(wrong()),
            },
        }
    }
}
