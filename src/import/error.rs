//! Why an import ended early.

use std::path::PathBuf;

use crate::diagnostic::Diagnostic;
use crate::id::RunId;
use crate::plan::validate::UnresolvedName;
use crate::{api, push, run};

/// Why an import ended early.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The API.
    #[error(transparent)]
    Api(#[from] api::ApiError),
    /// The run directory.
    #[error(transparent)]
    Run(#[from] run::RunError),
    /// The sheet is refused as a whole.
    #[error(transparent)]
    Sheet(Box<Diagnostic>),
    /// The mapping is wrong.
    #[error("the mapping `{name}` is wrong")]
    Mapping {
        /// What it is called.
        name: String,
        /// Everything that is wrong.
        problems: Vec<Diagnostic>,
    },
    /// The sheet is not one for the preset that was asked for.
    #[error("the sheet is not one for the preset `{preset}`: it lacks {}", quote_names(.lacking))]
    Unfit {
        /// The preset.
        preset: String,
        /// The columns that the sheet lacks.
        lacking: Vec<String>,
        /// The presets that fit.
        fitting: Vec<String>,
    },
    /// There is no preset of the name that was asked for.
    #[error("there is no preset `{name}`")]
    NoPreset {
        /// The name.
        name: String,
        /// The nearest name, if one is near.
        near: Option<String>,
    },
    /// Several presets fit the sheet alike.
    #[error("the presets {} fit the sheet alike", quote_names(.0))]
    Ambiguous(Vec<String>),
    /// Nobody has decided what some columns mean.
    #[error("some columns are not mapped yet")]
    Undecided {
        /// The columns, with what they could be.
        columns: Vec<Diagnostic>,
    },
    /// Columns that the mapping neither maps nor ignores.
    #[error("the mapping `{name}` says nothing about {}", quote_names(.columns))]
    Unmapped {
        /// The mapping.
        name: String,
        /// The columns.
        columns: Vec<String>,
    },
    /// Users or businesses that the location does not have.
    #[error("the sheet names users or businesses that the location does not have")]
    UnknownNames(Vec<UnresolvedName>),
    /// Rows that nothing would keep from being created twice.
    #[error(
        "{0} rows have no e-mail address, phone or marker by which a contact could be found again"
    )]
    Identityless(u64),
    /// The sheet, the mapping or the account is not what it was.
    #[error("{what} has changed since the plan was made")]
    Stale {
        /// What has changed.
        what: String,
        /// The rows or contacts concerned, a line each.
        which: Vec<String>,
    },
    /// Nobody knows yet what became of requests of a run that is to be undone.
    #[error("run `{run}` was interrupted, and nobody knows yet what became of {ops} of its writes")]
    Unsettled {
        /// The run.
        run: RunId,
        /// How many.
        ops: u64,
    },
    /// Too many rows failed.
    #[error("{0} rows failed, more than `--max-errors` allows")]
    MaxErrors(u64),
    /// An answer of the API has another shape.
    #[error("an answer of the API cannot be read: {0}")]
    Answer(String),
    /// A file cannot be read or written.
    #[error("`{}`: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What was asked for cannot be.
    #[error("{0}")]
    Request(String),
    /// An internal check failed.
    #[error("an internal check failed: {0}")]
    Bug(String),
}

impl From<Diagnostic> for ImportError {
    fn from(refusal: Diagnostic) -> Self {
        Self::Sheet(Box::new(refusal))
    }
}

impl ImportError {
    /// Whether the file, the mapping or the plan is refused: trying again would meet the same.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Sheet(_)
                | Self::Mapping { .. }
                | Self::NoPreset { .. }
                | Self::Unfit { .. }
                | Self::Ambiguous(_)
                | Self::Undecided { .. }
                | Self::Unmapped { .. }
                | Self::UnknownNames(_)
                | Self::Identityless(_)
                | Self::Unsettled { .. }
                | Self::Request(_)
        )
    }
}

impl From<push::PushError> for ImportError {
    fn from(error: push::PushError) -> Self {
        match error {
            push::PushError::Api(error) => Self::Api(error),
            push::PushError::Run(error) => Self::Run(error),
            push::PushError::MaxErrors(errors) => Self::MaxErrors(errors),
            push::PushError::Bug(said) => Self::Bug(said),
        }
    }
}

fn quote_names(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(5).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(5);
    match shown.as_slice() {
        [one, other] => format!("{one} and {other}"),
        _ if more > 0 => format!("{} and {more} more", shown.join(", ")),
        _ => shown.join(", "),
    }
}
