//! The second try: records that were set aside, or that came to light late.

use std::collections::BTreeMap;
use std::pin::pin;

use futures::StreamExt;

use super::children::Child;
use super::{Error, Pull};
use crate::api::{Bounds, Kind};
use crate::concurrency;
use crate::event::{Event, Waiting};
use crate::id::ContactId;
use crate::run::{Failure, Progress, Write, pack, stream};

/// The code of a child that has not been asked for yet.
pub(super) const LATE: &str = "late";

impl Pull {
    /// Notes that a contact's children are still to be asked for.
    pub(super) async fn ask_later(&self, child: Child, contact: &ContactId) -> Result<(), Error> {
        let failure = Failure {
            stream: child.stream().to_owned(),
            subject: contact.to_string(),
            code: LATE.to_owned(),
            message: "not asked for yet".to_owned(),
            status: None,
            trace_id: None,
            passing: true,
        };
        self.store(Write::Failed(failure)).await
    }

    /// Asks once more for what could not be read.
    pub(super) async fn ask_again(&self) -> Result<(), Error> {
        self.settle_writes().await?;
        let failures = self.reader()?.failures()?;
        let wanted =
            failures.into_iter().filter(|failure| failure.passing || self.plan.errors_only);
        let wanted: Vec<_> = wanted.collect();
        for failure in &wanted {
            self.ask_for_list(failure).await?;
        }
        let children = wanted.iter().filter_map(child);
        let client = self.client.clone();
        let asked = concurrency::ordered(
            futures::stream::iter(children.collect::<Vec<_>>()),
            self.narrow(),
            move |(child, contact)| {
                let client = client.clone();
                async move {
                    let answer = child.ask(&client, &contact, Bounds::PATIENT).await;
                    (child, contact, answer)
                }
            },
        );
        let mut asked = pin!(asked);
        let reader = self.reader()?;
        let place = |child: Child| Ok((child, reader.progress(child.stream())?));
        let places =
            Child::ALL.into_iter().map(place).collect::<Result<BTreeMap<_, _>, Error>>()?;
        while let Some((child, contact, answer)) = asked.next().await {
            let stream = child.stream().to_owned();
            match answer {
                Ok(answer) => {
                    let body = pack([(contact.as_str(), answer.body.as_ref())]);
                    // Committed in this order: a kill in between asks again, which is harmless.
                    let progress = places[&child].clone();
                    self.store(Write::Entry { stream: stream.clone(), rows: 1, body, progress })
                        .await?;
                    let subject = contact.to_string();
                    self.store(Write::Mended { stream, subject }).await?;
                }
                Err(error) => self.set_aside(&stream, contact.as_str(), error).await?,
            }
        }
        Ok(())
    }

    /// A list of the location that could not be read.
    async fn ask_for_list(&self, failure: &Failure) -> Result<(), Error> {
        let client = &self.client;
        let name = failure.stream.as_str();
        let answer = match name {
            stream::FIELDS => client.custom_fields().await,
            stream::USERS => client.users().await,
            stream::TAGS => client.tags().await,
            _ => return Ok(()),
        };
        let progress = Progress { done: true, rows: 1, ..Progress::default() };
        match answer {
            Ok(answer) => {
                let stream = name.to_owned();
                let body = answer.body;
                self.store(Write::Entry { stream, rows: 1, body, progress }).await?;
                let (stream, subject) = (name.to_owned(), failure.subject.clone());
                self.store(Write::Mended { stream, subject }).await
            }
            Err(error) => self.set_aside(name, &failure.subject, error).await,
        }
    }

    /// Waits before the search is asked again for what it may be hiding.
    pub(super) async fn wait_for_index(&self, time: std::time::Duration) -> bool {
        let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.watcher.observe(&Event::Waiting { reason: Waiting::Index, ms });
        tokio::select! {
            () = tokio::time::sleep(time) => true,
            () = self.stop.wait() => false,
        }
    }

    /// Waits until everything handed over so far is committed, so that it can be read.
    pub(super) async fn settle_writes(&self) -> Result<(), Error> {
        let (done, committed) = tokio::sync::oneshot::channel();
        self.store(Write::Barrier(done)).await?;
        committed.await.map_err(|_| Error::Store)
    }
}

fn child(failure: &Failure) -> Option<(Child, ContactId)> {
    let child = Child::ALL.into_iter().find(|child| child.stream() == failure.stream)?;
    Some((child, failure.subject.parse().ok()?))
}

/// Whether a search was refused because of what it asked for.
pub(super) fn refused(kind: Kind) -> bool {
    matches!(kind, Kind::Refused | Kind::Gone)
}
