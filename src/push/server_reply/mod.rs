//! What an answer means: the table of the guarantees, as a pure function.

use serde_json::{Value, json};

use crate::api::{self, Sent};
use crate::id::ContactId;
use crate::model::remote::Live;
use crate::model::verify::Difference;
use crate::model::{Change, Op};
use crate::reconcile::{self, Finding, differ, equals_child};
use crate::run::{OpState, Settled};

/// A code for what the server refused.
const REFUSED: &str = "R_REFUSED";
/// A code for what the server never answered, though it was asked often, and did not apply.
const NO_ANSWER: &str = "R_NO_ANSWER";

/// What an answer means.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is known what became of the op.
    Known(Finding),
    /// It must be looked up.
    LookUp(Why),
    /// Nothing was applied, and nothing else would be now: the run ends.
    NotSent(api::Error),
}

/// Why an answer is not enough.
#[derive(Debug, PartialEq)]
pub(super) enum Why {
    /// There was none.
    NoAnswer,
    /// It was applied, and the answer does not say what it made.
    Unread,
    /// It was refused, and may have been done all the same (api.md §5.9).
    Refused(Finding),
    /// A contact stands in the way that an earlier attempt may have made.
    Exists(ContactId),
}

/// What an answer says beside its meaning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) status: Option<u16>,
    pub(super) trace_id: Option<String>,
}

impl Mark {
    pub(super) fn of(sent: &Sent) -> Self {
        match sent {
            Sent::Answered { status, trace_id, .. } => {
                Self { status: Some(*status), trace_id: trace_id.clone() }
            }
            Sent::Unread { status, .. } => Self { status: Some(*status), trace_id: None },
            Sent::NotApplied(error) => {
                Self { status: error.status, trace_id: error.trace_id.clone() }
            }
            Sent::Doubt { status, trace_id, .. } => {
                Self { status: *status, trace_id: trace_id.clone() }
            }
        }
    }
}

/// Reads an answer to an op. `again` says that the op was sent before.
pub(super) fn read(op: &Op, again: bool, sent: Sent) -> Verdict {
    match sent {
        Sent::NotApplied(error) => Verdict::NotSent(error),
        Sent::Doubt { .. } => Verdict::LookUp(Why::NoAnswer),
        Sent::Unread { .. } => unread(&op.change),
        Sent::Answered { status: 200..=299, body, .. } => applied(&op.change, &body),
        Sent::Answered { status, body, .. } => refused(op, again, status, &body),
    }
}

/// A success whose answer cannot be read.
fn unread(change: &Change) -> Verdict {
    let made_or_compared = change.makes_the_contact()
        || matches!(
            change,
            Change::Update { .. } | Change::CreateNote { .. } | Change::CreateTask { .. }
        );
    if made_or_compared {
        Verdict::LookUp(Why::Unread)
    } else {
        Verdict::Known(Finding::Applied { made: None })
    }
}

fn applied(change: &Change, body: &[u8]) -> Verdict {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    match change {
        Change::Create { .. } | Change::Upsert { .. } | Change::Update { .. } => {
            match Live::read_value(body.get("contact").unwrap_or(&body)) {
                Some(live) => Verdict::Known(differ(change, &live, None)),
                None => unread(change),
            }
        }
        Change::CreateNote { body: asked } => child(change, asked, &body["note"]),
        Change::CreateTask { body: asked } => child(change, asked, &body["task"]),
        _ => Verdict::Known(Finding::Applied { made: None }),
    }
}

/// A child that was made. An answer without it proves no difference.
fn child(change: &Change, asked: &serde_json::Map<String, Value>, child: &Value) -> Verdict {
    let Some(made) = child.get("id").or_else(|| child.get("_id")).and_then(Value::as_str) else {
        return unread(change);
    };
    let made = Some(made.to_owned());
    if equals_child(change, child) {
        return Verdict::Known(Finding::Applied { made });
    }
    let other = asked.iter().filter(|(key, value)| child.get(key.as_str()) != Some(value));
    let differences = other.map(|(key, value)| Difference {
        field: key.clone(),
        sent: value.clone(),
        got: child.get(key.as_str()).cloned().unwrap_or_default(),
    });
    let differences = differences.collect();
    Verdict::Known(Finding::Differs { made, differences, message: None })
}

fn refused(op: &Op, again: bool, status: u16, body: &[u8]) -> Verdict {
    let said = api::said(body);
    let creates = matches!(op.change, Change::Create { .. });
    if creates && let Some((id, field)) = api::duplicate_of(body) {
        if again {
            return Verdict::LookUp(Why::Exists(id));
        }
        let field = field.unwrap_or_else(|| "identity".to_owned());
        return Verdict::Known(Finding::Refused {
            code: reconcile::EXISTS_NOW,
            message: format!(
                "contact `{id}` has had this {field} since the plan; plan the row again"
            ),
            contact: Some(id.to_string()),
        });
    }
    let gone = !creates && api::is_gone(status, body);
    if gone && op.change.deletes() {
        // An earlier attempt may have done it.
        return Verdict::Known(if again { Finding::Applied { made: None } } else { was_gone() });
    }
    let message = format!("{status}: {said}");
    let finding = if gone {
        Finding::Refused { code: reconcile::CONTACT_GONE, message, contact: None }
    } else {
        refusal(message)
    };
    if op.change.makes_the_contact() {
        Verdict::LookUp(Why::Refused(finding))
    } else {
        Verdict::Known(finding)
    }
}

/// What the server refused.
pub(super) fn refusal(message: String) -> Finding {
    Finding::Refused { code: REFUSED, message, contact: None }
}

fn was_gone() -> Finding {
    Finding::Nothing { message: "it was gone already when it was to be deleted".to_owned() }
}

/// What a finding says in the ledger, and where the op stands by it.
pub(super) fn settled(finding: Finding, how: &'static str, mark: Mark) -> Settled {
    let (state, made, said) = match finding {
        Finding::Applied { made } => (OpState::Applied, made, None),
        Finding::Differs { made, differences, message } => {
            let said = json!({ "differences": differences, "message": message });
            (OpState::Differs, made, Some(said))
        }
        Finding::Nothing { message } => {
            (OpState::Applied, None, Some(json!({ "nothing": message })))
        }
        Finding::NotApplied | Finding::SendAgain => (OpState::Pending, None, None),
        Finding::Refused { code, message, contact } => {
            let said = json!({ "code": code, "message": message, "contact": contact });
            (OpState::Refused, None, Some(said))
        }
        Finding::Conflict { fields } => {
            let field = fields.join(", ");
            let message = format!("somebody edited {field} since the plan; it was not overwritten");
            let said = json!({ "code": "R_CONFLICT", "field": field, "message": message });
            (OpState::Conflict, None, Some(said))
        }
        Finding::Undecidable { message } => {
            let said = json!({ "code": "R_IN_DOUBT", "message": message });
            (OpState::InDoubt, None, Some(said))
        }
    };
    let said = said.map(|said| said.to_string());
    Settled { state, how, status: mark.status, trace_id: mark.trace_id, made, said }
}

/// An op that is not sent because another one of its row failed.
pub(super) fn skipped(why: &str) -> Settled {
    let said = json!({ "code": "R_SKIPPED", "message": why });
    Settled {
        state: OpState::Skipped,
        how: "not sent",
        status: None,
        trace_id: None,
        made: None,
        said: Some(said.to_string()),
    }
}

/// An op whose request was not sent, or is known not to have been applied.
pub(super) fn not_sent(mark: Mark) -> Settled {
    settled(Finding::NotApplied, "not sent", mark)
}

/// What it is when an op was sent again and again without an answer: not applied, where a look-up has
/// said so; else nobody knows.
pub(super) fn given_up(last: &Finding, attempts: u32) -> Finding {
    match last {
        Finding::NotApplied => Finding::Refused {
            code: NO_ANSWER,
            message: format!(
                "it was sent {attempts} times, and the server neither answered nor applied it"
            ),
            contact: None,
        },
        _ => Finding::Undecidable {
            message: format!("it was sent {attempts} times, and the server did not answer"),
        },
    }
}

/// Whether what stands in the ledger ends its row: no later op of the row makes sense.
pub(super) fn ends_row(change: &Change, state: OpState, said: Option<&str>) -> bool {
    if !matches!(state, OpState::Refused | OpState::Conflict | OpState::InDoubt | OpState::Skipped)
    {
        return false;
    }
    let about_contact =
        change.makes_the_contact() || matches!(change, Change::Update { .. } | Change::Delete);
    about_contact || said.is_some_and(|said| said.contains(reconcile::CONTACT_GONE))
}

#[cfg(test)]
mod tests;
