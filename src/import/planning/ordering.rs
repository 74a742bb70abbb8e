//! Lanes: which rows must wait for each other, because they share an identity.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Rows and the identities that join them. A lane is named by one of its rows.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    /// The row that first had an identity, by the identity's hash: two that collide only wait for
    /// each other without need.
    first: HashMap<u64, u64>,
    /// Towards the lane's name.
    parent: HashMap<u64, u64>,
}

impl Lanes {
    /// Puts a row into the lane of every identity it has.
    pub(crate) fn join<'a>(
        &mut self,
        row: u64,
        identities: impl IntoIterator<Item = (&'static str, Option<&'a str>)>,
    ) {
        for (kind, value) in identities {
            let Some(value) = value else { continue };
            let mut hasher = DefaultHasher::new();
            (kind, value).hash(&mut hasher);
            let first = *self.first.entry(hasher.finish()).or_insert(row);
            let (a, b) = (self.of(first), self.of(row));
            if a != b {
                // The smaller name stays, so that lanes come in the order of the rows.
                self.parent.insert(a.max(b), a.min(b));
            }
        }
    }

    /// The lane of a row.
    pub(crate) fn of(&mut self, row: u64) -> u64 {
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
        let mut lanes = Lanes::default();
        lanes.join(1, [("email", Some("a")), ("phone", Some("1"))]);
        lanes.join(2, [("email", Some("b")), ("phone", Some("2"))]);
        lanes.join(3, [("email", Some("c")), ("phone", None)]);
        assert_eq!([1, 2, 3].map(|row| lanes.of(row)), [1, 2, 3]);
        lanes.join(4, [("email", Some("b")), ("phone", Some("1"))]);
        assert_eq!([1, 2, 3, 4].map(|row| lanes.of(row)), [1, 1, 3, 1]);
    }

    #[test]
    fn a_phone_and_an_email_of_the_same_text_are_different_identities() {
        let mut lanes = Lanes::default();
        lanes.join(1, [("email", Some("x"))]);
        lanes.join(2, [("phone", Some("x"))]);
        assert_ne!(lanes.of(1), lanes.of(2));
    }
}
