//! Why no events can be made or stored.

use crate::mirror::MirrorError;
use crate::publish::PublishError;

/// Why no events can be made or stored.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The mirror cannot be used.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// The temporary files of a layout cannot be used.
    #[error(transparent)]
    Layout(#[from] PublishError),
    /// The location has no mirror.
    #[error("location `{0}` has no mirror")]
    NoMirror(crate::id::LocationId),
}
