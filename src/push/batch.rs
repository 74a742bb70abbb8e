//! One batch: the same change for many contacts, in as few requests as the server takes.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::Value;

use super::bulk::split;
use super::server_reply::{self, Mark};
use super::{ATTEMPTS, Error, Work, op_codec};
use crate::api::{self, Sent};
use crate::id::ContactId;
use crate::model::{Change, verify};
use crate::reconcile::{self, Finding};
use crate::run::Attempt;

/// The same change for some contacts.
pub(super) struct Batch {
    pub(super) change: Change,
    pub(super) members: Vec<Member>,
}

/// One op of a batch.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) op: u64,
    pub(super) row: u64,
    pub(super) contact: ContactId,
}

/// What an answer says about each contact.
#[derive(Debug, Default)]
struct Told {
    /// It says that all is done, and no more.
    all: bool,
    /// By contact: nothing when it is done, or why it is not.
    each: HashMap<String, Option<String>>,
}

/// A part of a batch, and how often it was sent without an answer.
struct Part {
    members: Vec<Member>,
    unanswered: u32,
}

/// Carries out one batch.
pub(super) async fn run(work: Arc<Work>, batch: Batch) -> Result<(), Error> {
    let _open = work.doubt.shared.enter();
    let mut sender = Sender { work: &work, change: &batch.change, parts: VecDeque::new() };
    sender.parts.push_back(Part { members: batch.members, unanswered: 0 });
    while let Some(part) = sender.parts.pop_front() {
        let most = work.batch_size(&batch.change).load(Ordering::Relaxed);
        if part.members.len() > most {
            sender.cut(part, most);
        } else {
            sender.send(part).await?;
        }
    }
    Ok(())
}

struct Sender<'w> {
    work: &'w Work,
    change: &'w Change,
    parts: VecDeque<Part>,
}

impl Sender<'_> {
    async fn send(&mut self, part: Part) -> Result<(), Error> {
        let work = self.work;
        let contacts: Vec<ContactId> =
            part.members.iter().map(|member| member.contact.clone()).collect();
        let mutation = op_codec::shared_mutation(&work.client, self.change, &contacts)
            .ok_or_else(|| Error::Bug("a change that no contacts share".to_owned()))?;
        let intents =
            part.members.iter().map(|member| op_codec::intent(member.op, &mutation, None));
        let place = work.seats.acquire().await.expect("the seats are never closed");
        if work.stop.closed() {
            return Err(Error::stopped());
        }
        let turn = work.client.turn(&mutation).await?;
        let attempts = work.ledger.intend(intents.collect()).await?;
        let sent = work.client.mutate(&mutation, turn).await;
        drop(place);
        let mark = Mark::of(&sent);
        let sent_members = part.members.iter().cloned().zip(attempts).collect::<Vec<_>>();
        match sent {
            Sent::NotApplied(error) => {
                for (_, attempt) in sent_members {
                    work.ledger.settle(attempt, server_reply::not_sent(mark.clone())).await?;
                }
                Err(error.into())
            }
            Sent::Answered { status: 200..=299, body, .. } => {
                let told = Told::read(self.change, &body);
                self.each(sent_members, &told, &mark, part.unanswered).await
            }
            Sent::Answered { status, body, .. } => {
                self.refused(sent_members, status, &body, mark, part.unanswered).await
            }
            Sent::Unread { .. } | Sent::Doubt { .. } => self.unanswered(part, sent_members).await,
        }
    }

    /// A success: what it says of each contact.
    async fn each(
        &mut self,
        sent: Vec<(Member, Attempt)>,
        told: &Told,
        mark: &Mark,
        unanswered: u32,
    ) -> Result<(), Error> {
        for (member, attempt) in sent {
            let finding = match told.each.get(member.contact.as_str()) {
                Some(None) => Finding::Applied { made: None },
                Some(Some(message)) => refusal(message.clone()),
                None if told.all => Finding::Applied { made: None },
                None => {
                    self.passed_over(member, attempt, unanswered).await?;
                    continue;
                }
            };
            self.settle(&member, attempt, finding, "answer", mark.clone()).await?;
        }
        Ok(())
    }

    /// A contact of which the answer says nothing.
    async fn passed_over(
        &mut self,
        member: Member,
        attempt: Attempt,
        unanswered: u32,
    ) -> Result<(), Error> {
        let finding = self.look(&member).await?;
        if finding == Finding::NotApplied && unanswered + 1 < ATTEMPTS {
            let settled = server_reply::settled(finding, "look-up", Mark::default());
            self.work.ledger.settle(attempt, settled).await?;
            self.parts.push_back(Part { members: vec![member], unanswered: unanswered + 1 });
            return Ok(());
        }
        let finding = match finding {
            Finding::NotApplied => refusal("the server took it and did nothing".to_owned()),
            finding => finding,
        };
        self.settle(&member, attempt, finding, "look-up", Mark::default()).await
    }

    /// A refusal of the whole request: halved, until the contact that it is about stands alone.
    async fn refused(
        &mut self,
        sent: Vec<(Member, Attempt)>,
        status: u16,
        body: &[u8],
        mark: Mark,
        unanswered: u32,
    ) -> Result<(), Error> {
        if let [(member, attempt)] = sent.as_slice() {
            let message = format!("{status}: {}", api::said(body));
            let finding = if api::is_gone(status, body) {
                Finding::Refused { code: reconcile::CONTACT_GONE, message, contact: None }
            } else {
                server_reply::refusal(message)
            };
            return self.settle(member, attempt.clone(), finding, "answer", mark).await;
        }
        let mut members = Vec::with_capacity(sent.len());
        for (member, attempt) in sent {
            let settled = server_reply::settled(Finding::NotApplied, "answer", mark.clone());
            self.work.ledger.settle(attempt, settled).await?;
            members.push(member);
        }
        self.halve(Part { members, unanswered });
        Ok(())
    }

    /// No answer: sent again in smaller parts; after so many times each contact is looked at.
    async fn unanswered(&mut self, part: Part, sent: Vec<(Member, Attempt)>) -> Result<(), Error> {
        let unanswered = part.unanswered + 1;
        if unanswered < ATTEMPTS {
            let pause = self.work.pause(unanswered);
            self.halve(Part { members: part.members, unanswered });
            return Ok(self.work.doubt.rest(pause).await?);
        }
        for (member, attempt) in sent {
            let finding = match self.look(&member).await? {
                Finding::NotApplied => server_reply::given_up(&Finding::NotApplied, unanswered),
                finding => finding,
            };
            self.settle(&member, attempt, finding, "look-up", Mark::default()).await?;
        }
        Ok(())
    }

    /// Whether the change stands in the contact.
    async fn look(&self, member: &Member) -> Result<Finding, Error> {
        Ok(match self.work.doubt.contact(&member.contact).await? {
            Some(live) if verify::differences(self.change, &live).is_empty() => {
                Finding::Applied { made: None }
            }
            Some(_) => Finding::NotApplied,
            None => reconcile::gone(&member.contact),
        })
    }

    async fn settle(
        &self,
        member: &Member,
        attempt: Attempt,
        finding: Finding,
        how: &'static str,
        mark: Mark,
    ) -> Result<(), Error> {
        let settled = server_reply::settled(finding, how, mark);
        self.work.count(member.row, settled.state);
        Ok(self.work.ledger.settle(attempt, settled).await?)
    }

    fn halve(&mut self, part: Part) {
        let size = part.members.len();
        if size > 1 {
            self.work.shrink(self.change, size);
        }
        self.cut(part, size.div_ceil(2));
    }

    /// Puts a part back in smaller ones, in front: what is under way goes first.
    fn cut(&mut self, part: Part, size: usize) {
        let unanswered = part.unanswered;
        for members in split(part.members, size).into_iter().rev() {
            self.parts.push_front(Part { members, unanswered });
        }
    }
}

impl Told {
    /// Reads `{responses: [{contactId, type, message}]}` of tags, or `{success, ids}` of businesses.
    fn read(change: &Change, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        if matches!(change, Change::SetBusiness { .. }) {
            return Self::of_business(&body);
        }
        let mut told = Self::default();
        let responses = body["responses"].as_array();
        for response in responses.into_iter().flatten() {
            let Some(contact) = response["contactId"].as_str() else { continue };
            let message = match response["type"].as_str() {
                Some("success") => None,
                Some("error") => {
                    Some(response["message"].as_str().unwrap_or("no explanation").to_owned())
                }
                // Neither: it is looked at.
                _ => continue,
            };
            told.each.insert(contact.to_owned(), message);
        }
        told
    }

    fn of_business(body: &Value) -> Self {
        let success = body["success"].as_bool().or_else(|| body["succeded"].as_bool());
        let Some(ids) = body["ids"].as_array() else {
            return Self { all: success == Some(true), each: HashMap::new() };
        };
        let done = ids.iter().filter_map(Value::as_str).filter(|_| success != Some(false));
        Self { all: false, each: done.map(|id| (id.to_owned(), None)).collect() }
    }
}

/// What the answer says about a contact that was left out.
fn refusal(message: String) -> Finding {
    let lower = message.to_lowercase();
    let gone = ["deleted", "not found", "does not belong"].iter().any(|part| lower.contains(part));
    if gone {
        Finding::Refused { code: reconcile::CONTACT_GONE, message, contact: None }
    } else {
        server_reply::refusal(message)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(change: &Change, body: &Value) -> Vec<(String, Option<String>)> {
        let told = Told::read(change, body.to_string().as_bytes());
        let mut each: Vec<_> = told.each.into_iter().collect();
        each.extend(told.all.then(|| ("*".to_owned(), None)));
        each.sort();
        each
    }

    #[test]
    fn an_answer_about_tags_is_read_contact_by_contact() {
        let change = Change::AddTags { tags: vec!["a".to_owned()] };
        let body = json!({ "succeded": true, "errorCount": 1, "responses": [
            { "contactId": "x", "type": "success" },
            { "contactId": "y", "type": "error", "message": "contact is deleted" },
            { "contactId": "z", "type": "maybe" }, 3,
        ]});
        let expected =
            [("x".to_owned(), None), ("y".to_owned(), Some("contact is deleted".to_owned()))];
        assert_eq!(told(&change, &body), expected);
        assert_eq!(told(&change, &json!({ "succeded": true })), []);
        assert_eq!(told(&change, &Value::Null), []);
    }

    #[test]
    fn an_answer_about_businesses_names_those_that_are_done() {
        let change = Change::SetBusiness { business: None };
        let done = |id: &str| (id.to_owned(), None);
        assert_eq!(told(&change, &json!({ "success": true, "ids": ["x"] })), [done("x")]);
        assert_eq!(told(&change, &json!({ "success": true })), [done("*")]);
        assert_eq!(told(&change, &json!({ "success": false, "ids": ["x"] })), []);
        assert_eq!(told(&change, &json!({})), []);
    }

    #[test]
    fn who_is_gone_is_told_apart_from_who_is_refused() {
        let code = |message: &str| match refusal(message.to_owned()) {
            Finding::Refused { code, .. } => code,
            other => panic!("{other:?}"),
        };
        assert_eq!(code("contact is deleted"), reconcile::CONTACT_GONE);
        assert_eq!(code("contact does not belong to location"), reconcile::CONTACT_GONE);
        assert_eq!(code("contact id is not a valid firebase id"), "R_REFUSED");
    }
}
