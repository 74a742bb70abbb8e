//! One serial group: ops that share an identity, one after the other.
//!
//! A group never continues past an op whose last request has no known outcome. An op that fails permanently ends its
//! row if it was about the contact itself; the other rows of the group continue.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::notes_and_tasks::KnownChildren;
use super::server_reply::{self, LookupReason, ResponseTrace, ResponseVerdict};
use super::{ATTEMPTS, PushContext, PushError, give_up, op_request};
use crate::api::{ApiErrorKind, WriteOutcome};
use crate::id::ContactId;
use crate::model::op_codec::{self, OpDetails};
use crate::model::{IdempotencyClass, Op, OpChange, verify};
use crate::reconcile::{self, AssumedSend, ChildBaseline, InDoubtOp, OpResolution};
use crate::run::{AttemptHandle, AttemptRecord, OpRecord, OpState, SettledBy};

/// Runs the ops of one serial group.
pub(super) async fn run_group(work: Arc<PushContext>, ops: Vec<OpRecord>) -> Result<(), PushError> {
    let _open = work.doubt.shared.begin_work();
    let mut group = SerialGroup {
        work: &work,
        made: HashMap::new(),
        ended: HashMap::new(),
        children: KnownChildren::default(),
        new_contacts: HashSet::new(),
        created_children: HashSet::new(),
    };
    group.run_ops(&ops).await
}

struct SerialGroup<'w> {
    work: &'w PushContext,
    /// The contacts that rows created, by row.
    made: HashMap<u64, ContactId>,
    /// The rows that have ended, and why.
    ended: HashMap<u64, String>,
    children: KnownChildren,
    /// The rows whose contact was created, not found.
    new_contacts: HashSet<u64>,
    /// The notes and tasks that its ops created.
    created_children: HashSet<String>,
}

/// The result of an attempt, from its response or from a look-up.
struct ResolvedAttempt {
    attempt: AttemptHandle,
    finding: OpResolution,
    settled_by: SettledBy,
    mark: ResponseTrace,
}

impl SerialGroup<'_> {
    async fn run_ops(&mut self, ops: &[OpRecord]) -> Result<(), PushError> {
        for record in ops.iter().filter(|record| !record.bulk) {
            let op = op_codec::decode_op(record)?;
            match record.state {
                // An intent without an outcome must be settled even if its row is not selected.
                OpState::Sent => {
                    self.ensure_not_stopped()?;
                    self.execute_op(&op, true).await?;
                }
                OpState::Pending if !self.work.includes_row(op.row) => {}
                OpState::Pending => {
                    self.ensure_not_stopped()?;
                    let freeing = op.after.iter().find(|row| self.ended.contains_key(row));
                    match (self.ended.get(&op.row), freeing) {
                        (Some(why), _) => self.skip_op(&op, &why.clone()).await?,
                        (None, Some(row)) => self.hold_op_back(&op, *row).await?,
                        (None, None) => self.execute_op(&op, false).await?,
                    }
                }
                state => {
                    let details = op_codec::decode_details(record)?;
                    self.record_op_state(&op, state, record.made.as_deref(), details.as_ref());
                }
            }
        }
        Ok(())
    }

    fn ensure_not_stopped(&self) -> Result<(), PushError> {
        if self.work.stop.is_cancelled() { Err(PushError::stopped()) } else { Ok(()) }
    }

    /// Sends an op and looks it up until its outcome is known.
    async fn execute_op(&mut self, op: &Op, mut sent: bool) -> Result<(), PushError> {
        let contact = op.contact.clone().or_else(|| self.made.get(&op.row).cloned());
        if contact.is_none() && !op.change.creates_contact() {
            return self.skip_op(op, "its row has no contact").await;
        }
        let contact = contact.as_ref();
        let mut attempts = 0;
        loop {
            let outcome = if sent {
                self.look_up_sent_op(op, contact).await?
            } else {
                attempts += 1;
                match self.load_child_baseline(op, contact).await? {
                    Ok(reference) => self.send_op(op, contact, reference).await?,
                    Err(refused) => return self.refuse_unsent_op(op, refused).await,
                }
            };
            let again = match &outcome.finding {
                OpResolution::NotApplied | OpResolution::SendAgain => attempts < ATTEMPTS,
                _ => return self.settle_op(op, contact, outcome).await,
            };
            if !again {
                let at_ms = outcome.attempt.at_ms;
                let case = InDoubtOp::sent_once(op, contact, at_ms, None);
                let last = outcome.finding;
                let finding =
                    give_up::resolve_last_attempt(self.work, &case, last, attempts).await?;
                return self.settle_op(op, contact, ResolvedAttempt { finding, ..outcome }).await;
            }
            if outcome.finding == OpResolution::NotApplied {
                let settled =
                    server_reply::settled_from(outcome.finding, outcome.settled_by, outcome.mark);
                self.work.ledger.record_outcome(outcome.attempt, settled).await?;
            }
            if attempts > 0 {
                self.work.doubt.sleep_unless_cancelled(self.work.retry_delay(attempts)).await?;
            }
            self.ensure_not_stopped()?;
            sent = false;
        }
    }

    /// Counts the equal children before a child is written, or says why they cannot be counted.
    async fn load_child_baseline(
        &mut self,
        op: &Op,
        contact: Option<&ContactId>,
    ) -> Result<Result<Option<ChildBaseline>, OpResolution>, PushError> {
        let Some(contact) = contact else { return Ok(Ok(None)) };
        match self.children.load_baseline(&self.work.doubt, contact, &op.change).await {
            // Another request would be refused as well, and the run could never end.
            Err(reconcile::ReconcileError::Api(error))
                if matches!(error.kind, ApiErrorKind::Refused | ApiErrorKind::TooLarge) =>
            {
                Ok(Err(server_reply::server_refusal(format!(
                    "the existing notes or tasks of the contact cannot be read: {error}"
                ))))
            }
            reference => Ok(Ok(reference?)),
        }
    }

    /// Records an op as refused without sending it.
    async fn refuse_unsent_op(&mut self, op: &Op, refused: OpResolution) -> Result<(), PushError> {
        let settled =
            server_reply::settled_from(refused, SettledBy::NotSent, ResponseTrace::default());
        self.work.count_settled_op(op.row, settled.state);
        Ok(self.work.ledger.set_op_state(op.id, settled).await?)
    }

    /// Sends one request and interprets its response.
    async fn send_op(
        &self,
        op: &Op,
        contact: Option<&ContactId>,
        reference: Option<ChildBaseline>,
    ) -> Result<ResolvedAttempt, PushError> {
        let work = self.work;
        let mutation = op_request::build_mutation(&work.client, &op.change, contact)
            .ok_or_else(|| PushError::Bug(format!("op {} cannot be sent alone", op.id)))?;
        let place = work.acquire_send_permit().await;
        self.ensure_not_stopped()?;
        let turn = work.client.acquire_write_permit(&mutation).await?;
        let intent = op_request::build_intent(op.id, &mutation, reference.as_ref());
        let attempt = work.ledger.record_intents(vec![intent]).await?.pop();
        let attempt =
            attempt.ok_or_else(|| PushError::Bug("an intent has no attempt".to_owned()))?;
        let sent = work.client.send_write(&mutation, turn).await;
        drop(place);
        self.resolve_response(op, contact, attempt, reference, sent).await
    }

    async fn resolve_response(
        &self,
        op: &Op,
        contact: Option<&ContactId>,
        attempt: AttemptHandle,
        reference: Option<ChildBaseline>,
        sent: WriteOutcome,
    ) -> Result<ResolvedAttempt, PushError> {
        let mark = ResponseTrace::from_outcome(&sent);
        let (finding, settled_by) = match server_reply::interpret_outcome(op, attempt.id > 1, sent)
        {
            ResponseVerdict::Known(finding) => {
                let case = InDoubtOp::sent_once(op, contact, attempt.at_ms, reference);
                let confirmed = self.work.differences.confirm(&self.work.doubt, &case, finding);
                (confirmed.await, SettledBy::Answer)
            }
            ResponseVerdict::NotSent(error) => {
                self.work
                    .ledger
                    .record_outcome(attempt, server_reply::settled_as_not_sent(mark))
                    .await?;
                return Err(error.into());
            }
            ResponseVerdict::LookUp(why) => {
                let since_ms = self.first_sent_ms(op, &attempt).await?;
                let at_ms = attempt.at_ms;
                let case = InDoubtOp { op, contact, since_ms, at_ms, reference, assumed: None };
                (self.resolve_in_doubt(&case, why).await?, SettledBy::LookUp)
            }
        };
        Ok(ResolvedAttempt { attempt, finding, settled_by, mark })
    }

    async fn resolve_in_doubt(
        &self,
        case: &InDoubtOp<'_>,
        why: LookupReason,
    ) -> Result<OpResolution, PushError> {
        let doubt = &self.work.doubt;
        Ok(match why {
            LookupReason::NoAnswer => doubt.resolve_op(case).await?,
            LookupReason::Unread => self.look_up_applied_result(case).await?,
            LookupReason::Exists(id) => doubt.resolve_blocking_contact(case, &id).await?,
            LookupReason::Refused(refused) => {
                let _suspect = self.work.mark_pending_failure();
                match doubt.resolve_refused_create(case).await? {
                    Some(found) => applied_despite(found, "the server refused it, yet created it"),
                    None => refused,
                }
            }
            LookupReason::Denied(refused) => {
                let _suspect = self.work.mark_pending_failure();
                match doubt.resolve_denied_write(case).await? {
                    Some(found) => applied_despite(
                        found,
                        "the server answered that it did not succeed, yet applied it",
                    ),
                    None => refused,
                }
            }
        })
    }

    /// Looks up the result of an op that was applied but whose response could not be read.
    async fn look_up_applied_result(
        &self,
        case: &InDoubtOp<'_>,
    ) -> Result<OpResolution, PushError> {
        let doubt = &self.work.doubt;
        if let (OpChange::Update { .. }, Some(id)) = (&case.op.change, case.contact) {
            let remote = doubt.fetch_contact(id).await?;
            return Ok(remote.map_or_else(
                || reconcile::contact_gone(id),
                |remote| reconcile::classify_applied(&case.op.change, &remote, None),
            ));
        }
        match (doubt.resolve_op(case).await?, case.op.class) {
            // A second create is refused and names the first contact, or creates the missing one.
            (OpResolution::NotApplied, IdempotencyClass::Unique) => Ok(OpResolution::NotApplied),
            (OpResolution::NotApplied, IdempotencyClass::Countable) => {
                Ok(missing_child(&case.op.change))
            }
            (OpResolution::NotApplied, _) => Ok(OpResolution::Undecidable {
                message:
                    "the server reported that it was created, but its response was truncated and it cannot be found"
                        .to_owned(),
            }),
            (finding, _) => Ok(finding),
        }
    }

    /// Looks up an op that an earlier process, or this one, sent without receiving a response.
    async fn look_up_sent_op(
        &self,
        op: &Op,
        contact: Option<&ContactId>,
    ) -> Result<ResolvedAttempt, PushError> {
        let attempts = self.load_attempts(op).await?;
        let (Some(first), Some(last)) = (attempts.first(), attempts.last()) else {
            return Err(PushError::Bug(format!("op {} was sent and has no attempt", op.id)));
        };
        let reference = ChildBaseline::parse_stored(last.reference.as_deref());
        let (since_ms, at_ms) = (first.at_ms, last.at_ms);
        let in_new_contact = op.contact.is_none() && self.new_contacts.contains(&op.row);
        let assumed = AssumedSend { created: &self.created_children, in_new_contact };
        let assumed = last.is_assumed().then_some(assumed);
        let case = InDoubtOp { op, contact, since_ms, at_ms, reference, assumed };
        let finding = self.work.doubt.resolve_op(&case).await?;
        Ok(ResolvedAttempt {
            attempt: last.attempt_handle(),
            finding,
            settled_by: SettledBy::LookUp,
            mark: ResponseTrace::default(),
        })
    }

    async fn load_attempts(&self, op: &Op) -> Result<Vec<AttemptRecord>, PushError> {
        let id = op.id;
        self.work.read_ledger(move |reader| reader.load_attempts(id)).await
    }

    /// The time at which the op was first sent.
    async fn first_sent_ms(&self, op: &Op, attempt: &AttemptHandle) -> Result<i64, PushError> {
        if attempt.id == 1 {
            return Ok(attempt.at_ms);
        }
        let attempts = self.load_attempts(op).await?;
        Ok(attempts.first().map_or(attempt.at_ms, |first| first.at_ms))
    }

    async fn settle_op(
        &mut self,
        op: &Op,
        contact: Option<&ContactId>,
        outcome: ResolvedAttempt,
    ) -> Result<(), PushError> {
        let details = server_reply::resolution_details(&outcome.finding);
        let settled = server_reply::settled_from(outcome.finding, outcome.settled_by, outcome.mark);
        if let (Some(contact), OpState::Applied | OpState::Differs) = (contact, settled.state) {
            self.children.add_written_child(contact, &op.change, settled.made.as_deref());
        }
        if op.change.creates_contact()
            && let Some(made) = &settled.made
        {
            self.revoke_other_claim(op, made).await?;
            // An upsert may have matched an existing contact.
            if let (OpChange::Create { .. }, Ok(made)) = (&op.change, made.parse()) {
                self.children.add_created_contact(made);
            }
        }
        self.record_op_state(op, settled.state, settled.made.as_deref(), details.as_ref());
        self.work.count_settled_op(op.row, settled.state);
        self.work.ledger.record_outcome(outcome.attempt, settled).await?;
        Ok(())
    }

    /// Revokes another op's claim to this contact: a look-up may have attributed the contact to that op before the
    /// response of this one was read.
    async fn revoke_other_claim(&self, op: &Op, made: &str) -> Result<(), PushError> {
        let Some(other) = self.work.doubt.shared.other_claiming_op(made, op.id) else {
            return Ok(());
        };
        let message =
            format!("the contact that was matched to it, `{made}`, belongs to another row");
        let undecidable = OpResolution::Undecidable { message };
        let settled =
            server_reply::settled_from(undecidable, SettledBy::LookUp, ResponseTrace::default());
        Ok(self.work.ledger.set_op_state(other, settled).await?)
    }

    async fn skip_op(&mut self, op: &Op, why: &str) -> Result<(), PushError> {
        self.work.count_settled_op(op.row, OpState::Skipped);
        self.work.ledger.set_op_state(op.id, server_reply::settled_as_skipped(why)).await?;
        Ok(())
    }

    /// Ends a row that needs an address or number which another row was to free.
    async fn hold_op_back(&mut self, op: &Op, freeing: u64) -> Result<(), PushError> {
        self.ended.insert(op.row, format!("op {} of its row failed", op.id));
        self.work.count_settled_op(op.row, OpState::Skipped);
        let held_back = server_reply::settled_as_held_back(freeing);
        Ok(self.work.ledger.set_op_state(op.id, held_back).await?)
    }

    /// Keeps what later ops of the row need.
    fn record_op_state(
        &mut self,
        op: &Op,
        state: OpState,
        made: Option<&str>,
        details: Option<&OpDetails>,
    ) {
        if server_reply::ends_row(&op.change, state, details) {
            let why = format!("op {} of its row failed", op.id);
            self.ended.insert(op.row, why);
        } else if op.change.creates_contact()
            && let Some(Ok(made)) = made.map(str::parse)
        {
            self.made.insert(op.row, made);
            if matches!(op.change, OpChange::Create { .. }) {
                self.new_contacts.insert(op.row);
            }
        } else if op.change.creates_record()
            && let Some(made) = made
        {
            self.created_children.insert(made.to_owned());
        }
    }
}

/// The resolution of a note or task that the server reported as created, and that no look-up finds. It is not
/// sent again, because an altered one may be there.
fn missing_child(change: &OpChange) -> OpResolution {
    let message = "the server reported that it was created, but it cannot be found".to_owned();
    let differences = verify::find_child_mismatches(change, &serde_json::Value::Null);
    OpResolution::Differs { made: None, differences, message: Some(message) }
}

/// The resolution of a write that was refused and yet applied (api.md §5.9).
fn applied_despite(found: OpResolution, answer: &str) -> OpResolution {
    let message = Some(answer.to_owned());
    match found {
        OpResolution::Applied { made } => {
            OpResolution::Differs { made, differences: Vec::new(), message }
        }
        OpResolution::Differs { made, differences, .. } => {
            OpResolution::Differs { made, differences, message }
        }
        other => other,
    }
}
