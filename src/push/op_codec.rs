//! Ops as requests: what the ledger keeps becomes an op again, an op a mutation, a mutation an intent.

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::PushError;
use crate::api::{ApiClient, WriteRequest};
use crate::id::ContactId;
use crate::model::{IdempotencyClass, Op, OpChange};
use crate::reconcile::ChildBaseline;
use crate::run::{Intent, OpRecord};

/// An op as the ledger keeps it, read.
pub(super) fn decode_op(record: &OpRecord) -> Result<Op, PushError> {
    #[derive(Deserialize)]
    struct LedgerOpBody {
        change: OpChange,
        #[serde(default)]
        before: Value,
    }
    let bug =
        |what: &str, why: String| PushError::Bug(format!("the {what} of op {}: {why}", record.id));
    let body: LedgerOpBody =
        serde_json::from_str(&record.body).map_err(|error| bug("body", error.to_string()))?;
    let class: IdempotencyClass = serde_json::from_value(record.class.as_str().into())
        .map_err(|error| bug("class", error.to_string()))?;
    let contact = record.contact.as_deref().map(str::parse).transpose();
    let contact =
        contact.map_err(|error: crate::id::InvalidId| bug("contact", error.to_string()))?;
    Ok(Op {
        id: record.id,
        key: record.key.clone(),
        like: None,
        row: record.row,
        step: record.step,
        lane: record.lane,
        class,
        contact,
        change: body.change,
        before: body.before,
    })
}

/// The request of an op that goes alone. Nothing when it needs a contact and has none, or goes with
/// others.
pub(super) fn build_mutation(
    client: &ApiClient,
    change: &OpChange,
    contact: Option<&ContactId>,
) -> Option<WriteRequest> {
    Some(match change {
        OpChange::Create { body } => client.create_contact(body),
        OpChange::Upsert { body } => client.upsert_contact(body),
        OpChange::Update { body } => client.update_contact(contact?, body),
        OpChange::Delete => client.delete_contact(contact?),
        OpChange::CreateNote { body } => client.create_note(contact?, body),
        OpChange::UpdateNote { id, body } => client.update_note(contact?, id, body),
        OpChange::DeleteNote { id } => client.delete_note(contact?, id),
        OpChange::CreateTask { body } => client.create_task(contact?, body),
        OpChange::UpdateTask { id, body } => client.update_task(contact?, id, body),
        OpChange::CompleteTask { id, completed } => client.complete_task(contact?, id, *completed),
        OpChange::DeleteTask { id } => client.delete_task(contact?, id),
        OpChange::AddTags { .. } | OpChange::RemoveTags { .. } | OpChange::SetBusiness { .. } => {
            return None;
        }
    })
}

/// The request of a change that many contacts share.
pub(super) fn build_shared_mutation(
    client: &ApiClient,
    change: &OpChange,
    contacts: &[ContactId],
) -> Option<WriteRequest> {
    match change {
        OpChange::AddTags { tags } => Some(client.add_tags(contacts, tags)),
        OpChange::RemoveTags { tags } => Some(client.remove_tags(contacts, tags)),
        OpChange::SetBusiness { business } => {
            Some(client.set_business(contacts, business.as_deref()))
        }
        _ => None,
    }
}

/// What is written down before a request is sent.
pub(super) fn build_intent(
    op: u64,
    mutation: &WriteRequest,
    reference: Option<&ChildBaseline>,
) -> Intent {
    let sum = Sha256::digest(mutation.body());
    let reference =
        reference.map(|it| serde_json::to_string(it).expect("a reference is plain JSON"));
    Intent { op, line: mutation.request_line(), body_sum: encode_hex(&sum), reference }
}

fn encode_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::OpState;

    fn record(class: &str, contact: Option<&str>, body: &str) -> OpRecord {
        OpRecord {
            id: 7,
            key: "k".to_owned(),
            row: 3,
            step: 1,
            lane: 2,
            class: class.to_owned(),
            bulk: false,
            contact: contact.map(str::to_owned),
            body: body.to_owned(),
            state: OpState::Pending,
            made: None,
            said: None,
        }
    }

    #[test]
    fn an_op_is_read_back_and_what_is_none_is_named() {
        let read =
            decode_op(&record("C", Some("c"), r#"{"change":{"do":"delete_note","id":"n"}}"#))
                .unwrap();
        assert_eq!(read.class, IdempotencyClass::Countable);
        assert_eq!(read.change, OpChange::DeleteNote { id: "n".to_owned() });
        assert_eq!(read.before, Value::Null);
        for (class, contact, body) in [
            ("Q", Some("c"), r#"{"change":{"do":"delete"}}"#),
            ("I", Some(".."), r#"{"change":{"do":"delete"}}"#),
            ("I", None, r#"{"change":{"do":"dance"}}"#),
            ("I", None, ""),
        ] {
            let error = decode_op(&record(class, contact, body)).unwrap_err().to_string();
            assert!(error.contains("op 7"), "{error}");
        }
    }
}
