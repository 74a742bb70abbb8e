//! The baseline of a child write: how many equal children existed before it, and which.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::classify::equals_child;
use crate::model::OpChange;
use crate::model::remote::equality::child_id;

/// The children of a contact that were equal to a planned one before it was sent. Stored with the
/// intent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildBaseline {
    /// How many there were.
    pub equal: usize,
    /// Their ids, if they have one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
}

impl ChildBaseline {
    /// Counts the equal children.
    #[must_use]
    pub fn from_children<'v>(
        change: &OpChange,
        children: impl IntoIterator<Item = &'v Value>,
    ) -> Self {
        let equal: Vec<&Value> =
            children.into_iter().filter(|child| equals_child(change, child)).collect();
        let ids = equal.iter().filter_map(|child| child_id(child).map(str::to_owned));
        Self { ids: ids.collect(), equal: equal.len() }
    }

    /// The child that was added since, when there are more than before: its id, if it has one.
    #[must_use]
    pub fn added_child(&self, now: &Self) -> Option<Option<String>> {
        let new = || now.ids.iter().find(|id| !self.ids.contains(id)).cloned();
        (now.equal > self.equal).then(new)
    }

    /// Parses the baseline stored with an intent.
    #[must_use]
    pub fn parse_stored(text: Option<&str>) -> Option<Self> {
        serde_json::from_str(text?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(equal: usize, ids: &[&str]) -> ChildBaseline {
        ChildBaseline { equal, ids: ids.iter().map(|id| (*id).to_owned()).collect() }
    }

    #[test]
    fn one_more_than_before_is_the_one_that_was_sent() {
        let before = reference(1, &["a"]);
        assert_eq!(before.added_child(&reference(1, &["a"])), None);
        assert_eq!(before.added_child(&reference(2, &["b", "a"])), Some(Some("b".to_owned())));
        assert_eq!(before.added_child(&reference(2, &[])), Some(None));
        // The old one was removed and the new one added: the count cannot tell the two apart.
        assert_eq!(before.added_child(&reference(1, &["b"])), None);
    }

    #[test]
    fn what_an_intent_says_is_read_back() {
        let before = reference(2, &["a", "b"]);
        let text = serde_json::to_string(&before).unwrap();
        assert_eq!(ChildBaseline::parse_stored(Some(&text)), Some(before));
        assert_eq!(ChildBaseline::parse_stored(Some("{")), None);
        assert_eq!(ChildBaseline::parse_stored(None), None);
    }
}
