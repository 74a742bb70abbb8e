//! What a response means, as a pure function: applied, refused, not applied (send again), or in doubt (look it up
//! first).

use serde_json::Value;

use crate::api::{self, WriteOutcome};
use crate::diagnostic::DiagnosticCode;
use crate::id::ContactId;
use crate::model::remote::RemoteContact;
use crate::model::remote::equality::child_id;
use crate::model::verify;
use crate::model::{Op, OpChange, OpDetails};
use crate::reconcile::{self, OpResolution, classify_applied};
use crate::run::{AttemptOutcome, OpState, SettledBy};

/// The code of an op that the server refused.
const REFUSED: DiagnosticCode = DiagnosticCode::R_REFUSED;
/// The code of an op that was sent repeatedly, never answered and not applied.
const NO_ANSWER: DiagnosticCode = DiagnosticCode::R_NO_ANSWER;
/// The code of an op whose record was edited after the plan was made.
const CONFLICT: DiagnosticCode = DiagnosticCode::R_CONFLICT;
/// The code of an op for which it cannot be determined whether it was applied.
const IN_DOUBT: DiagnosticCode = DiagnosticCode::R_IN_DOUBT;
/// The code of an op that was not sent because another op of its row failed.
const SKIPPED: DiagnosticCode = DiagnosticCode::R_SKIPPED;
/// The code of an op that was not sent because another row has not freed what it needs.
const NOT_FREED: DiagnosticCode = DiagnosticCode::R_NOT_FREED;

/// The meaning of a response.
#[derive(Debug)]
pub(super) enum ResponseVerdict {
    /// The outcome of the op is known.
    Known(OpResolution),
    /// The op must be looked up.
    LookUp(LookupReason),
    /// The op was not applied, and neither would the next one be: the run ends.
    NotSent(api::ApiError),
}

/// Why a look-up is needed.
#[derive(Debug, PartialEq)]
pub(super) enum LookupReason {
    /// There was no response.
    NoAnswer,
    /// The op was applied, but the response does not say what it created.
    Unread,
    /// The create was refused, but may have been applied nevertheless (api.md §5.9).
    Refused(OpResolution),
    /// Another write was refused, or answered with a success status and a body that denies it.
    Denied(OpResolution),
    /// The create conflicts with a contact that an earlier attempt may have created.
    Exists(ContactId),
}

/// What identifies a response in the ledger, in addition to its meaning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ResponseTrace {
    pub(super) status: Option<u16>,
    pub(super) trace_id: Option<String>,
}

impl ResponseTrace {
    pub(super) fn from_outcome(sent: &WriteOutcome) -> Self {
        match sent {
            WriteOutcome::Answered { status, trace_id, .. } => {
                Self { status: Some(*status), trace_id: trace_id.clone() }
            }
            WriteOutcome::AppliedUnreadable { status, .. } => {
                Self { status: Some(*status), trace_id: None }
            }
            WriteOutcome::NotApplied(error) => {
                Self { status: error.status, trace_id: error.trace_id.clone() }
            }
            WriteOutcome::Unknown { status, trace_id, .. } => {
                Self { status: *status, trace_id: trace_id.clone() }
            }
        }
    }
}

/// Interprets the response to an op. `again` says that the op was sent before.
pub(super) fn interpret_outcome(op: &Op, again: bool, sent: WriteOutcome) -> ResponseVerdict {
    match sent {
        WriteOutcome::NotApplied(error) => ResponseVerdict::NotSent(error),
        WriteOutcome::Unknown { .. } => ResponseVerdict::LookUp(LookupReason::NoAnswer),
        WriteOutcome::AppliedUnreadable { .. } => interpret_unreadable(&op.change),
        WriteOutcome::Answered { status: 200..=299, body, .. } => {
            interpret_success(&op.change, &body)
        }
        WriteOutcome::Answered { status, body, .. } => interpret_refusal(op, again, status, &body),
    }
}

/// The verdict on a success whose response cannot be read.
fn interpret_unreadable(change: &OpChange) -> ResponseVerdict {
    let made_or_compared = change.creates_contact()
        || matches!(
            change,
            OpChange::Update { .. } | OpChange::CreateNote { .. } | OpChange::CreateTask { .. }
        );
    if made_or_compared {
        ResponseVerdict::LookUp(LookupReason::Unread)
    } else {
        ResponseVerdict::Known(OpResolution::Applied { made: None })
    }
}

fn interpret_success(change: &OpChange, body: &[u8]) -> ResponseVerdict {
    let text = body;
    let body: Value = serde_json::from_slice(text).unwrap_or_default();
    if denies_success(&body) {
        return interpret_denial(change, &body, text);
    }
    match change {
        OpChange::Create { .. } | OpChange::Upsert { .. } | OpChange::Update { .. } => {
            match RemoteContact::from_json_value(body.get("contact").unwrap_or(&body)) {
                Some(remote) => ResponseVerdict::Known(classify_applied(change, &remote, None)),
                None => interpret_unreadable(change),
            }
        }
        OpChange::CreateNote { .. } => interpret_created_child(change, &body["note"]),
        OpChange::CreateTask { .. } => interpret_created_child(change, &body["task"]),
        OpChange::UpdateNote { .. } => interpret_changed_child(change, &body["note"]),
        OpChange::UpdateTask { .. } | OpChange::CompleteTask { .. } => {
            interpret_changed_child(change, &body["task"])
        }
        _ => ResponseVerdict::Known(OpResolution::Applied { made: None }),
    }
}

/// The verdict on a child that was created. A response that does not contain the child proves no difference.
fn interpret_created_child(change: &OpChange, child: &Value) -> ResponseVerdict {
    let Some(made) = child_id(child) else {
        return interpret_unreadable(change);
    };
    ResponseVerdict::Known(classify_child(change, Some(made.to_owned()), child))
}

/// The verdict on a child that was changed. A response that does not contain it proves no difference.
fn interpret_changed_child(change: &OpChange, child: &Value) -> ResponseVerdict {
    ResponseVerdict::Known(match child_id(child) {
        Some(_) => classify_child(change, None, child),
        None => OpResolution::Applied { made: None },
    })
}

/// The resolution of a change to a note or task, from the note or task as it is now.
pub(super) fn classify_child(
    change: &OpChange,
    made: Option<String>,
    child: &Value,
) -> OpResolution {
    let differences = verify::find_child_mismatches(change, child);
    if differences.is_empty() {
        OpResolution::Applied { made }
    } else {
        OpResolution::Differs { made, differences, message: None }
    }
}

/// Whether a body with a success status says that the write did not succeed. The API spells it both ways.
pub(super) fn denies_success(body: &Value) -> bool {
    ["succeded", "succeeded", "success"].iter().any(|key| body[*key] == Value::Bool(false))
}

/// The verdict on a success that its body denies: the status or the body is wrong, so the record decides.
fn interpret_denial(change: &OpChange, body: &Value, text: &[u8]) -> ResponseVerdict {
    let mut message =
        "the server answered with a success status that it did not succeed".to_owned();
    if body.get("message").is_some() || body.get("error").is_some() {
        message = format!("{message}: {}", api::error_message(text));
    }
    let refused = server_refusal(message);
    ResponseVerdict::LookUp(if change.creates_contact() {
        LookupReason::Refused(refused)
    } else {
        LookupReason::Denied(refused)
    })
}

fn interpret_refusal(op: &Op, again: bool, status: u16, body: &[u8]) -> ResponseVerdict {
    let reason = api::error_message(body);
    let creates = matches!(op.change, OpChange::Create { .. });
    if creates && let Some((id, field)) = api::parse_duplicate_refusal(body) {
        if again {
            return ResponseVerdict::LookUp(LookupReason::Exists(id));
        }
        let field = field.unwrap_or_else(|| "identity".to_owned());
        return ResponseVerdict::Known(OpResolution::Refused {
            code: reconcile::EXISTS_NOW,
            message: format!(
                "contact `{id}` got this {field} after the plan was made; plan the row again"
            ),
            contact: Some(id.to_string()),
        });
    }
    let gone = !creates && api::is_gone_response(status, body);
    if gone && op.change.is_deletion() {
        // An earlier attempt may have deleted it.
        return ResponseVerdict::Known(if again {
            OpResolution::Applied { made: None }
        } else {
            already_deleted()
        });
    }
    let message = format!("{status}: {reason}");
    let finding = if gone {
        OpResolution::Refused { code: reconcile::CONTACT_GONE, message, contact: None }
    } else {
        server_refusal(message)
    };
    ResponseVerdict::LookUp(if op.change.creates_contact() {
        LookupReason::Refused(finding)
    } else {
        LookupReason::Denied(finding)
    })
}

/// The resolution of an op that the server refused.
pub(super) fn server_refusal(message: String) -> OpResolution {
    OpResolution::Refused { code: REFUSED, message, contact: None }
}

fn already_deleted() -> OpResolution {
    OpResolution::Nothing { message: "it had already been deleted".to_owned() }
}

/// The ledger entry of a resolution, with the state that it gives the op.
pub(super) fn settled_from(
    finding: OpResolution,
    settled_by: SettledBy,
    mark: ResponseTrace,
) -> AttemptOutcome {
    let details = resolution_details(&finding).map(|details| details.encode());
    let (state, made) = match finding {
        OpResolution::Applied { made } => (OpState::Applied, made),
        OpResolution::Differs { made, .. } => (OpState::Differs, made),
        OpResolution::Nothing { .. } => (OpState::Applied, None),
        OpResolution::NotApplied | OpResolution::SendAgain => (OpState::Pending, None),
        OpResolution::Refused { .. } => (OpState::Refused, None),
        OpResolution::Conflict { .. } => (OpState::Conflict, None),
        OpResolution::Undecidable { .. } => (OpState::InDoubt, None),
    };
    let ResponseTrace { status, trace_id } = mark;
    AttemptOutcome { state, settled_by, status, trace_id, made, details }
}

/// The details of a resolution for reports, beyond the op's state.
pub(super) fn resolution_details(finding: &OpResolution) -> Option<OpDetails> {
    Some(match finding.clone() {
        OpResolution::Applied { .. } | OpResolution::NotApplied | OpResolution::SendAgain => {
            return None;
        }
        OpResolution::Differs { differences, message, .. } => {
            OpDetails::Differs { differences, message }
        }
        OpResolution::Nothing { message } => OpDetails::NothingToDo { message },
        OpResolution::Refused { code, message, contact } => {
            OpDetails::Failed { code, field: None, message, contact }
        }
        OpResolution::Conflict { fields } => {
            let field = fields.join(", ");
            let message =
                format!("{field} was edited after the plan was made; it was not overwritten");
            let (code, field) = (CONFLICT, Some(field));
            OpDetails::Failed { code, field, message, contact: None }
        }
        OpResolution::Undecidable { message } => OpDetails::failed(IN_DOUBT, message),
    })
}

/// The ledger entry of an op that is not sent because another one of its row failed.
pub(super) fn settled_as_skipped(why: &str) -> AttemptOutcome {
    settled_unsent(&OpDetails::failed(SKIPPED, why.to_owned()))
}

/// The ledger entry of an op that is not sent because a row that was to free its address or number failed.
pub(super) fn settled_as_held_back(freeing: u64) -> AttemptOutcome {
    let message = format!(
        "it was not sent, because record {freeing}, which was to free its e-mail address or phone number, was not \
         applied; import the rejected rows again"
    );
    settled_unsent(&OpDetails::failed(NOT_FREED, message))
}

fn settled_unsent(details: &OpDetails) -> AttemptOutcome {
    AttemptOutcome {
        state: OpState::Skipped,
        settled_by: SettledBy::NotSent,
        status: None,
        trace_id: None,
        made: None,
        details: Some(details.encode()),
    }
}

/// The ledger entry of an attempt that was not sent, or is known not to have been applied.
pub(super) fn settled_as_not_sent(mark: ResponseTrace) -> AttemptOutcome {
    settled_from(OpResolution::NotApplied, SettledBy::NotSent, mark)
}

/// The resolution of an op that was sent repeatedly without a response: not applied if a look-up showed that, else
/// undecidable.
pub(super) fn after_giving_up(last: &OpResolution, attempts: u32) -> OpResolution {
    match last {
        OpResolution::NotApplied => OpResolution::Refused {
            code: NO_ANSWER,
            message: format!(
                "it was sent {attempts} times, and the server neither answered nor applied it"
            ),
            contact: None,
        },
        _ => OpResolution::Undecidable {
            message: format!("it was sent {attempts} times, and the server did not answer"),
        },
    }
}

/// Whether an op in this state ends its row, because no later op of the row makes sense.
pub(super) fn ends_row(change: &OpChange, state: OpState, details: Option<&OpDetails>) -> bool {
    if !matches!(state, OpState::Refused | OpState::Conflict | OpState::InDoubt | OpState::Skipped)
    {
        return false;
    }
    let about_contact =
        change.creates_contact() || matches!(change, OpChange::Update { .. } | OpChange::Delete);
    about_contact
        || details.and_then(OpDetails::code).is_some_and(|code| code == reconcile::CONTACT_GONE)
}

#[cfg(test)]
mod tests;
