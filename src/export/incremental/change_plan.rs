//! Which changes are written beside the tables.

use crate::mirror::ReaderPosition;
use crate::publish::{ChangeRange, MirrorPosition, PreviousMirrorExport};

/// The place of a reader that has lost its own.
const LOST: i64 = -1;

/// The ranges of changes to write, in order. More than one if an export was killed while it put files in place: what a
/// loader may have seen is completed before anything else is written.
pub(super) fn plan_changes(
    position: &MirrorPosition,
    previous: Option<&PreviousMirrorExport>,
    reader: Option<ReaderPosition>,
) -> Vec<ChangeRange> {
    let mut done = completed_changes(position, previous, reader);
    let mut ranges = Vec::new();
    let pending = reader.and_then(|reader| reader.pending);
    if let Some((from, to)) = pending.filter(|(from, to)| *from == done && *to < position.seq) {
        ranges.push(range(from, to));
        done = to;
    }
    if done < position.seq {
        ranges.push(range(done, position.seq));
    }
    ranges
}

fn range(after: i64, until: i64) -> ChangeRange {
    ChangeRange { after: after.max(0), until, reload: after == LOST }
}

/// The place that [`ReaderPosition::pending`] begins with while ranges are put in place.
pub(super) fn first_place(ranges: &[ChangeRange]) -> Option<i64> {
    ranges.first().map(|range| if range.reload { LOST } else { range.after })
}

/// The last sync whose changes the output directory has; [`LOST`] if those before are of another mirror, or not there
/// any more.
fn completed_changes(
    position: &MirrorPosition,
    previous: Option<&PreviousMirrorExport>,
    reader: Option<ReaderPosition>,
) -> i64 {
    let Some(previous) = previous else {
        // The directory is new, or a first export was killed, or the directory was removed.
        let was_written = reader.is_some_and(|reader| reader.seq > 0);
        return if was_written { LOST } else { 0 };
    };
    let Some(changes) = &previous.facts.changes else { return 0 };
    let is_same = previous.position.id == position.id && changes.seq <= position.seq;
    if is_same { changes.seq } else { LOST }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(seq: i64) -> MirrorPosition {
        MirrorPosition { id: "mirror".to_owned(), seq }
    }

    fn plan(seq: i64, reader: Option<(i64, Option<(i64, i64)>)>) -> Vec<(i64, i64, bool)> {
        let reader = reader.map(|(seq, pending)| ReaderPosition { seq, pending });
        let ranges = plan_changes(&position(seq), None, reader);
        ranges.into_iter().map(|range| (range.after, range.until, range.reload)).collect()
    }

    #[test]
    fn a_new_directory_gets_everything() {
        assert_eq!(plan(3, None), [(0, 3, false)]);
    }

    #[test]
    fn what_was_interrupted_is_completed_first() {
        assert_eq!(plan(5, Some((0, Some((0, 3))))), [(0, 3, false), (3, 5, false)]);
        assert_eq!(plan(3, Some((0, Some((0, 3))))), [(0, 3, false)]);
    }

    #[test]
    fn a_directory_that_was_removed_is_loaded_again() {
        assert_eq!(plan(3, Some((3, None))), [(0, 3, true)]);
        assert_eq!(plan(5, Some((3, Some((LOST, 4))))), [(0, 4, true), (4, 5, false)]);
    }
}
