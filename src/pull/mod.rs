//! The pull: a whole location, from the API into the run's spool.
//!
//! Pages of contacts are committed with the cursor behind them, the answers about their children with
//! the place behind those; so a pull that was killed goes on after the last commit. Page n+1 is asked
//! for while the children of page n run. A child that cannot be read is set aside, asked for once more
//! at the end, and otherwise stands in the spool as a failure: it never costs the run. The pull does
//! not know tables or files.

mod appointments;
mod business_contacts;
mod children;
mod contacts;
mod gaps;
mod metadata;
mod retry_failed;
mod selected;
mod tasks;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::api::{self, Client, Filter, Halt, Kind, Route};
use crate::concurrency::Width;
use crate::event::{Event, Stop, Watcher};
use crate::run::{self, Failure, Progress, Reader, Write};

pub use children::Child;
pub use selected::{Cost, Key, List, cost, is_listed};

/// What to pull.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Which contacts.
    pub filter: Filter,
    /// Whether only the contacts that [`Pull::choose`] was told are pulled.
    pub chosen: bool,
    /// The contacts of this business, where the search does not know businesses.
    pub business: Option<crate::id::BusinessId>,
    /// Which of their children, too.
    pub children: BTreeSet<Child>,
    /// Requests in flight at most.
    pub concurrency: NonZeroUsize,
    /// How long a record may be hidden from the search while it exists (api.md §2.10: up to 34 s).
    pub settle: Duration,
    /// Whether only records that could not be read before are asked for.
    pub errors_only: bool,
}

/// Why a pull ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API.
    #[error(transparent)]
    Api(#[from] api::Error),
    /// What was stored cannot be read.
    #[error(transparent)]
    Run(#[from] run::Error),
    /// The spool takes nothing any more; it knows why.
    #[error("nothing can be stored")]
    Store,
}

impl Error {
    /// The limiter's reason, when it was the limiter that ended the pull.
    #[must_use]
    pub fn halt(&self) -> Option<Halt> {
        match self {
            Self::Api(api::Error { kind: Kind::Halted(halt), .. }) => Some(*halt),
            _ => None,
        }
    }
}

impl Plan {
    /// Whether all contacts are pulled.
    fn is_whole(&self) -> bool {
        self.filter.is_empty() && !self.chosen
    }
}

/// What every stage of a pull works with.
#[derive(Clone)]
pub struct Pull {
    /// The API.
    pub client: Client,
    /// What to pull.
    pub plan: Plan,
    /// The spool's database, for reading.
    pub db: PathBuf,
    /// The spool, for writing.
    pub writes: mpsc::Sender<Write>,
    /// Who watches.
    pub watcher: Watcher,
    /// The tap.
    pub stop: Stop,
}

/// Answers a pull holds back behind a slow one. At 100 requests per 10 s this lasts a stalled
/// connection out; notes have about 1 KB.
const WINDOW: usize = 1024;

impl Pull {
    /// Pulls everything that is not in the spool yet.
    ///
    /// # Errors
    /// When the run cannot go on now; what was stored stays, and another call goes on from there.
    pub async fn run(self) -> Result<(), Error> {
        if !self.plan.errors_only {
            self.metadata().await?;
            let children = self.children().await?;
            // Each to its own end: the first to be stopped must not drop what the others have in flight.
            let (contacts, tasks, events) = tokio::join!(
                self.contacts_and_children(&children),
                self.location_tasks(),
                self.calendar_events(),
            );
            contacts.and(tasks).and(events)?;
            if !self.plan.chosen {
                self.fill_gaps(&children).await?;
            }
            self.tasks_of_contacts().await?;
        } else if self.plan.chosen {
            Box::pin(self.ask_again_for_chosen()).await?;
        } else if self.were_hidden()? {
            self.fill_gaps(&self.children().await?).await?;
        }
        self.ask_again().await
    }

    /// Which children are asked for contact by contact.
    async fn children(&self) -> Result<Vec<Child>, Error> {
        let mut children = Vec::new();
        if self.wants(Child::Notes) {
            children.push(Child::Notes);
        }
        if self.wants(Child::Tasks) && self.tasks_need_contacts().await? {
            children.push(Child::Tasks);
        }
        if self.wants(Child::Appointments) && self.appointments_need_contacts() {
            children.push(Child::Appointments);
        }
        Ok(children)
    }

    fn wants(&self, child: Child) -> bool {
        self.plan.children.contains(&child)
    }

    fn width(&self) -> Width {
        let running = self.plan.concurrency;
        let window = NonZeroUsize::new(WINDOW).expect("a constant").max(running);
        Width { running, window }
    }

    /// For answers that may be large: only so many are in memory.
    fn narrow(&self) -> Width {
        let few = NonZeroUsize::new(4).expect("a constant").min(self.plan.concurrency);
        Width { running: few, window: few }
    }

    fn reader(&self) -> Result<Reader, Error> {
        Ok(Reader::open(&self.db)?)
    }

    fn progress(&self, stream: &str) -> Result<Progress, Error> {
        Ok(self.reader()?.progress(stream)?)
    }

    async fn store(&self, write: Write) -> Result<(), Error> {
        self.writes.send(write).await.map_err(|_| Error::Store)
    }

    fn tell(&self, what: &'static str, done: u64, total: Option<u64>) {
        self.watcher.observe(&Event::Progress { what, done, total });
    }

    fn warn(&self, code: &'static str, message: String) {
        self.watcher.observe(&Event::Warning { code, message });
    }

    /// Writes down a record that could not be read, unless the whole run must end.
    async fn set_aside(&self, stream: &str, subject: &str, error: api::Error) -> Result<(), Error> {
        if error.fatal() {
            return Err(error.into());
        }
        self.store(Write::Failed(failure(stream, subject, &error))).await
    }
}

fn failure(stream: &str, subject: &str, error: &api::Error) -> Failure {
    let code = match error.kind {
        Kind::Gone => "gone",
        Kind::Scope => "scope",
        Kind::TooLarge => "too_large",
        Kind::Exhausted | Kind::Unreachable | Kind::Untrusted => "no_answer",
        Kind::Refused | Kind::Token | Kind::Location | Kind::Halted(_) => "refused",
    };
    Failure {
        stream: stream.to_owned(),
        subject: subject.to_owned(),
        code: code.to_owned(),
        message: error.to_string(),
        status: error.status,
        trace_id: error.trace_id.clone(),
        passing: matches!(error.kind, Kind::Exhausted | Kind::Unreachable),
    }
}

/// What a scope is needed for, for a warning.
fn scope(route: Route) -> String {
    format!("the token lacks the scope `{}`", route.scope())
}
