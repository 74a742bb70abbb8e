//! Why an export ended early.

use crate::api;
use crate::context;
use crate::diagnostic::Diagnostic;
use crate::publish;
use crate::pull;
use crate::run;

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The API failed.
    #[error(transparent)]
    Api(#[from] api::ApiError),
    /// The pull failed.
    #[error(transparent)]
    Pull(pull::PullError),
    /// The run directory cannot be used.
    #[error(transparent)]
    Run(#[from] run::RunError),
    /// The mirror cannot be used.
    #[error(transparent)]
    Mirror(#[from] crate::mirror::MirrorError),
    /// The files cannot be written.
    #[error(transparent)]
    Publish(#[from] publish::PublishError),
    /// The file that lists the contacts is invalid.
    #[error("{0}")]
    List(Box<Diagnostic>),
    /// Custom fields have changed in ways that the contract excludes.
    #[error("the custom fields have changed, and `--contract freeze` was given")]
    SchemaChanged(Vec<publish::SchemaChange>),
    /// The request cannot be fulfilled.
    #[error("{0}")]
    Request(String),
}

impl From<Diagnostic> for ExportError {
    fn from(refusal: Diagnostic) -> Self {
        Self::List(Box::new(refusal))
    }
}

impl From<pull::PullError> for ExportError {
    fn from(error: pull::PullError) -> Self {
        match error {
            pull::PullError::Api(error) => Self::Api(error),
            pull::PullError::Run(error) => Self::Run(error),
            pull::PullError::Mirror(error) => Self::Mirror(error),
            pull::PullError::Store => Self::Pull(error),
        }
    }
}

/// An export that ended early, with the reason. It can be resumed.
pub type ExportHalted = context::HaltedRun<ExportError>;

impl<E: Into<ExportError>> From<E> for ExportHalted {
    fn from(error: E) -> Self {
        Self { run: None, error: error.into() }
    }
}
