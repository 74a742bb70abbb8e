//! The state of a run whose rows have ended.

use super::RowOutcomeCounts;
use crate::run::RunState;

/// The state of a run whose rows ended with these outcomes, and of whose values the account did not keep so many.
pub(in crate::import) fn state_from_counts(tally: RowOutcomeCounts, not_kept: u64) -> RunState {
    match tally {
        RowOutcomeCounts { pending: 1.., .. } => RunState::Paused,
        // Rows in doubt need a decision of the user, not another attempt.
        RowOutcomeCounts { rejected: 0, in_doubt: 0, .. } if not_kept == 0 => RunState::Complete,
        _ => RunState::Partial,
    }
}
