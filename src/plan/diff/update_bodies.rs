//! The body of an update while it is being planned.

use serde_json::{Map, Value};

/// An update under construction: the new values, and those that they replace.
#[derive(Debug, Default)]
pub(super) struct UpdateBodies {
    pub(super) body: Map<String, Value>,
    pub(super) before: Map<String, Value>,
}
