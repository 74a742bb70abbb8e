//! What an answer means, as a pure function: applied, rejected, not applied (send again), or in doubt (look it up
//! first).

use serde_json::Value;

use crate::api::{self, WriteOutcome};
use crate::diagnostic::DiagnosticCode;
use crate::id::ContactId;
use crate::model::remote::RemoteContact;
use crate::model::remote::equality::child_id;
use crate::model::verify::PropertyMismatch;
use crate::model::{Op, OpChange, OpDetails};
use crate::reconcile::{self, OpResolution, classify_applied, equals_child};
use crate::run::{AttemptOutcome, OpState, SettledBy};

/// A code for what the server refused.
const REFUSED: DiagnosticCode = DiagnosticCode::R_REFUSED;
/// A code for what the server never answered, though it was asked often, and did not apply.
const NO_ANSWER: DiagnosticCode = DiagnosticCode::R_NO_ANSWER;

/// A code for a record that was edited after the plan was made.
const CONFLICT: DiagnosticCode = DiagnosticCode::R_CONFLICT;
/// A code for an op of which it cannot be found out whether it was applied.
const IN_DOUBT: DiagnosticCode = DiagnosticCode::R_IN_DOUBT;
/// A code for what was not sent because another op of its row failed.
const SKIPPED: DiagnosticCode = DiagnosticCode::R_SKIPPED;

/// What an answer means.
#[derive(Debug)]
pub(super) enum ResponseVerdict {
    /// It is known what became of the op.
    Known(OpResolution),
    /// It must be looked up.
    LookUp(LookupReason),
    /// Nothing was applied, and nothing else would be now: the run ends.
    NotSent(api::ApiError),
}

/// Why an answer is not enough.
#[derive(Debug, PartialEq)]
pub(super) enum LookupReason {
    /// There was none.
    NoAnswer,
    /// It was applied, and the answer does not say what it made.
    Unread,
    /// It was refused, and may have been done all the same (api.md §5.9).
    Refused(OpResolution),
    /// A contact stands in the way that an earlier attempt may have made.
    Exists(ContactId),
}

/// What an answer says beside its meaning.
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

/// Reads an answer to an op. `again` says that the op was sent before.
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

/// A success whose answer cannot be read.
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
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    match change {
        OpChange::Create { .. } | OpChange::Upsert { .. } | OpChange::Update { .. } => {
            match RemoteContact::from_json_value(body.get("contact").unwrap_or(&body)) {
                Some(live) => ResponseVerdict::Known(classify_applied(change, &live, None)),
                None => interpret_unreadable(change),
            }
        }
        OpChange::CreateNote { body: asked } => {
            interpret_created_child(change, asked, &body["note"])
        }
        OpChange::CreateTask { body: asked } => {
            interpret_created_child(change, asked, &body["task"])
        }
        _ => ResponseVerdict::Known(OpResolution::Applied { made: None }),
    }
}

/// A child that was made. An answer without it proves no difference.
fn interpret_created_child(
    change: &OpChange,
    asked: &serde_json::Map<String, Value>,
    child: &Value,
) -> ResponseVerdict {
    let Some(made) = child_id(child) else {
        return interpret_unreadable(change);
    };
    let made = Some(made.to_owned());
    if equals_child(change, child) {
        return ResponseVerdict::Known(OpResolution::Applied { made });
    }
    let other = asked.iter().filter(|(key, value)| child.get(key.as_str()) != Some(value));
    let differences = other.map(|(key, value)| PropertyMismatch {
        field: key.clone(),
        sent: value.clone(),
        got: child.get(key.as_str()).cloned().unwrap_or_default(),
    });
    let differences = differences.collect();
    ResponseVerdict::Known(OpResolution::Differs { made, differences, message: None })
}

fn interpret_refusal(op: &Op, again: bool, status: u16, body: &[u8]) -> ResponseVerdict {
    let said = api::error_message(body);
    let creates = matches!(op.change, OpChange::Create { .. });
    if creates && let Some((id, field)) = api::parse_duplicate_refusal(body) {
        if again {
            return ResponseVerdict::LookUp(LookupReason::Exists(id));
        }
        let field = field.unwrap_or_else(|| "identity".to_owned());
        return ResponseVerdict::Known(OpResolution::Refused {
            code: reconcile::EXISTS_NOW,
            message: format!(
                "contact `{id}` has had this {field} since the plan; plan the row again"
            ),
            contact: Some(id.to_string()),
        });
    }
    let gone = !creates && api::is_gone_response(status, body);
    if gone && op.change.is_deletion() {
        // An earlier attempt may have done it.
        return ResponseVerdict::Known(if again {
            OpResolution::Applied { made: None }
        } else {
            already_deleted()
        });
    }
    let message = format!("{status}: {said}");
    let finding = if gone {
        OpResolution::Refused { code: reconcile::CONTACT_GONE, message, contact: None }
    } else {
        server_refusal(message)
    };
    if op.change.creates_contact() {
        ResponseVerdict::LookUp(LookupReason::Refused(finding))
    } else {
        ResponseVerdict::Known(finding)
    }
}

/// What the server refused.
pub(super) fn server_refusal(message: String) -> OpResolution {
    OpResolution::Refused { code: REFUSED, message, contact: None }
}

fn already_deleted() -> OpResolution {
    OpResolution::Nothing { message: "it was gone already when it was to be deleted".to_owned() }
}

/// What a finding says in the ledger, and where the op stands by it.
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

/// What a report says about a finding, beyond where its op stands.
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

/// An op that is not sent because another one of its row failed.
pub(super) fn settled_as_skipped(why: &str) -> AttemptOutcome {
    let details = OpDetails::failed(SKIPPED, why.to_owned());
    AttemptOutcome {
        state: OpState::Skipped,
        settled_by: SettledBy::NotSent,
        status: None,
        trace_id: None,
        made: None,
        details: Some(details.encode()),
    }
}

/// An op whose request was not sent, or is known not to have been applied.
pub(super) fn settled_as_not_sent(mark: ResponseTrace) -> AttemptOutcome {
    settled_from(OpResolution::NotApplied, SettledBy::NotSent, mark)
}

/// What it is when an op was sent again and again without an answer: not applied, where a look-up has
/// said so; else nobody knows.
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

/// Whether what stands in the ledger ends its row: no later op of the row makes sense.
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
