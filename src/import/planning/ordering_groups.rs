//! Ordering groups: rows that share an identity must be written one after the other.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Rows and the identities that connect them. A group is named by one of its rows.
#[derive(Debug, Default)]
pub(crate) struct OrderingGroups {
    /// The first row that had an identity, by the identity's hash: a collision only makes two rows wait for
    /// each other unnecessarily.
    first: HashMap<u64, u64>,
    /// Links each row towards the name of its group.
    parent: HashMap<u64, u64>,
}

impl OrderingGroups {
    /// Adds a row to the group of each of its identities.
    pub(crate) fn add_row<'a>(
        &mut self,
        row: u64,
        identities: impl IntoIterator<Item = (&'static str, Option<&'a str>)>,
    ) {
        for (kind, value) in identities {
            let Some(value) = value else { continue };
            let mut hasher = DefaultHasher::new();
            (kind, value).hash(&mut hasher);
            let first = *self.first.entry(hasher.finish()).or_insert(row);
            self.join_rows(first, row);
        }
    }

    /// Puts two rows into one group.
    pub(crate) fn join_rows(&mut self, one: u64, other: u64) {
        let (a, b) = (self.group_of(one), self.group_of(other));
        if a != b {
            // The smaller name is chosen, so that groups are in the order of the rows.
            self.parent.insert(a.max(b), a.min(b));
        }
    }

    /// The group of a row.
    pub(crate) fn group_of(&mut self, row: u64) -> u64 {
        let mut end = row;
        while let Some(next) = self.parent.get(&end) {
            end = *next;
        }
        let mut here = row;
        while here != end {
            here = self.parent.insert(here, end).unwrap_or(end);
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_share_an_identity_share_a_lane_also_by_way_of_others() {
        let mut groups = OrderingGroups::default();
        groups.add_row(1, [("email", Some("a")), ("phone", Some("1"))]);
        groups.add_row(2, [("email", Some("b")), ("phone", Some("2"))]);
        groups.add_row(3, [("email", Some("c")), ("phone", None)]);
        assert_eq!([1, 2, 3].map(|row| groups.group_of(row)), [1, 2, 3]);
        groups.add_row(4, [("email", Some("b")), ("phone", Some("1"))]);
        assert_eq!([1, 2, 3, 4].map(|row| groups.group_of(row)), [1, 1, 3, 1]);
    }

    #[test]
    fn a_phone_and_an_email_of_the_same_text_are_different_identities() {
        let mut groups = OrderingGroups::default();
        groups.add_row(1, [("email", Some("x"))]);
        groups.add_row(2, [("phone", Some("x"))]);
        assert_ne!(groups.group_of(1), groups.group_of(2));
    }
}
