//! The custom fields of the location: created before anything else is sent, and deleted at the end of an undo.
//!
//! A create has no key by which a repetition could be recognised, so a field that has the name, that was not there
//! before and that was sent is ours. A field is deleted only while no contact has a value of it.

use serde_json::{Map, Value};

use super::server_reply::{self, ResponseTrace};
use super::{ATTEMPTS, PushContext, PushError, op_request};
use crate::api::{self, WriteOutcome};
use crate::failpoint::{self, FailPoint};
use crate::model::{CustomField, Op, OpChange, op_codec};
use crate::reconcile::OpResolution;
use crate::run::{AttemptHandle, LedgerReader, OpState, SettledBy};

/// The serial group of the ops that concern the location; rows are numbered from 1.
const LOCATION_GROUP: u64 = 0;

impl PushContext {
    /// Creates the custom fields that other ops refer to. None of those may be sent before.
    pub(super) async fn create_fields(&self) -> Result<(), PushError> {
        for (op, state) in self.open_location_ops().await? {
            let OpChange::CreateField { body } = &op.change else { continue };
            let creation = FieldCreation { work: self, op: &op, body };
            creation.run(state == OpState::Sent).await?;
            self.count_settled_op(op.row, OpState::Applied);
        }
        // The ops that refer to the fields are read from the database.
        Ok(self.ledger.flush().await?)
    }

    /// Deletes the custom fields that an undo no longer needs, unless a contact has a value.
    pub(super) async fn delete_unused_fields(&self) -> Result<(), PushError> {
        for (op, _) in self.open_location_ops().await? {
            let OpChange::DeleteField { id, .. } = &op.change else { continue };
            self.delete_field(&op, id).await?;
            self.count_settled_op(op.row, OpState::Applied);
        }
        Ok(self.ledger.flush().await?)
    }

    async fn open_location_ops(&self) -> Result<Vec<(Op, OpState)>, PushError> {
        let ops = self.read_ledger(|reader| reader.ops_in_serial_group(LOCATION_GROUP)).await?;
        let open = ops.iter().filter(|op| matches!(op.state, OpState::Pending | OpState::Sent));
        open.map(|record| Ok((op_codec::decode_op(record)?, record.state))).collect()
    }

    /// Sends an op of the location once, after its intent is durable.
    async fn send_location_op(&self, op: &Op) -> Result<(AttemptHandle, WriteOutcome), PushError> {
        let mutation = op_request::build_mutation(&self.client, &op.change, None)
            .ok_or_else(|| PushError::Bug(format!("op {} cannot be sent alone", op.id)))?;
        let place = self.acquire_send_permit().await;
        if self.stop.is_cancelled() {
            return Err(PushError::stopped());
        }
        let turn = self.client.acquire_write_permit(&mutation).await?;
        let intent = op_request::build_intent(op.id, &mutation, None);
        let attempt = self.ledger.record_intents(vec![intent]).await?.pop();
        let attempt =
            attempt.ok_or_else(|| PushError::Bug("an intent has no attempt".to_owned()))?;
        let sent = self.client.send_write(&mutation, turn).await;
        drop(place);
        Ok((attempt, sent))
    }

    async fn delete_field(&self, op: &Op, id: &str) -> Result<(), PushError> {
        let mut refusal = None;
        for attempts in 1..=ATTEMPTS {
            let fields = self.doubt.list_custom_fields().await?;
            if !fields.iter().any(|field| field.id == id) {
                let gone = OpResolution::Applied { made: None };
                return self.settle_location_op(op, gone, SettledBy::LookUp).await;
            }
            if let Some(why) = self.why_field_is_used(id).await? {
                let left = OpResolution::Nothing { message: why };
                return self.settle_location_op(op, left, SettledBy::NotSent).await;
            }
            let (attempt, outcome) = self.send_location_op(op).await?;
            let mark = ResponseTrace::from_outcome(&outcome);
            match outcome {
                WriteOutcome::NotApplied(error) => {
                    let settled = server_reply::settled_as_not_sent(mark);
                    self.ledger.record_outcome(attempt, settled).await?;
                    return Err(error.into());
                }
                WriteOutcome::Answered { status: 200..=299, .. }
                | WriteOutcome::AppliedUnreadable { .. } => {
                    let applied = OpResolution::Applied { made: None };
                    let settled = server_reply::settled_from(applied, SettledBy::Answer, mark);
                    return Ok(self.ledger.record_outcome(attempt, settled).await?);
                }
                WriteOutcome::Answered { status, body, .. } => {
                    refusal = Some(format!("{status}: {}", api::error_message(&body)));
                    let settled = server_reply::settled_as_not_sent(mark);
                    self.ledger.record_outcome(attempt, settled).await?;
                    break;
                }
                // Deleting it twice does no harm.
                WriteOutcome::Unknown { .. } => {
                    self.doubt.sleep_unless_cancelled(self.retry_delay(attempts)).await?;
                }
            }
        }
        let message = refusal.unwrap_or_else(|| "the server did not answer".to_owned());
        let refused = server_reply::server_refusal(message);
        self.settle_location_op(op, refused, SettledBy::NotSent).await
    }

    /// Why a custom field must stay, if so.
    async fn why_field_is_used(&self, id: &str) -> Result<Option<String>, PushError> {
        self.ledger.flush().await?;
        let states = self.read_ledger(LedgerReader::count_by_state).await?;
        let unfinished = [OpState::Refused, OpState::Conflict, OpState::InDoubt, OpState::Skipped];
        if unfinished.iter().any(|state| states.contains_key(state)) {
            return Ok(Some("not every row could be taken back, so values may remain".to_owned()));
        }
        let user = self.doubt.find_contact_with_field(id).await?;
        Ok(user.map(|contact| format!("contact `{contact}` has a value")))
    }

    async fn settle_location_op(
        &self,
        op: &Op,
        found: OpResolution,
        settled_by: SettledBy,
    ) -> Result<(), PushError> {
        let settled = server_reply::settled_from(found, settled_by, ResponseTrace::default());
        Ok(self.ledger.set_op_state(op.id, settled).await?)
    }
}

/// The creation of one custom field.
struct FieldCreation<'w> {
    work: &'w PushContext,
    op: &'w Op,
    body: &'w Map<String, Value>,
}

impl FieldCreation<'_> {
    /// Creates the field, or finds it where an earlier request may have created it.
    async fn run(&self, mut sent: bool) -> Result<(), PushError> {
        for attempts in 1..=ATTEMPTS {
            if sent {
                match self.look_up_sent().await? {
                    Some(field) => return self.settle_as_found(&field).await,
                    None => self.settle(OpResolution::NotApplied, SettledBy::LookUp).await?,
                }
                self.work.ledger.flush().await?;
            } else if let Some(field) = self.find_field().await? {
                return self.settle_as_existing(&field).await;
            }
            let (attempt, outcome) = self.work.send_location_op(self.op).await?;
            if self.resolve_answer(attempt, outcome).await? {
                return Ok(());
            }
            sent = true;
            self.work.ledger.flush().await?;
            self.work.doubt.sleep_unless_cancelled(self.work.retry_delay(attempts)).await?;
        }
        if let Some(field) = self.look_up_sent().await? {
            return self.settle_as_found(&field).await;
        }
        self.settle(OpResolution::NotApplied, SettledBy::LookUp).await?;
        let reason = format!("it was sent {ATTEMPTS} times, and the server did not answer");
        Err(PushError::FieldRefused { name: self.name().to_owned(), reason })
    }

    fn name(&self) -> &str {
        self.body.get("name").and_then(Value::as_str).unwrap_or_default()
    }

    fn data_type(&self) -> &str {
        self.body.get("dataType").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the answer settles the op; without an answer, it must be looked up.
    async fn resolve_answer(
        &self,
        attempt: AttemptHandle,
        outcome: WriteOutcome,
    ) -> Result<bool, PushError> {
        let mark = ResponseTrace::from_outcome(&outcome);
        let (found, settled_by) = match outcome {
            WriteOutcome::NotApplied(error) => {
                let settled = server_reply::settled_as_not_sent(mark);
                self.work.ledger.record_outcome(attempt, settled).await?;
                return Err(error.into());
            }
            WriteOutcome::Unknown { .. } | WriteOutcome::AppliedUnreadable { .. } => {
                return Ok(false);
            }
            WriteOutcome::Answered { status: 200..=299, body, .. } => match created_id(&body) {
                Some(id) => (id, SettledBy::Answer),
                None => return Ok(false),
            },
            // Another create that was refused has been applied nevertheless (api.md §5.9).
            WriteOutcome::Answered { status, body, .. } => {
                let Some(field) = self.find_field().await? else {
                    let settled = server_reply::settled_as_not_sent(mark);
                    self.work.ledger.record_outcome(attempt, settled).await?;
                    let reason = format!("{status}: {}", api::error_message(&body));
                    return Err(PushError::FieldRefused { name: self.name().to_owned(), reason });
                };
                (field.id, SettledBy::LookUp)
            }
        };
        let applied = OpResolution::Applied { made: Some(found) };
        let settled = server_reply::settled_from(applied, settled_by, mark);
        self.work.ledger.record_outcome(attempt, settled).await?;
        Ok(true)
    }

    /// Looks for the field after a request without an answer: at once, and when it must have been applied or lost.
    async fn look_up_sent(&self) -> Result<Option<CustomField>, PushError> {
        failpoint::kill_if_due(FailPoint::DuringLookup);
        if let Some(field) = self.find_field().await? {
            return Ok(Some(field));
        }
        let id = self.op.id;
        let last = self.work.read_ledger(move |reader| reader.last_attempt(id)).await?;
        self.work.wait_until_applied_or_lost(last.map_or(0, |last| last.at_ms)).await?;
        self.find_field().await
    }

    /// The field of this name, as the location has it now.
    ///
    /// # Errors
    /// When it has another type.
    async fn find_field(&self) -> Result<Option<CustomField>, PushError> {
        let fields = self.work.doubt.list_custom_fields().await?;
        let name = self.name();
        let Some(field) = fields.into_iter().find(|field| field.name.trim() == name) else {
            return Ok(None);
        };
        if field.data_type.eq_ignore_ascii_case(self.data_type()) {
            return Ok(Some(field));
        }
        Err(PushError::FieldDiffers { name: name.to_owned(), data_type: field.data_type })
    }

    async fn settle_as_found(&self, field: &CustomField) -> Result<(), PushError> {
        let made = Some(field.id.clone());
        self.settle(OpResolution::Applied { made }, SettledBy::LookUp).await
    }

    /// Takes a field that was created by another client since the plan: an undo leaves it.
    async fn settle_as_existing(&self, field: &CustomField) -> Result<(), PushError> {
        let message = "it was created after the plan was made, and not by this import".to_owned();
        let found = OpResolution::Nothing { message };
        let mut settled =
            server_reply::settled_from(found, SettledBy::LookUp, ResponseTrace::default());
        settled.made = Some(field.id.clone());
        Ok(self.work.ledger.set_op_state(self.op.id, settled).await?)
    }

    async fn settle(&self, found: OpResolution, by: SettledBy) -> Result<(), PushError> {
        self.work.settle_location_op(self.op, found, by).await
    }
}

/// The id of the field that a response says was created.
fn created_id(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    if server_reply::denies_success(&body) {
        return None;
    }
    let field = body.get("customField").unwrap_or(&body);
    let id = field.get("id")?.as_str()?;
    (!id.is_empty()).then(|| id.to_owned())
}
