//! One lane: ops that share an identity, one after the other.
//!
//! A lane never passes an op whose last request is unsettled. An op that fails for good ends its row where
//! it was about the contact itself; the other rows of the lane go on.

use std::collections::HashMap;
use std::sync::Arc;

use super::notes_and_tasks::Children;
use super::server_reply::{self, Mark, Verdict, Why};
use super::{ATTEMPTS, Error, Work, op_codec};
use crate::api::{Kind, Sent};
use crate::id::ContactId;
use crate::model::{Change, Class, Op};
use crate::reconcile::{self, Case, Finding, Reference};
use crate::run::{Attempt, AttemptRecord, OpRecord, OpState};

/// Carries out the ops of one lane.
pub(super) async fn run(work: Arc<Work>, ops: Vec<OpRecord>) -> Result<(), Error> {
    let _open = work.doubt.shared.enter();
    let mut lane = Lane {
        work: &work,
        made: HashMap::new(),
        ended: HashMap::new(),
        children: Children::default(),
    };
    lane.go(&ops).await
}

struct Lane<'w> {
    work: &'w Work,
    /// The contacts that rows made.
    made: HashMap<u64, ContactId>,
    /// The rows that go no further, and why.
    ended: HashMap<u64, String>,
    children: Children,
}

/// What came of sending or looking up.
struct Outcome {
    attempt: Attempt,
    finding: Finding,
    how: &'static str,
    mark: Mark,
}

impl Lane<'_> {
    async fn go(&mut self, ops: &[OpRecord]) -> Result<(), Error> {
        for record in ops.iter().filter(|record| !record.bulk) {
            let op = op_codec::op(record)?;
            match record.state {
                // An unsettled intent must be settled whatever rows are wanted.
                OpState::Sent => {
                    self.check_tap()?;
                    self.carry_out(&op, true).await?;
                }
                OpState::Pending if !self.work.wants(op.row) => {}
                OpState::Pending => {
                    self.check_tap()?;
                    match self.ended.get(&op.row) {
                        Some(why) => self.skip(&op, &why.clone()).await?,
                        None => self.carry_out(&op, false).await?,
                    }
                }
                state => self.remember(&op, state, record.made.as_deref(), record.said.as_deref()),
            }
        }
        Ok(())
    }

    fn check_tap(&self) -> Result<(), Error> {
        if self.work.stop.closed() { Err(Error::stopped()) } else { Ok(()) }
    }

    /// Sends an op and looks it up until it is known what became of it.
    async fn carry_out(&mut self, op: &Op, mut sent: bool) -> Result<(), Error> {
        let contact = op.contact.clone().or_else(|| self.made.get(&op.row).cloned());
        if contact.is_none() && !op.change.makes_the_contact() {
            return self.skip(op, "its row has no contact").await;
        }
        let contact = contact.as_ref();
        let mut attempts = 0;
        loop {
            let outcome = if sent {
                self.look_up_attempts(op, contact).await?
            } else {
                attempts += 1;
                match self.children_before(op, contact).await? {
                    Ok(reference) => self.send(op, contact, reference).await?,
                    Err(refused) => return self.refuse(op, refused).await,
                }
            };
            let again = match &outcome.finding {
                Finding::NotApplied | Finding::SendAgain => attempts < ATTEMPTS,
                _ => return self.settle(op, contact, outcome).await,
            };
            if !again {
                let finding = server_reply::given_up(&outcome.finding, attempts);
                return self.settle(op, contact, Outcome { finding, ..outcome }).await;
            }
            if outcome.finding == Finding::NotApplied {
                let settled = server_reply::settled(outcome.finding, outcome.how, outcome.mark);
                self.work.ledger.settle(outcome.attempt, settled).await?;
            }
            if attempts > 0 {
                self.work.doubt.rest(self.work.pause(attempts)).await?;
            }
            self.check_tap()?;
            sent = false;
        }
    }

    /// The equal children before a child is written, or why they cannot be counted.
    async fn children_before(
        &mut self,
        op: &Op,
        contact: Option<&ContactId>,
    ) -> Result<Result<Option<Reference>, Finding>, Error> {
        let Some(contact) = contact else { return Ok(Ok(None)) };
        match self.children.before(&self.work.doubt, contact, &op.change).await {
            // To ask again would be refused again, and the run could never end.
            Err(reconcile::Error::Api(error))
                if matches!(error.kind, Kind::Refused | Kind::TooLarge) =>
            {
                Ok(Err(server_reply::refusal(format!(
                    "what is there already cannot be read: {error}"
                ))))
            }
            reference => Ok(Ok(reference?)),
        }
    }

    /// An op that is refused before it is sent.
    async fn refuse(&mut self, op: &Op, refused: Finding) -> Result<(), Error> {
        let settled = server_reply::settled(refused, "not sent", Mark::default());
        self.work.count(op.row, settled.state);
        Ok(self.work.ledger.set(op.id, settled).await?)
    }

    /// One request, and what became of it.
    async fn send(
        &self,
        op: &Op,
        contact: Option<&ContactId>,
        reference: Option<Reference>,
    ) -> Result<Outcome, Error> {
        let work = self.work;
        let mutation = op_codec::mutation(&work.client, &op.change, contact)
            .ok_or_else(|| Error::Bug(format!("op {} cannot be sent alone", op.id)))?;
        let place = work.seat().await;
        self.check_tap()?;
        let turn = work.client.turn(&mutation).await?;
        let intent = op_codec::intent(op.id, &mutation, reference.as_ref());
        let attempt = work.ledger.intend(vec![intent]).await?.pop();
        let attempt = attempt.ok_or_else(|| Error::Bug("an intent has no attempt".to_owned()))?;
        let sent = work.client.mutate(&mutation, turn).await;
        drop(place);
        self.judge(op, contact, attempt, reference, sent).await
    }

    async fn judge(
        &self,
        op: &Op,
        contact: Option<&ContactId>,
        attempt: Attempt,
        reference: Option<Reference>,
        sent: Sent,
    ) -> Result<Outcome, Error> {
        let mark = Mark::of(&sent);
        let (finding, how) = match server_reply::read(op, attempt.id > 1, sent) {
            Verdict::Known(finding) => (finding, "answer"),
            Verdict::NotSent(error) => {
                self.work.ledger.settle(attempt, server_reply::not_sent(mark)).await?;
                return Err(error.into());
            }
            Verdict::LookUp(why) => {
                let since_ms = self.first_sent(op, &attempt).await?;
                let case = Case { op, contact, since_ms, at_ms: attempt.at_ms, reference };
                (self.look_up(&case, why).await?, "look-up")
            }
        };
        Ok(Outcome { attempt, finding, how, mark })
    }

    async fn look_up(&self, case: &Case<'_>, why: Why) -> Result<Finding, Error> {
        let doubt = &self.work.doubt;
        Ok(match why {
            Why::NoAnswer => doubt.look_up(case).await?,
            Why::Unread => self.look_up_what_was_made(case).await?,
            Why::Exists(id) => doubt.own_or_not(case, &id).await?,
            Why::Refused(refused) => {
                let _suspect = self.work.suspect();
                match doubt.after_refusal(case).await? {
                    Some(found) => refused_yet_created(found),
                    None => refused,
                }
            }
        })
    }

    /// It is known that the op was applied, and not what it made or what stands there.
    async fn look_up_what_was_made(&self, case: &Case<'_>) -> Result<Finding, Error> {
        let doubt = &self.work.doubt;
        if let (Change::Update { .. }, Some(id)) = (&case.op.change, case.contact) {
            let live = doubt.contact(id).await?;
            return Ok(live.map_or(Finding::Applied { made: None }, |live| {
                reconcile::differ(&case.op.change, &live, None)
            }));
        }
        match (doubt.look_up(case).await?, case.op.class) {
            // A second one is refused and names the first, or is the first once more.
            (Finding::NotApplied, Class::Unique) => Ok(Finding::NotApplied),
            (Finding::NotApplied, Class::Countable) => Ok(Finding::Applied { made: None }),
            (Finding::NotApplied, _) => Ok(Finding::Undecidable {
                message:
                    "the server said that it was created, its answer was cut, and it is not found"
                        .to_owned(),
            }),
            (finding, _) => Ok(finding),
        }
    }

    /// Looks up an op that an earlier process, or this one, sent without an answer.
    async fn look_up_attempts(
        &self,
        op: &Op,
        contact: Option<&ContactId>,
    ) -> Result<Outcome, Error> {
        let attempts = self.attempts(op).await?;
        let (Some(first), Some(last)) = (attempts.first(), attempts.last()) else {
            return Err(Error::Bug(format!("op {} was sent and has no attempt", op.id)));
        };
        let reference = Reference::read(last.reference.as_deref());
        let (since_ms, at_ms) = (first.at_ms, last.at_ms);
        let case = Case { op, contact, since_ms, at_ms, reference };
        let finding = self.work.doubt.look_up(&case).await?;
        Ok(Outcome { attempt: last.attempt(), finding, how: "look-up", mark: Mark::default() })
    }

    async fn attempts(&self, op: &Op) -> Result<Vec<AttemptRecord>, Error> {
        let id = op.id;
        self.work.read(move |reader| reader.attempts(id)).await
    }

    /// When the op was sent the first time.
    async fn first_sent(&self, op: &Op, attempt: &Attempt) -> Result<i64, Error> {
        if attempt.id == 1 {
            return Ok(attempt.at_ms);
        }
        let attempts = self.attempts(op).await?;
        Ok(attempts.first().map_or(attempt.at_ms, |first| first.at_ms))
    }

    async fn settle(
        &mut self,
        op: &Op,
        contact: Option<&ContactId>,
        outcome: Outcome,
    ) -> Result<(), Error> {
        let settled = server_reply::settled(outcome.finding, outcome.how, outcome.mark);
        if let (Some(contact), OpState::Applied | OpState::Differs) = (contact, settled.state) {
            self.children.wrote(contact, &op.change, settled.made.as_deref());
        }
        if op.change.makes_the_contact()
            && let Some(made) = &settled.made
        {
            self.unclaim(op, made).await?;
            // An upsert may have met a contact that was there.
            if let (Change::Create { .. }, Ok(made)) = (&op.change, made.parse()) {
                self.children.made(made);
            }
        }
        self.remember(op, settled.state, settled.made.as_deref(), settled.said.as_deref());
        self.work.count(op.row, settled.state);
        self.work.ledger.settle(outcome.attempt, settled).await?;
        Ok(())
    }

    /// A look-up may have taken this contact for another op's work, before its own answer was read.
    async fn unclaim(&self, op: &Op, made: &str) -> Result<(), Error> {
        let Some(other) = self.work.doubt.shared.claimed_by_another(made, op.id) else {
            return Ok(());
        };
        let message = format!("the contact that was taken for it, `{made}`, is another row's");
        let undecidable = Finding::Undecidable { message };
        let settled = server_reply::settled(undecidable, "look-up", Mark::default());
        Ok(self.work.ledger.set(other, settled).await?)
    }

    async fn skip(&mut self, op: &Op, why: &str) -> Result<(), Error> {
        self.work.count(op.row, OpState::Skipped);
        self.work.ledger.set(op.id, server_reply::skipped(why)).await?;
        Ok(())
    }

    /// What later ops of the row must know.
    fn remember(&mut self, op: &Op, state: OpState, made: Option<&str>, said: Option<&str>) {
        if server_reply::ends_row(&op.change, state, said) {
            let why = format!("op {} of its row failed", op.id);
            self.ended.insert(op.row, why);
        } else if op.change.makes_the_contact()
            && let Some(Ok(made)) = made.map(str::parse)
        {
            self.made.insert(op.row, made);
        }
    }
}

/// A create that was refused and done all the same (api.md §5.9).
fn refused_yet_created(found: Finding) -> Finding {
    let message = Some("the server refused it, yet created it".to_owned());
    match found {
        Finding::Applied { made } => Finding::Differs { made, differences: Vec::new(), message },
        Finding::Differs { made, differences, .. } => {
            Finding::Differs { made, differences, message }
        }
        other => other,
    }
}
