//! The end of an op that was sent several times without an answer.

use super::{PushContext, PushError, server_reply};
use crate::model::IdempotencyClass;
use crate::reconcile::{InDoubtOp, OpResolution};

/// The outcome of an op that is not sent again. What is replay-safe was looked up at once each time, so it is looked up
/// once more when the last request must have been applied or lost.
pub(super) async fn resolve_last_attempt(
    work: &PushContext,
    case: &InDoubtOp<'_>,
    last: OpResolution,
    attempts: u32,
) -> Result<OpResolution, PushError> {
    if case.op.class == IdempotencyClass::Replayable {
        work.wait_until_applied_or_lost(case.at_ms).await?;
        if let Some(found) = work.doubt.resolve_denied_write(case).await? {
            return Ok(found);
        }
    }
    Ok(server_reply::after_giving_up(&last, attempts))
}
