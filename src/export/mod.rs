//! Export: a location into files.
//!
//! A run is made, the pull fills its spool, publish follows the pull and writes the tables, and at the
//! end the output directory is replaced at once. Whatever stops it, the run stays and goes on from
//! where it was; the output directory is not touched before everything is there.

mod business;
mod contact_list;
mod estimate;
mod request;
mod templates;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::api;
use crate::concurrency;
use crate::context::{self, Context};
use crate::event::{Cause, Event, Outcome, Report, Watcher, Written};
use crate::id::RunId;
use crate::publish::{self, Facts, Held, Live, Place, Published};
use crate::pull::{self, List, Plan, Pull};
use crate::run::{self, Meta, Reader, Run, Spool, State, stream};
use crate::sheet;

pub use contact_list::Chosen;
pub use estimate::{Estimate, estimate};
pub use request::{Filters, Request, Tables};
pub use templates::Laid;

/// The kind of run that an export is.
pub const KIND: &str = "export";
/// How far the search may lag behind a write (api.md §2.10): the next watermark leaves that much room.
const LAG: Duration = Duration::from_mins(10);

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API.
    #[error(transparent)]
    Api(#[from] api::Error),
    /// The pull.
    #[error(transparent)]
    Pull(pull::Error),
    /// The run directory.
    #[error(transparent)]
    Run(#[from] run::Error),
    /// The files.
    #[error(transparent)]
    Publish(#[from] publish::Error),
    /// The file that names contacts is refused.
    #[error("{0}")]
    List(sheet::Refusal),
    /// What was asked for cannot be.
    #[error("{0}")]
    Request(String),
}

impl From<sheet::Refusal> for Error {
    fn from(refusal: sheet::Refusal) -> Self {
        Self::List(refusal)
    }
}

impl From<pull::Error> for Error {
    fn from(error: pull::Error) -> Self {
        match error {
            pull::Error::Api(error) => Self::Api(error),
            pull::Error::Run(error) => Self::Run(error),
            pull::Error::Store => Self::Pull(error),
        }
    }
}

/// An export that ended early, and why. It can be resumed.
pub type Halted = context::Halted<Error>;

impl<E: Into<Error>> From<E> for Halted {
    fn from(error: E) -> Self {
        Self { run: None, error: error.into() }
    }
}

/// Exports a location.
///
/// # Errors
/// Whatever stops it; the run named there goes on with [`resume`].
pub async fn export(context: &Context, request: Request) -> Result<Report, Halted> {
    // Before anything is asked: files that cannot be written cost no request.
    request.named_layouts()?;
    let id = RunId::new(jiff::Timestamp::now());
    let held = Place::new(&request.out)?.hold(&id)?;
    let mut request = business::resolve(&context.client, request).await?;
    let list = match &mut request.contacts {
        Some(chosen) => Some(Box::pin(chosen.read(&context.client)).await?),
        None => None,
    };
    let meta = Meta {
        run: id,
        location: context.client.location().clone(),
        kind: KIND.to_owned(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        created: jiff::Timestamp::now(),
        options: serde_json::to_value(&request)
            .map_err(|error| Error::Request(error.to_string()))?,
    };
    let run = context.home.create(meta)?;
    Job { list, ..Job::new(context, run, request, false, false) }.carry_out(held).await
}

/// Goes on with an export. `errors_only`: asks for just the records that could not be read.
///
/// # Errors
/// As [`export`].
pub async fn resume(context: &Context, run: Run, errors_only: bool) -> Result<Report, Halted> {
    let mut request = request(&run)?;
    let list = match &mut request.contacts {
        // Killed before the list was stored.
        Some(chosen) if !pull::is_listed(&Reader::open(&run.db())?)? => {
            Some(Box::pin(chosen.read(&context.client)).await?)
        }
        _ => None,
    };
    let complete = run.state()? != State::Unfinished;
    let again = errors_only && complete;
    let held = Place::new(&request.out)?.hold(&run.meta.run)?;
    if again {
        run.set_state(State::Unfinished)?;
        run.note("errors_only", &true)?;
    }
    let errors_only = again || run.noted("errors_only")?.unwrap_or(false);
    Job { list, ..Job::new(context, run, request, true, errors_only) }.carry_out(held).await
}

/// The request that made a run.
///
/// # Errors
/// When the run holds none.
pub fn request(run: &Run) -> Result<Request, Error> {
    serde_json::from_value(run.meta.options.clone()).map_err(|error| {
        Error::Run(run::Error::Damaged { path: run.db(), why: format!("its options: {error}") })
    })
}

/// Writes the files of a finished run again, in other formats or another place, without a request.
///
/// # Errors
/// When the run is not finished, or the files cannot be written.
pub fn republish(run: &Run, request: &Request, watcher: &Watcher) -> Result<Report, Error> {
    let begun = Instant::now();
    if run.state()? == State::Unfinished {
        let run = &run.meta.run;
        return Err(Error::Request(format!(
            "run `{run}` is not finished; `ghl-bulk resume {run}` finishes it"
        )));
    }
    let held = Place::new(&request.out)?.hold(&run.meta.run)?;
    let facts = facts(run, request)?;
    let options = request.publish_options(facts.clone())?;
    let published = publish::publish(&run.db(), held.staging(), &options, None, watcher);
    finish(run, facts, held, published, begun, 0)
}

/// One run being carried out.
struct Job {
    context: Context,
    run: Run,
    request: Request,
    /// The contacts that are wanted, where the spool does not hold them yet.
    list: Option<List>,
    resumed: bool,
    errors_only: bool,
    begun: Instant,
}

impl Job {
    fn new(
        context: &Context,
        run: Run,
        request: Request,
        resumed: bool,
        errors_only: bool,
    ) -> Self {
        let context = context.clone();
        Self { context, run, request, list: None, resumed, errors_only, begun: Instant::now() }
    }

    async fn carry_out(self, held: Held) -> Result<Report, Halted> {
        let run = self.run.meta.run.clone();
        self.context.watcher.observe(&Event::Started {
            run: run.clone(),
            location: self.run.meta.location.clone(),
            kind: KIND,
            resumed: self.resumed,
        });
        self.work(held).await.map_err(|error| Halted { run: Some(run), error })
    }

    async fn work(self, held: Held) -> Result<Report, Error> {
        let published = match self.pull_and_publish(&held).await {
            Ok(published) => published,
            Err(error) => {
                // Counted for the manifest; the reason of the stop matters more than a failure here.
                let _ = self.count_requests();
                return Err(error);
            }
        };
        self.run.note("pulled", &jiff::Timestamp::now())?;
        self.count_requests()?;
        let facts = facts(&self.run, &self.request)?;
        let refused = self.context.client.pace().refused();
        let watcher = self.context.watcher.clone();
        let (run, begun) = (self.run, self.begun);
        let layouts_alone = self.request.formats.is_empty();
        let report = concurrency::blocking(move || {
            // Without the tables there is no `extra`; what a layout lacks is told with it.
            if !layouts_alone {
                warn_of_misfits(&published, &watcher);
            }
            finish(&run, facts, held, Ok(published), begun, refused)
        });
        report.await
    }

    async fn pull_and_publish(&self, held: &Held) -> Result<Published, Error> {
        let (spool, writer) = Spool::open(&self.run.db())?;
        let (tell_end, ended) = oneshot::channel();
        let live = Live { committed: spool.committed(), ended, handle: Handle::current() };
        let (db, staging) = (self.run.db(), held.staging().to_owned());
        let options = self.request.publish_options(facts(&self.run, &self.request)?)?;
        let watcher = self.context.watcher.clone();
        let publishing = concurrency::blocking(move || {
            publish::publish(&db, &staging, &options, Some(live), &watcher)
        });
        let publishing = async {
            let published = publishing.await;
            if published.is_err() {
                self.context.stop.close(Cause::Failure);
            }
            published
        };
        let pulling = self.pull(spool, tell_end);
        let ((), pulled, published) =
            tokio::join!(concurrency::blocking(writer), pulling, publishing);
        match (pulled, published) {
            (Err(error), Ok(_) | Err(publish::Error::Abandoned)) => Err(error),
            (_, Err(error)) => Err(error.into()),
            (Ok(()), Ok(published)) => Ok(published),
        }
    }

    async fn pull(&self, spool: Spool, tell_end: oneshot::Sender<()>) -> Result<(), Error> {
        let pull = Pull {
            client: self.context.client.clone(),
            plan: self.plan(),
            db: self.run.db(),
            writes: spool.writer(),
            watcher: self.context.watcher.clone(),
            stop: self.context.stop.clone(),
        };
        let pulled = async {
            if let Some(list) = &self.list {
                pull.choose(list).await?;
            }
            Box::pin(pull.run()).await
        };
        let pulled = pulled.await;
        // The spool knows what stopped it; the pull only that it takes nothing any more.
        let stored = spool.close().await;
        stored?;
        pulled?;
        // When publish is gone, it says why itself.
        let _ = tell_end.send(());
        Ok(())
    }

    fn plan(&self) -> Plan {
        let tables = self.request.tables;
        Plan {
            filter: self.request.filters.filter(),
            chosen: self.request.contacts.is_some(),
            business: self.request.filters.business_id.clone(),
            children: tables.children(),
            concurrency: self.context.concurrency,
            settle: self.context.settle,
            errors_only: self.errors_only,
        }
    }

    fn count_requests(&self) -> Result<(), Error> {
        let mut requests = self.run.noted::<BTreeMap<String, u64>>("requests")?.unwrap_or_default();
        for (route, sent) in self.context.client.sent() {
            *requests.entry(route).or_default() += sent;
        }
        Ok(self.run.note("requests", &requests)?)
    }
}

fn facts(run: &Run, request: &Request) -> Result<Facts, Error> {
    let meta = &run.meta;
    let reader = Reader::open(&run.db())?;
    let location = reader.next(stream::LOCATION, 0)?;
    let location = location.and_then(|entry| api::LocationHead::read(&entry.body).ok());
    Ok(Facts {
        run: meta.run.clone(),
        location: meta.location.clone(),
        location_name: location.and_then(|location| location.name),
        api_version: api::VERSION.to_owned(),
        tool_version: meta.tool.clone(),
        started: meta.created,
        finished: run.noted("pulled")?,
        watermark: meta.created - LAG,
        filter: request.which(),
        requests: run.noted("requests")?.unwrap_or_default(),
    })
}

/// One warning for all values that do not fit, with the columns that have most of them.
fn warn_of_misfits(published: &Published, watcher: &Watcher) {
    const NAMED: usize = 4;
    let mut misfits: Vec<_> = published.misfits.iter().collect();
    misfits.sort_by_key(|(column, count)| (std::cmp::Reverse(*count), column));
    let all: u64 = misfits.iter().map(|(_, count)| count).sum();
    if all == 0 {
        return;
    }
    let named = misfits.iter().take(NAMED).map(|(column, count)| format!("{column} ({count})"));
    let more = misfits.len().saturating_sub(NAMED);
    let more = (more > 0).then(|| format!("{more} columns more"));
    let columns = named.chain(more).collect::<Vec<_>>().join(", ");
    let said = match all {
        1 => "1 value does not fit its column's type; it is kept in `extra`".to_owned(),
        n => format!("{n} values do not fit their column's type; they are kept in `extra`"),
    };
    watcher.observe(&Event::Warning { code: "misfit", message: format!("{said}: {columns}") });
}

fn finish(
    run: &Run,
    facts: Facts,
    held: Held,
    published: Result<Published, publish::Error>,
    begun: Instant,
    refused: u64,
) -> Result<Report, Error> {
    let mut published = published?;
    let requests = facts.requests.clone();
    let out = held.out().to_owned();
    let entries = Reader::open(&run.db())?.last()?;
    held.replace(facts, entries, &mut published)?;
    let unreadable = published.failures.len() as u64;
    let (state, outcome) = match unreadable {
        0 => (State::Complete, Outcome::Complete),
        _ => (State::Partial, Outcome::Partial),
    };
    run.set_state(state)?;
    run.note("errors_only", &false)?;
    Ok(Report {
        run: run.meta.run.clone(),
        location: run.meta.location.clone(),
        outcome,
        out,
        rows: rows(&published.files),
        files: published.files,
        unreadable,
        requests,
        refused,
        elapsed: begun.elapsed(),
    })
}

/// Rows by table: in all formats the same, but a layout may be written as several files.
fn rows(files: &[Written]) -> BTreeMap<String, u64> {
    let mut rows = BTreeMap::new();
    for (at, file) in files.iter().enumerate() {
        let same = |it: &Written| it.table == file.table && it.format == file.format;
        let before = if files[..at].iter().any(same) { rows[&file.table] } else { 0 };
        rows.insert(file.table.clone(), before + file.rows);
    }
    rows
}
