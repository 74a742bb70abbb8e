//! The state of a run whose rows have ended.

use super::RowOutcomeCounts;
use crate::run::RunState;

/// The state of a run whose rows ended with these outcomes.
pub(in crate::import) fn state_from_counts(tally: RowOutcomeCounts) -> RunState {
    match tally {
        RowOutcomeCounts { pending: 1.., .. } => RunState::Paused,
        // Rows in doubt need a decision of the user, not another attempt.
        RowOutcomeCounts { rejected: 0, in_doubt: 0, .. } => RunState::Complete,
        _ => RunState::Partial,
    }
}
