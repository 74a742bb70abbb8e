//! Import: a sheet into a location.
//!
//! [`plan`] judges the whole sheet, looks at the account and decides what each row is to do; nothing is
//! sent that changes anything. [`apply`] carries the plan out, each op once, and writes down what became
//! of it. Between the two a person may look; a dry run is a run that stops there. Whatever stops either,
//! [`resume`] goes on: a plan that was not finished is made anew, one that was is carried out exactly.

mod decide;
mod earlier;
mod error;
mod fate;
mod input;
mod judge;
mod lanes;
mod live;
mod merge;
mod propose;
mod request;
mod resolve;
mod results;
mod stale;
mod summary;
mod undo;
mod undo_row;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::context::{self, Context};
use crate::event::Event;
use crate::flight;
use crate::id::{LocationId, RunId};
use crate::plan::diff::Planner;
use crate::plan::{Directory, IdentitylessRule, Policy, Target};
use crate::push::{self, Push};
use crate::run::{self, Ledger, LedgerReader, Lock, Meta, Rows, Run, State};

pub use error::Error;
pub use input::{Shown, problem_lines};
pub use propose::{Proposed, propose};
pub use request::{MaxErrors, Request, Unmapped};
pub use resolve::resolve;
pub use results::Tally;
pub use summary::Summary;
pub use undo::{Created, Undo, plan_undo};

use fate::Fates;
use input::{Input, Understood};

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
}

/// An import that ended early, and why.
pub type Halted = context::Halted<Error>;

impl<E: Into<Error>> From<E> for Halted {
    fn from(error: E) -> Self {
        Self { run: None, error: error.into() }
    }
}

/// A plan, ready to be applied. It holds the run and the location.
pub struct Planned {
    run: Run,
    /// What it comes to.
    pub summary: Summary,
    /// The directory of its files.
    pub out: PathBuf,
    sample: Option<u64>,
    max_errors: Option<MaxErrors>,
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

    /// Whether anything was sent already.
    ///
    /// # Errors
    /// When the run cannot be read.
    pub fn begun(&self) -> Result<bool, Error> {
        Ok(stage(&self.run)? == Stage::Applying)
    }
}

/// What an import did.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The run.
    pub run: RunId,
    /// The location.
    pub location: LocationId,
    /// The directory of the result files.
    pub out: PathBuf,
    /// The result files.
    #[serde(rename = "paths")]
    pub files: Vec<PathBuf>,
    /// How many rows ended how.
    #[serde(rename = "rows")]
    pub tally: Tally,
    /// Contacts that stand in the location twice although they were sent once.
    pub duplicates: u64,
    /// Requests sent, by route, retries included.
    pub requests: std::collections::BTreeMap<String, u64>,
    /// Answers 429 among them.
    pub refused: u64,
    /// Whether rows were left for later on purpose (`--sample`).
    pub sampled: bool,
    /// Time this process spent on applying.
    #[serde(serialize_with = "as_millis", rename = "elapsed_ms")]
    pub elapsed: Duration,
}

fn as_millis<S: serde::Serializer>(elapsed: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}

/// The account that a run was begun with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The API's address.
    pub url: String,
    /// The environment variable that holds the token, where it is another than the usual one.
    pub token_variable: Option<String>,
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
    let (input, request) = flight::blocking(move || (Input::open(&request), request)).await;
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
        return resume_undo(context, run, stage, held).await;
    }
    let request = request(&run)?;
    if stage == Stage::Planning {
        let (input, request) = flight::blocking(move || (Input::open(&request), request)).await;
        return make_plan(context, run, request, input?, held, true).await;
    }
    context.watcher.observe(&started(&run, true));
    stale::input(&run, &request).map_err(halted)?;
    if stage == Stage::Planned {
        stale::account(context, &run).await.map_err(halted)?;
    }
    let summary = noted_summary(&run).map_err(halted)?;
    // Whoever resumes a sample wants the rest.
    Ok(planned(run, &request, summary, stage == Stage::Planned, held))
}

async fn resume_undo(
    context: &Context,
    run: Run,
    stage: Stage,
    held: Lock,
) -> Result<Planned, Halted> {
    if stage == Stage::Planning {
        return undo::replan(context, run, held).await;
    }
    context.watcher.observe(&started(&run, true));
    let options = undo::options(&run)?;
    let out = options.out.unwrap_or_else(|| options.base.join(run.meta.run.segment()));
    let summary = noted_summary(&run)?;
    Ok(Planned { run, summary, out, sample: None, max_errors: None, _location: held })
}

fn noted_summary(run: &Run) -> Result<Summary, Error> {
    run.noted("summary")?.ok_or_else(|| Error::Bug("a plan without summary".to_owned()))
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
        Err(error) if error.refuses() => {
            // Nothing was sent and nothing would be different tomorrow: no run is left behind.
            drop(run);
            // The reason of the refusal matters more than a directory that stays.
            let _ = context.home.remove(&id);
            Err(Halted { run: None, error })
        }
        Err(error) => Err(Halted { run: Some(id), error }),
    }
}

/// A plan in the making.
struct Planning<'a> {
    context: &'a Context,
    run: &'a Run,
    request: &'a Request,
}

impl Planning<'_> {
    async fn plan(&self, input: Input) -> Result<Summary, Error> {
        let directory = self.directory(&input).await?;
        let understood = input.understand(self.request, &directory)?;
        self.run.note("directory", &directory)?;
        self.run.note("policy", &understood.policy)?;
        self.run.note("input_digest", &input.sheet.digest)?;
        self.run.note("mapping_digest", &input.mapping_digest)?;
        let columns: Vec<_> = input.sheet.columns.iter().map(|it| it.name.clone()).collect();
        self.run.note("columns", &columns)?;
        let key = judge::custom_key(&understood.policy.key, &directory)?;
        self.run.note("key", &key)?;
        let (input, understood, found) = self.judge(input, understood, &directory).await?;
        if !found.unknown.is_empty() {
            return Err(Error::UnknownNames(found.unknown));
        }
        let fetch = live::Fetch {
            client: &self.context.client,
            db: self.run.db(),
            watcher: &self.context.watcher,
            key: key.clone(),
            whole: false,
        };
        fetch.all().await?;
        let summary = self.decide(input, understood, directory, key, found.children_only).await?;
        self.run.note("stage", &Stage::Planned)?;
        Ok(summary)
    }

    /// The location's names, as far as the mapping may need them.
    async fn directory(&self, input: &Input) -> Result<Directory, Error> {
        let client = &self.context.client;
        let location = client.location_details().await?;
        let fields = client.custom_fields().await?;
        let users = if input.may_name(&[Target::Owner]) {
            Some(client.users().await?.body)
        } else {
            None
        };
        let mut businesses = Vec::new();
        if input.may_name(&[Target::Business]) {
            // A page of the list holds 100 (api.md §6.3).
            loop {
                let page = client.businesses(businesses.len() * 100).await?;
                let rows = page.head.rows;
                businesses.push(page.body.to_vec());
                if rows < 100 {
                    break;
                }
            }
        }
        let id = client.location().clone();
        Directory::read(id, &location.body, &fields.body, users.as_deref(), &businesses)
            .map_err(|error| Error::Answer(error.to_string()))
    }

    async fn judge(
        &self,
        input: Input,
        understood: Understood,
        directory: &Directory,
    ) -> Result<(Input, Understood, judge::Found), Error> {
        let (db, directory) = (self.run.db(), directory.clone());
        let watcher = self.context.watcher.clone();
        let work = move || {
            let rows = Rows::open(&db)?;
            rows.clear()?;
            let found = rows.together(|rows| {
                for (code, message) in &understood.warnings {
                    let (code, message) = (code.clone(), message.clone());
                    rows.warn(&run::Noted { n: 0, code, field: String::new(), message })?;
                }
                judge::judge(&input, &understood, &directory, rows, &watcher)
            })?;
            Ok((input, understood, found))
        };
        flight::blocking(work).await
    }

    async fn decide(
        &self,
        input: Input,
        understood: Understood,
        directory: Directory,
        key: Option<String>,
        children_only: bool,
    ) -> Result<Summary, Error> {
        let (db, out) = (self.run.db(), out(self.run, self.request));
        let home = self.context.home.clone();
        let meta = self.run.meta.clone();
        let columns: Vec<_> = input.sheet.columns.iter().map(|it| it.name.clone()).collect();
        let work = move || {
            let rows = Rows::open(&db)?;
            let decide = decide::Decide {
                rows: &rows,
                directory: &directory,
                planner: Planner::new(&understood.policy, &directory),
                policy: &understood.policy,
                key,
                input_digest: input.sheet.digest.clone(),
                children_only,
                earlier: earlier::Earlier::read(&home, &meta.location, &meta.run)?,
            };
            let ops = decide.run()?;
            let summary = Summary::count(&rows, &ops, understood.shown, TAG_BATCH)?;
            if summary.once > 0 && understood.policy.no_identity == IdentitylessRule::Stop {
                return Err(Error::Identityless(summary.once));
            }
            run::store_ops(&db, ops.into_iter())?;
            make(&out)?;
            results::write_plan(&rows, &out, &columns)?;
            Ok(summary)
        };
        let summary: Summary = flight::blocking(work).await?;
        self.run.note("summary", &summary)?;
        let path = self.out_file("summary.json");
        let text = serde_json::to_string_pretty(&summary).expect("a summary is JSON");
        write(&path, text.as_bytes())?;
        Ok(summary)
    }

    fn out_file(&self, name: &str) -> PathBuf {
        out(self.run, self.request).join(name)
    }
}

/// Applies a plan, or what is left of it.
///
/// # Errors
/// Whatever stops it; the run goes on with [`resume`].
pub async fn apply(context: &Context, planned: Planned) -> Result<Report, Halted> {
    let id = planned.run.meta.run.clone();
    let halted = |error| Halted { run: Some(id), error };
    let begun = Instant::now();
    carry_out(context, &planned, begun).await.map_err(halted)
}

async fn carry_out(context: &Context, planned: &Planned, begun: Instant) -> Result<Report, Error> {
    planned.run.note("stage", &Stage::Applying)?;
    let pushed = push_ops(context, planned).await;
    // The files are made whatever stopped the work: they say how far it came.
    let finished = finish(context, planned, begun, pushed.as_ref().ok()).await;
    let report = match (pushed, finished) {
        (Ok(_), finished) => finished?,
        (Err(_), Err(bug @ Error::Bug(_))) => return Err(bug),
        // The reason of the stop matters more than a file that cannot be written now.
        (Err(error), _) => return Err(error),
    };
    let open = report.tally.pending + report.tally.in_doubt;
    planned.run.set_state(match open {
        0 if report.tally.rejected == 0 => State::Complete,
        0 => State::Partial,
        // Rows in doubt wait for a person, not for another try.
        _ if report.tally.pending == 0 => State::Partial,
        _ => State::Unfinished,
    })?;
    Ok(report)
}

async fn push_ops(context: &Context, planned: &Planned) -> Result<push::Pushed, Error> {
    let db = planned.run.db();
    let policy: Policy = planned.run.noted("policy")?.unwrap_or_default();
    let directory: Option<Directory> = planned.run.noted("directory")?;
    let marker = policy.marker.as_deref().zip(directory.as_ref());
    let marker = marker.and_then(|(name, directory)| directory.field(name).ok());
    let only = match planned.sample {
        Some(sample) => {
            let db = db.clone();
            Some(flight::blocking(move || stale::sample(&Rows::open(&db)?, sample)).await?)
        }
        None => None,
    };
    let (ledger, writer) = Ledger::open(&db)?;
    let push = Push {
        client: context.client.clone(),
        ledger: ledger.clone(),
        db,
        watcher: context.watcher.clone(),
        stop: context.stop.clone(),
        concurrency: context.concurrency,
        settle: context.settle,
        marker: marker.map(|field| field.id.clone()),
        max_errors: planned.max_errors.map(|it| it.of(planned.summary.rows)),
        only,
        tag_batch: TAG_BATCH,
    };
    let work = async {
        let pushed = push.run().await;
        let closed = ledger.close().await;
        (pushed, closed)
    };
    let ((), (pushed, closed)) = tokio::join!(flight::blocking(writer), work);
    // What the ledger says about itself goes first: the push only knows that it takes nothing any more.
    closed?;
    Ok(pushed?)
}

async fn finish(
    context: &Context,
    planned: &Planned,
    begun: Instant,
    pushed: Option<&push::Pushed>,
) -> Result<Report, Error> {
    let (db, out) = (planned.run.db(), planned.out.clone());
    let columns: Vec<String> = planned.run.noted("columns")?.unwrap_or_default();
    let rows = planned.summary.rows;
    let duplicates = pushed.map(|pushed| pushed.duplicates.clone()).unwrap_or_default();
    let count = duplicates.len() as u64;
    let (files, tally) = flight::blocking(move || {
        write_results(&db, &out, &columns, rows, &duplicates)
    })
    .await?;
    let report = Report {
        run: planned.run.meta.run.clone(),
        location: planned.run.meta.location.clone(),
        out: planned.out.clone(),
        files,
        tally,
        duplicates: count,
        requests: context.client.sent(),
        refused: context.client.pace().refused(),
        sampled: planned.sample.is_some() && tally.pending > 0,
        elapsed: begun.elapsed(),
    };
    let text = serde_json::to_string_pretty(&report).expect("a report is JSON");
    write(&planned.out.join("summary.json"), text.as_bytes())?;
    Ok(report)
}

fn write_results(
    db: &std::path::Path,
    out: &std::path::Path,
    columns: &[String],
    expected: u64,
    duplicates: &[push::Duplicate],
) -> Result<(Vec<PathBuf>, Tally), Error> {
    let fates = Fates::read(&LedgerReader::open(db)?)?;
    let rows = Rows::open(db)?;
    make(out)?;
    let (mut files, tally) = results::write(&rows, &fates, out, columns)?;
    if !duplicates.is_empty() {
        let header = ["row", "contact_ids"].map(str::to_owned);
        let mut table = results::Table::new(out, "duplicates.csv", &header)?;
        for duplicate in duplicates {
            table.record(&[duplicate.row.to_string(), duplicate.ids.join("; ")])?;
        }
        files.push(table.close()?);
    }
    conserve(tally, expected)?;
    Ok((files, tally))
}

/// Every row stands in exactly one result.
fn conserve(tally: Tally, expected: u64) -> Result<(), Error> {
    if tally.total() == expected {
        return Ok(());
    }
    Err(Error::Bug(format!(
        "{expected} rows were read, but {} are accounted for: {tally:?}",
        tally.total()
    )))
}

/// Makes a finished or interrupted run's result files again, there or in another directory.
///
/// # Errors
/// When the run is no import, was not planned to the end, or the files cannot be written.
pub fn results(run: &Run, to: Option<PathBuf>) -> Result<(Report, Summary), Error> {
    let begun = Instant::now();
    let Some(summary) = run.noted::<Summary>("summary")? else {
        return Err(Error::Request(format!("run `{}` has no plan yet", run.meta.run)));
    };
    let out = match to {
        Some(out) => out,
        None if run.meta.kind == UNDO => {
            let options = undo::options(run)?;
            options.out.unwrap_or_else(|| options.base.join(run.meta.run.segment()))
        }
        None => out(run, &request(run)?),
    };
    let columns: Vec<String> = run.noted("columns")?.unwrap_or_default();
    make(&out)?;
    if stage(run)? != Stage::Applying {
        let files = results::write_plan(&Rows::open(&run.db())?, &out, &columns)?;
        let tally = results::tally(&Rows::open(&run.db())?, &Fates::none())?;
        return Ok((report_of(run, out, files, tally, begun), summary));
    }
    let (files, tally) = write_results(&run.db(), &out, &columns, summary.rows, &[])?;
    Ok((report_of(run, out, files, tally, begun), summary))
}

fn report_of(run: &Run, out: PathBuf, files: Vec<PathBuf>, tally: Tally, begun: Instant) -> Report {
    Report {
        run: run.meta.run.clone(),
        location: run.meta.location.clone(),
        out,
        files,
        tally,
        duplicates: 0,
        requests: std::collections::BTreeMap::new(),
        refused: 0,
        sampled: false,
        elapsed: begun.elapsed(),
    }
}

fn make(dir: &std::path::Path) -> Result<(), Error> {
    std::fs::create_dir_all(dir).map_err(|source| Error::File { path: dir.to_owned(), source })
}

/// Writes a small file so that it is never half there.
fn write(path: &std::path::Path, bytes: &[u8]) -> Result<(), Error> {
    let fail = |source| Error::File { path: path.to_owned(), source };
    let dir = path.parent().unwrap_or(std::path::Path::new("."));
    let mut file = tempfile::NamedTempFile::with_prefix_in(".ghl-bulk-", dir).map_err(fail)?;
    std::io::Write::write_all(&mut file, bytes).map_err(fail)?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map(drop).map_err(|error| fail(error.error))
}

/// SHA-256 in lower-case hex.
fn digest(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}
