//! Why an import stopped early.

use std::path::PathBuf;

use crate::diagnostic::Diagnostic;
use crate::id::RunId;
use crate::plan::restore::MissingNames;
use crate::plan::validate::{UnknownOptionCell, UnresolvedName};
use crate::repository::RepositoryError;
use crate::text::{format_count, format_plural, select_plural};
use crate::{api, push, run};

/// How many rows the refusal of a plan names.
pub(super) const NAMED_ROWS: usize = 10;

/// Why an import stopped early.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The API failed.
    #[error(transparent)]
    Api(#[from] api::ApiError),
    /// The run directory cannot be used.
    #[error(transparent)]
    Run(#[from] run::RunError),
    /// The sheet is refused as a whole.
    #[error(transparent)]
    Sheet(Box<Diagnostic>),
    /// The mapping is wrong.
    #[error("the mapping `{name}` is wrong")]
    Mapping {
        /// The name of the mapping.
        name: String,
        /// All problems of the mapping.
        problems: Vec<Diagnostic>,
    },
    /// The sheet does not fit the requested preset.
    #[error("the sheet does not fit the preset `{preset}`: it lacks {}", quote_names(.lacking))]
    Unfit {
        /// The preset.
        preset: String,
        /// The columns that the sheet lacks.
        lacking: Vec<String>,
        /// The presets that fit.
        fitting: Vec<String>,
    },
    /// The requested preset does not exist.
    #[error("there is no preset `{name}`")]
    NoPreset {
        /// The name.
        name: String,
        /// The most similar name, if there is one.
        near: Option<String>,
    },
    /// The files of the requested preset are only exported.
    #[error("`{preset}` is written by exports only: {reason}")]
    ExportOnly {
        /// The preset.
        preset: String,
        /// Why they are not imported.
        reason: &'static str,
    },
    /// Several presets fit the sheet equally well.
    #[error("several presets fit the sheet equally well: {}", quote_names(.0))]
    Ambiguous(Vec<String>),
    /// Some columns have no target yet.
    #[error("some columns are not mapped yet")]
    Undecided {
        /// The columns, with the targets that they could have.
        columns: Vec<Diagnostic>,
    },
    /// Columns that the mapping neither maps nor ignores.
    #[error("the mapping `{name}` does not mention {}", quote_names(.columns))]
    Unmapped {
        /// The name of the mapping.
        name: String,
        /// The columns.
        columns: Vec<String>,
    },
    /// Users or businesses that the location does not have.
    #[error("the sheet names users or businesses that the location does not have")]
    UnknownNames(Vec<UnresolvedName>),
    /// Values that are not options of their pick list, where the policy is to ask about them.
    #[error("the sheet has values that are not options of their pick list")]
    UnknownOptions(Vec<UnknownOptionCell>),
    /// Rows with nothing that would prevent them from being created twice.
    #[error(
        "{} {} no e-mail address, phone or marker by which a contact could be found again",
        format_plural(*.0, "row"),
        select_plural(*.0, "has", "have")
    )]
    Identityless(u64),
    /// The sheet, the mapping or the account has changed.
    #[error("{what} has changed since the plan was made")]
    Stale {
        /// What has changed.
        what: String,
        /// The affected rows or contacts, one per line.
        which: Vec<String>,
    },
    /// The run to be undone has requests whose outcome is not known yet.
    #[error(
        "run `{run}` was interrupted, and it is not known yet whether {ops} of its writes succeeded"
    )]
    Unsettled {
        /// The run.
        run: RunId,
        /// How many requests.
        ops: u64,
    },
    /// Custom fields, users or businesses that the target of a restore lacks.
    #[error("the location lacks names that the snapshot has")]
    LackingNames(MissingNames),
    /// The repository that is restored from cannot be read.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    /// Columns that cannot become custom fields.
    #[error("some columns cannot become custom fields")]
    NewFields(Vec<Diagnostic>),
    /// The server refused to create a custom field.
    #[error("the API refused to create the custom field `{name}`: {reason}")]
    FieldRefused {
        /// The field's name.
        name: String,
        /// What the server answered.
        reason: String,
    },
    /// Too many rows failed.
    #[error("{0} rows failed, more than `--max-errors` allows")]
    MaxErrors(u64),
    /// A response of the API has an unexpected shape.
    #[error("cannot read a response of the API: {0}")]
    Answer(String),
    /// A file cannot be read or written.
    #[error("`{}`: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The request cannot be fulfilled.
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
    /// The refusal of a plan because the contacts of some rows have changed: a line for each of the first
    /// [`NAMED_ROWS`], of `count`.
    pub(super) fn changed_account(mut named: Vec<String>, count: usize) -> Self {
        if let more @ 1.. = count.saturating_sub(named.len()) {
            named.push(format!("and {} more", format_count(more as u64)));
        }
        Self::Stale { what: "the account".to_owned(), which: named }
    }

    /// Whether the file, the mapping or the plan is refused, so that trying again would give the same error.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Sheet(_)
                | Self::Mapping { .. }
                | Self::NoPreset { .. }
                | Self::ExportOnly { .. }
                | Self::Unfit { .. }
                | Self::Ambiguous(_)
                | Self::Undecided { .. }
                | Self::Unmapped { .. }
                | Self::NewFields(_)
                | Self::UnknownNames(_)
                | Self::UnknownOptions(_)
                | Self::LackingNames(_)
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
            push::PushError::FieldRefused { name, reason } => Self::FieldRefused { name, reason },
            error @ push::PushError::FieldDiffers { .. } => Self::Stale {
                what: "the list of custom fields".to_owned(),
                which: vec![error.to_string()],
            },
            push::PushError::Bug(message) => Self::Bug(message),
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
