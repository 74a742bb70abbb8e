//! One batch: the same change for many contacts, in as few requests as the server accepts.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::batch_response::BatchResponse;
use super::server_reply::{self, ResponseTrace};
use super::{ATTEMPTS, PushContext, PushError, op_request, single_tags};
use crate::api::{self, WriteOutcome};
use crate::id::ContactId;
use crate::model::{OpChange, verify};
use crate::reconcile::{self, OpResolution};
use crate::run::{AttemptHandle, SettledBy};

/// The same change for some contacts.
pub(super) struct ChangeBatch {
    pub(super) change: OpChange,
    pub(super) members: Vec<BatchMember>,
}

/// One op of a batch.
#[derive(Debug, Clone)]
pub(super) struct BatchMember {
    pub(super) op: u64,
    pub(super) row: u64,
    pub(super) contact: ContactId,
}

/// A part of a batch, and how often it was sent without a response.
struct BatchPart {
    members: Vec<BatchMember>,
    unanswered: u32,
}

/// Sends one batch.
pub(super) async fn send_batch(
    work: Arc<PushContext>,
    batch: ChangeBatch,
) -> Result<(), PushError> {
    let _open = work.doubt.shared.begin_work();
    let mut sender = BatchSender {
        work: &work,
        change: &batch.change,
        parts: VecDeque::new(),
        unanswered: Vec::new(),
    };
    sender.parts.push_back(BatchPart { members: batch.members, unanswered: 0 });
    while let Some(part) = sender.next_part().await? {
        let most = work.batch_size(&batch.change).load(Ordering::Relaxed);
        if part.members.len() > most {
            sender.requeue_in_parts(part, most);
        } else {
            sender.send_part(part).await?;
        }
    }
    Ok(())
}

struct BatchSender<'w> {
    work: &'w PushContext,
    change: &'w OpChange,
    parts: VecDeque<BatchPart>,
    /// The parts of this round that got no response, in halves: they are sent again in the next one.
    unanswered: Vec<BatchPart>,
}

impl BatchSender<'_> {
    /// The next part to send. Before a new round of parts without a response there is one pause, however many they are.
    async fn next_part(&mut self) -> Result<Option<BatchPart>, PushError> {
        if self.parts.is_empty()
            && let Some(rounds) = self.unanswered.iter().map(|part| part.unanswered).max()
        {
            self.work.doubt.sleep_unless_cancelled(self.work.retry_delay(rounds)).await?;
            self.parts.extend(self.unanswered.drain(..));
        }
        Ok(self.parts.pop_front())
    }

    async fn send_part(&mut self, part: BatchPart) -> Result<(), PushError> {
        let work = self.work;
        let contacts: Vec<ContactId> =
            part.members.iter().map(|member| member.contact.clone()).collect();
        let single = match contacts.as_slice() {
            [contact] if work.single_tags.are_used() => {
                op_request::build_single_mutation(&work.client, self.change, contact)
            }
            _ => None,
        };
        let is_single = single.is_some();
        let mutation = single
            .or_else(|| op_request::build_shared_mutation(&work.client, self.change, &contacts))
            .ok_or_else(|| PushError::Bug("a change that no contacts share".to_owned()))?;
        let intents =
            part.members.iter().map(|member| op_request::build_intent(member.op, &mutation, None));
        let place = work.seats.acquire().await.expect("the semaphore is never closed");
        if work.stop.is_cancelled() {
            return Err(PushError::stopped());
        }
        let turn = work.client.acquire_write_permit(&mutation).await?;
        let attempts = work.ledger.record_intents(intents.collect()).await?;
        let sent = work.client.send_write(&mutation, turn).await;
        drop(place);
        let mark = ResponseTrace::from_outcome(&sent);
        let sent_members = part.members.iter().cloned().zip(attempts).collect::<Vec<_>>();
        if !is_single && self.change.changes_tags() && single_tags::refuses_endpoint(&sent) {
            work.single_tags.begin(&work.observer);
            work.batch_size(self.change).store(1, Ordering::Relaxed);
            return self.requeue_unapplied(sent_members, mark, part.unanswered).await;
        }
        match sent {
            WriteOutcome::NotApplied(error) => {
                for (_, attempt) in sent_members {
                    work.ledger
                        .record_outcome(attempt, server_reply::settled_as_not_sent(mark.clone()))
                        .await?;
                }
                Err(error.into())
            }
            WriteOutcome::Answered { status: 200..=299, body, .. } => {
                let response = if is_single {
                    BatchResponse::of_single(&body)
                } else {
                    BatchResponse::parse(self.change, &body)
                };
                self.settle_each(sent_members, &response, &mark, part.unanswered).await
            }
            WriteOutcome::Answered { status, body, .. } => {
                self.handle_refusal(sent_members, status, &body, mark, part.unanswered).await
            }
            WriteOutcome::AppliedUnreadable { .. } | WriteOutcome::Unknown { .. } => {
                self.handle_no_response(part, sent_members).await
            }
        }
    }

    /// Records each contact's result from a successful response.
    async fn settle_each(
        &mut self,
        sent: Vec<(BatchMember, AttemptHandle)>,
        response: &BatchResponse,
        mark: &ResponseTrace,
        unanswered: u32,
    ) -> Result<(), PushError> {
        for (member, attempt) in sent {
            let finding = match response.each.get(member.contact.as_str()) {
                Some(None) => OpResolution::Applied { made: None },
                Some(Some(message)) => member_refusal(message.clone()),
                None if response.all => OpResolution::Applied { made: None },
                None => {
                    self.resolve_unmentioned(member, attempt, unanswered).await?;
                    continue;
                }
            };
            self.settle_member(&member, attempt, finding, SettledBy::Answer, mark.clone()).await?;
        }
        Ok(())
    }

    /// Looks up a contact that the response does not mention.
    async fn resolve_unmentioned(
        &mut self,
        member: BatchMember,
        attempt: AttemptHandle,
        unanswered: u32,
    ) -> Result<(), PushError> {
        let finding = self.look_up_member(&member).await?;
        if finding == OpResolution::NotApplied && unanswered + 1 < ATTEMPTS {
            let settled =
                server_reply::settled_from(finding, SettledBy::LookUp, ResponseTrace::default());
            self.work.ledger.record_outcome(attempt, settled).await?;
            self.parts.push_back(BatchPart { members: vec![member], unanswered: unanswered + 1 });
            return Ok(());
        }
        let finding = match finding {
            OpResolution::NotApplied => {
                member_refusal("the server accepted the request but did not apply it".to_owned())
            }
            finding => finding,
        };
        self.settle_member(&member, attempt, finding, SettledBy::LookUp, ResponseTrace::default())
            .await
    }

    /// Handles a refusal of the whole request: the part is halved until the contact at fault is alone in it.
    async fn handle_refusal(
        &mut self,
        sent: Vec<(BatchMember, AttemptHandle)>,
        status: u16,
        body: &[u8],
        mark: ResponseTrace,
        unanswered: u32,
    ) -> Result<(), PushError> {
        if let [(member, attempt)] = sent.as_slice() {
            let message = format!("{status}: {}", api::error_message(body));
            let refused = if api::is_gone_response(status, body) {
                OpResolution::Refused { code: reconcile::CONTACT_GONE, message, contact: None }
            } else {
                server_reply::server_refusal(message)
            };
            let finding = self.resolve_refused_member(member, refused).await?;
            return self
                .settle_member(member, attempt.clone(), finding, SettledBy::Answer, mark)
                .await;
        }
        let members = self.record_unapplied(sent, mark).await?;
        self.halve_part(BatchPart { members, unanswered });
        Ok(())
    }

    /// Queues contacts again whose request was refused as a whole, each on its own.
    async fn requeue_unapplied(
        &mut self,
        sent: Vec<(BatchMember, AttemptHandle)>,
        mark: ResponseTrace,
        unanswered: u32,
    ) -> Result<(), PushError> {
        let members = self.record_unapplied(sent, mark).await?;
        self.requeue_in_parts(BatchPart { members, unanswered }, 1);
        Ok(())
    }

    async fn record_unapplied(
        &self,
        sent: Vec<(BatchMember, AttemptHandle)>,
        mark: ResponseTrace,
    ) -> Result<Vec<BatchMember>, PushError> {
        let mut members = Vec::with_capacity(sent.len());
        for (member, attempt) in sent {
            let settled = server_reply::settled_from(
                OpResolution::NotApplied,
                SettledBy::Answer,
                mark.clone(),
            );
            self.work.ledger.record_outcome(attempt, settled).await?;
            members.push(member);
        }
        Ok(members)
    }

    /// Reads a contact whose change was refused: it may have been applied nevertheless.
    async fn resolve_refused_member(
        &self,
        member: &BatchMember,
        refused: OpResolution,
    ) -> Result<OpResolution, PushError> {
        Ok(match self.look_up_member(member).await? {
            OpResolution::NotApplied | OpResolution::Undecidable { .. } => refused,
            found => found,
        })
    }

    /// Handles a missing response: the part is sent again in halves, in the next round; after [`ATTEMPTS`] times each contact is
    /// looked up.
    async fn handle_no_response(
        &mut self,
        part: BatchPart,
        sent: Vec<(BatchMember, AttemptHandle)>,
    ) -> Result<(), PushError> {
        let unanswered = part.unanswered + 1;
        if unanswered < ATTEMPTS {
            let size = part.members.len();
            if size > 1 {
                self.work.reduce_batch_size(self.change, size);
            }
            let halves = split_members(part.members, size.div_ceil(2)).into_iter();
            self.unanswered.extend(halves.map(|members| BatchPart { members, unanswered }));
            return Ok(());
        }
        if let Some((_, last)) = sent.first() {
            self.work.wait_until_applied_or_lost(last.at_ms).await?;
        }
        for (member, attempt) in sent {
            let finding = match self.look_up_member(&member).await? {
                OpResolution::NotApplied => {
                    server_reply::after_giving_up(&OpResolution::NotApplied, unanswered)
                }
                finding => finding,
            };
            self.settle_member(
                &member,
                attempt,
                finding,
                SettledBy::LookUp,
                ResponseTrace::default(),
            )
            .await?;
        }
        Ok(())
    }

    /// Reads the contact to find out whether the change was applied.
    async fn look_up_member(&self, member: &BatchMember) -> Result<OpResolution, PushError> {
        let found = match self.work.doubt.fetch_contact(&member.contact).await {
            // Repeating it would be refused again, and the run could never end.
            Err(reconcile::ReconcileError::Api(error)) if error.forbids_record() => {
                let message = format!("its outcome cannot be looked up: {error}");
                return Ok(OpResolution::Undecidable { message });
            }
            found => found?,
        };
        Ok(match found {
            Some(remote) if verify::find_mismatches(self.change, &remote).is_empty() => {
                OpResolution::Applied { made: None }
            }
            Some(_) => OpResolution::NotApplied,
            None => reconcile::contact_gone(&member.contact),
        })
    }

    async fn settle_member(
        &self,
        member: &BatchMember,
        attempt: AttemptHandle,
        finding: OpResolution,
        settled_by: SettledBy,
        mark: ResponseTrace,
    ) -> Result<(), PushError> {
        let settled = server_reply::settled_from(finding, settled_by, mark);
        self.work.count_settled_op(member.row, settled.state);
        Ok(self.work.ledger.record_outcome(attempt, settled).await?)
    }

    fn halve_part(&mut self, part: BatchPart) {
        let size = part.members.len();
        if size > 1 {
            self.work.reduce_batch_size(self.change, size);
        }
        self.requeue_in_parts(part, size.div_ceil(2));
    }

    /// Splits a part and puts the smaller ones at the front of the queue, so that work in progress is finished first.
    fn requeue_in_parts(&mut self, part: BatchPart, size: usize) {
        let unanswered = part.unanswered;
        for members in split_members(part.members, size).into_iter().rev() {
            self.parts.push_front(BatchPart { members, unanswered });
        }
    }
}

/// Classifies the error message of a contact that the server left out.
fn member_refusal(message: String) -> OpResolution {
    let lower = message.to_lowercase();
    let gone = ["deleted", "not found", "does not belong"].iter().any(|part| lower.contains(part));
    if gone {
        OpResolution::Refused { code: reconcile::CONTACT_GONE, message, contact: None }
    } else {
        server_reply::server_refusal(message)
    }
}

/// Splits a list into parts of at most `size` members.
pub(super) fn split_members(members: Vec<BatchMember>, size: usize) -> Vec<Vec<BatchMember>> {
    let mut parts = Vec::with_capacity(members.len().div_ceil(size.max(1)));
    let mut members = members.into_iter().peekable();
    while members.peek().is_some() {
        parts.push(members.by_ref().take(size.max(1)).collect());
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_gone_is_distinguished_from_who_is_refused() {
        let code = |message: &str| match member_refusal(message.to_owned()) {
            OpResolution::Refused { code, .. } => code,
            other => panic!("{other:?}"),
        };
        assert_eq!(code("contact is deleted"), reconcile::CONTACT_GONE);
        assert_eq!(code("contact does not belong to location"), reconcile::CONTACT_GONE);
        assert_eq!(code("contact id is not a valid firebase id"), "R_REFUSED");
    }
}
