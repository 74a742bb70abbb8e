//! Builds the request of an op, and the intent of a request.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::api::{ApiClient, WriteRequest};
use crate::id::ContactId;
use crate::model::OpChange;
use crate::reconcile::ChildBaseline;
use crate::run::{Intent, referenced_op};
use crate::text::encode_hex;

/// Builds the request of an op that is sent on its own. `None` if the op needs a contact or a custom field and has
/// none, or is sent in batches.
pub(super) fn build_mutation(
    client: &ApiClient,
    change: &OpChange,
    contact: Option<&ContactId>,
) -> Option<WriteRequest> {
    if has_open_reference(change) {
        return None;
    }
    Some(match change {
        OpChange::CreateField { body } => client.create_custom_field(body),
        OpChange::DeleteField { id, .. } => client.delete_custom_field(id),
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

/// Whether a change still refers to a custom field that is yet to be created.
fn has_open_reference(change: &OpChange) -> bool {
    let (OpChange::Create { body } | OpChange::Upsert { body } | OpChange::Update { body }) =
        change
    else {
        return false;
    };
    let fields = body.get("customFields").and_then(Value::as_array).into_iter().flatten();
    fields.filter_map(|field| field["id"].as_str()).any(|id| referenced_op(id).is_some())
}

/// Builds the request of a change that many contacts share.
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

/// Builds the same request for one contact alone, for changes of tags: many contacts at once may be refused.
pub(super) fn build_single_mutation(
    client: &ApiClient,
    change: &OpChange,
    contact: &ContactId,
) -> Option<WriteRequest> {
    match change {
        OpChange::AddTags { tags } => Some(client.add_contact_tags(contact, tags)),
        OpChange::RemoveTags { tags } => Some(client.remove_contact_tags(contact, tags)),
        _ => None,
    }
}

/// Builds the ledger entry that is written before a request is sent.
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
