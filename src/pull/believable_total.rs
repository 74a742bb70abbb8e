//! Whether a server's total can be used to end a walk.

/// Whether a total says how many rows there are: not if it is less than what was read, and not a round number in
/// which the count of a search engine usually ends.
pub(super) fn believable_total(total: Option<u64>, read: u64) -> Option<u64> {
    total.filter(|total| *total >= read && !(*total >= 10_000 && total % 1_000 == 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_that_may_be_capped_is_not_believed() {
        assert_eq!(believable_total(Some(12_345), 500), Some(12_345));
        assert_eq!(believable_total(Some(500), 500), Some(500));
        assert_eq!(believable_total(Some(0), 0), Some(0));
        for (total, read) in [(Some(10_000), 0), (Some(0), 3), (Some(499), 500), (None, 0)] {
            assert_eq!(believable_total(total, read), None, "{total:?} {read}");
        }
    }
}
