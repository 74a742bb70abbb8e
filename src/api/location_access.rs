//! What is known of the token's access to the location.

use tokio::sync::Mutex;

use crate::id::LocationId;

/// Whether the token reaches the location, as far as it was asked.
pub(super) struct LocationAccess {
    pub(super) location: LocationId,
    /// Held while the question is under way, so that it is asked once.
    pub(super) granted: Mutex<Option<bool>>,
}

impl LocationAccess {
    /// Nothing is known yet.
    pub(super) fn new(location: LocationId) -> Self {
        Self { location, granted: Mutex::new(None) }
    }
}
