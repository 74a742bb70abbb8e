//! Where a run is once its rows have ended.

use super::RowOutcomeCounts;
use crate::run::RunState;

/// The state of a run whose rows ended like this.
pub(in crate::import) fn state_from_counts(tally: RowOutcomeCounts) -> RunState {
    match tally {
        RowOutcomeCounts { pending: 1.., .. } => RunState::Unfinished,
        // Rows in doubt wait for a person, not for another try.
        RowOutcomeCounts { rejected: 0, in_doubt: 0, .. } => RunState::Complete,
        _ => RunState::Partial,
    }
}
