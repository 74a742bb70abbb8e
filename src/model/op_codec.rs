//! The codec of ops: the one place that turns an op into what the ledger keeps of it, and back.
//!
//! An [`OpRecord`] is read with its class and its contact checked; what it wants to write and what became of
//! it are JSON texts there, which only this module reads and writes. A text that is not one of ours is a
//! damaged run, for every caller.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::op::{Op, OpChange};
use super::verify::PropertyMismatch;
use crate::diagnostic::DiagnosticCode;
use crate::run::{OpRecord, OpState, RunError};

/// What a report says about an op that came to its end, beyond where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OpDetails {
    /// It was applied, and the account has something else than what was sent.
    Differs {
        /// The differences.
        differences: Vec<PropertyMismatch>,
        /// How it came to that, where the differences alone do not say so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    /// There was nothing to do any more, and it was not this op that did it.
    NothingToDo {
        /// Why.
        message: String,
    },
    /// It was not applied, or it is not known whether it was.
    Failed {
        /// A stable name.
        code: DiagnosticCode,
        /// The field that it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        field: Option<String>,
        /// Why.
        message: String,
        /// The contact that is in the way.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contact: Option<String>,
    },
}

impl OpDetails {
    /// A failure that is about no field and no other contact.
    #[must_use]
    pub fn failed(code: DiagnosticCode, message: String) -> Self {
        Self::Failed { code, field: None, message, contact: None }
    }

    /// The failure's code.
    #[must_use]
    pub fn code(&self) -> Option<DiagnosticCode> {
        match self {
            Self::Failed { code, .. } => Some(*code),
            Self::Differs { .. } | Self::NothingToDo { .. } => None,
        }
    }

    /// The details as the ledger keeps them.
    ///
    /// # Panics
    ///
    /// Never: details are plain JSON.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("details are plain JSON")
    }
}

/// An op's body as it is written.
#[derive(Serialize)]
struct EncodedBody<'a> {
    change: &'a OpChange,
    before: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    like: Option<&'a str>,
    #[serde(skip_serializing_if = "<[u64]>::is_empty")]
    after: &'a [u64],
}

/// An op's body as it is read.
#[derive(Deserialize)]
struct DecodedBody {
    change: OpChange,
    #[serde(default)]
    before: Value,
    #[serde(default)]
    like: Option<String>,
    #[serde(default)]
    after: Vec<u64>,
}

/// An op as the ledger keeps it, under its number in the plan.
///
/// # Panics
///
/// Never: a change is plain JSON.
#[must_use]
pub fn encode_op(op: &Op, id: u64) -> OpRecord {
    let (like, after) = (op.like.as_deref(), &*op.after);
    let body = EncodedBody { change: &op.change, before: &op.before, like, after };
    OpRecord {
        id,
        key: op.key.clone(),
        row: op.row,
        step: op.step,
        serial_group: op.serial_group,
        class: op.class,
        bulk: op.change.is_bulk(),
        contact: op.contact.clone(),
        body: serde_json::to_string(&body).expect("a change is plain JSON"),
        state: OpState::Pending,
        made: None,
        details: None,
    }
}

/// An op of the ledger.
///
/// # Errors
/// [`RunError::DamagedOp`] when its body is not one that [`encode_op`] writes.
pub fn decode_op(record: &OpRecord) -> Result<Op, RunError> {
    let body: DecodedBody = parse_part(record, "body", &record.body)?;
    Ok(Op {
        id: record.id,
        key: record.key.clone(),
        like: body.like,
        row: record.row,
        step: record.step,
        serial_group: record.serial_group,
        class: record.class,
        contact: record.contact.clone(),
        after: body.after,
        change: body.change,
        before: body.before,
    })
}

/// What the ledger says about an op beyond where it stands.
///
/// # Errors
/// [`RunError::DamagedOp`] when it is not what [`OpDetails::encode`] writes.
pub fn decode_details(record: &OpRecord) -> Result<Option<OpDetails>, RunError> {
    let details = record.details.as_deref();
    details.map(|text| parse_part(record, "details", text)).transpose()
}

/// Whether an op was applied, and found that there was nothing to do any more.
///
/// # Errors
/// As [`decode_details`].
pub fn found_nothing_to_do(record: &OpRecord) -> Result<bool, RunError> {
    let nothing = matches!(decode_details(record)?, Some(OpDetails::NothingToDo { .. }));
    Ok(nothing && record.state == OpState::Applied)
}

fn parse_part<'t, T: Deserialize<'t>>(
    record: &OpRecord,
    part: &'static str,
    text: &'t str,
) -> Result<T, RunError> {
    serde_json::from_str(text).map_err(|error| RunError::DamagedOp {
        op: record.id,
        part,
        why: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::run::{IdempotencyClass, RunErrorKind};

    fn op(change: OpChange, like: Option<&str>) -> Op {
        Op {
            id: 7,
            key: "k".to_owned(),
            like: like.map(str::to_owned),
            row: 3,
            step: 1,
            serial_group: 2,
            class: IdempotencyClass::Countable,
            contact: Some("c".parse().unwrap()),
            after: Vec::new(),
            change,
            before: json!({ "tags": ["a"] }),
        }
    }

    #[test]
    fn an_op_comes_out_of_the_ledger_as_it_went_in() {
        let body = json!({ "body": "say \"like\": \"create" });
        let body = body.as_object().unwrap().clone();
        let all = [
            op(OpChange::CreateNote { body }, Some("l")),
            op(OpChange::DeleteNote { id: "n".to_owned() }, None),
            op(OpChange::AddTags { tags: vec!["x".to_owned()] }, None),
        ];
        for mut op in all {
            op.after = vec![4, 2];
            let record = encode_op(&op, op.id);
            assert_eq!(record.bulk, op.change.is_bulk());
            assert_eq!(decode_op(&record).unwrap(), op);
        }
    }

    #[test]
    fn a_body_that_is_not_one_of_ours_is_damage() {
        let mut record = encode_op(&op(OpChange::Delete, None), 7);
        for body in [r#"{"change":{"do":"dance"}}"#, "{}", ""] {
            body.clone_into(&mut record.body);
            let error = decode_op(&record).unwrap_err();
            assert_eq!(error.kind(), RunErrorKind::Damaged);
            assert!(error.to_string().contains("op 7"), "{error}");
        }
    }

    #[test]
    fn details_come_out_of_the_ledger_as_they_went_in() {
        let mismatch =
            PropertyMismatch { field: "city".to_owned(), sent: "A".into(), got: Value::Null };
        let all = [
            OpDetails::Differs { differences: vec![mismatch], message: None },
            OpDetails::NothingToDo { message: "gone".to_owned() },
            OpDetails::failed(DiagnosticCode::R_REFUSED, "400: \"nothing\": no".to_owned()),
        ];
        let mut record = encode_op(&op(OpChange::Delete, None), 7);
        record.state = OpState::Applied;
        assert_eq!(decode_details(&record).unwrap(), None);
        for details in all {
            record.details = Some(details.encode());
            assert_eq!(decode_details(&record).unwrap(), Some(details.clone()));
            let nothing = matches!(details, OpDetails::NothingToDo { .. });
            assert_eq!(found_nothing_to_do(&record).unwrap(), nothing);
        }
        record.details = Some("{".to_owned());
        assert_eq!(decode_details(&record).unwrap_err().kind(), RunErrorKind::Damaged);
    }
}
