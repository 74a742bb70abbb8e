//! Import: a sheet into a location.
//!
//! [`plan`] judges the whole sheet, looks at the account and decides what each row is to do; nothing is
//! sent that changes anything. [`apply()`] carries the plan out, each op once, and writes down what became
//! of it. Between the two a person may look; a dry run is a run that stops there. Whatever stops either,
//! [`resume`] goes on: a plan that was not finished is made anew, one that was is carried out exactly.

mod apply;
mod conflicts;
mod deletion;
mod drift;
mod error;
mod planning;
mod request;
mod results;
mod run_files;
mod source;
mod undo;

use std::path::PathBuf;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::concurrency;
use crate::context::{self, Context};
use crate::event::Event;
use crate::id::RunId;
use crate::model::Directory;
use crate::plan::Removed;
use crate::run::{Lock, Meta, Run};

pub use apply::{Report, apply, results};
pub use error::Error;
pub use planning::summary::{Removal, Summary};
pub use request::{MaxErrors, Request, Unmapped};
pub use results::Tally;
pub use results::resolve::{Resolved, resolve};
pub use results::status::{Standing, standing};
pub use source::propose_mapping::{Proposed, Wish, propose};
pub use source::user_presets::{Broken, Presets};
pub use source::{Shown, problem_lines};
pub use undo::{Created, Undo, plan_undo, undone_by};

use planning::Planning;
use source::Input;

/// The kind of run that an import is.
pub const KIND: &str = "import";
/// The kind of run that takes an import back.
pub const UNDO: &str = "undo";
/// Contacts in a request for tags, to begin with (api.md §5: the maximum is unknown).
const TAG_BATCH: usize = 100;
/// Rows that are looked at to understand a sheet that no mapping explains.
const SAMPLES: usize = 200;

/// The names of what a row does.
pub(crate) mod action {
    pub(crate) const REJECTED: &str = "rejected";
    pub(crate) const PENDING: &str = "pending";
    pub(crate) const MERGED: &str = "merged";
    pub(crate) const SUPERSEDED: &str = "superseded";
    pub(crate) const DONE_EARLIER: &str = "done_earlier";
    pub(crate) const ALREADY_GONE: &str = "already_gone";
}

/// An import that ended early, and why.
pub type Halted = context::Halted<Error>;

impl<E: Into<Error>> From<E> for Halted {
    fn from(error: E) -> Self {
        Self { run: None, error: error.into() }
    }
}

/// A plan that is older than this is held against the account once more before anything is deleted or taken
/// back.
const FRESH: std::time::Duration = std::time::Duration::from_mins(1);

/// A plan, ready to be applied. It holds the run and the location.
pub struct Planned {
    run: Run,
    /// What it comes to.
    pub summary: Summary,
    /// The directory of its files.
    pub out: PathBuf,
    sample: Option<u64>,
    max_errors: Option<MaxErrors>,
    /// When the account was looked at for it.
    looked: Instant,
    _location: Lock,
}

impl Planned {
    /// The run.
    #[must_use]
    pub fn run(&self) -> &RunId {
        &self.run.meta.run
    }

    /// The location's name, once it is known.
    #[must_use]
    pub fn location_name(&self) -> Option<String> {
        let directory = self.run.noted::<Directory>("directory").ok().flatten();
        directory.and_then(|directory| directory.name)
    }

    /// The import that it takes back, if it is an undo.
    #[must_use]
    pub fn takes_back(&self) -> Option<RunId> {
        let undo = (self.run.meta.kind == UNDO).then(|| undo::options(&self.run));
        undo.and_then(Result::ok).map(|undo| undo.of)
    }

    /// Whether anything was sent already.
    ///
    /// # Errors
    /// When the run cannot be read.
    pub fn begun(&self) -> Result<bool, Error> {
        Ok(stage(&self.run)? == Stage::Applying)
    }
}

/// The account that a run was begun with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The API's address.
    pub url: String,
    /// The environment variable that holds the token, where it is another than the usual one.
    pub token_variable: Option<String>,
    /// The profile that was chosen, if one was.
    #[serde(default)]
    pub profile: Option<String>,
    /// Whether the location is served by the embedded sandbox.
    pub sandbox: bool,
}

/// The account of an import or undo.
///
/// # Errors
/// When the run does not say.
pub fn account(run: &Run) -> Result<Account, Error> {
    serde_json::from_value(run.meta.options["account"].clone())
        .map_err(|error| Error::Bug(format!("the run's account: {error}")))
}

/// How far an import has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    Planning,
    Planned,
    Applying,
}

fn stage(run: &Run) -> Result<Stage, Error> {
    Ok(run.noted("stage")?.unwrap_or(Stage::Planning))
}

/// Plans an import; sends nothing that changes anything.
///
/// # Errors
/// Whatever stops it. A run that is named there goes on with [`resume`]; a file, mapping or plan that is
/// refused leaves none.
pub async fn plan(context: &Context, request: Request) -> Result<Planned, Halted> {
    // What needs no request comes first: most mistakes are in the file or the mapping.
    let (input, request) = concurrency::blocking(move || (Input::open(&request), request)).await;
    let input = input?;
    let location = context.client.location().clone();
    let held = context.home.hold(&location)?;
    let id = RunId::new(jiff::Timestamp::now());
    let meta = Meta {
        run: id.clone(),
        location,
        kind: KIND.to_owned(),
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        created: jiff::Timestamp::now(),
        options: serde_json::to_value(&request)
            .map_err(|error| Error::Request(error.to_string()))?,
    };
    let run = context.home.create(meta)?;
    make_plan(context, run, request, input, held, false).await
}

/// Takes up an import where it stands: plans it anew, or gives the plan back if it still holds.
///
/// # Errors
/// As [`plan`]; [`Error::Stale`] when the sheet, the mapping, or a contact has changed since the plan.
pub async fn resume(context: &Context, run: Run) -> Result<Planned, Halted> {
    let held = context.home.hold(&run.meta.location)?;
    let id = run.meta.run.clone();
    let halted = |error: Error| Halted { run: Some(id.clone()), error };
    let stage = stage(&run).map_err(halted)?;
    if run.meta.kind == UNDO {
        return undo::resume(context, run, stage, held).await;
    }
    let request = request(&run)?;
    if stage == Stage::Planning {
        let (input, request) =
            concurrency::blocking(move || (Input::open(&request), request)).await;
        return make_plan(context, run, request, input?, held, true).await;
    }
    context.watcher.observe(&started(&run, true));
    drift::input(&run, &request).map_err(halted)?;
    if stage == Stage::Planned {
        drift::account(context, &run).await.map_err(halted)?;
    }
    if let Some(what) = removes(&run).map_err(halted)? {
        deletion::recheck(context, &run, what, stage).await.map_err(halted)?;
    }
    let summary = noted_summary(&run).map_err(halted)?;
    // Whoever resumes a sample wants the rest.
    Ok(planned(run, &request, summary, stage == Stage::Planned, held))
}

fn noted_summary(run: &Run) -> Result<Summary, Error> {
    run.noted("summary")?.ok_or_else(|| Error::Bug("a plan without summary".to_owned()))
}

/// What an import deletes, if it deletes.
fn removes(run: &Run) -> Result<Option<Removed>, Error> {
    Ok(run.noted::<Option<Removed>>("removes")?.flatten())
}

/// The request that made an import.
fn request(run: &Run) -> Result<Request, Error> {
    serde_json::from_value(run.meta.options.clone())
        .map_err(|error| Error::Bug(format!("the run's options: {error}")))
}

fn planned(run: Run, request: &Request, summary: Summary, fresh: bool, held: Lock) -> Planned {
    Planned {
        out: out(&run, request),
        sample: request.sample.filter(|_| fresh),
        max_errors: request.max_errors,
        looked: Instant::now(),
        run,
        summary,
        _location: held,
    }
}

fn started(run: &Run, resumed: bool) -> Event {
    Event::Started {
        run: run.meta.run.clone(),
        location: run.meta.location.clone(),
        kind: if run.meta.kind == UNDO { UNDO } else { KIND },
        resumed,
    }
}

/// The directory of a run's files.
fn out(run: &Run, request: &Request) -> PathBuf {
    request.out.clone().unwrap_or_else(|| request.base.join(run.meta.run.segment()))
}

async fn make_plan(
    context: &Context,
    run: Run,
    request: Request,
    input: Input,
    held: Lock,
    resumed: bool,
) -> Result<Planned, Halted> {
    context.watcher.observe(&started(&run, resumed));
    let id = run.meta.run.clone();
    let work = Planning { context, run: &run, request: &request };
    match work.plan(input).await {
        Ok(summary) => Ok(planned(run, &request, summary, true, held)),
        Err(error) => Err(refused_or_halted(context, run, &id, error)),
    }
}

/// A plan that could not be made. Where it is refused nothing was sent and nothing would be different
/// tomorrow: no run is left behind.
fn refused_or_halted(context: &Context, run: Run, id: &RunId, error: Error) -> Halted {
    drop(run);
    if !error.refuses() {
        return Halted { run: Some(id.clone()), error };
    }
    // The reason of the refusal matters more than a directory that stays.
    let _ = context.home.remove(id);
    Halted { run: None, error }
}
