//! Ops as requests: what the ledger keeps becomes an op again, an op a mutation, a mutation an intent.

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::Error;
use crate::api::{Client, Mutation};
use crate::id::ContactId;
use crate::model::{Change, Class, Op};
use crate::reconcile::Reference;
use crate::run::{Intent, OpRecord};

/// An op as the ledger keeps it, read.
pub(super) fn op(record: &OpRecord) -> Result<Op, Error> {
    #[derive(Deserialize)]
    struct Body {
        change: Change,
        #[serde(default)]
        before: Value,
    }
    let bug =
        |what: &str, why: String| Error::Bug(format!("the {what} of op {}: {why}", record.id));
    let body: Body =
        serde_json::from_str(&record.body).map_err(|error| bug("body", error.to_string()))?;
    let class: Class = serde_json::from_value(record.class.as_str().into())
        .map_err(|error| bug("class", error.to_string()))?;
    let contact = record.contact.as_deref().map(str::parse).transpose();
    let contact = contact.map_err(|error: crate::id::Invalid| bug("contact", error.to_string()))?;
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
pub(super) fn mutation(
    client: &Client,
    change: &Change,
    contact: Option<&ContactId>,
) -> Option<Mutation> {
    Some(match change {
        Change::Create { body } => client.create_contact(body),
        Change::Upsert { body } => client.upsert_contact(body),
        Change::Update { body } => client.update_contact(contact?, body),
        Change::Delete => client.delete_contact(contact?),
        Change::CreateNote { body } => client.create_note(contact?, body),
        Change::UpdateNote { id, body } => client.update_note(contact?, id, body),
        Change::DeleteNote { id } => client.delete_note(contact?, id),
        Change::CreateTask { body } => client.create_task(contact?, body),
        Change::UpdateTask { id, body } => client.update_task(contact?, id, body),
        Change::CompleteTask { id, completed } => client.complete_task(contact?, id, *completed),
        Change::DeleteTask { id } => client.delete_task(contact?, id),
        Change::AddTags { .. } | Change::RemoveTags { .. } | Change::SetBusiness { .. } => {
            return None;
        }
    })
}

/// The request of a change that many contacts share.
pub(super) fn shared_mutation(
    client: &Client,
    change: &Change,
    contacts: &[ContactId],
) -> Option<Mutation> {
    match change {
        Change::AddTags { tags } => Some(client.add_tags(contacts, tags)),
        Change::RemoveTags { tags } => Some(client.remove_tags(contacts, tags)),
        Change::SetBusiness { business } => {
            Some(client.set_business(contacts, business.as_deref()))
        }
        _ => None,
    }
}

/// What is written down before a request is sent.
pub(super) fn intent(op: u64, mutation: &Mutation, reference: Option<&Reference>) -> Intent {
    let sum = Sha256::digest(mutation.body());
    let reference =
        reference.map(|it| serde_json::to_string(it).expect("a reference is plain JSON"));
    Intent { op, line: mutation.line(), body_sum: hex(&sum), reference }
}

fn hex(bytes: &[u8]) -> String {
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
            op(&record("C", Some("c"), r#"{"change":{"do":"delete_note","id":"n"}}"#)).unwrap();
        assert_eq!(read.class, Class::Countable);
        assert_eq!(read.change, Change::DeleteNote { id: "n".to_owned() });
        assert_eq!(read.before, Value::Null);
        for (class, contact, body) in [
            ("Q", Some("c"), r#"{"change":{"do":"delete"}}"#),
            ("I", Some(".."), r#"{"change":{"do":"delete"}}"#),
            ("I", None, r#"{"change":{"do":"dance"}}"#),
            ("I", None, ""),
        ] {
            let error = op(&record(class, contact, body)).unwrap_err().to_string();
            assert!(error.contains("op 7"), "{error}");
        }
    }
}
